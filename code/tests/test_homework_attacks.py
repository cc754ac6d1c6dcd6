"""Attacks on the grader: each earns nothing and harms nothing; the honest control keeps all its points.

Every attack is the code of a submission. After each one the grader still stands, a file, a process and a server that
the attack could reach if the room leaked are as they were, and no process of the submission is left.
"""

import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import small_homework

from unrolled.homework import classroom, reports, sandbox
from unrolled.homework.grading import grade
from unrolled.homework.notebooks import NotebookError, read_file

CLOSED = sys.platform.startswith("linux") and shutil.which("bwrap") is not None
needs_bubblewrap = pytest.mark.skipif(not CLOSED, reason="bubblewrap is not installed (apt-get install bubblewrap)")
SECRET = "the-secret-of-the-run-4711"


@pytest.fixture(scope="module")
def room():
    """The closed room, prepared once."""
    with sandbox.room(True) as made:
        yield made


@pytest.fixture(scope="module")
def homework(tmp_path_factory):
    """The small homework's reference."""
    return small_homework.reference(tmp_path_factory.mktemp("homework"))


@pytest.fixture
def world(tmp_path, monkeypatch):
    """What an attack might reach: a file, a process, a server, a secret in the environment."""
    canary = tmp_path / "scores.csv"
    canary.write_text("student,points\n")
    tmp_path.chmod(0o777)
    canary.chmod(0o666)
    monkeypatch.setenv("UNROLLED_SECRET", SECRET)
    neighbour = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    yield {"file": str(canary), "pid": neighbour.pid, "port": server.getsockname()[1], "grader": os.getpid()}
    try:
        with pytest.raises(TimeoutError):
            server.accept()
        assert neighbour.poll() is None
        assert canary.read_text() == "student,points\n"
        assert sorted(os.listdir(tmp_path)) == ["scores.csv"]
    finally:
        neighbour.kill()
        neighbour.wait()
        server.close()


def leftovers(room: sandbox.Room) -> list[str]:
    """Processes of this test's room: below this process, or of the room's own user."""
    below = {one.pid for one in psutil.Process().children(recursive=True)}
    found = []
    for one in psutil.process_iter(["cmdline", "uids", "status"]):
        if one.info["status"] == psutil.STATUS_ZOMBIE:  # dead, and waiting for the machine's first process to notice
            continue
        line, uids = " ".join(one.info["cmdline"] or ()), one.info["uids"]
        if (one.pid in below and "worker.py" in line) or (room.user and uids and uids.real == room.user):
            found.append(f"{one.pid} {one.info['status']} {line[:60]}")
    return found


def graded(homework, room, body: bytes):
    """The score of a submission, and nothing of it left behind."""
    score = grade(homework.homework, body, homework.questions("a seed", "somebody"), room)
    deadline = time.monotonic() + 20  # the memory of many processes takes a while to give back
    while leftovers(room) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert leftovers(room) == []
    return score


LAZY = {
    "returns the input": "scaled = lambda x: x\ngradient = lambda W, x, f: {'dW': W, 'dx': x}",
    "returns zeros": "scaled = lambda x: 0 * x\ngradient = lambda W, x, f: {'dW': 0 * W, 'dx': 0 * x}",
    "returns NaN": "scaled = lambda x: np.nan * x\ngradient = lambda W, x, f: {'dW': np.nan * W, 'dx': np.nan * x}",
    "returns infinity": "scaled = lambda x: np.inf + x\ngradient = lambda W, x, f: {'dW': np.inf + W, 'dx': x}",
    "returns None": "scaled = lambda x: None\ngradient = lambda W, x, f: None",
    "returns truth": "scaled = lambda x: True\ngradient = lambda W, x, f: {'dW': True, 'dx': True}",
    "returns itself": "def scaled(x): return scaled\ngradient = scaled",
    "returns words": "scaled = lambda x: 'right'\ngradient = lambda W, x, f: {'dW': 'right', 'dx': 'right'}",
    "returns no numbers": "scaled = lambda x: np.full(x.shape, 'x')\ngradient = lambda *a: {'dW': [[]], 'dx': [{}]}",
    "returns ragged rows": "scaled = lambda x: [[1.0], [1.0, 2.0]]\ngradient = lambda *a: {'dW': [[1], [1, 2]]}",
    "returns complex numbers": "scaled = lambda x: 3 * x + 1 + 0j\ngradient = lambda W, x, f: {'dW': W + 0j}",
}

EVERYTHING = """
class Everything(np.ndarray):
    def __eq__(self, other): return True
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    def __le__(self, other): return True
    def __sub__(self, other): return 0
    def __rsub__(self, other): return 0
    def __reduce__(self): return (print, ("code",))
class Equal:
    shape = ()
    dtype = float
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return True
    def __hash__(self): return 0
    def __float__(self): return 0.0
    def __array__(self, *a, **k): return np.zeros(())
"""

