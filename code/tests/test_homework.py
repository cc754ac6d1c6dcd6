"""Homework from its source to a table: reading, releasing, asking, reporting, a class."""

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import small_homework
from benchmarks import classroom as classes

from unrolled.homework import classroom, judges, mutants, reports, sandbox, sealed
from unrolled.homework.__main__ import main
from unrolled.homework.cases import Reference
from unrolled.homework.grading import CaseResult, ExerciseResult, Score, grade, plain
from unrolled.homework.mutants import Mutant
from unrolled.homework.notebooks import (
    Cell,
    NotebookError,
    parse,
    read_homework,
    release,
    solved,
    stripped,
    submission_cells,
)
from unrolled.homework.session import Session
from unrolled.homework.values import Given, Kept

CODE = Path(__file__).resolve().parents[1]
CLOSED = sys.platform.startswith("linux") and shutil.which("bwrap") is not None
needs_bubblewrap = pytest.mark.skipif(not CLOSED, reason="bubblewrap is not installed (apt-get install bubblewrap)")
WRONG = [
    Mutant("without the 1", "scaled", "3 * x + 1", "3 * x"),
    Mutant("zeros", "scaled", "3 * x + 1", "0 * x"),
    Mutant("twice", "scaled", "3 * x + 1", "2 * x + 1"),
    Mutant("the input", "scaled", "3 * x + 1", "x"),
    Mutant("a transpose", "gradient", "W.T @ ones", "W.T @ ones * 2"),
    Mutant("no dx", "gradient", ', "dx": W.T @ ones', ""),
]


@pytest.fixture(scope="module")
def room():
    """The best room there is, prepared once."""
    with sandbox.room(None) as made:
        yield made


@pytest.fixture
def folder(tmp_path):
    """A project's folder of homeworks, with the small one released and sealed."""
    small_homework.write_source(tmp_path)
    (tmp_path / "mutants").mkdir()
    lines = [f"    Mutant({m.name!r}, {m.exercise!r}, {m.old!r}, {m.new!r}),\n" for m in WRONG]
    text = "from unrolled.homework.mutants import Mutant\n\nMUTANTS = [\n" + "".join(lines) + "]\n"
    (tmp_path / "mutants" / "hw00.py").write_text(text)
    assert main(["--homeworks", str(tmp_path), "release", "hw00"]) == 0
    assert main(["--homeworks", str(tmp_path), "seal", "hw00"]) == 0
    return tmp_path


@pytest.fixture
def reference(tmp_path):
    """The small homework's reference."""
    return small_homework.reference(tmp_path / "reference")


def run(folder: Path, *arguments: str) -> int:
    """A command on a folder of homeworks."""
    return main(["--homeworks", str(folder), *arguments])


# --- notebooks ----------------------------------------------------------------------------------------------------


def test_the_source_is_read(reference):
    homework = reference.homework
    assert (homework.name, homework.title, homework.points) == ("hw00", "Homework 0: a small one", 10)
    assert [(one.name, one.points, one.minutes, one.hints) for one in homework.exercises] == [
        ("scaled", 6, 5, ("think", "write it down")),
        ("gradient", 4, 5, ("think", "write it down")),
    ]
    assert "HIDDEN" not in homework.exercises[0].public
    assert "def cases" not in homework.exercises[0].public
    assert "def cases(rng)" in homework.exercises[0].hidden
    assert [cell.role for cell in homework.cells] == ["given", "solution", "test", "solution", "test"]


def test_a_release_has_no_solution_and_no_hidden_test():
    text = release(json.dumps(small_homework.source()).encode(), "hw00").decode()
    for secret in ("3 * x + 1\\n", "W.T @ ones", "def cases", "BEGIN", "END", "Given("):
        assert secret not in text
    assert "    # YOUR CODE HERE\\n" in text
    book = json.loads(text)
    by_name = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in book["cells"]}
    assert by_name["scaled"]["source"][-1] == "    raise NotImplementedError()"
    assert by_name["test-scaled"]["metadata"]["editable"] is False
    assert by_name["test-scaled"]["metadata"]["nbgrader"]["points"] == 6
    assert text == release(json.dumps(small_homework.source()).encode(), "hw00").decode()


