"""Every check of every chapter can fail: wrong derivations are caught by the check of the equation they break."""

import importlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest

HERE = Path(__file__).parent
CHAPTERS = sorted((HERE.parents[1] / "chapters").glob("[0-9][0-9]-*.ipynb"))


def labels(chapter: Path) -> set[str]:
    """The labels of the chapter's display equations."""
    notebook = nbformat.read(chapter, as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return set(re.findall(r"\$\$\s*\((eq-[a-z0-9-]+)\)", prose))


@cache
def outcomes(chapter: Path) -> tuple[dict[int, dict], str]:
    """What became of each mutant of a chapter, and the error output of the run."""
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    command = [sys.executable, str(HERE / "mutate_chapter.py"), str(chapter), f"chapter_{chapter.name[:2]}"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    if not any(line.get("chapter") == "held" for line in lines):
        raise AssertionError(f"{chapter.name} did not run to its end without the experiments:\n{run.stderr[-3000:]}")
    return {line["mutant"]: line for line in lines if "mutant" in line}, run.stderr


def mutants_of(chapter: Path) -> list:
    sys.path.insert(0, str(HERE))
    try:
        return importlib.import_module(f"mutants.chapter_{chapter.name[:2]}").MUTANTS
    finally:
        sys.path.remove(str(HERE))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the mutants run in forked processes, which this system lacks")
@pytest.mark.parametrize(
    ("chapter", "number"),
    [pytest.param(c, n, id=f"{c.name[:2]}-{m.label}-{n}") for c in CHAPTERS for n, m in enumerate(mutants_of(c))],
)
def test_a_wrong_derivation_is_caught(chapter: Path, number: int):
    mutant = mutants_of(chapter)[number]
    outcome = outcomes(chapter)[0][number]
    assert outcome["caught"], f"{mutant.label} held although the derivation {mutant.why}: {outcome['reason']}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.stem)
def test_every_equation_has_a_mutant(chapter: Path):
    found = labels(chapter)
    assert found, f"{chapter.name} has no labelled equation"
    assert {mutant.label for mutant in mutants_of(chapter)} == found