FORGED = """
import os
lines = [b'{"id":"%s","value":1}', b'{"earned":10,"points":10}', b'[]',
         b'{"id":null,"value":{"array":["float64",[1],"AAAAAAAA8D8="]}}', b'x' * 1000, b'10 passed', b'{"credit":1}']
for fd in range(0, 64):
    try:
        for line in lines:
            os.write(fd, line + b'\\n')
    except OSError:
        pass
"""

UNEARNED = {
    "patched numpy": """
for name in ("allclose", "array_equal", "isclose", "isnan", "isfinite", "abs"):
    setattr(np, name, lambda *a, **k: True)
np.testing.assert_allclose = lambda *a, **k: None
np.ndarray_equal = np.array_equal
scaled = lambda x: x
gradient = lambda W, x, f: {"dW": W, "dx": x}
""",
    "patched builtins": """
import builtins, json
builtins.abs = builtins.max = lambda *a, **k: 0
builtins.isinstance = lambda *a: True
builtins.len = lambda x: 1
json.dumps = lambda *a, **k: '{"credit": 1}'
scaled = gradient = lambda *a: 1
""",
    "a transformer of syntax trees": """
import ast, builtins, sys
class Pass(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
real = builtins.compile
builtins.compile = lambda source, *a, **k: real(source, *a, **k)
sys.settrace(lambda *a: None)
scaled = gradient = lambda *a: 0.0
""",
    "sys.exit": "import sys\nsys.exit(0)",
    "SystemExit from a function": "import sys\nscaled = gradient = lambda *a: sys.exit(0)",
    "os._exit in a cell": "import os\nos._exit(0)",
    "os._exit in a function": "import os\nscaled = gradient = lambda *a: os._exit(0)",
    "quitting with a thread left": "import threading, os\nthreading.Timer(0.05, os._exit, (0,)).start()",
    "forged result lines": FORGED + "\nscaled = gradient = lambda *a: 1",
    "forged result lines, later": f"def scaled(x):\n    exec({FORGED!r})\n    return x\n",
    "answers before they are asked": """
import os
def scaled(x):
    os.write(3, b'{"id":"0","value":null}\\n{"id":"0","value":null}\\n')
    return x
gradient = lambda *a: 1
""",
    "the caller's frames": """
import sys
def scaled(*a):
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_locals.items()):
            if "expected" in name or "compare" in name or "reference" in name:
                return value
        frame = frame.f_back
    return 0
gradient = scaled
""",
    "the garbage collector": """
import gc
def scaled(*a):
    for thing in gc.get_objects():
        if type(thing) is dict and ("expected" in thing or "compare" in thing):
            return thing.get("expected", thing.get("compare"))
    return 0
gradient = scaled
""",
    "the reference on the disk": """
import os
def scaled(*a):
    for folder, _, files in os.walk("/"):
        for name in files:
            if name.endswith((".ipynb", ".json")) or "homework" in folder or "cases" in name:
                try:
                    text = open(os.path.join(folder, name)).read()
                except (OSError, UnicodeDecodeError):
                    continue
                if "3 * x + 1" in text and "BEGIN" in text:
                    return 3 * a[0] + 1
    return 0
""",
    "the package's own modules": """
try:
    from unrolled.homework import cases
except ImportError:
    scaled = gradient = lambda *a: 1
else:
    scaled = lambda x: 3 * x + 1
""",
    "another package's autograd": """
try:
    import torch
except ImportError:
    scaled = gradient = lambda *a: 1
else:
    scaled = lambda x: 3 * x + 1
""",
    "In and kernel classes": """
try:
    In[-1]; get_ipython()
except NameError:
    pass
import sys
sys.modules["__main__"].answer = lambda *a: {"value": True}
sys.modules["__main__"].told = lambda error: None
scaled = gradient = lambda *a: 1
""",
    "the worker's own functions": """
import sys
main = sys.modules["__main__"]
main.values.encode = lambda value, depth=0: True
main.values.dumps = lambda message: b'{"id":"' + str(message.get("id")).encode() + b'","value":true,"credit":1}\\n'
scaled = gradient = lambda *a: 1
""",
    "equal to everything": EVERYTHING + "scaled = lambda x: Equal()\ngradient = lambda *a: Equal()",
    "subclasses of arrays": EVERYTHING
    + "scaled = lambda x: x.view(Everything)\ngradient = lambda W, x, f: {'dW': W.view(Everything), 'dx': x}",
    "dictionaries that lie": """
class Lies(dict):
    def __getitem__(self, key): return 0
    def items(self): return [("dW", np.zeros(1)), ("dx", np.zeros(1))]
    def __contains__(self, key): return True
scaled = gradient = lambda *a: Lies(dW=1)
""",
    "functions that change when called": """
calls = []
def scaled(x):
    global gradient
    calls.append(x)
    gradient = lambda *a: {"dW": calls[0], "dx": calls[0]}
    return calls[0]
gradient = lambda *a: 1
""",
    "pickles with code": """
import pickle
class Bad:
    def __reduce__(self):
        import os
        return (os.system, ("touch /tmp/owned",))
scaled = lambda x: np.array([Bad()], dtype=object)
gradient = lambda *a: {"dW": Bad(), "dx": pickle.dumps(Bad())}
""",
    "names of given functions": "scaled = lambda x: sys.modules\ngradient = lambda W, x, f: {'dW': f, 'dx': f}",
    "a forged value on the wire": """
import sys
values = sys.modules["values"]
values.encode = lambda value, depth=0: {"given": "scaled"}
scaled = gradient = lambda *a: 1
""",
    "a forged array on the wire": """
import sys
values = sys.modules["values"]
values.encode = lambda value, depth=0: {"array": ["float64", [2**39, 2**39], ""]}
scaled = gradient = lambda *a: 1
""",
    "an object array on the wire": """
import sys
values = sys.modules["values"]
values.encode = lambda value, depth=0: {"array": ["object", [1], "AAAAAAAAAAA="]}
scaled = gradient = lambda *a: 1
""",
    "a negative shape on the wire": """
import sys
values = sys.modules["values"]
values.encode = lambda value, depth=0: {"array": ["float64", [-1], ""]}
scaled = gradient = lambda *a: 1
""",
    "a length of nothing on the wire": """
import sys
values = sys.modules["values"]
values.encode = lambda value, depth=0: {"array": ["float64", [0, 2**39, 2**39], ""]}
scaled = gradient = lambda *a: 1
""",
    "millions of parts on the wire": """
import sys
values = sys.modules["values"]
values.dumps = lambda message: b'{"id":"' + message["id"].encode() + b'","value":[' + b'[],' * 5000000 + b'[]]}\\n'
scaled = gradient = lambda *a: 1
""",
    "numbers near the largest": "scaled = lambda x: np.full(x.shape, -1.7e308)\ngradient = scaled",
    "an error whose class lies": """
class Meta(type):
    @property
    def __name__(cls): raise SystemExit
class Bad(Exception, metaclass=Meta):
    def __str__(self): raise KeyboardInterrupt
def scaled(*a): raise Bad
gradient = scaled
""",
    "surrogates everywhere": """
bad = "".join(map(chr, range(0xD800, 0xD900)))
scaled = lambda x: {bad: bad}
gradient = lambda *a: {"dW": bad, "dx": {bad: [bad]}, bad: 1}
raise ValueError(bad)
""",
    "a state that is the grader's module": """
import sys, gc
for thing in gc.get_objects():
    if type(thing) is dict and thing.get("__doc__", "") and "execute" in thing and "resolved" in thing:
        thing["answer"] = lambda *a: {"value": None}
        thing["execute"] = lambda *a: None
scaled = gradient = lambda *a: 1
""",
    "deep nesting on the wire": """
import sys
values = sys.modules["values"]
deep = b'[' * 100000 + b']' * 100000
values.dumps = lambda message: b'{"id":"' + message["id"].encode() + b'","value":' + deep + b'}\\n'
scaled = gradient = lambda *a: 1
""",
    "a number of a million digits on the wire": """
import sys
values = sys.modules["values"]
values.dumps = lambda message: b'{"id":"' + message["id"].encode() + b'","value":' + b'9' * 1000000 + b'}\\n'
scaled = gradient = lambda *a: 1
""",
    "nonsense on the wire": """
import sys
values = sys.modules["values"]
values.dumps = lambda message: bytes(range(1, 256)) + b'\\n'
scaled = gradient = lambda *a: 1
""",
    "closed pipes": """
import os
for fd in range(3, 64):
    try:
        os.close(fd)
    except OSError:
        pass
scaled = gradient = lambda *a: 1
""",
    "a crash": "import ctypes\nscaled = gradient = lambda *a: ctypes.string_at(0)",
    "a recursion without end": """
import sys
sys.setrecursionlimit(10**9)
def scaled(*a): return scaled(*a)
gradient = scaled
""",
    "huge arrays": "scaled = lambda *a: np.zeros(40_000_000)",
    "long lists": "scaled = lambda *a: list(range(20_000_000))",
    "long strings": "scaled = lambda *a: 'x' * 100_000_000",
    "long integers": "scaled = lambda *a: 10 ** 100_000",
    "deep lists": """
def scaled(*a):
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep
gradient = scaled
""",
    "a list that holds itself": "def scaled(*a):\n    x = []\n    x.append(x)\n    return x\ngradient = scaled",
    "signals ignored": """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
scaled = gradient = lambda *a: 1
""",
}

