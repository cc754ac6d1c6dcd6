"""A closed room for a stranger's code: bubblewrap where there is one, a plain process with limits elsewhere.

In the room there are the interpreter with its standard library, NumPy, two files of ours, and nothing else: no other
package, no home, no shell, no network, no environment, no other process, nowhere to write. It is left through one pipe.

What bubblewrap does not cover is covered here, each point because an attack came through it:

* it is started with an empty environment, for /proc/1/environ shows its own, whatever `--clearenv` says;
* /dev, /dev/shm, /tmp and the root are file systems in memory: they end read-only, so that nobody fills the memory;
* memory is watched over the whole tree of processes, because the limit that the kernel offers is per process; so is
  the time of the processors, which would be missing for the calls of other submissions;
* system calls that take memory which no process is charged for, or lead into new namespaces, are refused (`seccomp`);
* root's processes know no limit of number: started by root, the room belongs to a user who owns nothing.
"""

import contextlib
import os
import platform
import queue
import shutil
import signal
import stat
import struct
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

HERE = Path(__file__).parent
NOBODY = 60_000  # from here on lie the users of rooms that root starts: they own no file and no other process
MEMORY = 2 << 30  # bytes, over all processes of a submission
PROCESSES = 40
CORES, BURST = 1.5, 2.0  # a submission may use so many cores, and so many seconds of processors beyond them
LINE = 16 << 20  # bytes of one answer

_LEFT_OUT = (
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
)


class SandboxError(RuntimeError):
    """The room cannot be made on this machine; the message says what is missing."""


class Ended(Exception):
    """The process in the room is gone; the message says why, in words for a student."""


@dataclass(frozen=True)
class Room:
    """How to start a process in the room.

    Attributes:
        command: the arguments of the process.
        sandboxed: whether it is closed; if not, what is found there is advisory.
        user: the user to become, or None.
        seccomp: the filter of system calls, in the kernel's form; empty for none.
    """

    command: tuple[str, ...]
    sandboxed: bool
    user: int | None = None
    seccomp: bytes = b""


# --- the filter of system calls ------------------------------------------------------------------------------------

# What the room has no use for, by number on x86-64 and on 64-bit ARM: memory that no process is charged for (shared
# memory of System V, memory files, pages lent to a pipe, watches of files), ways into new namespaces and mounts,
# looking into other processes, the kernel's log, rings, sockets.
_REFUSED = {
    "x86_64": (
        *(29, 30, 31, 41, 53, 64, 68, 101, 103, 155, 161, 165, 166, 240, 248, 249, 250, 253, 254, 272, 278, 294, 298),
        *(308, 310, 311, 319, 321, 323, 425, 428, 429, 430, 432, 442, 447),
    ),
    "aarch64": (
        *(26, 27, 39, 40, 41, 51, 75, 97, 116, 117, 180, 186, 190, 194, 195, 196, 198, 199, 217, 218, 219, 241, 268),
        *(270, 271, 279, 280, 282, 425, 428, 429, 430, 432, 442, 447),
    ),
}  # fmt: skip
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_MMAP = {"x86_64": 9, "aarch64": 222}
_SHARED = 0x01  # the flag of mmap
_NEW_NAMESPACES = 0x7E020080  # the flags of clone that ask for any new namespace
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = (
    0x20,
    0x15,
    0x35,
    0x45,
    0x06,
)  # the kernel's instructions, as BPF numbers them
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38