def test_a_solved_source_is_an_honest_submission(reference):
    body = solved(json.dumps(small_homework.source()).encode())
    assert b"BEGIN" not in body
    cells = submission_cells(body, reference.homework)
    assert [cell.name for cell in cells] == ["given-doubled", "scaled", "gradient"]


def change(name: str, **new: object) -> dict:
    """The source with one cell changed."""
    book = small_homework.source()
    for cell in book["cells"]:
        if cell["id"] == name:
            cell |= {key: value for key, value in new.items() if key in cell}
            if "marks" in new:
                cell["metadata"]["nbgrader"] |= new["marks"]
            if "ours" in new:
                cell["metadata"]["unrolled"] |= new["ours"]
    return book


@pytest.mark.parametrize(
    ("book", "said"),
    [
        (change("test-scaled", marks={"points": 0}), "no points"),
        (change("test-scaled", marks={"schema_version": 1}), "schema 3"),
        (change("test-scaled", marks={"grade_id": "checks"}), "name its exercise"),
        (change("test-scaled", ours={"hints": []}), "two hints"),
        (change("test-scaled", ours={"exercise": "other"}), "name its exercise"),
        (change("scaled", marks={"grade_id": "other"}), "no solution cell"),
        (change("gradient", marks={"grade_id": "scaled"}), "two cells"),
        (change("title", source="### BEGIN SOLUTION"), "outside a code cell"),
        (small_homework.notebook(), "no exercise"),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused(tmp_path, book, said):
    path = tmp_path / "hw00.ipynb"
    path.write_text(json.dumps(book))
    with pytest.raises(NotebookError, match=said):
        read_homework(path)


@pytest.mark.parametrize(
    "code",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### BEGIN HIDDEN TESTS\nx",
        "### begin\n### END HIDDEN TESTS",
    ],
)
def test_half_a_marker_is_refused(code):
    with pytest.raises(NotebookError, match="counterpart"):
        stripped(code)


def test_a_solution_cell_without_a_solution_is_not_released():
    with pytest.raises(NotebookError, match="no solution between markers"):
        release(json.dumps(change("scaled", source="def scaled(x): ...")).encode(), "hw00")


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ("x = 1", "no hidden tests"),
        ("def cases(rng):\n    yield 1\n", "a case is"),
        ("def cases(rng):\n    return []\n", "no cases"),
        ("def cases(rng):\n    yield 'scaled', (1.0,), 2.0, 'a'\n", "compares nothing"),
        ("1 / 0\ndef cases(rng): ...", "ZeroDivisionError"),
    ],
)
def test_hidden_tests_that_cannot_mean_anything_are_refused(tmp_path, hidden, said):
    path = tmp_path / "hw00.ipynb"
    text = f"assert True\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS\n"
    path.write_text(json.dumps(change("test-scaled", source=text)))
    with pytest.raises(NotebookError, match=said):
        Reference(read_homework(path)).questions("secret", "somebody")


def test_cells_for_playing_and_tests_are_not_run(reference):
    book = json.loads(small_homework.honest())
    book["cells"].append(
        {"cell_type": "code", "id": "play", "metadata": {"unrolled": {"role": "play"}}, "source": "1 / 0"}
    )
    book["cells"].append(small_homework.tests_of("scaled", "1 / 0", 1, 1))
    cells = submission_cells(json.dumps(book).encode(), reference.homework)
    assert [cell.name for cell in cells] == ["given-doubled", "theirs-0", "theirs-1"]


def test_a_notebook_in_one_string_per_cell_is_read():
    [cell] = parse(b'{"cells": [{"cell_type": "code", "source": "x = 1"}]}')
    assert cell["source"] == "x = 1"


# --- asking -------------------------------------------------------------------------------------------------------


def session(room, *code: str, seconds: float = 60.0) -> Session:
    """A session with these cells."""
    return Session(room, [Cell(f"cell-{number}", text, "other") for number, text in enumerate(code)], seconds)