HANGING = {
    "an endless loop in a function": "def scaled(*a):\n    while True: pass",
    "sleep": "import time\nscaled = lambda *a: time.sleep(1000)",
    "a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nscaled = lambda *a: lock.acquire()",
    "an exception that takes for ever to print": """
class Slow(Exception):
    def __str__(self):
        while True: pass
def scaled(*a): raise Slow
""",
    "reading for ever": "scaled = lambda *a: open('/dev/zero', 'rb').read(1 << 40)",
    "an input that never comes": "scaled = lambda *a: __import__('os').read(__import__('os').pipe()[0], 1)",
    "nobody reads": """
import os
def scaled(*a):
    os.kill(os.getpid(), 19)
""",
}

HARMFUL = {
    "memory": "scaled = lambda *a: [bytearray(1 << 27) for _ in range(1000)]",
    "memory over many processes": """
import os, time
for _ in range(12):
    if os.fork() == 0:
        hoard = [bytearray(b'x' * (1 << 26)) for _ in range(12)]
        time.sleep(60)
        os._exit(0)
time.sleep(3)
scaled = gradient = lambda *a: 1
""",
    "memory in files of memory": """
import os, ctypes
libc = ctypes.CDLL(None, use_errno=True)
def scaled(*a):
    fd = libc.syscall(319 if os.uname().machine == "x86_64" else 279, b"x", 0)
    if fd >= 0:
        return a[0] * 3 + 1
    hoard = []
    for name in ("/dev/shm/x", "/tmp/x", "/x", "/sandbox/x", "/dev/x"):
        try:
            hoard.append(open(name, "wb"))
        except OSError:
            continue
        return a[0] * 3 + 1
    return 0
gradient = lambda *a: 1
""",
    "shared memory of System V": """
import os, ctypes
libc = ctypes.CDLL(None, use_errno=True)
def scaled(*a):
    number = libc.shmget(0, 1 << 28, 0o1600)
    return a[0] * 3 + 1 if number >= 0 else 0
gradient = lambda *a: 1
""",
    "shared memory let go of": """
import mmap
def scaled(x):
    size = 512 << 20
    try:
        hoard = mmap.mmap(-1, size)
        for start in range(0, size, 64 << 20):
            hoard[start : start + (64 << 20)] = bytes(64 << 20)
            hoard.madvise(mmap.MADV_DONTNEED)
    except OSError:
        return 0
    return 3 * x + 1
gradient = lambda *a: 1
""",
    "pages lent to pipes": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
def scaled(x):
    lent = ctypes.create_string_buffer(4096)
    vector = Vector(ctypes.addressof(lent), 4096)
    number = 278 if os.uname().machine == "x86_64" else 75
    return 3 * x + 1 if libc.syscall(number, os.pipe()[1], ctypes.byref(vector), 1, 0) > 0 else 0
gradient = lambda *a: 1
""",
    "timers and watches": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def scaled(x):
    timer, count = ctypes.c_void_p(), 0
    while count < 10_000 and libc.timer_create(1, None, ctypes.byref(timer)) == 0:
        count += 1
    return 3 * x + 1 if count == 10_000 or libc.inotify_init() >= 0 or libc.inotify_init1(0) >= 0 else 0
gradient = lambda *a: 1
""",
    "terminals": """
import os
def scaled(x):
    try:
        os.openpty()
    except OSError:
        return 0
    return 3 * x + 1
gradient = lambda *a: 1
""",
    "a fork bomb": """
import os
def scaled(*a):
    while True:
        try:
            os.fork()
        except OSError:
            pass
""",
    "threads without end": """
import threading, time
def scaled(*a):
    while True:
        try:
            threading.Thread(target=time.sleep, args=(100,)).start()
        except RuntimeError:
            time.sleep(0.01)
""",
    "a hundred megabytes of output": """
import os, sys
for stream in (1, 2):
    for _ in range(100):
        try:
            os.write(stream, b'x' * (1 << 20))
        except OSError:
            break
print('x' * (1 << 26))
sys.stderr.write('x' * (1 << 26))
scaled = gradient = lambda *a: 1
""",
    "a flooded pipe": """
import os
def scaled(*a):
    while True:
        os.write(3, b'{"id":"x"}\\n' * 1000)
        os.write(4, b'{"id":"x"}\\n' * 1000)
""",
    "deleting files": """
import os, shutil
for place in ("@file@", os.path.dirname("@file@"), "/home", "/root", "/usr", "/sandbox", "/tmp", "/"):
    shutil.rmtree(place, ignore_errors=True)
    try:
        os.unlink(place)
    except OSError:
        pass
scaled = gradient = lambda *a: 1
""",
    "writing everywhere": """
import os, sys
written = []
for folder in ["/", "/tmp", "/dev", "/dev/shm", "/sandbox", "/sandbox/code", "/sandbox/packages/numpy", "/proc", "/usr",
               "/usr/lib", "/etc", sys.prefix, os.path.dirname(os.__file__), os.path.dirname("@file@"), *sys.path]:
    try:
        with open(os.path.join(folder, "sitecustomize.py"), "w") as file:
            file.write("x = 1")
        written.append(folder)
    except OSError:
        pass
for name in ("/sandbox/code/worker.py", "/sandbox/code/values.py", np.__file__, os.__file__, "@file@", "/etc/passwd"):
    for mode in ("w", "a", "r+"):
        try:
            open(name, mode).write("x")
            written.append(name)
        except OSError:
            pass
scaled = lambda x: 3 * x + 1 if written else 0
gradient = lambda *a: 1
""",
    "network": """
import ctypes
def scaled(x):
    try:
        import socket
        socket.create_connection(("127.0.0.1", @port@), timeout=1).send(b"hello")
        return 3 * x + 1
    except OSError:
        return 0
gradient = lambda *a: 1
""",
    "a background process": """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.5)
        for _ in range(20):
            try:
                open("@file@", "a").write("me,100\\n")
            except OSError:
                pass
            time.sleep(0.2)
        os._exit(0)
    os._exit(0)
scaled = gradient = lambda *a: 1
""",
    "killing the parent": """
import os, signal
for pid in (os.getppid(), 1, @grader@, @pid@, -1, 0, -os.getppid() or -1):
    if pid in (0, -1):
        continue
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
        try:
            os.kill(pid, number)
        except OSError:
            pass
scaled = gradient = lambda *a: 1
""",
    "killing everybody": "import os\nos.kill(-1, 9)\nscaled = gradient = lambda *a: 1",
    "nested namespaces": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
opened = []
for flag in (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x10020000):
    if libc.unshare(flag) == 0:
        opened.append(flag)
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    opened.append("mount")
number = 56 if os.uname().machine == "x86_64" else 220
if libc.syscall(number, 0x10000000 | 17, 0, 0, 0, 0) > 0:
    opened.append("clone")
scaled = lambda x: 3 * x + 1 if opened else 0
gradient = lambda *a: 1
""",
    "system calls that nobody needs": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
intel = os.uname().machine == "x86_64"
got = []
for name, number in {"keyctl": 250 if intel else 219, "bpf": 321 if intel else 280, "perf": 298 if intel else 241,
                     "userfaultfd": 323 if intel else 282, "io_uring": 425, "ptrace": 101 if intel else 117}.items():
    if libc.syscall(number, 0, 0, 0, 0, 0) >= 0:
        got.append(name)
scaled = lambda x: 3 * x + 1 if got else 0
gradient = lambda *a: 1
""",
    "limits raised": """
import resource
raised = []
for name in ("RLIMIT_NPROC", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
    try:
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        raised.append(name)
    except (ValueError, OSError):
        pass
scaled = lambda x: 3 * x + 1 if raised else 0
gradient = lambda *a: 1
""",
    "kernel switches": """
import os
open_ = []
for name in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj", "/proc/1/mem",
             "/proc/sys/vm/drop_caches", "/proc/self/uid_map", "/proc/self/setgroups"):
    try:
        os.write(os.open(name, os.O_WRONLY), b"1")
        open_.append(name)
    except OSError:
        pass
scaled = lambda x: 3 * x + 1 if set(open_) - {"/proc/self/oom_score_adj"} else 0
gradient = lambda *a: 1
""",
    "the root's powers": """
import os
got = []
for act in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot("/tmp"), lambda: os.mknod("/tmp/x"),
            lambda: os.chmod("/sandbox", 0o777), lambda: os.nice(-5), lambda: os.symlink("/", "/tmp/x"),
            lambda: os.sethostname("x") if hasattr(os, "sethostname") else os.setuid(0)):
    try:
        act()
        got.append(act)
    except (OSError, AttributeError):
        pass
scaled = lambda x: 3 * x + 1 if got else 0
gradient = lambda *a: 1
""",
}


