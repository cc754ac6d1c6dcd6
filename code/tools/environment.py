"""Make .venv, install what requirements.txt pins, fetch and verify the data: whole or not at all.

Called by prepare.py, which has made sure that this Python will do. Standard library only.

The rules. A stamp inside .venv, written last, says what the environment was made from; without a stamp that fits, .venv
counts as half-made and is made anew. A data archive reaches data/cache by renaming, after its SHA-256 was verified, and
it is verified again on every call. One set-up runs at a time. Whatever goes wrong is said in one sentence.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such module; there, two set-ups at once are up to the person
    fcntl = None

ROOT = Path(__file__).resolve().parents[2]

SPACE_FOR_PACKAGES = 2_500_000_000  # bytes: measured 1.8 GB with torch's CPU build, plus pip's unpacking
SPACE_FOR_DATA = 50_000_000
# Settings of a person's pip that would send the packages somewhere else than into .venv.
FOREIGN_SETTINGS = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PYTHONPATH", "PYTHONHOME")


class SetUpError(Exception):
    """One sentence for whoever typed the command: what is wrong, and what to do."""


@dataclass(frozen=True)
class Archive:
    """A line of data-requirements.txt or of peers.txt."""

    name: str
    version: str
    hashes: frozenset[str]  # SHA-256, hexadecimal

    @property
    def requirement(self) -> str:
        """The name and the version as pip reads them."""
        return f"{self.name}=={self.version}"

    def matches(self, filename: str) -> bool:
        """Whether a file of this name would be this archive: a wheel or a source distribution."""
        name = re.sub(r"[-_.]+", "[-_.]+", re.escape(self.name).replace(r"\-", "-").replace(r"\.", "."))
        pattern = rf"{name}-{re.escape(self.version)}(-.+\.whl|\.zip|\.tar\.gz|\.tar\.bz2)"
        return re.fullmatch(pattern, filename, re.IGNORECASE) is not None


@dataclass(frozen=True)
class Places:
    """Where everything lies, relative to the root of the project."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        return self.venv / "unrolled-stamp.json"

    @property
    def logs(self) -> Path:
        return self.root / "_build" / "setup"

    @property
    def cache(self) -> Path:
        """The folder that the package reads; see unrolled.corpora."""
        named = os.environ.get("UNROLLED_DATA")
        return Path(named) if named else self.root / "data" / "cache"

    def shown(self, path: Path) -> str:
        """A path as a person standing in the root would type it."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


# --- saying things --------------------------------------------------------------------------------


def say(text: str) -> None:
    """One line of progress, for people and logs alike."""
    print(text, flush=True)


class Ticker:
    """A single line on a terminal that shows where pip is; nothing anywhere else."""

    def __init__(self) -> None:
        self.on = sys.stdout.isatty()

    def show(self, line: str) -> None:
        if self.on:
            width = shutil.get_terminal_size().columns - 1
            text = " ".join(line.split())[: max(width - 2, 10)]
            print(f"\r  {text:<{width - 2}}", end="", flush=True)

    def clear(self) -> None:
        if self.on:
            print("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r", end="", flush=True)


def gigabytes(number: float) -> str:
    """2500000000 -> "2.5 GB"."""
    return f"{number / 1e9:.1f} GB"


def explain(error: OSError, places: Places) -> str:
    """An operating system's error as a sentence."""
    where = places.shown(Path(error.filename)) if error.filename else "a file"
    reason = error.strerror or str(error)
    if error.errno == 28:  # ENOSPC
        return f"the disk is full while writing {where}: free {gigabytes(SPACE_FOR_PACKAGES)} and run the command again"
    if error.errno in (1, 13, 30):  # EPERM, EACCES, EROFS
        return f"{where} cannot be written ({reason.lower()}): run the command in a copy of the project that you own"
    if error.errno in (17, 20):  # EEXIST, ENOTDIR
        return f"a file is in the way where set-up wants a folder, at {where}: move it away and run the command again"
    return f"{where}: {reason.lower()}"


