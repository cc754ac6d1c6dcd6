"""The project's own homeworks: reference, stub, mutants, releases and seals, on the package as it is now.

A change of the package that a homework leans on fails here.
"""

import ast
import json
from pathlib import Path

import pytest

from unrolled.homework import mutants, sandbox, sealed
from unrolled.homework.cases import Reference
from unrolled.homework.grading import grade_cells
from unrolled.homework.notebooks import Homework, parse, read_homework, release
from unrolled.homework.session import Session

HOMEWORKS = Path(__file__).resolve().parents[2] / "homework"
NAMES = sorted(path.stem for path in HOMEWORKS.glob("source/*/*.ipynb"))


def source(name: str) -> Path:
    """The source of a homework."""
    return HOMEWORKS / "source" / name / f"{name}.ipynb"


def released(name: str) -> Path:
    """The students' notebook."""
    return HOMEWORKS / "release" / name / f"{name}.ipynb"


@pytest.fixture(scope="module")
def room():
    """The best room there is, prepared once."""
    with sandbox.room(None) as made:
        yield made


def test_there_are_five():
    assert NAMES == ["hw01", "hw02", "hw03", "hw04", "hw05"]


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_gets_all_the_stub_none_and_every_mutant_loses(name, room):
    reference = Reference(read_homework(source(name)))
    wrong = mutants.read_mutants(HOMEWORKS / "mutants" / f"{name}.py")
    problems = mutants.selfcheck(reference, wrong, room, told=lambda line: None)
    assert problems == []


@pytest.mark.parametrize("name", NAMES)
def test_the_release_is_made_from_the_source(name):
    assert released(name).read_bytes() == release(source(name).read_bytes(), name), (
        f"run: python -m unrolled.homework release {name}"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_seal_is_made_from_the_source(name, room):
    """The reference passes every sealed case; the labels are those of the cases that are drawn now."""
    reference = Reference(read_homework(source(name)))
    questions = sealed.read_sealed(HOMEWORKS / "release" / name / "sealed.json")
    assert set(questions) == {exercise.name for exercise in reference.homework.exercises}
    now = reference.questions("public-labels", "x")
    for exercise, cases in questions.items():
        assert {case.function for case in cases} <= {case.function for case in now[exercise]}
    unjudged = {name: [case for case in cases if not case.judged] for name, cases in questions.items()}
    score = grade_cells(reference.homework, mutants.runnable(reference.homework), unjudged, room)
    wrong = [(one.name, case) for one in score.exercises for case in one.cases if case.credit < 1]
    assert wrong == [], f"run: python -m unrolled.homework seal {name}"
    sealed_exercises = [exercise for exercise, cases in questions.items() if cases]
    assert len(sealed_exercises) == len(questions), "every exercise has something that a student's machine can check"


@pytest.mark.parametrize("name", NAMES)
def test_a_seal_and_a_release_tell_no_solution(name):
    homework: Homework = read_homework(source(name))
    book = json.loads(released(name).read_text(encoding="utf-8"))
    for cell in book["cells"]:  # the last hint of an exercise may be nearly its code
        cell["metadata"].get("unrolled", {}).pop("hints", None)
    text = json.dumps(book, ensure_ascii=False) + released(name).with_name("sealed.json").read_text(encoding="utf-8")
    assert "def cases(" not in text
    assert "BEGIN SOLUTION" not in text
    for cell in homework.cells:
        if cell.role != "solution":
            continue
        body = cell.code.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        long = [line.strip() for line in body.splitlines() if len(line.strip()) > 30]
        told = [line for line in long if json.dumps(line, ensure_ascii=False)[1:-1] in text]
        assert len(told) <= 1, f"{cell.name}: {told}"  # one line, such as a call, a test may have in common


@pytest.mark.parametrize("name", NAMES)
def test_a_homework_is_a_hundred_points_and_three_evenings(name):
    homework = read_homework(source(name))
    assert homework.points == 100
    assert 6 * 60 <= sum(exercise.minutes for exercise in homework.exercises) <= 10 * 60
    assert 5 <= len(homework.exercises) <= 10
    for exercise in homework.exercises:
        assert len(exercise.hints) >= 3, exercise.name


@pytest.mark.parametrize("name", NAMES)
def test_public_tests_pass_the_reference_and_stop_the_stub(name, room):
    homework = read_homework(source(name))
    with Session(room, mutants.runnable(homework), 300) as solved, Session(room, mutants.stub(homework), 300) as empty:
        for exercise in homework.exercises:
            assert solved.public(exercise.name, exercise.public, 60) is None, exercise.name
            assert empty.public(exercise.name, exercise.public, 60) == "not written yet", exercise.name


@pytest.mark.parametrize("name", NAMES)
def test_no_test_cell_takes_the_name_of_a_function(name):
    """Who runs the notebook's cells in any order keeps the functions that were written."""
    homework = read_homework(source(name))
    functions, taken = set(), {}
    for cell in homework.cells:
        if cell.role in ("given", "solution"):
            functions |= {node.name for node in ast.parse(cell.code).body if isinstance(node, ast.FunctionDef)}
    for exercise in homework.exercises:
        for node in ast.parse(exercise.public).body:
            inside = [] if isinstance(node, ast.FunctionDef) else ast.walk(node)
            names = {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            taken |= dict.fromkeys(names | ({node.name} if isinstance(node, ast.FunctionDef) else set()), exercise.name)
    assert functions & set(taken) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_release_is_in_nbgraders_format(name):
    """What nbgrader's own validator asks of a cell's metadata, schema 3."""
    names = []
    for cell in parse(released(name).read_bytes()):
        marks = cell["metadata"].get("nbgrader")
        if marks is None:
            continue
        assert set(marks) == {"grade", "solution", "locked", "task", "schema_version", "grade_id"} | (
            {"points"} if marks["grade"] else set()
        )
        assert marks["schema_version"] == 3
        assert not (marks["grade"] and marks["solution"])
        assert marks["task"] is False
        names.append(marks["grade_id"])
    assert len(names) == len(set(names))
