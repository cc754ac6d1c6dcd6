"""A class of generated submissions, good and bad mixed: how the grader does on it, and what the tests grade.

    cd code && python -m benchmarks.classroom --homework hw01 --count 1000 --folder FOLDER

writes a folder of submissions to a homework of the project; `python -m unrolled.homework grade` grades it.
"""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from unrolled.homework.mutants import Mutant, mutated, read_mutants, runnable, stub
from unrolled.homework.notebooks import STUB, Cell, Homework, read_homework

# How a class is made up: the share of each kind.
KINDS = {
    "good": 0.35,
    "partial": 0.25,
    "mutant": 0.15,
    "empty": 0.10,
    "crashing": 0.05,
    "hostile": 0.06,
    "broken": 0.02,
    "hanging": 0.02,
}

CRASHING = (
    "import os\nos._exit(0)\n",
    "import ctypes\nctypes.string_at(0)\n",
    "raise SystemExit(1)\n",
    "this is no Python\n",
    "import sys\nsys.setrecursionlimit(10**8)\nf = lambda: f()\nf()\n",
)
HOSTILE = (
    "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        break\n",
    "import shutil\nshutil.rmtree('/', ignore_errors=True)\n",
    "import os\nfor pid in (os.getppid(), 1):\n    try:\n        os.kill(pid, 9)\n    except OSError:\n        pass\n",
    "import os\nfor fd in range(9):\n    try:\n        os.write(fd, b'{}')\n    except OSError:\n        pass\n",
    "hoard = [bytearray(1 << 28) for _ in range(100)]\n",
    "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True\n",
    "import socket\nsocket.create_connection(('127.0.0.1', 22))\n",
)
BROKEN = (b"", b"[" * 100_000, b"\x00\x01\x02", b'{"cells": [1]}', b'{"cells": []}')


def notebook(cells: list[Cell]) -> bytes:
    """Cells as the notebook of a student."""
    code = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"nbgrader": {"grade_id": cell.name, "locked": cell.role == "given", "schema_version": 3}},
            "source": cell.code.splitlines(keepends=True),
            "outputs": [],
            "execution_count": None,
        }
        for number, cell in enumerate(cells)
    ]
    return json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def submission(homework: Homework, mutants: list[Mutant], kind: str, rng: np.random.Generator) -> bytes:
    """One submission of a kind."""
    solved, empty = runnable(homework), stub(homework)
    if kind == "good":
        return notebook(solved)
    if kind == "empty":
        return notebook(empty)
    if kind == "partial":
        return notebook([one if rng.random() < 0.5 else other for one, other in zip(solved, empty, strict=True)])
    if kind == "mutant" and mutants:
        return notebook(mutated(homework, mutants[rng.integers(len(mutants))]))
    if kind == "broken":
        return BROKEN[rng.integers(len(BROKEN))]
    if kind == "hanging":
        place = homework.exercises[rng.integers(len(homework.exercises))].name
        loops = [replace(one, code=one.code.replace(STUB[1], "while True: pass")) for one in empty]
        return notebook([loop if loop.name == place else one for one, loop in zip(solved, loops, strict=True)])
    extra = (CRASHING if kind == "crashing" else HOSTILE)[rng.integers(len(CRASHING))]
    return notebook([*empty, Cell("theirs", extra, "other")])


def write_class(homework: Homework, mutants: list[Mutant], folder: Path, count: int, seed: int = 1) -> dict[str, str]:
    """Write a class into a folder, in nbgrader's layout; return the kind of every student."""
    rng = np.random.default_rng(seed)
    names, shares = list(KINDS), np.array(list(KINDS.values()))
    kinds = {}
    for number in range(count):
        kind = names[number % len(names)] if number < len(names) else str(rng.choice(names, p=shares / shares.sum()))
        student = f"student-{number:04}"
        place = folder / student / homework.name
        place.mkdir(parents=True)
        (place / f"{homework.name}.ipynb").write_bytes(submission(homework, mutants, kind, rng))
        kinds[student] = kind
    if hasattr(os, "symlink"):
        (folder / "a-link").symlink_to("/etc")
    (folder / "nobody").mkdir()
    return kinds


def main() -> None:
    """Write a class."""
    root = Path(__file__).resolve().parents[2] / "homework"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classroom")
    parser.add_argument("--homework", default="hw01")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", required=True, type=Path)
    options = parser.parse_args()
    source = root / "source" / options.homework / f"{options.homework}.ipynb"
    mutants = read_mutants(root / "mutants" / f"{options.homework}.py")
    kinds = write_class(read_homework(source), mutants, options.folder, options.count, options.seed)
    for kind in KINDS:
        print(f"{list(kinds.values()).count(kind):5} {kind}")


if __name__ == "__main__":
    main()