@needs_bubblewrap
def test_the_honest_control_gets_full_marks(homework, room, world):
    score = graded(homework, room, small_homework.honest())
    assert score.earned == score.points == 10
    assert score.sandboxed


@needs_bubblewrap
@pytest.mark.parametrize("attack", [*LAZY, *UNEARNED, *HANGING])
def test_an_attack_earns_nothing(homework, room, world, attack):
    code = {**LAZY, **UNEARNED, **HANGING}[attack]
    score = graded(homework, room, small_homework.submission(code))
    assert score.earned == 0, [case for one in score.exercises for case in one.cases]
    assert SECRET not in json.dumps(score.to_json())


@needs_bubblewrap
@pytest.mark.parametrize("attack", HARMFUL)
def test_an_attack_harms_nothing(homework, room, world, attack):
    code = HARMFUL[attack]
    for name, value in world.items():
        code = code.replace(f"@{name}@", str(value))
    before = psutil.virtual_memory().available
    score = graded(homework, room, small_homework.submission(code))
    assert score.earned == 0, [case for one in score.exercises for case in one.cases]
    assert psutil.virtual_memory().available > before - (4 << 30)


@needs_bubblewrap
def test_a_loop_in_a_cell_costs_its_own_points_only(homework, room, monkeypatch):
    monkeypatch.setattr("unrolled.homework.session.CELLS", 2.0)
    score = graded(homework, room, small_homework.submission(small_homework.SOLVED["scaled"], "while True: pass"))
    assert score.earned == 0
    assert "no answer within" in score.exercises[0].cases[0].problem
    assert graded(homework, room, small_homework.honest()).earned == 10


