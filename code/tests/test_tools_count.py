"""The closing line of `make test` counts every test of every run; and the other small tools."""

import importlib
import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "code" / "tools"


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module


TESTS = """
import pytest
def test_passes(): assert True
def test_passes_too(): assert True
@pytest.mark.skip(reason="no")
def test_skipped(): assert True
"""
FAILING = (
    TESTS
    + """
def test_fails(): assert False
@pytest.fixture
def broken(): raise ValueError
def test_error(broken): assert True
@pytest.mark.xfail
def test_known(): assert False
"""
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TESTS, "2 passed, 0 failed, 1 skipped"),
        (FAILING, "2 passed, 2 failed, 2 skipped"),
        ("import no_such_module", "0 passed, 1 failed, 0 skipped"),
        ("", "0 passed, 1 failed, 0 skipped"),  # a run without tests is no success
    ],
)
def test_a_run_is_counted_from_its_report(tool, tmp_path, text, line):
    count = tool("count")
    (tmp_path / "test_it.py").write_text(text)
    report = tmp_path / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        f"--junitxml={report}",
    ]
    bare = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    done = subprocess.run([*command, str(tmp_path)], env=bare, capture_output=True, check=False)
    assert str(count.count_run(report, done.returncode)) == line


REPORT = "<testsuites><testsuite tests='5' failures='0' errors='0' skipped='1'/></testsuites>"


@pytest.mark.parametrize(
    ("report", "status", "line"),
    [
        (None, 3, "0 passed, 1 failed, 0 skipped"),
        (None, 0, "0 passed, 1 failed, 0 skipped"),
        ("<testsuites><testsuite tests='5'", 0, "0 passed, 1 failed, 0 skipped"),
        (REPORT, 0, "4 passed, 0 failed, 1 skipped"),
        (REPORT, 3, "4 passed, 1 failed, 1 skipped"),
        ("<testsuite tests='5' failures='1' errors='1' skipped='0'/>", 1, "3 passed, 2 failed, 0 skipped"),
    ],
)
def test_a_run_that_broke_never_counts_as_success(tool, tmp_path, report, status, line):
    path = tmp_path / "report.xml"
    if report is not None:
        path.write_text(report)
    assert str(tool("count").count_run(path, status)) == line


@pytest.mark.parametrize(("second", "status"), [("3, 0, 1", 0), ("3, 1, 1", 1), ("0, 1, 0", 1)])
def test_both_runs_are_added_up(tool, monkeypatch, capsys, second, status):
    count, run_tests = tool("count"), tool("run_tests")
    answers = {"tests": count.Count(2, 0, 1), "chapters": count.Count(*map(int, second.split(", ")))}
    monkeypatch.setattr(run_tests, "run", lambda which, *_: answers[which])
    monkeypatch.setattr(run_tests, "find_notebooks", lambda names: [])
    monkeypatch.setattr(run_tests, "prepare_environment", lambda _: None)
    assert run_tests.main([]) == status
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == str(answers["tests"] + answers["chapters"])
    assert re.fullmatch(r"\d+ passed, \d+ failed, \d+ skipped", last)


def test_no_chapter_is_a_failure(tool, monkeypatch, capsys):
    count, run_tests, store_outputs = tool("count"), tool("run_tests"), tool("store_outputs")

    def none_found(_):
        raise store_outputs.StoreError("there is no notebook in chapters/")

    monkeypatch.setattr(run_tests, "run", lambda *_: count.Count(1, 0, 0))
    monkeypatch.setattr(run_tests, "find_notebooks", none_found)
    monkeypatch.setattr(run_tests, "prepare_environment", lambda _: None)
    assert run_tests.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize(
    ("counts", "failed"), [([1, 2], 0), ([None, None], 1), ([1, None], 1), ([2, 3], 1), ([2, 1], 1), ([1, 1], 1)]
)
def test_a_chapter_that_was_not_run_whole_is_a_failure(tool, tmp_path, capsys, counts, failed):
    cells = [{"cell_type": "code", "id": f"cell-{n}", "source": ["1"], "execution_count": n} for n in counts]
    cells.insert(1, {"cell_type": "code", "id": "empty", "source": [], "execution_count": None})
    path = tmp_path / "01-x.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert tool("run_tests").check_stored([path]).failed == failed
    assert ("make run CHAPTERS=01-x" in capsys.readouterr().err) == bool(failed)