def filter_of_calls(machine: str) -> bytes:
    """A seccomp filter for a machine, as bubblewrap takes it; empty for a machine whose numbers we do not know."""
    if machine not in _REFUSED:
        return b""
    program = [
        (_LOAD, 0, 0, 4),  # the architecture of the call
        (_EQUAL, 1, 0, _ARCHITECTURE[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # its number
        (_AT_LEAST, 0, 1, 0x40000000),  # x86-64 knows a second numbering from here on
        (_RETURN, 0, 0, _KILL),
    ]
    for number in _REFUSED[machine]:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | _EPERM)]
    program += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERRNO | _ENOSYS)]  # its flags lie where no filter can look
    # Shared memory can be filled and let go of, so that no process seems to have it.
    program += [(_EQUAL, 0, 4, _MMAP[machine]), (_LOAD, 0, 0, 40), (_ANY_BIT, 0, 1, _SHARED)]
    program += [(_RETURN, 0, 0, _ERRNO | _EPERM), (_RETURN, 0, 0, _ALLOW)]
    program += [(_EQUAL, 0, 3, _CLONE[machine]), (_LOAD, 0, 0, 16), (_ANY_BIT, 0, 1, _NEW_NAMESPACES)]
    program += [(_RETURN, 0, 0, _ERRNO | _EPERM), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


# --- the room -----------------------------------------------------------------------------------------------------


def _parts() -> dict[str, Path]:
    """What lies in the room, by its path there."""
    executable = Path(os.path.realpath(sys.executable))
    parts = {str(executable): executable}
    for name in ("stdlib", "platstdlib"):
        folder = Path(sysconfig.get_path(name, vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix}))
        parts[str(folder)] = folder
    for library in Path(sys.base_prefix, "lib").glob("libpython*.so*"):
        parts[str(library)] = library
    numpy = Path(np.__file__).parent
    parts["/sandbox/packages/numpy"] = numpy
    if numpy.with_name("numpy.libs").is_dir():
        parts["/sandbox/packages/numpy.libs"] = numpy.with_name("numpy.libs")
    for name in ("worker.py", "values.py"):
        parts[f"/sandbox/code/{name}"] = HERE / name
    return parts


def _readable_copy(parts: dict[str, Path], folder: Path) -> dict[str, Path]:
    """Copies (links, where the file system can) of all parts that a user without rights may read."""

    def link(source: str, target: str) -> str:
        if not os.stat(source).st_mode & stat.S_IROTH or os.path.islink(source):
            shutil.copyfile(source, target)
            os.chmod(target, 0o755)
            return target
        try:
            os.link(source, target)
        except OSError:
            shutil.copy(source, target)
            os.chmod(target, 0o755)
        return target

    copies = {}
    for number, (there, source) in enumerate(parts.items()):
        target = folder / f"{number}"
        if source.is_dir():
            shutil.copytree(source, target, copy_function=link, ignore=shutil.ignore_patterns(*_LEFT_OUT, "config-*"))
            for inner in (target, *(Path(root) for root, _, _ in os.walk(target))):
                inner.chmod(0o755)
        else:
            link(str(source), str(target))
        copies[there] = target
    folder.chmod(0o755)
    return copies


def _bubblewrap(parts: dict[str, Path], seccomp: bool) -> list[str]:
    """The arguments that make the room: everything read-only, everything unshared, nothing inherited."""
    arguments = [shutil.which("bwrap") or "bwrap", "--unshare-user", "--unshare-all", "--disable-userns"]
    arguments += [
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--cap-drop",
        "ALL",
        "--uid",
        "65534",
        "--gid",
        "65534",
    ]
    arguments += ["--hostname", "room", "--setenv", "OPENBLAS_NUM_THREADS", "1", "--setenv", "OMP_NUM_THREADS", "1"]
    arguments += ["--setenv", "PYTHONHASHSEED", "0", "--setenv", "PYTHONUTF8", "1"]
    for name in ("lib", "lib64", "lib32"):
        for folder in (Path("/usr", name), Path("/", name)):
            if folder.is_symlink():
                arguments += ["--symlink", os.readlink(folder), str(folder)]
            elif folder.is_dir():
                arguments += ["--ro-bind", str(folder), str(folder)]
    if Path("/etc/ld.so.cache").is_file():
        arguments += ["--ro-bind", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    covered = ("/usr/lib/", "/usr/lib64/", "/lib/")
    for there, source in parts.items():
        if not (str(source) == there and there.startswith(covered)):
            arguments += ["--ro-bind", str(source), there]
    for folder in _packages_to_hide(parts):
        arguments += ["--size", "4096", "--tmpfs", folder, "--remount-ro", folder]
    arguments += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--size",
        "4096",
        "--tmpfs",
        "/dev/shm",
        "--remount-ro",
        "/dev/shm",
    ]
    arguments += ["--size", "4096", "--tmpfs", "/dev/pts", "--remount-ro", "/dev/pts"]  # terminals are few, for all
    arguments += ["--remount-ro", "/dev", "--size", "4096", "--tmpfs", "/tmp", "--remount-ro", "/tmp"]
    arguments += ["--chdir", "/sandbox", "--remount-ro", "/"]
    if seccomp:
        arguments += ["--seccomp", "{seccomp}"]
    return arguments