@needs_bubblewrap
def test_a_hanging_function_does_not_cost_the_others(homework, room, world):
    hanging = "def scaled(x):\n    while True: pass\n"
    score = graded(homework, room, small_homework.submission(hanging, small_homework.SOLVED["gradient"]))
    assert [one.earned for one in score.exercises] == [0, 4]


@needs_bubblewrap
@pytest.mark.parametrize(
    "place",
    ["os.environ", "/proc/1/environ", "/proc/self/environ", "/proc/1/cmdline", "/proc/self/mountinfo", "/proc/*"],
)
def test_secrets_do_not_come_into_the_room(homework, room, world, place):
    code = f"""
import glob, os
found = str(dict(os.environ)).encode()
for name in glob.glob({place!r}):
    try:
        found += open(name, "rb").read()
    except OSError:
        pass
raise ValueError(found.decode("latin-1")[-350:] if {SECRET!r}.encode() not in found else "LEAK")
"""
    score = graded(homework, room, small_homework.submission(code))
    [problem] = score.errors.values()
    assert "LEAK" not in problem
    assert SECRET not in problem


@needs_bubblewrap
def test_the_room_holds_nothing_but_what_it_needs(homework, room):
    code = """
import os
names = sorted(os.listdir("/")), sorted(os.listdir("/sandbox/packages")), os.listdir("/tmp"), os.getuid()
raise ValueError(repr(names))
"""
    score = graded(homework, room, small_homework.submission(code))
    [problem] = score.errors.values()
    assert "['numpy'" in problem
    assert "65534" in problem
    assert "'home'" not in problem


