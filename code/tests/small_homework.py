"""A homework of two exercises, small enough to attack: its source, and submissions to it."""

import json
from pathlib import Path

from unrolled.homework.cases import Reference
from unrolled.homework.notebooks import read_homework

GIVEN = '''import numpy as np


def doubled(x):
    """Given: twice x."""
    return 2 * x
'''

SCALED = '''def scaled(x):
    """3 x + 1 for an array of any shape."""
    ### BEGIN SOLUTION
    return 3 * x + 1
    ### END SOLUTION
'''

TEST_SCALED = """assert np.allclose(scaled(np.zeros(3)), 1), "with x = 0 only the 1 is left"
### BEGIN HIDDEN TESTS
def cases(rng):
    for shape in ((3,), (2, 4), (5, 1, 2)):
        yield "scaled", (rng.normal(size=shape),), 1e-9, f"an array of shape {shape}"
    yield "scaled", (np.array([1e6, -1e6, 0.0]),), 1e-9, "large numbers"
### END HIDDEN TESTS
"""

GRADIENT = '''def gradient(W, x, f):
    """The gradients of sum(f(W x)) / 2, where f doubles."""
    ### BEGIN SOLUTION
    ones = f(np.ones((W.shape[0], x.shape[1]))) / 2
    return {"dW": ones @ x.T, "dx": W.T @ ones}
    ### END SOLUTION
'''

TEST_GRADIENT = """assert gradient(np.eye(2), np.ones((2, 1)), doubled)["dW"].shape == (2, 2), "dW has the shape of W"
### BEGIN HIDDEN TESTS
def cases(rng):
    for n in (2, 3, 4):
        W, x = rng.normal(size=(n, n + 1)), rng.normal(size=(n + 1, 5))
        yield "gradient", (W, x, Given("doubled")), 1e-9, f"a matrix of {n} rows"
### END HIDDEN TESTS
"""


def _cell(kind: str, name: str, source: str, **metadata: object) -> dict:
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": source.splitlines(keepends=True)}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _marks(name: str, **more: object) -> dict:
    marks = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, "grade_id": name}
    return {"nbgrader": marks | more}


def tests_of(name: str, source: str, points: float, seconds: float) -> dict:
    """The test cell of an exercise."""
    ours = {"exercise": name, "minutes": 5, "seconds": seconds, "hints": ["think", "write it down"]}
    marks = _marks(f"test-{name}", grade=True, locked=True, points=points) | {"unrolled": ours}
    return _cell("code", f"test-{name}", source, **marks)


def notebook(*cells: dict) -> dict:
    """A notebook of these cells."""
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def source() -> dict:
    """The source of the small homework."""
    return notebook(
        _cell("markdown", "title", "# Homework 0: a small one\n"),
        _cell("code", "given-doubled", GIVEN, **_marks("given-doubled", locked=True)),
        _cell("code", "scaled", SCALED, **_marks("scaled", solution=True)),
        tests_of("scaled", TEST_SCALED, 6, 1.5),
        _cell("code", "gradient", GRADIENT, **_marks("gradient", solution=True)),
        tests_of("gradient", TEST_GRADIENT, 4, 1.5),
    )


def write_source(folder: Path, name: str = "hw00") -> Path:
    """Write the source where the commands look for it; return its path."""
    path = folder / "source" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(source()), encoding="utf-8")
    return path


def reference(folder: Path) -> Reference:
    """The small homework, read and run."""
    return Reference(read_homework(write_source(folder)))


SOLVED = {
    "scaled": "def scaled(x):\n    return 3 * x + 1\n",
    "gradient": "def gradient(W, x, f):\n"
    "    ones = f(np.ones((W.shape[0], x.shape[1]))) / 2\n"
    '    return {"dW": ones @ x.T, "dx": W.T @ ones}\n',
}


def submission(*code: str) -> bytes:
    """A submission whose cells are these texts, after the given one."""
    cells = [_cell("code", "given-doubled", GIVEN, **_marks("given-doubled", locked=True))]
    cells += [_cell("code", f"theirs-{number}", text) for number, text in enumerate(code)]
    return json.dumps(notebook(*cells)).encode()


def honest() -> bytes:
    """A submission that solves everything."""
    return submission(*SOLVED.values())
