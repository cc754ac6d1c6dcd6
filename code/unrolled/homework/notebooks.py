"""The notebooks of a homework: its source, the release made from it, and what a student hands in.

The format is nbgrader's (cell metadata, schema 3; the markers ### BEGIN SOLUTION and ### BEGIN HIDDEN TESTS), so that
instructors can keep the tools they know. A student's notebook is a file from a stranger: it is read with a limit on its
size, never through a link, and nothing in it is believed but the text of its code cells.
"""

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

LARGEST = 4 << 20  # bytes of a notebook that a student hands in
MOST_CELLS = 500
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")

_SOLUTION = re.compile(
    r"^[ \t]*### BEGIN SOLUTION[ \t]*\n(.*?)^[ \t]*### END SOLUTION[ \t]*$", re.DOTALL | re.MULTILINE
)
_HIDDEN = re.compile(
    r"^### BEGIN HIDDEN TESTS[ \t]*\n(.*?)^### END HIDDEN TESTS[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_MARK = re.compile(r"###\s*(BEGIN|END)\s+(SOLUTION|HIDDEN TESTS)")


class NotebookError(ValueError):
    """A file that is no notebook, or a source that breaks the rules of the format."""


@dataclass(frozen=True)
class Cell:
    """One code cell: its name, its text, and its part in the homework.

    Attributes:
        name: nbgrader's grade_id, or the cell's id.
        code: the text.
        role: "given", "solution", "test", "play" or "other".
    """

    name: str
    code: str
    role: str


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        name: the grade_id of its solution cell.
        points: what it is worth.
        minutes: how long a good student takes.
        seconds: how long one call of a function may take.
        hints: from the first nudge to nearly the code.
        public: the asserts that a student sees.
        hidden: the code that defines `cases(rng)`; empty in a release.
    """

    name: str
    points: float
    minutes: int
    seconds: float
    hints: tuple[str, ...]
    public: str
    hidden: str


@dataclass(frozen=True)
class Homework:
    """A homework, read from its source or from its release.

    Attributes:
        name: such as "hw02".
        title: the first heading.
        cells: the code cells in order.
        exercises: in order.
    """

    name: str
    title: str
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]

    @property
    def points(self) -> float:
        """All points together."""
        return sum(exercise.points for exercise in self.exercises)

    def exercise(self, name: str) -> Exercise:
        """The exercise of a name.

        Raises:
            NotebookError: there is none; the message lists the names.
        """
        for exercise in self.exercises:
            if exercise.name == name:
                return exercise
        names = ", ".join(exercise.name for exercise in self.exercises)
        raise NotebookError(f"{self.name} has no exercise {name!r}; it has {names}")


# --- reading a file -----------------------------------------------------------------------------------------------


def read_file(path: str | os.PathLike[str], largest: int = LARGEST) -> bytes:
    """The bytes of an ordinary file.

    Raises:
        NotebookError: it is a link, a folder, a pipe or a device, it is larger than `largest`, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    name = Path(path).name
    try:
        if Path(path).is_symlink():
            raise NotebookError(f"{name} is a link; hand in the file itself")
        handle = os.open(path, flags)
    except OSError as error:
        raise NotebookError(f"{name} cannot be read: {error.strerror or error}") from error
    try:
        kind = os.fstat(handle)
        if not stat.S_ISREG(kind.st_mode):
            raise NotebookError(f"{name} is no ordinary file")
        if kind.st_size > largest:
            raise NotebookError(f"{name} has {kind.st_size:,} bytes; without its outputs it has at most {largest:,}")
        with os.fdopen(os.dup(handle), "rb") as file:
            body = file.read(largest + 1)
    except OSError as error:
        raise NotebookError(f"{name} cannot be read: {error.strerror or error}") from error
    finally:
        os.close(handle)
    if len(body) > largest:
        raise NotebookError(f"{name} grows while it is read")
    return body


def parse(body: bytes, name: str = "the notebook") -> list[dict]:
    """The cells of a notebook as dictionaries with "cell_type", "source", "metadata" and "id".

    Raises:
        NotebookError: the bytes are no notebook.
    """
    try:
        book = json.loads(body.decode("utf-8-sig"))  # some editors of Windows begin a file with a mark
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotebookError(f"{name} is no notebook: its text is no JSON ({type(error).__name__})") from error
    raw = book.get("cells") if isinstance(book, dict) else None
    if not isinstance(raw, list):
        raise NotebookError(f"{name} is no notebook of format 4: it has no list of cells")
    if len(raw) > MOST_CELLS:
        raise NotebookError(f"{name} has {len(raw)} cells; {MOST_CELLS} are allowed")
    cells = []
    for number, cell in enumerate(raw):
        if not isinstance(cell, dict):
            raise NotebookError(f"cell {number} of {name} is no cell")
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise NotebookError(f"cell {number} of {name} has no text")
        metadata = cell.get("metadata")
        identity = cell.get("id")
        cells.append(
            {
                "cell_type": cell.get("cell_type"),
                "source": source,
                "metadata": metadata if isinstance(metadata, dict) else {},
                "id": identity if isinstance(identity, str) else f"cell-{number}",
            }
        )
    return cells


def _nbgrader(cell: dict) -> dict:
    metadata = cell["metadata"].get("nbgrader")
    return metadata if isinstance(metadata, dict) else {}


def _ours(cell: dict) -> dict:
    metadata = cell["metadata"].get("unrolled")
    return metadata if isinstance(metadata, dict) else {}


def _code_cell(cell: dict) -> Cell:
    marks = _nbgrader(cell)
    name = marks.get("grade_id")
    if marks.get("grade") is True and marks.get("solution") is not True:
        role = "test"
    elif marks.get("solution") is True:
        role = "solution"
    elif marks.get("locked") is True:
        role = "given"
    else:
        role = "play" if _ours(cell).get("role") == "play" else "other"
    return Cell(name if isinstance(name, str) else cell["id"], cell["source"], role)


def submission_cells(body: bytes, homework: Homework, name: str = "the notebook") -> list[Cell]:
    """The code of a student that is to run, in order: their cells, with the given ones as they were handed out.

    A given cell is recognised by its name and restored; one that was deleted is run before everything else. Test
    cells and cells for playing are left out.

    Raises:
        NotebookError: the bytes are no notebook, or one without code.
    """
    given = {cell.name: cell for cell in homework.cells if cell.role == "given"}
    tests = {cell.name for cell in homework.cells if cell.role == "test"}
    theirs = [_code_cell(cell) for cell in parse(body, name) if cell["cell_type"] == "code"]
    if not any(cell.code.strip() for cell in theirs):
        raise NotebookError(f"{name} has no code in it")
    kept: list[Cell] = []
    seen = set()
    for cell in theirs:
        if cell.name in given:
            if cell.name not in seen:
                kept.append(given[cell.name])
                seen.add(cell.name)
        elif cell.name not in tests and cell.role != "play":
            kept.append(cell)
    return [cell for name, cell in given.items() if name not in seen] + kept


# --- the source ---------------------------------------------------------------------------------------------------


def read_homework(path: str | os.PathLike[str]) -> Homework:
    """Read a homework from its source or its release, and hold it to the rules of the format.

    Raises:
        NotebookError: a rule is broken; the message names the cell.
    """
    path = Path(path)
    cells = parse(read_file(path), path.name)
    title = next(
        (line[2:].strip() for cell in cells for line in cell["source"].splitlines() if line.startswith("# ")), path.stem
    )
    code = []
    exercises = []
    for cell in cells:
        if cell["cell_type"] != "code":
            if _MARK.search(cell["source"]):
                raise NotebookError(
                    f"{path.name}: a marker of a solution or hidden test outside a code cell ({cell['id']})"
                )
            continue
        read = _code_cell(cell)
        code.append(read)
        if read.role == "test":
            exercises.append(_exercise(cell, path.name))
    names = [cell.name for cell in code]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise NotebookError(f"{path.name}: the name {sorted(doubled)[0]!r} stands on two cells")
    solutions = {cell.name for cell in code if cell.role == "solution"}
    for exercise in exercises:
        if exercise.name not in solutions:
            raise NotebookError(f"{path.name}: the exercise {exercise.name!r} has no solution cell of that name")
    for name in solutions - {exercise.name for exercise in exercises}:
        raise NotebookError(f"{path.name}: nothing tests the solution cell {name!r}")
    if not exercises:
        raise NotebookError(f"{path.name}: no exercise in it")
    return Homework(path.stem, title, tuple(code), tuple(exercises))


def _exercise(cell: dict, where: str) -> Exercise:
    marks, ours = _nbgrader(cell), _ours(cell)
    name, points = ours.get("exercise"), marks.get("points")
    if not isinstance(name, str) or marks.get("grade_id") != f"test-{name}":
        raise NotebookError(f"{where}: the test cell {marks.get('grade_id')!r} does not name its exercise (test-NAME)")
    if marks.get("schema_version") != 3 or not isinstance(points, int | float) or points <= 0:
        raise NotebookError(f"{where}: the test cell of {name} has no points, or is not of nbgrader's schema 3")
    hints = ours.get("hints")
    if (
        not isinstance(hints, list)
        or len(hints) < 2
        or not all(isinstance(hint, str) and hint.strip() for hint in hints)
    ):
        raise NotebookError(f"{where}: {name} needs at least two hints")
    hidden = _HIDDEN.search(cell["source"])
    return Exercise(
        name,
        points,
        int(ours.get("minutes", 0)),
        float(ours.get("seconds", 10)),
        tuple(hints),
        _HIDDEN.sub("", cell["source"]).rstrip() + "\n",
        hidden.group(1) if hidden else "",
    )


def stripped(code: str) -> str:
    """A cell's text with its solutions as stubs and without its hidden tests.

    Raises:
        NotebookError: a marker is left over: it has no counterpart, or stands in the wrong place.
    """

    def stub(found: re.Match) -> str:
        indent = re.match(r"[ \t]*", found.group(0)).group(0)
        return "\n".join(indent + line for line in STUB)

    left = _HIDDEN.sub("", _SOLUTION.sub(stub, code)).rstrip()
    if _MARK.search(left):
        raise NotebookError(f"a marker without its counterpart: {_MARK.search(left).group(0)!r}")
    return left


def release(body: bytes, name: str) -> bytes:
    """The notebook that students get, made from the source: solutions and hidden tests stripped, no outputs.

    Raises:
        NotebookError: a marker is broken, or a solution cell holds no solution to strip.
    """
    book = json.loads(body)
    for cell in book["cells"]:
        source = "".join(cell["source"])
        marks = _nbgrader({"metadata": cell["metadata"]})
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            if marks.get("solution") is True and not _SOLUTION.search(source):
                raise NotebookError(
                    f"{name}: the solution cell {marks.get('grade_id')!r} has no solution between markers"
                )
            source = stripped(source)
        if marks.get("locked") is True:
            cell["metadata"] |= {"deletable": False, "editable": False}
        cell["source"] = source.splitlines(keepends=True)
    book["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return (json.dumps(book, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def solved(body: bytes) -> bytes:
    """The source as a student would hand it in: every solution written, no marker and no hidden test."""
    book = json.loads(body)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            source = _HIDDEN.sub("", "".join(cell["source"]))
            cell["source"] = re.sub(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n?", "", source, flags=re.MULTILINE)
    return json.dumps(book).encode("utf-8")