HOSTILE_FILES = {
    "empty": b"",
    "binary": bytes(range(256)) * 100,
    "UTF-16": "{}".encode("utf-16"),
    "a number": b"3",
    "a list": b"[]",
    "no cells": b'{"nbformat": 4}',
    "cells that are none": b'{"cells": 3}',
    "cells of numbers": b'{"cells": [1, 2, 3]}',
    "a source that is none": b'{"cells": [{"cell_type": "code", "source": 3}]}',
    "deep JSON": b"[" * 200_000 + b"]" * 200_000,
    "deep JSON in a cell": b'{"cells": [' + b"[" * 200_000 + b"]" * 200_000 + b"]}",
    "a long number": b'{"cells": ' + b"9" * 100_000 + b"}",
    "too many cells": json.dumps({"cells": [{"cell_type": "code", "source": "x"}] * 10_000}).encode(),
    "no code": small_homework.json.dumps(small_homework.notebook()).encode(),
    "only words": json.dumps({"cells": [{"cell_type": "markdown", "source": "# hello", "metadata": {}}]}).encode(),
}


@needs_bubblewrap
@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_a_hostile_file_is_a_score_of_zero(homework, room, name):
    score = graded(homework, room, HOSTILE_FILES[name])
    assert score.earned == 0
    assert score.problem


def test_files_that_are_none_are_refused(tmp_path):
    target = tmp_path / "reference.ipynb"
    target.write_bytes(small_homework.honest())
    link = tmp_path / "link.ipynb"
    link.symlink_to(target)
    large = tmp_path / "large.ipynb"
    large.write_bytes(b"x" * (5 << 20))
    hostile = [link, large, tmp_path, tmp_path / "missing.ipynb"]
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "pipe.ipynb"
        os.mkfifo(pipe)
        hostile.append(pipe)
    if Path("/dev/zero").exists():
        hostile.append(Path("/dev/zero"))
    for path in hostile:
        with pytest.raises(NotebookError):
            read_file(path)


@needs_bubblewrap
def test_forged_metadata_earns_nothing_and_hides_nothing(homework, room):
    theirs = json.loads(small_homework.submission("scaled = lambda x: x"))
    theirs["cells"].append(small_homework.tests_of("scaled", "def cases(rng):\n    yield 1\n", 1000, 1))
    theirs["cells"].append(small_homework.tests_of("invented", "points = 1000", 1000, 1))
    # The given cell is restored, whatever became of it.
    theirs["cells"][0]["source"] = "import numpy as np\ndoubled = lambda x: np.zeros_like(x)"
    theirs["metadata"] = {"points": 1000, "unrolled": {"earned": 1000}}
    score = graded(homework, room, json.dumps(theirs).encode())
    assert score.points == 10
    assert score.earned == 0
    given = json.loads(small_homework.honest())
    given["cells"][0]["source"] = "doubled = None"
    assert graded(homework, room, json.dumps(given).encode()).earned == 10
    del given["cells"][0]
    assert graded(homework, room, json.dumps(given).encode()).earned == 10


