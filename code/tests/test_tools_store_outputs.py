"""Storing outputs: the bytes depend on the notebook alone, and a notebook is replaced whole or not at all."""

import importlib
import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module("store_outputs")


@pytest.fixture
def ready(tool, monkeypatch, tmp_path):
    """The tool with an environment that it may change."""
    for name in (
        *tool.THREAD_VARIABLES,
        "IPYTHONDIR",
        "JUPYTER_PREFER_ENV_PATH",
        "JUPYTER_PLATFORM_DIRS",
        "MPLBACKEND",
    ):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    tool.prepare_environment(str(tmp_path / "ipython"))
    return tool


def write(path, *sources, metadata=None):
    cells = [new_markdown_cell("A chapter.", id="start")]
    cells += [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    nbformat.write(new_notebook(cells=cells, metadata=metadata or {}), path)
    return path


def test_outputs_are_stored_and_a_second_run_changes_no_byte(ready, tmp_path):
    path = write(tmp_path / "a b.ipynb", "print('one')\nprint('two')\n1 + 1", "", "'three'")
    first = ready.store(path)
    assert (first.error, first.changed, first.cells) == ("", True, 3)
    stored = path.read_bytes()
    second = ready.store(path)
    assert (second.error, second.changed) == ("", False)
    assert path.read_bytes() == stored

    notebook = json.loads(stored)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, None, 2]
    assert code[0]["outputs"][0]["text"] == ["one\n", "two\n"]
    assert code[0]["outputs"][1]["execution_count"] == 1
    assert [cell["metadata"] for cell in code] == [{}, {}, {}]
    assert notebook["metadata"] == {"kernelspec": ready.KERNELSPEC, "language_info": ready.LANGUAGE_INFO}
    assert stored.endswith(b"}\n")
    assert not stored.endswith(b"\n\n")


@pytest.mark.parametrize("source", ["1 / 0", "import os; os._exit(3)"])
def test_a_notebook_that_fails_stays_as_it_was(ready, tmp_path, source):
    path = write(tmp_path / "bad.ipynb", "print('fine')", source)
    before = path.read_bytes()
    outcome = ready.store(path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix) == ["bad.ipynb"]
    if "1 / 0" in source:
        assert "cell 'cell-1' failed" in outcome.error
        assert "ZeroDivisionError" in outcome.error
        assert "\x1b" not in outcome.error
    else:
        assert "died" in outcome.error


def test_a_save_during_the_run_is_not_overwritten(ready, tmp_path):
    path = tmp_path / "edited.ipynb"
    write(path, f"open({str(path)!r}, 'a').write(' ')")
    outcome = ready.store(path)
    assert "saved by somebody else" in outcome.error
    assert path.read_bytes().endswith(b"} ") or path.read_bytes().endswith(b"}\n ")


def test_the_command_reports_each_notebook(tool, tmp_path, monkeypatch, capsys):
    good, bad = write(tmp_path / "good.ipynb", "1"), write(tmp_path / "bad.ipynb", "1")
    monkeypatch.setattr(tool, "prepare_environment", lambda _: None)
    monkeypatch.setattr(tool, "execute", lambda *_: None)
    assert tool.main([str(good), str(bad), "--processes", "1"]) == 0
    assert "good.ipynb: stored, 1 code cells" in capsys.readouterr().out

    def fail(*_):
        raise RuntimeError("no kernel today")

    monkeypatch.setattr(tool, "execute", fail)
    assert tool.main([str(bad), "--processes", "1"]) == 1
    assert "not stored; no kernel today" in capsys.readouterr().err
    assert tool.main(["no-such-chapter"]) == 2


def test_normalise_removes_what_depends_on_the_machine(tool):
    cell = new_code_cell("1", id="a", execution_count=41)
    cell.metadata.update(
        execution={"iopub.execute_input": "2020"}, scrolled=True, tags=[], mystnb={"image": {"alt": "x"}}
    )
    cell.outputs = [new_output("execute_result", {"text/plain": "1"}, execution_count=41)]
    tagged = new_code_cell("2", id="b", execution_count=42, metadata={"tags": ["hide-input"]})
    metadata = {"kernelspec": {"name": "my-env"}, "language_info": {"version": "3.9.1"}, "widgets": {}, "title": "kept"}
    notebook = new_notebook(cells=[cell, tagged])
    notebook.metadata.update(metadata)
    tool.normalise(notebook)
    assert cell.metadata == {"mystnb": {"image": {"alt": "x"}}}
    assert tagged.metadata == {"tags": ["hide-input"]}
    assert (cell.execution_count, cell.outputs[0].execution_count, tagged.execution_count) == (1, 1, 2)
    assert notebook.metadata == {
        "kernelspec": tool.KERNELSPEC,
        "language_info": tool.LANGUAGE_INFO,
        "title": "kept",
    }


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a valid notebook"),
        (b"{", "not a valid notebook"),
        (b"\xff\xfe", "not a valid notebook"),
        (b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 2}', "format 4.2"),
        (b'{"cells": [{}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "not a valid notebook"),
        (b'{"cells": [{"cell_type": "markdown", "metadata": {}, "source": ""}], "metadata": {}, "nbformat": 4, '
         b'"nbformat_minor": 5}', "not a valid notebook"),
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_refused(tool, data, reason):
    with pytest.raises(tool.StoreError, match=reason):
        tool.read_notebook(data, "x.ipynb")


def test_chapters_are_found_by_number_name_and_path(tool, tmp_path):
    for name in ("01-one", "02-two", "10-ten"):
        write(tmp_path / f"{name}.ipynb", "1")
    names = lambda *typed: [path.stem for path in tool.find_notebooks(list(typed), tmp_path)]  # noqa: E731
    assert names() == ["01-one", "02-two", "10-ten"]
    assert names("2", "01", "chapters/10-ten.ipynb") == ["02-two", "01-one", "10-ten"]
    assert names("02-two", "02", str(tmp_path / "02-two.ipynb")) == ["02-two"]
    for wrong in ("3", "one", "1-one"):
        with pytest.raises(tool.StoreError, match="01-one, 02-two, 10-ten"):
            names(wrong)
    with pytest.raises(tool.StoreError, match="no notebook in"):
        tool.find_notebooks([], tmp_path / "empty")


def test_replacing_keeps_the_old_file_when_it_fails(tool, tmp_path, monkeypatch):
    path = tmp_path / "x.ipynb"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space"):
            tool.replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    tool.replace_file(path, b"new")
    assert path.read_bytes() == b"new"