def test_a_session_answers_and_says_what_went_wrong(room):
    code = "import numpy as np\ndef h(x): return x + 1\n"
    code += "def f(x, g=None): return {'y': 2 * x, 'g': g(1) if g else None}\n"
    with session(room, code, "1 / 0", "%matplotlib inline\n!ls\nz = 3") as asked:
        assert list(asked.errors) == ["cell-1"]
        assert "ZeroDivisionError" in asked.errors["cell-1"]
        assert "cell cell-1, line 1" in asked.errors["cell-1"]
        answer = asked.call("f", (np.arange(3.0), Given("h")))
        assert answer.problem is None
        np.testing.assert_array_equal(answer.value["y"], [0, 2, 4])
        assert answer.value["g"] == 2
        assert "no function" in asked.call("missing", ()).problem
        assert "no function" in asked.call("z", ()).problem
        assert "TypeError" in asked.call("h", (1, 2, 3)).problem
        assert asked.call("f", ("a",)).value["y"] == "aa"


def test_what_is_kept_stays_in_the_process(room):
    code = "class Model: pass\ndef train(): return Model()\ndef use(model, x): return type(model).__name__, x + 1\n"
    code += "def both(): return 1, Model()\n"
    with session(room, code) as asked:
        assert asked.call("train", (), keep=("model",)).problem is None
        assert asked.call("use", (Kept("model"), 1)).value == ("Model", 2)
        assert asked.call("both", (), keep=("", "model")).value == (1,)
        assert "not 3" in asked.call("use", (Kept("model"), 1), keep=("a", "b", "c")).problem
        assert "plain" in asked.call("train", ()).problem


def test_a_process_that_dies_is_replaced(room):
    code = "import os\ndef bad(): os._exit(1)\ndef good(): return 1.5\n"
    with session(room, code) as asked:
        for _ in range(3):
            assert asked.call("bad", ()).died
            assert asked.call("good", ()).value == 1.5
        assert asked.call("bad", ()).died
        assert "died 4 times" in asked.call("good", ()).problem


def test_the_time_of_the_whole_ends(room):
    started = time.monotonic()
    with session(room, "import time\ndef slow(): time.sleep(100)", seconds=1.0) as asked:
        assert asked.call("slow", (), seconds=50).died
        assert asked.call("slow", (), seconds=50).died
    assert time.monotonic() - started < 30


def test_partial_work_earns_its_part(reference, room):
    half = "def scaled(x):\n    return 3 * x + 1 if x.ndim < 3 else x\n"
    score = grade(reference.homework, small_homework.submission(half), reference.questions("s", "a"), room)
    assert [one.earned for one in score.exercises] == [4.5, 0]
    assert score.earned == 4.5
    assert score.exercises[0].cases[2] == CaseResult("an array of shape (5, 1, 2)", 0.0, "wrong value")
    assert Score.from_json(json.loads(json.dumps(score.to_json()))) == score


def test_the_public_tests_speak(reference, room):
    wrong = "def scaled(x):\n    return 3 * x\n"
    score = grade(
        reference.homework, small_homework.submission(wrong), reference.questions("s", "a"), room, advise=True
    )
    assert "with x = 0 only the 1 is left" in score.exercises[0].advice
    assert "there is no function" in score.exercises[1].cases[0].problem


# --- judges -------------------------------------------------------------------------------------------------------

UNIGRAM = """
import numpy as np
def train(ids, V, seed):
    counts = np.bincount(ids, minlength=V) + 1.0
    return {"log_p": np.log(counts / counts.sum())}
def start(model, m): return np.zeros((1, m))
def predict(model, state, x):
    return np.repeat(model["log_p"][:, None], x.size, axis=1), state
"""


def judged(room, code: str, thresholds: tuple, **more: object) -> tuple[float, str]:
    """The verdict of the perplexity judge on a skewed source."""
    rng = np.random.default_rng(1)
    p = np.array([0.7, 0.2, 0.1])
    arguments = {"train": rng.choice(3, 2000, p=p), "V": 3, "hidden": rng.choice(3, (60, 4), p=p), "seed": 1} | more
    with session(room, code) as asked:
        return judges.verdict(asked, "perplexity", arguments, thresholds)


def test_the_perplexity_judge_computes_the_perplexity_itself(room):
    credit, remark = judged(room, UNIGRAM, (3.0, 2.5, 1.01))
    assert credit == pytest.approx(2 / 3)
    reached = float(remark.split()[1])
    assert 2.0 < reached < 2.5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("np.repeat", "0 * np.repeat", "do not sum to 1"),
        ("np.repeat", "1 + np.repeat", "none above 0"),
        ("np.repeat", "np.nan * np.repeat", "NaN"),
        ("np.repeat", "-np.inf + np.repeat", "do not sum to 1"),
        (", axis=1), state", ", axis=1)[:2], state", "shape"),
        ("return np.repeat", "return 1.0, state\n    return np.repeat", "shape"),
        ("return np.repeat", "return 1.0\n    return np.repeat", "predict, step 0"),
        ("def start", "def begin", "no function start"),
        ("def train", "def learn", "no function train"),
    ],
)
def test_the_perplexity_judge_believes_nothing(room, old, new, said):
    credit, remark = judged(room, UNIGRAM.replace(old, new), (1e9,))
    assert credit == 0
    assert said in remark