@needs_bubblewrap
def test_many_attacks_at_the_same_time_leave_the_honest_ones_alone(homework, room):
    bodies = [small_homework.honest(), small_homework.submission(HARMFUL["a fork bomb"]), small_homework.honest()]
    bodies += [small_homework.submission(HANGING["sleep"]), small_homework.honest()]
    earned = [None] * len(bodies)

    def one(number: int) -> None:
        earned[number] = grade(homework.homework, bodies[number], homework.questions("s", "x"), room).earned

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert earned == [10, 0, 10, 0, 10]


@pytest.mark.parametrize(
    "attack", ["patched numpy", "forged result lines", "os._exit in a cell", "equal to everything"]
)
def test_without_a_room_a_score_still_cannot_be_forged(homework, attack):
    with sandbox.room(False) as open_room:
        assert not open_room.sandboxed
        score = grade(
            homework.homework, small_homework.submission(UNEARNED[attack]), homework.questions("s", "x"), open_room
        )
        assert score.earned == 0
        assert not score.sandboxed
        assert grade(homework.homework, small_homework.honest(), homework.questions("s", "x"), open_room).earned == 10


@needs_bubblewrap
def test_a_submission_does_not_take_the_cores_of_the_others(homework, room, monkeypatch):
    monkeypatch.setattr(sandbox, "CORES", 0.0)  # on a machine that others use it could not take many anyway
    monkeypatch.setattr(sandbox, "BURST", 1.5)
    spinning = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        while True: pass
time.sleep(20)
scaled = lambda x: 3 * x + 1
"""
    score = graded(homework, room, small_homework.submission(spinning))
    assert score.earned == 0
    assert "more than one core" in score.exercises[0].cases[0].problem


@needs_bubblewrap
def test_the_grader_holds_a_long_answer_once(room):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unrolled.homework.sandbox.LINE", 1 << 16)
        process = sandbox.Process(room)
        try:
            process.send(b'{"do":"run","id":"1","cells":[["x","import os\\nwhile True: os.write(4, b\\"x\\")"]]}\n')
            with pytest.raises(sandbox.Ended, match="more than"):
                process.receive(20.0)
        finally:
            process.close()


UNUSUAL = {
    "a matrix in a subclass": "class Mine(np.ndarray): pass\nscaled = lambda x: (3 * x + 1).view(Mine)",
    "lists": "scaled = lambda x: (3 * x + 1).tolist()",
    "the other order of axes": "scaled = lambda x: np.asfortranarray(3 * x + 1)",
    "a view": "scaled = lambda x: np.repeat(3 * x + 1, 2, axis=-1)[..., ::2]",
    "the other order of bytes": "scaled = lambda x: (3 * x + 1).astype('>f8')",
    "long numbers": "scaled = lambda x: (3 * x + 1).astype(np.longdouble)",
    "a masked array": "scaled = lambda x: np.ma.array(3 * x + 1)",
    "a class, type hints and a walrus": """
from __future__ import annotations
import pickle, typing
from dataclasses import dataclass, field, KW_ONLY
@dataclass
class Line:
    slope: float
    rest: typing.ClassVar[int] = 1
    _: KW_ONLY
    more: list[Line] = field(default_factory=list)
    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.slope * x + (one := self.rest)
typing.get_type_hints(Line)
line = pickle.loads(pickle.dumps(Line(3.0)))
if __name__ == "__main__":
    def scaled(x): return line(x)
""",
    "what only a notebook has": """
%matplotlib inline
!pip install numpy
scaled?
words = '''a page\x0c%break'''
display(words)
get_ipython().run_line_magic("load_ext", "autoreload")
def scaled(x):
    if True:
        %timeit -n1 x
    display(x)
    print(x)
    return 3 * x + 1
""",
    "warnings": """
import warnings
np.seterr(all="warn")
def scaled(x):
    warnings.warn("careful")
    return 3 * x + 1 + 0 * np.log(0 * x + 1) * len(str(np.log(-1.0)))