def _packages_to_hide(parts: dict[str, Path]) -> list[str]:
    """The folders of other packages that lie inside what is shown."""
    hidden = []
    for there, source in parts.items():
        for name in ("site-packages", "dist-packages"):
            if there.startswith("/sandbox"):
                continue
            if (source / name).is_dir():
                hidden.append(f"{there}/{name}")
    if Path("/usr/lib/python3/dist-packages").is_dir():
        hidden.append("/usr/lib/python3/dist-packages")
    return list(dict.fromkeys(hidden))


@contextlib.contextmanager
def room(closed: bool | None = None) -> Iterator[Room]:
    """Prepare the room; it serves any number of processes, at the same time too.

    Args:
        closed: True asks for bubblewrap, False for a plain process, None for the best there is.

    Raises:
        SandboxError: `closed` was asked for and cannot be had; the message says why.
    """
    with contextlib.ExitStack() as stack:
        problem = None
        if closed is not False:
            problem = _cannot_close()
            if problem is None:
                made = _closed(stack)
                problem = _does_not_run(made)
                if problem is None:
                    yield made
                    return
            if closed:
                raise SandboxError(problem)
        yield _open(stack)


def _cannot_close() -> str | None:
    if not sys.platform.startswith("linux"):
        return f"bubblewrap needs Linux; this is {platform.system()}"
    if shutil.which("bwrap") is None:
        return "there is no bubblewrap; install it (Debian, Ubuntu: apt-get install bubblewrap)"
    return None


def _closed(stack: contextlib.ExitStack) -> Room:
    parts, user = _parts(), None
    if os.geteuid() == 0:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unrolled-room-")))
        parts, user = _readable_copy(parts, folder), NOBODY + os.getpid() % 5000
    seccomp = filter_of_calls(platform.machine())
    executable = os.path.realpath(sys.executable)
    command = [*_bubblewrap(parts, bool(seccomp)), "--", executable, "-I", "-S", "-B", "/sandbox/code/worker.py"]
    return Room((*command, "/sandbox/packages:/sandbox/code", "--sandboxed"), True, user, seccomp)