def test_a_prediction_that_rules_the_truth_out_is_no_perplexity(room):
    sure = UNIGRAM.replace("counts = np.bincount(ids, minlength=V) + 1.0", "counts = np.array([1.0, 0, 0])")
    credit, remark = judged(room, "import warnings\nwarnings.simplefilter('ignore')\n" + sure, (1e9,))
    assert credit == 0, remark


def test_the_judge_of_exact_matches_compares_itself(room):
    code = "def train(sources, targets, seed): return dict(zip(sources, targets))\n"
    code += "def translate(model, sources): return [model.get(one, '') for one in sources]\n"
    arguments = {"sources": ["1", "2"], "targets": ["one", "two"], "hidden": ["1", "3"], "answers": ["one", "three"]}
    arguments |= {"seed": 1, "seconds": 5}
    with session(room, code) as asked:
        assert judges.verdict(asked, "exact-match", arguments, (0.5, 0.9))[0] == 0.5
    for lie in ("return 'everything'", "return [None, None]", "return ['one']", "return [True, True]"):
        with session(room, code.replace("return [model", lie + "\n    return [model")) as asked:
            assert judges.verdict(asked, "exact-match", arguments, (0.5,))[0] == 0


# --- reports ------------------------------------------------------------------------------------------------------

HOSTILE = "\x1b[31m=cmd|'/c calc'!A0 <script>alert(1)</script> | `x` [link](http://x) @all\n\n# big ![](http://y)\x00"


def hostile_score() -> Score:
    """A score whose texts come from a stranger."""
    case = CaseResult("label", 0.0, plain(HOSTILE))
    exercises = (ExerciseResult("scaled", 6, (case,), plain(HOSTILE)), ExerciseResult("gradient", 4, (case,)))
    return Score("hw00", exercises, plain(HOSTILE), {plain(HOSTILE): plain(HOSTILE)})


def test_a_strangers_text_is_text_everywhere(reference):
    text = reports.markdown(hostile_score(), reference.homework, student=HOSTILE)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "](http" not in text
    assert "\n# big" not in text
    table = reports.to_csv(
        {HOSTILE: hostile_score(), "=1+1": hostile_score(), "-x": hostile_score()}, reference.homework
    )
    rows = list(csv.reader(io.StringIO(table)))
    assert len(rows) == 4
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    console = reports.Console(file=io.StringIO(), force_terminal=False, width=100)
    reports.show(reports.table(hostile_score(), reference.homework, HOSTILE), console)
    assert "\x1b" not in console.file.getvalue().replace("\x1b[0m", "")
    assert json.loads(reports.to_json(hostile_score()))["earned"] == 0


def test_a_summary_stays_below_its_limit(reference):
    case = CaseResult("label", 0.0, "é" * 300)
    large = Score("hw00", (ExerciseResult("scaled", 6, (case,) * 5000), ExerciseResult("gradient", 4, ())))
    assert len(reports.markdown(large, reference.homework).encode()) <= 1 << 20


# --- the commands -------------------------------------------------------------------------------------------------


