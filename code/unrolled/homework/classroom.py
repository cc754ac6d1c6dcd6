"""A class: a folder of submissions to a table, with progress, resumable, on this machine or on a Dask cluster.

Every finished score is one line of a journal beside the table, written and flushed before the next begins. A run that
was killed goes on where it was: a line that was cut off is dropped and its submission graded again, no other. A
submission that has changed since is graded anew.
"""

import contextlib
import csv
import functools
import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from unrolled.files import write_whole
from unrolled.homework import sandbox
from unrolled.homework.cases import Reference
from unrolled.homework.grading import UNFINISHED, ExerciseResult, Score, grade, plain
from unrolled.homework.notebooks import LARGEST, Homework, NotebookError, read_file, read_homework

ANSWER = 120.0  # seconds for a repository
MOST_FETCHED = 256 << 20  # bytes of a file that git writes while it fetches
PLACES = ("{homework}/{homework}.ipynb", "homework/mine/{homework}.ipynb", "{homework}.ipynb")


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the bytes of a notebook, or why there are none."""

    student: str
    body: bytes = b""
    problem: str | None = None

    @property
    def digest(self) -> str:
        """What tells this submission from a changed one."""
        return hashlib.sha256(self.body or (self.problem or "").encode()).hexdigest()


def submissions(folder: str | os.PathLike[str], homework: str) -> list[Submission]:
    """What lies in a folder: STUDENT/hw02/hw02.ipynb (nbgrader's layout), STUDENT/hw02.ipynb, a whole fork
    STUDENT/homework/mine/hw02.ipynb, or STUDENT.ipynb. A student without a notebook is in the list, with that problem.

    Raises:
        NotebookError: there is no such folder, or nothing in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotebookError(f"there is no folder {folder}")
    found = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            found.append(Submission(entry.name, problem="a link; hand in the files themselves"))
        elif entry.is_dir():
            found.append(_of_student(entry, homework))
        elif entry.suffix == ".ipynb":
            found.append(_read(entry, entry.stem))
    if not found:
        raise NotebookError(f"there is no submission in {folder}: it holds a folder or a notebook per student")
    names = [one.student for one in found]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise NotebookError(f"{plain(doubled[0])} is there twice, as a folder and as a notebook")
    return found


def _of_student(entry: Path, homework: str) -> Submission:
    for place in PLACES:
        path = entry / place.format(homework=homework)
        if any(parent.is_symlink() for parent in (path, *path.parents[: len(Path(place).parts) - 1])):
            return Submission(entry.name, problem="a link; hand in the files themselves")
        if os.path.lexists(path):
            return _read(path, entry.name)
    return Submission(entry.name, problem=f"there is no {homework}.ipynb")


def _read(path: Path, student: str) -> Submission:
    try:
        return Submission(student, read_file(path))
    except NotebookError as error:
        return Submission(student, problem=plain(error))


def in_shard(student: str, shard: tuple[int, int]) -> bool:
    """Whether a student belongs to part i of n (i from 1 to n); it depends on the name alone."""
    number, count = shard
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % count == number - 1


# --- one submission -----------------------------------------------------------------------------------------------


def grade_submission(
    homework: Homework, reference: Reference, one: Submission, secret: str, room: sandbox.Room
) -> Score:
    """The score of one submission; whatever happens, it is a score, if need be one that says it is unfinished."""
    try:
        with _drawing:
            questions = reference.questions(secret, one.student)
        if one.problem:
            nothing = grade(homework, b"", questions, room)
            return Score(homework.name, nothing.exercises, one.problem, {}, room.sandboxed)
        return grade(homework, one.body, questions, room)
    except Exception as error:  # one submission never stops a class
        nothing = tuple(ExerciseResult(exercise.name, exercise.points, ()) for exercise in homework.exercises)
        why = plain(f"{UNFINISHED} ({type(error).__name__}: {error})")
        return Score(homework.name, nothing, why, {}, room.sandboxed)


_drawing = threading.Lock()  # a reference is one namespace: one thread at a time draws from it


@functools.lru_cache(maxsize=4)
def _reference_of(source: bytes, name: str) -> Reference:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.ipynb")
        path.write_bytes(source)
        return Reference(read_homework(path))


_rooms = contextlib.ExitStack()
_room_lock = threading.Lock()


@functools.lru_cache(maxsize=2)
def _room_of_process(closed: bool | None) -> sandbox.Room:
    return _rooms.enter_context(sandbox.room(closed))


def _task(
    source: bytes, name: str, student: str, body: bytes, problem: str | None, secret: str, closed: bool | None
) -> dict:
    """One submission, on whatever machine this runs: what a Dask worker is given."""
    with _room_lock:
        room = _room_of_process(closed)
        reference = _reference_of(source, name)
    return grade_submission(reference.homework, reference, Submission(student, body, problem), secret, room).to_json()


# --- the journal --------------------------------------------------------------------------------------------------


class Journal:
    """The finished scores of a class, a line each.

    The first line says what was graded, with which secret (its hash) and by which source: lines of another run are not
    mixed in.
    """

    def __init__(self, path: Path, homework: str, source: bytes, secret: str) -> None:
        """Open or begin a journal; a last line that was cut off is dropped.

        Raises:
            NotebookError: it belongs to another homework, source or secret, is damaged, or another run writes it.
        """
        self.path = path
        self.scores: dict[str, tuple[str, Score]] = {}
        head = {
            "homework": homework,
            "source": hashlib.sha256(source).hexdigest(),
            "secret": hashlib.sha256(f"journal\0{homework}\0{secret}".encode()).hexdigest()[:16],
        }
        self._file = open(path, "a+b")  # noqa: SIM115  closed by `close`
        try:
            self._lock()
            self._file.seek(0)
            whole, newline, _ = self._file.read().rpartition(b"\n")
            lines = whole.split(b"\n") if newline else []
            self._file.truncate(len(whole) + 1 if newline else 0)
            self._file.seek(0, os.SEEK_END)
            if lines:
                self._take(lines, head)
            else:
                self._write(head)
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NotebookError(f"another run is writing {self.path.name}") from error

    def _take(self, lines: list[bytes], head: dict) -> None:
        try:
            first = json.loads(lines[0])
            for line in lines[1:]:
                entry = json.loads(line)
                self.scores[entry["student"]] = (entry["digest"], Score.from_json(entry["score"]))
        except (ValueError, KeyError, TypeError) as error:
            raise NotebookError(f"{self.path.name} is damaged; move it away to begin anew") from error
        for key, said in (("homework", "homework"), ("source", "source of the homework"), ("secret", "seed")):
            if first.get(key) != head[key]:
                raise NotebookError(
                    f"{self.path.name} was begun with another {said}; name another --out, or move it away to begin anew"
                )

    def _write(self, entry: dict) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def has(self, one: Submission) -> bool:
        """Whether this very submission has its score."""
        return one.student in self.scores and self.scores[one.student][0] == one.digest

    def add(self, one: Submission, score: Score) -> None:
        """Write a finished score."""
        self.scores[one.student] = (one.digest, score)
        self._write({"student": one.student, "digest": one.digest, "score": score.to_json()})

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# --- a class ------------------------------------------------------------------------------------------------------


def grade_class(
    source: str | os.PathLike[str],
    everyone: Iterable[Submission],
    out: str | os.PathLike[str],
    secret: str,
    *,
    closed: bool | None = True,
    processes: int | None = None,
    scheduler: str | None = None,
    begun: Callable[[int], None] = lambda left: None,
    told: Callable[[Submission, Score], None] = lambda one, score: None,
) -> dict[str, Score]:
    """Grade all that has no score yet; return the scores of all.

    Args:
        source: the source of the homework.
        everyone: the submissions.
        out: the table; the journal lies beside it, under its name with `.journal` behind.
        secret: the seed of the official run. The cases of a submission depend on it and on the student's name.
        closed: True asks for bubblewrap, None takes the best there is.
        processes: how many submissions run at the same time; the number of cores by default.
        scheduler: the address of a Dask scheduler; its workers need this package, and bubblewrap.
        begun: called once with the number of submissions that have no score yet.
        told: called with every score as it is finished.

    Raises:
        NotebookError: the source or the journal is not usable.
        SandboxError: bubblewrap was asked for and does not run.
    """
    source, out = Path(source), Path(out)
    body = read_file(source)
    everyone = list(everyone)
    with Journal(out.with_name(out.name + ".journal"), source.stem, body, secret) as journal:
        left = [one for one in everyone if not journal.has(one)]
        begun(len(left))
        run = _on_cluster if scheduler else _here
        unfinished: dict[str, Score] = {}
        with contextlib.closing(run(body, source.stem, left, secret, closed, processes, scheduler)) as finished:
            for one, score in finished:
                if score.unfinished:
                    unfinished[one.student] = score  # not into the journal: the next run tries again
                else:
                    journal.add(one, score)
                told(one, score)
        return {one.student: unfinished.get(one.student) or journal.scores[one.student][1] for one in everyone}


def _here(
    source: bytes, name: str, left: list[Submission], secret: str, closed: bool | None, processes: int | None, _: object
) -> Iterator[tuple[Submission, Score]]:
    reference = _reference_of(source, name)
    if not left:
        return
    with sandbox.room(closed) as room:
        pool = ThreadPoolExecutor(processes or os.cpu_count() or 1)
        try:
            waiting = iter(left)
            running = {}
            while True:
                for one in waiting:
                    running[pool.submit(grade_submission, reference.homework, reference, one, secret, room)] = one
                    if len(running) >= 2 * pool._max_workers:
                        break
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    one = running.pop(future)
                    yield one, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            sandbox.end_all()
            pool.shutdown(wait=True)


def _on_cluster(
    source: bytes, name: str, left: list[Submission], secret: str, closed: bool | None, _: object, scheduler: str
) -> Iterator[tuple[Submission, Score]]:
    from distributed import Client, as_completed

    with Client(scheduler, set_as_default=False) as client:
        [shared] = client.scatter([source], broadcast=True)
        tasks = {
            client.submit(
                _task, shared, name, one.student, one.body, one.problem, secret, closed, pure=False, retries=2
            ): one
            for one in left
        }
        for future in as_completed(tasks, loop=client.loop):
            yield tasks[future], Score.from_json(future.result())


def read_journal(path: str | os.PathLike[str]) -> dict[str, Score]:
    """The scores of a journal, for putting shards together.

    Raises:
        NotebookError: it is none.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
        json.loads(lines[0])["homework"]
        return {entry["student"]: Score.from_json(entry["score"]) for entry in map(json.loads, lines[1:])}
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise NotebookError(f"{Path(path).name} is no journal of scores ({type(error).__name__})") from error


# --- fetching -----------------------------------------------------------------------------------------------------


def fetch(
    class_list: str | os.PathLike[str],
    homework: str,
    folder: str | os.PathLike[str],
    shard: tuple[int, int] | None = None,
) -> dict[str, str]:
    """Fetch the notebook of a homework from every fork of a class, as data: nothing is checked out, nothing runs.

    Args:
        class_list: a CSV file with the columns `student` and `repository` (https), and, if wanted, `commit`.
        homework: such as "hw02".
        folder: where STUDENT/hw02/hw02.ipynb is written.
        shard: only this part of the class (see `in_shard`).

    Returns:
        What went wrong, by student; a student of whom nothing could be fetched gets an empty folder.

    Raises:
        NotebookError: the list is none, or a name in it cannot be a folder's.
    """
    with open(class_list, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"student", "repository"} <= set(rows[0]):
        raise NotebookError("a list of a class is CSV with the columns student and repository")
    problems, seen = {}, set()
    for row in rows:
        student, repository = (row["student"] or "").strip(), (row["repository"] or "").strip()
        if not re.fullmatch(r"[\w][\w .@+-]{0,99}", student):
            raise NotebookError(f"the student's name {student!r} cannot be the name of a folder")
        folded = unicodedata.normalize("NFKC", student).casefold()  # file systems differ in what they tell apart
        if folded in seen:
            raise NotebookError(f"the student's name {student!r} is there twice, or looks like another")
        seen.add(folded)
        if shard and not in_shard(student, shard):
            continue
        place = Path(folder, student, homework)
        place.mkdir(parents=True, exist_ok=True)
        try:
            body = _notebook_of(repository, (row.get("commit") or "HEAD").strip(), f"homework/mine/{homework}.ipynb")
        except NotebookError as error:
            problems[student] = str(error)
            continue
        with write_whole(place / f"{homework}.ipynb") as part:
            part.write_bytes(body)
    return problems


def _bounded_files() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FETCHED, MOST_FETCHED))


def _notebook_of(repository: str, commit: str, path: str) -> bytes:
    """One file of a repository, by git's plumbing: an ordinary file of bounded size, never a link."""
    if not re.fullmatch(r"(https|file)://[^\s]+", repository) or not re.fullmatch(r"HEAD|[0-9a-f]{40}", commit):
        raise NotebookError("a repository is named by https://…, a commit by its 40 digits")
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1"}
    quiet["GIT_ALLOW_PROTOCOL"] = "https:file"  # wherever a server redirects to

    def git(*arguments: str) -> bytes:
        process = subprocess.Popen(
            ["git", "-c", "core.hooksPath=/dev/null", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=quiet,
            start_new_session=True,
            preexec_fn=_bounded_files if os.name == "posix" else None,
        )
        try:
            said, complaint = process.communicate(timeout=ANSWER)
        except subprocess.TimeoutExpired as error:
            raise NotebookError(f"the repository did not answer within {ANSWER:g} s") from error
        finally:
            if process.poll() is None:  # git's helpers hold the pipes: without their end we would wait for them
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
                process.communicate()
        if process.returncode:
            raise NotebookError(f"git: {plain(complaint.decode('utf-8', 'replace')) or 'ended by a signal'}")
        return said

    with tempfile.TemporaryDirectory() as bare:
        git("init", "--quiet", "--bare", bare)
        git(
            "-C",
            bare,
            "fetch",
            "--quiet",
            "--depth=1",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
            repository,
            commit,
        )
        entry = git("-C", bare, "ls-tree", "--long", "FETCH_HEAD", "--", path).decode("utf-8", "replace").split()
        if not entry:
            raise NotebookError(f"there is no {path} in it")
        mode, _, blob, size = entry[:4]
        if mode not in ("100644", "100755"):
            raise NotebookError(f"{path} is no ordinary file")
        if int(size) > LARGEST:
            raise NotebookError(
                f"{path} has {int(size):,} bytes; a notebook without its outputs has at most {LARGEST:,}"
            )
        return git("-C", bare, "cat-file", "blob", blob)