def _open(stack: contextlib.ExitStack) -> Room:
    """A plain process: it keeps scores honest (no answer is in it), and protects nothing else."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unrolled-room-")))
    packages = np.__file__ and Path(np.__file__).parent.parent
    with contextlib.suppress(OSError, NotImplementedError):
        for name in ("numpy", "numpy.libs"):
            if (packages / name).is_dir():
                (folder / name).symlink_to(packages / name)
        packages = folder
    search = os.pathsep.join((str(packages), str(HERE)))
    return Room((sys.executable, "-I", "-S", "-B", str(HERE / "worker.py"), search), False)


def _does_not_run(made: Room) -> str | None:
    """Why a process does not come up in the room, or None."""
    try:
        process = Process(made, trial=True)
    except OSError as error:
        return f"bubblewrap cannot be started: {error}"
    try:
        process.send(b'{"do":"run","id":"trial","cells":[["trial","import numpy"]]}\n')
        if process.receive(20.0).startswith(b'{"id":"trial","errors":{}}'):
            return None
        return "NumPy cannot be imported in the room"
    except Ended:
        said = process.complaint()
        advice = ""
        if "Permission denied" in said or "not permitted" in said or "namespace" in said:
            advice = (
                "; unprivileged user namespaces may be switched off (Ubuntu 24.04: sudo sysctl -w "
                "kernel.apparmor_restrict_unprivileged_userns=0)"
            )
        return f"bubblewrap does not start here: {said or 'no reason given'}{advice}"
    finally:
        process.close()


# --- a process in it ----------------------------------------------------------------------------------------------


_alive: "weakref.WeakSet[Process]" = weakref.WeakSet()


def end_all() -> None:
    """End every process of this program that is still in the room."""
    for process in list(_alive):
        process.end("the run was interrupted")


class Process:
    """One process in the room, with its two pipes and somebody who watches its size."""

    def __init__(self, where: Room, trial: bool = False) -> None:
        command, inherited = list(where.command), ()
        if where.seccomp:
            with tempfile.TemporaryFile() as text:
                text.write(where.seccomp)
                text.seek(0)
                inherited = (os.dup(text.fileno()),)
            command[command.index("{seccomp}")] = str(inherited[0])
        environment = (
            {} if where.sandboxed else {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
        )
        if not where.sandboxed and "SYSTEMROOT" in os.environ:
            environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]  # without it Windows starts no program
        identity = {} if where.user is None else {"user": where.user, "group": where.user, "extra_groups": []}
        self._why: str | None = None
        self._over = threading.Event()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if trial else subprocess.DEVNULL,
                env=environment,
                cwd="/" if where.sandboxed else tempfile.gettempdir(),
                pass_fds=inherited,
                start_new_session=True,
                **identity,
            )
        finally:
            for number in inherited:
                os.close(number)
        _alive.add(self)
        self._sandboxed = where.sandboxed
        self._lines: queue.Queue[bytes | None] = queue.Queue(maxsize=4)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._watch)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        """Cut what the process writes into lines; end it when one has no end."""
        rest = bytearray()
        while not self._over.is_set():
            try:
                piece = os.read(self._process.stdout.fileno(), 1 << 16)
            except OSError:
                break
            if not piece:
                break
            first, *others = piece.split(b"\n")
            rest += first  # one buffer: a list of pieces of one byte each would be many times as large
            for other in others:
                self._put(bytes(rest))
                rest = bytearray(other)
            if len(rest) > LINE:
                self.end(f"an answer of more than {LINE >> 20} MiB")
                break
        self._put(None)

    def _put(self, line: bytes | None) -> None:
        while not self._over.is_set():
            with contextlib.suppress(queue.Full):
                self._lines.put(line, timeout=0.2)
                return

    def _watch(self) -> None:
        """End the process when it and its children grow too large or too many, or take the cores of the others."""
        started = time.monotonic()
        while not self._over.wait(0.1):
            try:
                tree = [root := psutil.Process(self._process.pid), *root.children(recursive=True)]
            except psutil.Error:
                return
            size, busy = 0, 0.0
            for one in tree:
                with contextlib.suppress(psutil.Error):
                    size += one.memory_info().rss
                    busy += sum(one.cpu_times()[:4])  # its own, and what its ended children have used
            if size > MEMORY:
                self.end(f"more than {MEMORY >> 30} GiB of memory")
            elif len(tree) > PROCESSES + 2:
                self.end(f"more than {PROCESSES} processes")
            elif self._sandboxed and busy > BURST + CORES * (time.monotonic() - started):
                self.end("more than one core for itself")

    def end(self, why: str) -> None:
        """Kill the process with all its children; the first reason given is the one that counts."""
        if self._why is None:
            self._why = why
        children = []
        if not self._sandboxed:  # in the room, the end of its first process is the end of all
            with contextlib.suppress(psutil.Error):
                children = psutil.Process(self._process.pid).children(recursive=True)
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
        for one in children:
            with contextlib.suppress(psutil.Error):
                one.kill()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def send(self, line: bytes) -> None:
        """Write a line to the process.

        Raises:
            Ended: nobody reads it.
        """
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise Ended(self._why or "the process ended by itself") from error

    def receive(self, seconds: float) -> bytes:
        """The next line of the process.

        Raises:
            Ended: it ended before, or wrote nothing for so many seconds and was ended.
        """
        try:
            line = self._lines.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            self.end(f"no answer within {seconds:.0f} s")
            raise Ended(self._why) from None
        if line is None:
            raise Ended(self._why or "the process ended by itself")
        return line

    def exchange(self, line: bytes, seconds: float) -> bytes:
        """Send a line and wait for the answer, both within so many seconds.

        Raises:
            Ended: the process ended, or did not answer in time and was ended.
        """
        started = time.monotonic()
        late = threading.Timer(seconds, self.end, (f"no answer within {seconds:.0f} s",))
        late.daemon = True
        late.start()  # a process that does not read lets the writer wait: only its end frees us
        try:
            self.send(line)
            return self.receive(seconds + 1.0 - (time.monotonic() - started))
        finally:
            late.cancel()

    def complaint(self) -> str:
        """What a process on trial wrote to its standard error, in one line."""
        self.end("the trial is over")
        return " ".join(self._process.stderr.read(2000).decode("utf-8", "replace").split())

    def close(self) -> None:
        """End the process and wait until it is gone."""
        self.end("closed")
        self._over.set()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        for thread in self._threads:
            thread.join(timeout=1)