# --- running pip and venv -------------------------------------------------------------------------


def child_environment() -> dict[str, str]:
    """The environment for pip: the person's own, without what would lead the packages astray."""
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN_SETTINGS}
    environment.update(PIP_USER="0", PYTHONNOUSERSITE="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    environment["PYTHONUTF8"] = "1"
    return environment


def run_logged(
    command: list[str], log: Path, places: Places, lock: int | None, extra: dict[str, str] | None = None
) -> int:
    """Run a command with its output in a log file and its last line on a terminal; return the exit status.

    The child inherits the lock: should this process be killed, its orphan still keeps the next set-up waiting.
    """
    ticker = Ticker()
    environment = child_environment() | (extra or {})
    with log.open("ab") as file:
        file.write(("$ " + " ".join(command) + "\n").encode())
        file.flush()
        process = subprocess.Popen(
            command,
            cwd=places.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=() if lock is None else (lock,),
        )
        try:
            for line in process.stdout:
                file.write(line)
                ticker.show(line.decode("utf-8", "replace"))
            return process.wait()
        except BaseException:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            raise
        finally:
            ticker.clear()


CONNECTION = re.compile(
    r"NewConnectionError|ConnectionError|ConnectTimeoutError|ReadTimeoutError|ProtocolError|ProxyError|NameResolutionError|"
    r"Connection (refused|reset|aborted|broken|timed out)|name resolution|Max retries exceeded|Network is unreachable|"
    r"No route to host|Remote end closed|IncompleteRead|connection failed|Read timed out"
)


def why_pip_failed(text: str, log: str) -> str:
    """Turn what pip wrote into one sentence."""
    tail = f" (pip's own words are in {log})"
    if "No space left on device" in text or "Errno 28" in text:
        return (
            f"the disk filled up while pip was installing: free {gigabytes(SPACE_FOR_PACKAGES)} (on Linux about 8 GB "
            f"if the index serves PyTorch with its CUDA libraries) and run the command again{tail}"
        )
    if "DO NOT MATCH THE HASHES" in text:
        return (
            "the package index served a file whose hash is not the pinned one, so it was thrown away: run the command "
            f"again, and if that repeats, ask whoever runs that index{tail}"
        )
    if re.search(r"SSLError|CERTIFICATE_VERIFY_FAILED|certificate verify failed", text):
        return f"the package index's certificate could not be verified: check the clock, the proxy and PIP_CERT{tail}"
    if CONNECTION.search(text):
        return (
            "the package index could not be reached: check the network (or PIP_INDEX_URL) and run the command again"
            f"{tail}"
        )
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing:
        return (
            f"no package index that pip may use offers {missing.group(1)} for Python {platform.python_version()} on "
            f"{platform.system()} {platform.machine()}: check the network, PIP_INDEX_URL and PIP_NO_INDEX{tail}"
        )
    if re.search(r"Permission denied|Read-only file system", text):
        return f"pip was not allowed to write: run the command in a copy of the project that you own{tail}"
    errors = re.findall(r"^\s*(?:ERROR|error): (.+)$", text, re.MULTILINE)
    return f"pip failed: {errors[-1].strip().rstrip('.') if errors else 'it gave no reason'}{tail}"


def run_pip(
    arguments: list[str],
    name: str,
    places: Places,
    lock: int | None,
    extra: dict[str, str] | None = None,
) -> None:
    """Run pip inside .venv; raise with one sentence when it fails.

    Raises:
        SetUpError: pip did not succeed.
    """
    run_and_explain([str(places.python), "-m", "pip", *arguments], name, places, lock, extra)


def run_and_explain(
    command: list[str], name: str, places: Places, lock: int | None, extra: dict[str, str] | None = None
) -> None:
    """Run what speaks like pip, with its output in the log of this name; raise with one sentence when it fails.

    Raises:
        SetUpError: it did not succeed.
    """
    places.logs.mkdir(parents=True, exist_ok=True)
    log = places.logs / f"{name}.log"
    log.unlink(missing_ok=True)
    if run_logged(command, log, places, lock, extra):
        raise SetUpError(why_pip_failed(log.read_text(encoding="utf-8", errors="replace"), places.shown(log)))


# --- the lock -------------------------------------------------------------------------------------


@contextlib.contextmanager
def one_at_a_time(places: Places) -> Iterator[int | None]:
    """Hold the set-up's lock; wait for whoever holds it. Yields the lock's file descriptor, which children inherit."""
    places.logs.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield None
        return
    descriptor = os.open(places.logs / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is running; waiting for it to end.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        yield descriptor
    finally:
        os.close(descriptor)


# --- .venv ----------------------------------------------------------------------------------------


def fingerprint(places: Places) -> str:
    """A hash of all that decides what is installed: the pins, and the parts of pyproject.toml about the package."""
    project = tomllib.loads((places.root / "pyproject.toml").read_text(encoding="utf-8"))
    deciding = {key: project.get(key) for key in ("build-system", "project")}
    deciding["setuptools"] = project.get("tool", {}).get("setuptools")
    pins = [
        line.split("#")[0].strip()
        for line in (places.root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ]
    deciding["pins"] = [pin for pin in pins if pin]
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def contents(places: Places) -> set[str]:
    """The names in .venv/bin and in its site-packages: enough to see that a package has gone."""
    folders = [
        places.python.parent,
        *places.venv.glob("lib*/python*/site-packages"),
        places.venv / "Lib" / "site-packages",
    ]
    return {
        f"{folder.name}/{name}"
        for folder in folders
        if folder.is_dir()
        for name in os.listdir(folder)
        if name != "__pycache__" and not name.startswith((".", "~"))
    }


def read_stamp(places: Places) -> dict[str, object]:
    """What .venv says it was made from; empty when it says nothing."""
    try:
        stamp = json.loads(places.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(places: Places) -> None:
    """The last act of a set-up. Written beside and renamed, so that a stamp is whole when it is there."""
    stamp = {"made from": fingerprint(places), "python": interpreter(places) or "", "place": str(places.root)}
    stamp["holds"] = sorted(contents(places))
    beside = places.stamp.with_suffix(".part")
    beside.write_text(json.dumps(stamp, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(beside, places.stamp)


def interpreter(places: Places) -> str | None:
    """The version of the Python in .venv, or None when it does not run."""
    try:
        code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
        done = subprocess.run([str(places.python), "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def state_of_venv(places: Places, wanted: str | None = None, running: str | None = None) -> str:
    """ "whole"; "stale" (made whole, but from other pins); or "absent", which stands for half-made and broken ones too.

    Args:
        places: where to look.
        wanted: a version such as "3.12" that the person asked for by PYTHON=..., or None.
        running: the version of the Python in .venv, where it is known because it runs this; None to find out.
    """
    stamp = read_stamp(places)
    if not stamp or stamp.get("place") != str(places.root):
        return "absent"
    version = running or interpreter(places)
    if version is None or stamp.get("python") != version:
        return "absent"
    if not set(stamp.get("holds", ["?"])) <= contents(places):
        return "absent"
    if wanted is not None and version.split(".")[:2] != wanted.split(".")[:2]:
        return "absent"
    return "whole" if stamp.get("made from") == fingerprint(places) else "stale"


def check_space(folder: Path, needed: int, what: str) -> None:
    """Refuse to begin what cannot end.

    Raises:
        SetUpError: less than `needed` bytes are free where `folder` lies.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetUpError(
            f"{what} need about {gigabytes(needed)} of disk space, and {folder} has {gigabytes(free)} free: make room "
            "and run the command again"
        )


def remove_venv(places: Places) -> None:
    """Clear the place for a new .venv; never touch a folder that is not a virtual environment.

    Raises:
        SetUpError: something else lies there.
    """
    if places.venv.is_symlink() or places.venv.is_file():
        raise SetUpError(
            ".venv is a link or a file, and set-up makes a folder of that name: remove it (rm .venv) and run the "
            "command again"
        )
    if not places.venv.exists():
        return
    ours = any((places.venv / name).exists() for name in ("pyvenv.cfg", "unrolled-half-made", "unrolled-stamp.json"))
    if not ours and any(places.venv.iterdir()):
        raise SetUpError(".venv holds something that is no virtual environment: move it away and run the command again")
    # The mark goes in first and is what goes last, so that a removal that was cut short is known for one.
    (places.venv / "unrolled-half-made").touch()
    for entry in places.venv.iterdir():
        if entry.name == "unrolled-half-made":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def make_venv(places: Places, lock: int | None) -> None:
    """A new .venv with all packages and, at the very end, its stamp.

    Raises:
        SetUpError: with the one sentence that says why not.
    """
    check_space(places.root, SPACE_FOR_PACKAGES, "the packages")
    remove_venv(places)
    say(f"Making .venv with Python {platform.python_version()}; this happens once and takes a few minutes.")
    places.venv.mkdir(exist_ok=True)
    (places.venv / "unrolled-half-made").touch()
    log = places.logs / "venv.log"
    log.unlink(missing_ok=True)
    if run_logged([sys.executable, "-m", "venv", str(places.venv)], log, places, lock):
        text = log.read_text(encoding="utf-8", errors="replace")
        if "No space left on device" in text or "Errno 28" in text:
            raise SetUpError(why_pip_failed(text, places.shown(log)))
        if "ensurepip" in text:
            raise SetUpError(
                f"{sys.executable} cannot put pip into a virtual environment: on Debian and Ubuntu install the missing "
                f"part with `apt install python3-venv` (its own words are in {places.shown(log)})"
            )
        raise SetUpError(
            f"{sys.executable} could not make a virtual environment (its own words are in {places.shown(log)})"
        )
    install(places, lock)


def install(places: Places, lock: int | None) -> None:
    """Install the pins into .venv and stamp it."""
    say(f"Installing the packages that requirements.txt pins (log: {places.shown(places.logs / 'pip.log')}).")
    run_pip(["install", "--progress-bar", "off", "-r", "requirements.txt"], "pip", places, lock)
    (places.venv / "unrolled-half-made").unlink(missing_ok=True)
    write_stamp(places)


def refresh_venv(places: Places, lock: int | None) -> None:
    """Bring a whole .venv to other pins. Its stamp goes first: an interrupted refresh leaves a half-made .venv."""
    check_space(places.root, SPACE_FOR_PACKAGES // 2, "the packages")
    say("The pins have changed since .venv was made.")
    places.stamp.unlink()
    install(places, lock)


# --- the data -------------------------------------------------------------------------------------


def read_archives(path: Path) -> list[Archive]:
    """The archives that data-requirements.txt, or another file of its form, names.

    Raises:
        SetUpError: a line is not of the form `name==version --hash=sha256:...`.
    """
    archives = []
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), start=1):
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        if not content:
            continue
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9._+!-]+)((?:\s+--hash=sha256:[0-9a-f]{64})+)", content)
        if match is None:
            raise SetUpError(
                f"{path.name}, line {number}: expected `name==version --hash=sha256:...`, read {content!r}"
            )
        hashes = frozenset(re.findall(r"sha256:([0-9a-f]{64})", match.group(3)))
        archives.append(Archive(match.group(1), match.group(2), hashes))
    return archives


def sha256(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_archive(archive: Archive, places: Places) -> Path | None:
    """The verified archive in the cache, or None when it is not there.

    Raises:
        SetUpError: a file of its name is there, and is another file.
    """
    if not places.cache.is_dir():
        return None
    for path in sorted(places.cache.iterdir()):
        if archive.matches(path.name):
            found = sha256(path)
            if found not in archive.hashes:
                raise SetUpError(
                    f"{places.shown(path)} is damaged or not the file that data-requirements.txt pins (its SHA-256 "
                    f"begins with {found[:12]}, not {min(archive.hashes)[:12]}): delete it "
                    f"(rm '{places.shown(path)}') and run the command again"
                )
            return path
    return None


def fetch(archive: Archive, places: Places, lock: int | None, python: Path) -> None:
    """Download one archive beside the cache, verify it, and only then rename it into the cache.

    Raises:
        SetUpError: it cannot be had, or it is not the pinned file.
    """
    say(f"Fetching {archive.name} {archive.version} into {places.shown(places.cache)}.")
    for left_over in places.cache.glob(".download-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    check_space(places.cache, SPACE_FOR_DATA, "the data")
    with tempfile.TemporaryDirectory(prefix=".download-", dir=places.cache) as folder:
        command = [str(python), "-I", "-X", "utf8", str(Path(__file__).with_name("fetch_archive.py"))]
        command += [archive.requirement, folder, *sorted(archive.hashes)]
        run_and_explain(command, f"data-{archive.name}", places, lock)
        files = [path for path in Path(folder).iterdir() if archive.matches(path.name)]
        if len(files) != 1 or sha256(files[0]) not in archive.hashes:
            raise SetUpError(
                f"what the package index served as {archive.name} {archive.version} is not the pinned file"
            )
        os.replace(files[0], places.cache / files[0].name)


def missing_archives(places: Places) -> list[Archive]:
    """The archives that still have to be fetched; those in the cache have been verified."""
    return [a for a in read_archives(places.root / "data-requirements.txt") if find_archive(a, places) is None]


def prepare_data(places: Places, lock: int | None, python: Path) -> None:
    """Have every archive in the cache, verified."""
    for archive in missing_archives(places):
        places.cache.mkdir(parents=True, exist_ok=True)
        fetch(archive, places, lock, python)


# --- the peer that must be compiled ---------------------------------------------------------------


def has_peers(places: Places) -> bool:
    """Whether the packages of peers.txt are in .venv, at the pinned versions."""
    pins = read_archives(Path(__file__).with_name("peers.txt"))
    return all(
        list(places.venv.glob(f"lib*/python*/site-packages/{pin.name}-{pin.version}.dist-info/RECORD")) for pin in pins
    )


def prepare_peers(places: Places, lock: int | None) -> None:
    """Compile and install KenLM's Python package, and its program lmplz where Boost is at hand.

    Raises:
        SetUpError: a compiler or cmake is missing, or the build failed.
    """
    program = places.venv / "bin" / "lmplz"
    if has_peers(places) and program.exists():
        say("The peers are built.")
        return
    lacking = [
        name
        for name, commands in (("cmake", ("cmake",)), ("a C++ compiler", ("c++", "g++", "clang++")))
        if not any(map(shutil.which, commands))
    ]
    if lacking:
        raise SetUpError(
            f"the peers need {' and '.join(lacking)}: on Debian and Ubuntu install both with "
            "`apt install cmake build-essential`"
        )
    if not has_peers(places):
        say(f"Building KenLM for the peer tests (log: {places.shown(places.logs / 'peers.log')}).")
        pins = str(Path(__file__).with_name("peers.txt"))
        # An old build script: newer versions of cmake want to be told that this is all right.
        run_pip(["install", "-r", pins], "peers", places, lock, {"CMAKE_POLICY_VERSION_MINIMUM": "3.5"})
    say("The peers are built." if build_lmplz(program, places, lock) else "KenLM's Python package is built.")


def build_lmplz(program: Path, places: Places, lock: int | None) -> bool:
    """Compile lmplz, which the benchmarks compare fitting with, out of the archive that the Python package comes from.

    It is no part of that package. It needs Boost, which few people have; without it the benchmarks do without lmplz.

    Returns:
        Whether it is there now; where not, what is missing has been said.
    """
    log = places.logs / "lmplz.log"
    log.unlink(missing_ok=True)
    say(f"Building lmplz for the benchmarks (log: {places.shown(log)}).")
    with tempfile.TemporaryDirectory(prefix="lmplz-") as name:
        folder = Path(name)
        (kenlm,) = read_archives(Path(__file__).with_name("peers.txt"))
        command = [str(places.python), "-I", "-X", "utf8", str(Path(__file__).with_name("fetch_archive.py"))]
        run_and_explain([*command, kenlm.requirement, name, *kenlm.hashes], "peers-archive", places, lock)
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        source = next(path for path in folder.iterdir() if (path / "CMakeLists.txt").exists())
        build = folder / "build"
        settings = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_POLICY_VERSION_MINIMUM=3.5", "-DENABLE_INTERPOLATE=OFF"]
        steps = [
            ["cmake", "-S", str(source), "-B", str(build), *settings],
            ["cmake", "--build", str(build), "--parallel", "2", "--target", "lmplz"],
        ]
        if any(run_logged(step, log, places, lock) for step in steps):
            say(
                "lmplz could not be built, so that `make bench` will not compare fitting with it. It needs Boost: on "
                "Debian and Ubuntu `apt install libboost-program-options-dev libboost-system-dev libboost-thread-dev "
                f"libboost-test-dev`, then `make peers` again. What was said is in {places.shown(log)}."
            )
            return False
        beside = program.with_name(".lmplz-half-made")
        shutil.copy2(next(path for path in build.rglob("lmplz") if path.is_file()), beside)
        os.replace(beside, program)
    return True


# --- the whole ------------------------------------------------------------------------------------


def set_up(places: Places, what: str = "all") -> None:
    """Everything that `what` asks for; nothing that is in place already.

    Args:
        places: the project.
        what: "all" (.venv and data), "peers" (these, and the package that must be compiled), or "data" (the data alone,
            fetched by the Python that runs this).

    Raises:
        SetUpError: with the sentence to print.
    """
    if what == "data":
        with one_at_a_time(places) as lock:
            prepare_data(places, lock, Path(sys.executable))
        return
    wanted = "{}.{}".format(*sys.version_info) if os.environ.get("UNROLLED_PYTHON") else None
    state = state_of_venv(places, wanted)
    if state == "whole" and what != "peers" and not missing_archives(places):
        return
    with one_at_a_time(places) as lock:
        state = state_of_venv(places, wanted)  # whoever held the lock may have done it all
        missing_archives(places)  # a damaged archive is refused before minutes are spent on packages
        if state == "absent":
            make_venv(places, lock)
        elif state == "stale":
            refresh_venv(places, lock)
        prepare_data(places, lock, places.python)
        if what == "peers":
            prepare_peers(places, lock)


def everything_is_in_place(places: Places) -> bool:
    """The quick look that begins every command, run by the Python in .venv itself; when in doubt, no."""
    if os.environ.get("UNROLLED_PYTHON"):
        return False
    try:
        state = state_of_venv(places, running="{}.{}.{}".format(*sys.version_info))
        return state == "whole" and not missing_archives(places)
    except (OSError, ValueError, SetUpError):
        return False  # the long way round finds the same, and says it


def stop(number: int, frame: object) -> None:
    """Let a polite kill end the children too."""
    raise KeyboardInterrupt


def main(arguments: list[str], places: Places | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="prepare", description="Make .venv, install the packages, fetch the data.")
    parser.add_argument("what", nargs="?", default="all", choices=("all", "peers", "data", "look"))
    options = parser.parse_args(arguments)
    places = places or Places(ROOT)
    if options.what == "look":
        return 0 if everything_is_in_place(places) else 3
    signal.signal(signal.SIGTERM, stop)
    try:
        set_up(places, options.what)
    except SetUpError as error:
        print(f"prepare: {error}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"prepare: {explain(error, places)}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nprepare: interrupted; what was half done will be done anew by the next call.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