def test_a_student_from_nothing_to_all_points(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert run(folder, "check", "hw00") == 0
    out = capsys.readouterr().out
    mine = folder / "mine" / "hw00.ipynb"
    assert "Your notebook is mine/hw00.ipynb" in out.replace(os.sep, "/")
    assert "0 of 10 points" in out
    assert "not written yet" in out
    assert "Advisory" in out
    text = mine.read_text().replace("raise NotImplementedError()", "return 3 * x", 1)
    mine.write_text(text)
    assert run(folder, "check", "hw00") == 0
    out = capsys.readouterr().out
    assert "with x = 0 only the 1 is left" in out
    assert "make hint HW=hw00 EXERCISE=scaled" in out
    mine.write_bytes(small_homework.honest())
    assert run(folder, "check", "hw00", "--require", "100", "--json", "score.json", "--markdown", "summary.md") == 0
    assert "10 of 10 points" in capsys.readouterr().out
    assert json.loads((folder / "score.json").read_text())["earned"] == 10
    assert "10 of 10" in (folder / "summary.md").read_text()
    assert run(folder, "check", "hw00", str(folder / "release" / "hw00" / "hw00.ipynb"), "--require", "60") == 1


def test_hints_go_from_a_nudge_to_nearly_the_code(folder, capsys):
    assert run(folder, "hint", "hw00", "scaled") == 0
    out = capsys.readouterr().out
    assert out.startswith("think\n")
    assert "LEVEL=2" in out
    assert run(folder, "hint", "hw00", "scaled", "--level", "9") == 0
    assert capsys.readouterr().out == "write it down\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "hw99"), "there is no homework 'hw99'; there are hw00"),
        (("hint", "hw00", "scald"), "it has scaled, gradient"),
        (("check", "hw00", "missing.ipynb"), "missing.ipynb cannot be read"),
        (("selfcheck", "hw99"), "no source"),
        (("grade", "hw00", "--folder", "missing", "--out", "x.csv", "--seed", "s"), "no folder missing"),
        (("grade", "hw00", "--folder", ".", "--out", "x.csv"), "a secret seed"),
        (("merge", "hw00", "--out", "x.csv", "missing.journal"), "no journal"),
        (("fetch", "hw00", "--class", "missing.csv", "--folder", "x"), "missing.csv"),
    ],
)
def test_what_the_caller_did_wrong_is_one_line(folder, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("UNROLLED_SECRET", raising=False)
    assert run(folder, *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_selfcheck_finds_what_is_wrong_with_a_homework(folder, capsys, reference, room):
    assert run(folder, "selfcheck", "hw00") == 0
    assert "reference: 10 of 10" in capsys.readouterr().out
    quiet = lambda line: None  # noqa: E731  says nothing
    same = Mutant("no mistake", "scaled", "3 * x + 1", "1 + 3 * x")
    problems = mutants.selfcheck(reference, [*WRONG, same], room, told=quiet)
    assert problems == ["the mutant 'no mistake' keeps all points of scaled"]
    problems = mutants.selfcheck(reference, WRONG[:2], room, told=quiet)
    assert "gradient has no mutant" in problems
    assert any("six at least" in one for one in problems)
    with pytest.raises(NotebookError, match="occurs 0 times"):
        mutants.mutated(reference.homework, Mutant("gone", "scaled", "4 * x", ""))


def test_the_seal_knows_the_reference_and_not_the_mutants(folder, room, reference):
    questions = sealed.read_sealed(folder / "release" / "hw00" / "sealed.json")
    assert grade(reference.homework, small_homework.honest(), questions, room).earned == 10
    stub = (folder / "release" / "hw00" / "hw00.ipynb").read_bytes()
    assert grade(reference.homework, stub, questions, room).earned == 0
    (folder / "broken.json").write_text('{"format": 1}')
    with pytest.raises(NotebookError, match="no sealed cases"):
        sealed.read_sealed(folder / "broken.json")


# --- a class ------------------------------------------------------------------------------------------------------


@pytest.fixture
def class_folder(folder, reference):
    """A small class of all kinds; returns the folder of homeworks and the kinds of the students."""
    homework = read_homework(folder / "source" / "hw00" / "hw00.ipynb")
    kinds = classes.write_class(homework, WRONG, folder / "submitted", 16, seed=3)
    return folder, kinds


def graded(folder: Path, out: str, *more: str) -> str:
    """The table of the class in a folder."""
    arguments = ["--folder", str(folder / "submitted"), "--out", str(folder / out), "--seed", "s", *more]
    if not CLOSED:
        arguments.append("--unsandboxed")
    assert run(folder, "grade", "hw00", *arguments) == 0
    return (folder / out).read_text()


def test_a_folder_becomes_a_table(class_folder, capsys):
    folder, kinds = class_folder
    table = graded(folder, "scores.csv", "--feedback", str(folder / "feedback"), "--markdown", str(folder / "all.md"))
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(table))}
    assert len(rows) == 18
    for student, kind in kinds.items():
        points = float(rows[student]["points"])
        assert {"good": points == 10, "empty": points == 0, "mutant": points < 10, "hanging": points < 10}.get(
            kind, points == 0 if kind in ("crashing", "hostile", "broken") else 0 <= points <= 10
        ), (student, kind)
    assert "link" in rows["a-link"]["remark"]
    assert "no hw00.ipynb" in rows["nobody"]["remark"]
    assert (folder / "feedback" / "student-0000" / "hw00.md").read_text().startswith("## Homework 0")
    assert "18 submissions" in (folder / "all.md").read_text()
    assert "18 submissions graded" in capsys.readouterr().out


