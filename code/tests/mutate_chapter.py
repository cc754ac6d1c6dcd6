"""Run a chapter's derivations with one thing made wrong at a time, and report which check noticed.

    python mutate_chapter.py chapters/01-language-models.ipynb chapter_01

prints one JSON line per mutant. The cells tagged `experiment` are left out. The chapter runs once; before a cell that
some mutant changes, the process forks, and the child goes on with the changed cell until the check of the label raises
or the chapter ends. A fork is an exact copy of everything computed so far, so that no mutant starts from the top.
"""

import contextlib
import importlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")  # a forked child must not wait for threads that stayed behind

import nbformat  # noqa: E402
from mutants import Mutant  # noqa: E402


class Survived(Exception):
    """No check noticed."""


def code_cells(path: Path) -> list[str]:
    """The sources of the code cells that define and check, in their order."""
    notebook = nbformat.read(path, as_version=4)
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and "experiment" not in cell.metadata.get("tags", []) and cell.source.strip()
    ]


def run_cell(source: str, namespace: dict) -> None:
    """Execute a cell as the kernel would, without its display and its magic commands."""
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile("\n".join(lines), "<cell>", "exec"), namespace)


def first_failed_label(error: BaseException) -> str | None:
    """The label named by a LedgerError, or None for any other error."""
    from unrolled.ledger import LABEL, LedgerError

    if not isinstance(error, LedgerError):
        return None
    found = LABEL.match(str(error))
    return found[0] if found else None


def continue_with(cells: list[str], start: int, namespace: dict, label: str) -> tuple[bool, str]:
    """Run the cells from `start`; True if the check of `label` raised, False and the reason otherwise.

    Checks of other labels may fail first, because a wrong definition has consequences. They are passed over.
    """
    reasons = []
    for source in cells[start:]:
        try:
            run_cell(source, namespace)
        except Exception as error:
            failed = first_failed_label(error)
            if failed == label:
                return True, f"check of {label} raised"
            reasons.append(f"{failed or type(error).__name__}: {str(error)[:120]}")  # a later check may still notice
    return False, "; ".join(reasons[:3]) or "every check held"


def in_child(work: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    """Run `work` in a forked copy of this process and return what it returned."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                result = work()
            except BaseException:
                result = (False, traceback.format_exc(limit=2))
            answer.write(json.dumps(result))
            answer.flush()
            os._exit(0)
        os.waitpid(child, 0)
        answer.seek(0)
        text = answer.read()
    return tuple(json.loads(text)) if text else (False, "the process ended without an answer")


def with_changed_module(mutant: Mutant, cells: list[str]) -> tuple[bool, str]:
    """Load the mutated module in place of the real one, then run the whole chapter."""
    spec = importlib.util.find_spec(mutant.module)
    source = Path(spec.origin).read_text(encoding="utf-8")
    if source.count(mutant.old) != 1:
        return False, f"the text to replace stands {source.count(mutant.old)} times in {mutant.module}"
    for name in [name for name in sys.modules if name == "unrolled" or name.startswith("unrolled.")]:
        del sys.modules[name]

    class Loader(importlib.machinery.SourceFileLoader):
        def get_data(self, path: str) -> bytes:
            data = super().get_data(path)
            return data.replace(mutant.old.encode(), mutant.new.encode()) if path == spec.origin else data

        def path_stats(self, path: str) -> dict:
            raise OSError  # never use or write a byte-code file

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name != mutant.module:
                return None
            return importlib.util.spec_from_file_location(
                name,
                spec.origin,
                loader=Loader(name, spec.origin),
                submodule_search_locations=spec.submodule_search_locations,
            )

    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, Finder)
    return continue_with(cells, 0, {"__name__": "__main__"}, mutant.label)


def main(chapter: Path, name: str) -> None:
    mutants: list[Mutant] = importlib.import_module(f"mutants.{name}").MUTANTS
    cells = code_cells(chapter)

    def report(number: int, caught: bool, reason: str) -> None:
        print(json.dumps({"mutant": number, "caught": caught, "reason": reason}), flush=True)

    places: dict[int, list[int]] = {}
    for number, mutant in enumerate(mutants):
        if mutant.module is not None:
            report(number, *in_child(lambda mutant=mutant: with_changed_module(mutant, cells)))
            continue
        found = [i for i, cell in enumerate(cells) if mutant.old in cell]
        if len(found) != 1 or cells[found[0]].count(mutant.old) != 1:
            report(number, False, f"the text to replace stands in {len(found)} cells, or more than once in its cell")
        elif mutant.old == mutant.new:
            report(number, False, "the replacement changes nothing")
        else:
            places.setdefault(found[0], []).append(number)

    namespace: dict = {"__name__": "__main__"}
    for i, cell in enumerate(cells):
        for number in places.get(i, []):
            mutant = mutants[number]
            changed = [*cells[:i], cell.replace(mutant.old, mutant.new), *cells[i + 1 :]]
            label = mutant.label
            report(
                number, *in_child(lambda changed=changed, label=label, i=i: continue_with(changed, i, namespace, label))
            )
        run_cell(cell, namespace)  # the true chapter has to run, or no mutant means anything
    print(json.dumps({"chapter": "held"}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
