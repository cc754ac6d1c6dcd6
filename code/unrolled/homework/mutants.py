"""Typical wrong solutions: a grader that cannot fail a wrong answer is worthless."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unrolled.homework.cases import Reference
from unrolled.homework.grading import Score, grade_cells
from unrolled.homework.notebooks import Cell, Homework, NotebookError, stripped
from unrolled.homework.sandbox import Room


@dataclass(frozen=True)
class Mutant:
    """A wrong solution.

    Attributes:
        name: what is wrong with it, in a few words.
        exercise: the exercise that has to lose points.
        old: a piece of the reference's solution cell; it occurs there once.
        new: what replaces it.
    """

    name: str
    exercise: str
    old: str
    new: str


def read_mutants(path: Path) -> list[Mutant]:
    """The MUTANTS of a file.

    Raises:
        NotebookError: there is no such file, or no list in it.
    """
    if not path.is_file():
        raise NotebookError(f"there is no {path.name}: a homework needs its typical wrong solutions")
    specification = importlib.util.spec_from_file_location(f"mutants_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return list(module.MUTANTS)


def runnable(homework: Homework) -> list[Cell]:
    """The cells of the source that a submission consists of."""
    return [cell for cell in homework.cells if cell.role in ("given", "solution", "other")]


def stub(homework: Homework) -> list[Cell]:
    """The cells as a student gets them."""
    return [replace(cell, code=stripped(cell.code)) for cell in runnable(homework)]


def mutated(homework: Homework, mutant: Mutant) -> list[Cell]:
    """The reference's cells with one mistake.

    Raises:
        NotebookError: the piece does not occur exactly once in the exercise's solution cell.
    """
    homework.exercise(mutant.exercise)
    cells = []
    for cell in runnable(homework):
        if cell.name == mutant.exercise:
            if cell.code.count(mutant.old) != 1:
                times = cell.code.count(mutant.old)
                raise NotebookError(f"{homework.name}, mutant {mutant.name!r}: its piece occurs {times} times")
            cell = replace(cell, code=cell.code.replace(mutant.old, mutant.new))
        cells.append(cell)
    return cells


def selfcheck(
    reference: Reference,
    mutants: Sequence[Mutant],
    room: Room,
    secret: str = "selfcheck",
    told: Callable[[str], None] = print,
) -> list[str]:
    """Grade the reference, the stub and every mutant; return what is wrong with the homework.

    Only the exercise of a mutant is asked: that it loses there is what counts.
    """
    homework, wrong = reference.homework, []
    questions = reference.questions(secret, "selfcheck")

    def score(cells: Sequence[Cell], only: str | None = None) -> Score:
        asked = questions if only is None else {only: questions[only]}
        return grade_cells(homework, cells, asked, room)

    best = score(runnable(homework))
    told(f"reference: {best.earned:g} of {best.points:g}")
    for exercise in best.exercises:
        for case in exercise.cases:
            if case.credit < 1:
                wrong.append(f"the reference loses in {exercise.name}, {case.label}: {case.problem}")
    wrong += [f"the reference's cell {name} fails: {text}" for name, text in best.errors.items()]
    worst = score(stub(homework))
    told(f"stub: {worst.earned:g} of {worst.points:g}")
    if worst.earned:
        earning = [exercise.name for exercise in worst.exercises if exercise.earned]
        wrong.append(f"the stub earns points in {', '.join(earning)}")
    hit = {mutant.exercise for mutant in mutants}
    wrong += [f"{exercise.name} has no mutant" for exercise in homework.exercises if exercise.name not in hit]
    if len(mutants) < 6:
        wrong.append(f"{len(mutants)} mutants; six at least are asked for")
    for mutant in mutants:
        result = next(
            one for one in score(mutated(homework, mutant), mutant.exercise).exercises if one.name == mutant.exercise
        )
        told(f"{mutant.exercise}: {mutant.name}: {result.earned:g} of {result.points:g}")
        if result.earned >= result.points:
            wrong.append(f"the mutant {mutant.name!r} keeps all points of {mutant.exercise}")
    return wrong