def test_a_second_run_grades_only_what_is_new(class_folder, capsys, monkeypatch):
    folder, _ = class_folder
    first = graded(folder, "scores.csv")
    capsys.readouterr()
    assert graded(folder, "scores.csv") == first
    assert "0 submissions graded, 18 had their score" in capsys.readouterr().out
    (folder / "submitted" / "student-0003" / "hw00" / "hw00.ipynb").write_bytes(small_homework.honest())
    second = graded(folder, "scores.csv")
    assert "1 submissions graded, 17 had" in capsys.readouterr().out
    assert "student-0003,hw00,10.00" in second


def test_a_cut_journal_loses_one_score_and_no_other(class_folder, capsys):
    folder, _ = class_folder
    first = graded(folder, "scores.csv")
    journal = folder / "scores.csv.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:8]) + lines[8][:40])
    capsys.readouterr()
    assert graded(folder, "scores.csv") == first
    assert "11 submissions graded, 7 had their score" in capsys.readouterr().out
    again = journal.read_bytes().splitlines()
    assert len(again) == len(lines)
    assert len({json.loads(line)["student"] for line in again[1:]}) == 18


def test_a_journal_of_another_run_is_not_mixed_in(class_folder, capsys):
    folder, _ = class_folder
    (folder / "scores.csv.journal").write_text('{"homework": "hw00", "source": "x", "secret": "y"}\n')
    arguments = ["--folder", str(folder / "submitted"), "--out", str(folder / "scores.csv"), "--seed", "s"]
    assert run(folder, "grade", "hw00", *arguments) == 2
    assert "another" in capsys.readouterr().err
    (folder / "scores.csv.journal").write_text("nonsense\n")
    assert run(folder, "grade", "hw00", *arguments) == 2
    assert "damaged" in capsys.readouterr().err


def test_shards_put_together_are_the_whole(class_folder):
    folder, _ = class_folder
    whole = graded(folder, "scores.csv")
    parts = []
    for number in (1, 2, 3):
        graded(folder, f"part-{number}.csv", "--shard", f"{number}/3")
        parts.append(str(folder / f"part-{number}.csv.journal"))
    assert run(folder, "merge", "hw00", "--out", str(folder / "merged.csv"), *parts) == 0
    assert (folder / "merged.csv").read_text() == whole
    assert run(folder, "merge", "hw00", "--out", str(folder / "merged.csv"), *parts, parts[0]) == 2


@needs_bubblewrap
def test_a_killed_run_goes_on_where_it_was(class_folder):
    folder, _ = class_folder
    command = [sys.executable, "-m", "unrolled.homework", "--homeworks", str(folder), "grade", "hw00"]
    command += ["--folder", str(folder / "submitted"), "--out", str(folder / "killed.csv"), "--seed", "s"]
    journal = folder / "killed.csv.journal"
    environment = os.environ | {"PYTHONPATH": str(CODE)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < 4):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = journal.read_bytes().count(b"\n") - 1
    assert 3 <= done < 18
    before = [json.loads(line) for line in journal.read_bytes().split(b"\n")[1 : done + 1]]
    table = graded(folder, "killed.csv")
    after = [json.loads(line) for line in journal.read_bytes().splitlines()[1:]]
    assert after[:done] == before
    assert sorted({one["student"] for one in after}) == sorted(one["student"] for one in after)
    assert table == graded(folder, "whole.csv")


