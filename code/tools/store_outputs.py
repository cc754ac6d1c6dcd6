"""Run notebooks from top to bottom in a fresh kernel and store what they print.

    python code/tools/store_outputs.py                          # every chapter
    python code/tools/store_outputs.py 02 03-window-model       # by number, by name or by path

`make run` and `make run CHAPTERS="02 03-window-model"` call this. What is stored depends on the notebook alone: no
time stamps, no version of the interpreter, keys in order. A second run therefore changes no byte, unless a number did.

A notebook is replaced whole or not at all. When a cell fails, or when somebody saved the file while it was running, the
file on disk stays as it was.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "chapters"

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
# What editors leave behind, about the editor and not about the notebook.
NOTEBOOK_LEFTOVERS = ("celltoolbar", "orig_nbformat", "signature", "toc", "toc-autonumbering", "vscode", "widgets")
CELL_LEFTOVERS = ("ExecuteTime", "collapsed", "editable", "execution", "pycharm", "scrolled", "vscode")

# One thread for each kernel: two kernels with two threads each make small matrix products many times slower.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class StoreError(Exception):
    """One clear sentence for whoever typed the command."""


@dataclass
class Outcome:
    """What became of one notebook."""

    path: Path
    changed: bool = False
    cells: int = 0
    seconds: float = 0.0
    error: str = ""
    wrote_to_stderr: list[str] = field(default_factory=list)  # ids of cells


def shown(path: Path) -> str:
    """The path as a person standing in the repository would type it."""
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)


def find_notebooks(names: list[str], folder: Path = CHAPTERS) -> list[Path]:
    """Turn what was typed (a path, a name, a number, or nothing for all) into paths, each once, in order."""
    chapters = sorted(folder.glob("*.ipynb"))
    if not names:
        if not chapters:
            raise StoreError(f"there is no notebook in {shown(folder)}/")
        return chapters
    found: dict[Path, None] = {}
    for name in names:
        if Path(name).is_file():
            if Path(name).suffix != ".ipynb":
                raise StoreError(f"{name} is not a notebook: its name should end in .ipynb")
            found[Path(name).resolve()] = None
            continue
        stem = Path(name).name.removesuffix(".ipynb")
        number = f"{int(stem):02d}-" if stem.isascii() and stem.isdigit() else None
        matches = [p for p in chapters if (p.stem.startswith(number) if number else p.stem == stem)]
        if len(matches) != 1:
            known = ", ".join(p.stem for p in chapters) or "none"
            what = "no notebook is" if not matches else "more than one notebook is"
            raise StoreError(f"{what} called {name!r}; the chapters are: {known}")
        found[matches[0].resolve()] = None
    return list(found)


def read_notebook(data: bytes, name: str):
    """Parse a notebook and refuse what could not be stored faithfully."""
    import nbformat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            notebook = nbformat.reads(data.decode("utf-8"), as_version=nbformat.NO_CONVERT)
            if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
                raise StoreError(
                    f"{name} has notebook format {notebook.nbformat}.{notebook.nbformat_minor}, and cells have ids "
                    "from 4.5 on: open it in JupyterLab and save it once"
                )
            nbformat.validate(notebook)
    except StoreError:
        raise
    except Exception as error:  # nbformat raises many kinds: JSON, schema, missing ids, wrong encoding
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StoreError(f"{name} is not a valid notebook: {reason}") from error
    return notebook


def normalise(notebook) -> None:
    """Remove, in place, everything that differs from one machine or one run to the next."""
    for key in NOTEBOOK_LEFTOVERS:
        notebook.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = dict(KERNELSPEC)
    notebook.metadata["language_info"] = dict(LANGUAGE_INFO)
    count = 0
    for cell in notebook.cells:
        for key in CELL_LEFTOVERS:
            cell.metadata.pop(key, None)
        if cell.metadata.get("tags") == []:
            del cell.metadata["tags"]
        if cell.cell_type != "code":
            continue
        ran = bool(cell.source.strip()) and cell.execution_count is not None
        count += ran
        cell.execution_count = count if ran else None
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count


def to_bytes(notebook) -> bytes:
    """The one way to write a notebook down: keys sorted, one blank of indent, a newline at the end."""
    import nbformat

    return (nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n").encode("utf-8")


def replace_file(path: Path, data: bytes) -> None:
    """Write beside, then rename: a reader sees the old file or the new one, never half of one."""
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, path.stat().st_mode & 0o777)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def plain(text: str) -> str:
    """Text without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def describe_failure(notebook, error) -> str:
    """Say which cell failed and show its traceback, shortened in the middle when it is very long."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                lines = plain("\n".join(output.traceback)).splitlines() or [f"{output.ename}: {output.evalue}"]
                if len(lines) > 60:
                    lines = [*lines[:20], f"    ... {len(lines) - 55} lines left out ...", *lines[-35:]]
                return f"cell {cell.id!r} failed:\n" + "\n".join(f"    {line}" for line in lines)
    return plain(str(error)).strip() or type(error).__name__


def execute(notebook, folder: Path, timeout: float, position: int) -> None:
    """Run every cell, in place, in a kernel of this very interpreter."""
    import nbformat
    from nbclient import NotebookClient
    from tqdm import tqdm

    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    with tqdm(total=cells, desc=folder.name, unit="cell", position=position, leave=False, disable=None) as progress:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=timeout,
            record_timing=False,
            coalesce_streams=True,
            store_widget_state=False,
            extra_arguments=["--IPKernelApp.log_level=40", "--HistoryManager.enabled=False"],
            resources={"metadata": {"path": str(folder)}},
            on_cell_executed=lambda **_: progress.update(),
        )
        client.execute(env=dict(os.environ))
    nbformat.validate(notebook)


def store(path: Path, timeout: float = 600.0, position: int = 0) -> Outcome:
    """Run one notebook and, if every cell succeeded, replace the file by the notebook with its outputs."""
    outcome = Outcome(path)
    start = time.perf_counter()
    notebook = None
    try:
        before = path.read_bytes()
        notebook = read_notebook(before, shown(path))
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        execute(notebook, path.parent, timeout, position)
        normalise(notebook)
        after = to_bytes(notebook)
        if path.read_bytes() != before:
            raise StoreError("the file was saved by somebody else while it ran: nothing was stored, run it again")
        outcome.cells = sum(cell.cell_type == "code" for cell in notebook.cells)
        outcome.wrote_to_stderr = [
            cell.id
            for cell in notebook.cells
            if any(output.get("name") == "stderr" for output in cell.get("outputs", []))
        ]
        outcome.changed = after != before
        if outcome.changed:
            replace_file(path, after)
    except StoreError as error:
        outcome.error = str(error)
    except OSError as error:
        outcome.error = f"{error.strerror or error}: {error.filename or shown(path)}"
    except Exception as error:  # a cell that failed, a kernel that died, a cell that ran too long
        outcome.error = describe_failure(notebook, error) if notebook is not None else str(error)
    outcome.seconds = time.perf_counter() - start
    return outcome


def prepare_environment(ipython_folder: str) -> None:
    """One thread a kernel, and neither profile, start-up files nor history of the person who runs this."""
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")
    os.environ["IPYTHONDIR"] = ipython_folder
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    os.environ.pop("MPLBACKEND", None)


def report(outcome: Outcome) -> None:
    """One line for a notebook that succeeded, the reason for one that did not."""
    if outcome.error:
        print(f"{shown(outcome.path)}: not stored; {outcome.error}", file=sys.stderr, flush=True)
        return
    what = "stored" if outcome.changed else "unchanged"
    print(f"{shown(outcome.path)}: {what}, {outcome.cells} code cells, {outcome.seconds:.0f} s", flush=True)
    if outcome.wrote_to_stderr:
        print(f"    note: written to standard error by {', '.join(outcome.wrote_to_stderr)}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the notebooks that were named; return 0 when all of them were stored."""
    parser = argparse.ArgumentParser(description="Run notebooks and store their outputs.")
    parser.add_argument("notebooks", nargs="*", help="paths, names or numbers; all chapters when left out")
    parser.add_argument("--processes", type=int, default=2, help="notebooks at the same time (2)")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds that one cell may take (600)")
    options = parser.parse_args(arguments)
    try:
        paths = find_notebooks(options.notebooks)
    except StoreError as error:
        print(f"store_outputs: {error}.", file=sys.stderr)
        return 2

    failed = 0
    with tempfile.TemporaryDirectory(prefix="unrolled-ipython-") as ipython_folder:
        prepare_environment(ipython_folder)
        if len(paths) == 1 or options.processes < 2:
            for path in paths:
                outcome = store(path, options.timeout)
                report(outcome)
                failed += bool(outcome.error)
            return 1 if failed else 0
        from tqdm import tqdm

        context = get_context("spawn")
        lock = context.RLock()  # so that two progress bars do not write into each other
        pool = ProcessPoolExecutor(options.processes, context, initializer=tqdm.set_lock, initargs=(lock,))
        try:
            runs = {pool.submit(store, path, options.timeout, row): path for row, path in enumerate(paths)}
            for run in as_completed(runs):
                try:
                    outcome = run.result()
                except BrokenProcessPool:
                    outcome = Outcome(runs[run], error="its process was ended from outside (memory, perhaps)")
                report(outcome)
                failed += bool(outcome.error)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nstore_outputs: interrupted; notebooks that had not finished are as they were.", file=sys.stderr)
        sys.exit(130)