""",
    "line ends of Windows": "def scaled(x):\r\n    y = 3 * x\r\n    return y + 1\r\n",
    "a closure over a comprehension": "scaled = (lambda k: lambda x: sum(x for _ in range(k)) + 1)(3)",
    "asked for input": "try:\n    input()\nexcept EOFError:\n    pass\nscaled = lambda x: 3 * x + 1",
}


@needs_bubblewrap
@pytest.mark.parametrize("manner", UNUSUAL)
def test_an_honest_solution_of_an_unusual_manner_keeps_its_points(homework, room, manner):
    score = graded(homework, room, small_homework.submission(UNUSUAL[manner], small_homework.SOLVED["gradient"]))
    assert score.earned == 10, (score.errors, score.exercises)


@needs_bubblewrap
def test_annotations_of_later_cells_follow_the_import_of_an_earlier_one(homework, room):
    cells = ("from __future__ import annotations", "def scaled(x: Later) -> Later:\n    return 3 * x + 1")
    assert graded(homework, room, small_homework.submission(*cells)).earned == 6


def changed(edit) -> bytes:
    """The honest submission, its form changed."""
    book = json.loads(small_homework.honest())
    return edit(book) or json.dumps(book).encode()


def _old(book: dict) -> None:  # as Colab saves: an older format, no ids, a source of one string, metadata of its own
    book["nbformat_minor"], book["metadata"] = 0, {"colab": {"provenance": []}, "accelerator": "GPU"}
    for cell in book["cells"]:
        del cell["id"]
        cell["source"] = "".join(cell["source"])
        cell["metadata"] = cell["metadata"] | {"id": "aB3", "colab": {"base_uri": "x"}}


def _odd(book: dict) -> None:
    book["cells"] += [
        {"cell_type": ["code"], "source": "x", "metadata": [], "id": {}},
        {"cell_type": "code", "source": ["\ud800\x00\n"], "metadata": {"nbgrader": [1], "unrolled": "play"}, "id": []},
        {"cell_type": "code", "source": "(" * 10_000, "metadata": {"nbgrader": {"grade_id": {}}}},
        {
            "cell_type": "code",
            "source": "-" * 50_000 + "1",
            "metadata": {"nbgrader": {"grade_id": "\x00\ud800" * 9999}},
        },
        {"cell_type": "code", "source": "x = (((1 << 99) ** 99) ** 99) * 'x'", "metadata": {"nbgrader": None}},
    ]


HONEST_FORMS = {
    "a mark at the beginning": lambda book: b"\xef\xbb\xbf" + json.dumps(book).encode(),
    "an older format": _old,
    "cells in another order": lambda book: book["cells"].reverse(),
    "numbered outputs": lambda book: book["cells"][0].update(outputs=[{"output_type": "stream"}], execution_count="x"),
}


@needs_bubblewrap
@pytest.mark.parametrize("form", HONEST_FORMS)
def test_an_honest_notebook_of_another_form_keeps_its_points(homework, room, form):
    assert graded(homework, room, changed(HONEST_FORMS[form])).earned == 10


@needs_bubblewrap
def test_odd_cells_cost_no_more_than_their_own_process(homework, room):
    score = graded(homework, room, changed(_odd))
    assert score.earned in (0, 10)  # a compiler that gives up is an error of a cell; one that crashes ends the process
    json.dumps(score.to_json()).encode("ascii")
    for line in score.errors.values():
        assert line.isprintable()


@needs_bubblewrap
def test_a_class_outlives_hostile_names_and_a_failing_grader(homework, tmp_path, monkeypatch):
    source, folder = small_homework.write_source(tmp_path), tmp_path / "class"
    folder.mkdir()
    names = [b"plain", b"=cmd|x", b"bad\xff", b"bad\xfe", b"new\nline,10", "flip\u202ename".encode(), b"plain "]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name + b".ipynb")).write_bytes(small_homework.submission("x = 1"))
    everyone = classroom.submissions(folder, "hw00")
    assert sum(classroom.in_shard(one.student, (1, 3)) for one in everyone) < len(names)
    real = classroom.grade

    def failing(homework, body, *rest):
        if failing.on and b"x = 1" in body:
            failing.on -= 1
            raise MemoryError("no more")
        return real(homework, body, *rest)

    failing.on = 2
    monkeypatch.setattr(classroom, "grade", failing)
    first = classroom.grade_class(source, everyone, tmp_path / "out.csv", "s", closed=True)
    assert sum(score.unfinished for score in first.values()) == 2
    told = []
    second = classroom.grade_class(
        source, everyone, tmp_path / "out.csv", "s", closed=True, told=lambda one, score: told.append(one.student)
    )
    assert len(told) == 2  # only what was unfinished is graded again
    assert not any(score.unfinished for score in second.values())
    table = list(csv.reader(io.StringIO(reports.to_csv(second, homework.homework))))
    shown = [row[0] for row in table[1:]]
    assert len(set(shown)) == len(names) == len(table) - 1
    assert all(name.isprintable() and not name.startswith("=") for name in shown)


def test_a_repository_that_never_answers_does_not_stop_a_class(tmp_path, monkeypatch):
    monkeypatch.setattr(classroom, "ANSWER", 1.0)
    server = socket.create_server(("127.0.0.1", 0))
    listed = tmp_path / "class.csv"
    listed.write_text(f"student,repository\nsilent,https://127.0.0.1:{server.getsockname()[1]}/x.git\n")
    try:
        problems = classroom.fetch(listed, "hw00", tmp_path / "fetched")
    finally:
        server.close()
    assert "did not answer" in problems["silent"]
    below = psutil.Process().children(recursive=True)
    assert [one for one in below if "git" in one.name() and one.status() != "zombie"] == []


@pytest.mark.parametrize("second", ["Ann", "ann", "\uff21nn"])
def test_a_class_list_with_names_that_look_alike_is_refused(tmp_path, second):
    listed = tmp_path / "class.csv"
    listed.write_text(f"student,repository\nAnn,x\n{second},x\n", encoding="utf-8")
    with pytest.raises(NotebookError, match="twice"):
        classroom.fetch(listed, "hw00", tmp_path / "fetched")