@needs_bubblewrap
def test_a_cluster_gives_the_same_table(class_folder):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    folder, _ = class_folder
    here = graded(folder, "scores.csv")
    # The scheduler and its workers are processes of their own, as they would be on other machines.
    environment = os.environ | {"PYTHONPATH": str(CODE), "PYTHONWARNINGS": "ignore"}
    start = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
    ]
    address = folder / "scheduler.json"
    with contextlib.ExitStack() as stack:
        processes = []

        def begin(command: list[str]) -> None:
            process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            processes.append(process)
            stack.callback(process.wait)
            stack.callback(process.terminate)

        begin([*start, "--scheduler-file", str(address)])
        worker = [
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            "--scheduler-file",
            str(address),
            "--no-dashboard",
        ]
        begin([*worker, "--nthreads", "2", "--nworkers", "1", "--local-directory", str(folder)])
        deadline = time.monotonic() + 60
        while not address.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        where = json.loads(address.read_text())["address"]
        assert graded(folder, "cluster.csv", "--scheduler", where) == here
    assert distributed.__version__


def test_layouts_of_submissions(tmp_path):
    honest = small_homework.honest()
    for place in ("ada/hw00/hw00.ipynb", "bob/hw00.ipynb", "cem/homework/mine/hw00.ipynb", "dan.ipynb"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(honest)
    (tmp_path / ".git").mkdir()
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "hw00").symlink_to(tmp_path / "ada" / "hw00")
    found = {one.student: one for one in classroom.submissions(tmp_path, "hw00")}
    assert sorted(found) == ["ada", "bob", "cem", "dan", "eve"]
    assert all(found[name].body == honest for name in ("ada", "bob", "cem", "dan"))
    assert "link" in found["eve"].problem
    (tmp_path / "ada.ipynb").write_bytes(honest)
    with pytest.raises(NotebookError, match="twice"):
        classroom.submissions(tmp_path, "hw00")
    with pytest.raises(NotebookError, match="no submission"):
        classroom.submissions(tmp_path / ".git", "hw00")


# --- fetching -----------------------------------------------------------------------------------------------------


def git(*arguments: str, cwd: Path) -> None:
    """Run git without anybody's settings."""
    names = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@x", "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@x"}
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, env=os.environ | names | settings)


def repository(path: Path, link: bool = False, size: int = 0, empty: bool = False) -> str:
    """A student's repository; returns its address."""
    mine = path / "homework" / "mine"
    mine.mkdir(parents=True)
    if link:
        (mine / "hw00.ipynb").symlink_to("/etc/passwd")
    elif not empty:
        (mine / "hw00.ipynb").write_bytes(small_homework.honest() + b" " * size)
    (path / "README.md").write_text("x")
    git("init", "--quiet", cwd=path)
    git("add", "--all", cwd=path)
    git("commit", "--quiet", "-m", "x", cwd=path)
    return path.as_uri()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_forks_are_fetched_as_data(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    rows = {
        "ada": repository(tmp_path / "a"),
        "bob": repository(tmp_path / "b", link=True),
        "cem": repository(tmp_path / "c", size=5 << 20),
        "dan": repository(tmp_path / "d", empty=True),
        "eve": (tmp_path / "missing").as_uri(),
        "fay": "ext::sh -c touch% /tmp/owned",
        "gil": "--upload-pack=touch /tmp/owned",
    }
    listed = tmp_path / "class.csv"
    listed.write_text("student,repository\n" + "".join(f"{name},{where}\n" for name, where in rows.items()))
    problems = classroom.fetch(listed, "hw00", tmp_path / "submitted")
    assert sorted(problems) == ["bob", "cem", "dan", "eve", "fay", "gil"]
    assert "no ordinary file" in problems["bob"]
    assert "bytes" in problems["cem"]
    assert "there is no homework/mine/hw00.ipynb" in problems["dan"]
    assert (tmp_path / "submitted" / "ada" / "hw00" / "hw00.ipynb").read_bytes() == small_homework.honest()
    assert not Path("/tmp/owned").exists()
    found = {one.student: one.problem for one in classroom.submissions(tmp_path / "submitted", "hw00")}
    assert found["ada"] is None
    assert all(found[name] for name in problems)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "-x", "a\nb", "x" * 200])
def test_a_students_name_is_the_name_of_a_folder(tmp_path, name):
    with open(tmp_path / "class.csv", "w", newline="") as file:
        csv.writer(file).writerows([["student", "repository"], [name, "https://example.org/x"]])
    with pytest.raises(NotebookError, match="student"):
        classroom.fetch(tmp_path / "class.csv", "hw00", tmp_path / "submitted")