def test_nbval_is_strict_and_keeps_a_notebook_together(tool):
    command = tool("run_tests").command_for("chapters", Path("r.xml"), [ROOT / "chapters" / "01-x.ipynb"], 2)
    assert "--nbval" in command
    assert "--nbval-lax" not in command
    assert command[command.index("--dist") + 1] == "loadscope"
    rules = [
        line for line in (TOOLS / "nbval_sanitize.cfg").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert rules == []


# --- building and serving -------------------------------------------------------------------------


def test_warnings_are_found_in_a_log(tool):
    log = (
        "Running Sphinx v7.4.7\n"
        f"\x1b[91m{ROOT}/chapters/01-x.ipynb:3: WARNING: no such label\x1b[39;49;00m\n"
        f"{ROOT}/chapters/01-x.ipynb:3: WARNING: no such label\n"
        "reading sources... [100%] book/errata\n"
        "Extension error (formulas):\n"
    )
    assert tool("build_book").problems(log) == [
        "chapters/01-x.ipynb:3: WARNING: no such label",
        "Extension error (formulas):",
    ]


@pytest.fixture
def built(tool, monkeypatch, tmp_path):
    """The builder on an empty project; the fixture's function makes the next build end as it is told."""
    build_book = tool("build_book")
    monkeypatch.setattr(build_book, "ROOT", tmp_path)
    monkeypatch.setattr(build_book, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(build_book, "NEW", tmp_path / "_build" / "new")

    def run(status, page, log=""):
        def jupyter_book(_):
            pages = build_book.NEW / "_build" / "html"
            pages.mkdir(parents=True)
            if page is not None:
                (pages / "index.html").write_text(page)
            return status, log

        monkeypatch.setattr(build_book, "jupyter_book", jupyter_book)
        return build_book.main([])

    run.page = tmp_path / "_build" / "html" / "index.html"
    return run


def test_a_good_build_is_put_in_place(built, capsys):
    assert built(0, "first") == 0
    assert built(0, "second") == 0
    assert built.page.read_text() == "second"
    assert built.page.as_uri() in capsys.readouterr().out
    assert [path.name for path in built.page.parents[1].iterdir()] == ["html"]


@pytest.mark.parametrize(("status", "page"), [(1, "faulty"), (1, None), (0, None)])
def test_a_bad_build_leaves_the_last_book(built, capsys, status, page):
    assert built(0, "good") == 0
    assert built(status, page, "x.md:1: WARNING: bad\n") == 1
    assert built.page.read_text() == "good"
    assert "x.md:1: WARNING: bad" in capsys.readouterr().err


def test_serve_answers_on_localhost(tool, tmp_path):
    (tmp_path / "index.html").write_text("the book")
    server = tool("serve").make_server(0, tmp_path)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert server.server_address[0] == "127.0.0.1"
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
            assert answer.read() == b"the book"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_serve_says_what_is_wrong(tool, monkeypatch, tmp_path, capsys):
    serve = tool("serve")
    monkeypatch.setattr(serve, "ROOT", tmp_path)
    assert serve.main(["many"]) == 2
    assert serve.main(["99999"]) == 2
    assert serve.main([]) == 1
    assert "make book" in capsys.readouterr().err
    (tmp_path / "_build" / "html").mkdir(parents=True)
    (tmp_path / "_build" / "html" / "index.html").write_text("")
    with serve.make_server(0, tmp_path) as other:
        assert serve.main([str(other.server_port)]) == 1
    assert "is taken" in capsys.readouterr().err


# --- requirements ---------------------------------------------------------------------------------


def test_the_weekly_run_drops_the_pins(tool):
    text = tool("newest").newest((ROOT / "requirements.txt").read_text())
    lines = text.splitlines()
    assert "numpy" in lines
    assert "jupyter-book<2" in lines
    assert lines[-1] == "-e ."
    assert [line for line in lines if "==" in line] == [line for line in lines if line.startswith("matplotlib==")]
    assert "sphinx" not in lines  # what others need in turn is left to pip
    with pytest.raises(ValueError, match="no line that begins"):
        tool("newest").newest("numpy==1\n")


def test_another_python_cannot_take_the_project_itself(tool):
    assert tool("resolve_check").without_editable("numpy==2.4.6\n-e .\n") == "numpy==2.4.6\n"


def test_the_workflows_pin_their_actions_and_keep_no_credentials():
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert [path.stem for path in workflows] == ["grade", "homework", "pages", "test", "weekly"]
    for path in workflows:
        text = path.read_text()
        uses = re.findall(r"uses: (\S+)(.*)", text)
        assert uses, path.name
        for action, comment in uses:
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
        assert text.count("actions/checkout@") == text.count("persist-credentials: false")
        assert "\npermissions: {}\n" in text
        assert text.count("runs-on:") == text.count("timeout-minutes:")
