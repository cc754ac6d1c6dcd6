"""Run the tests of the package, then every chapter again, and count all of it.

    python code/tools/run_tests.py                       # both
    python code/tools/run_tests.py tests                 # unit, property and peer tests
    python code/tools/run_tests.py chapters [02 ...]     # the chapters (or these): every output computed anew, compared

`make test` calls this. The last line reads "N passed, M failed, K skipped", over both runs. A code cell is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from count import Count, count_run
from store_outputs import StoreError, find_notebooks, prepare_environment, shown

ROOT = Path(__file__).resolve().parents[2]


def command_for(which: str, report: Path, notebooks: list[Path], processes: int) -> list[str]:
    """The command line of one run of pytest."""
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "-n", str(processes)]
    if which == "tests":
        return [*command, "--dist", "worksteal", "code/tests"]
    # One notebook stays in one process and its cells in order: --dist loadscope.
    nbval = ["--nbval", "--nbval-kernel-name", "python3", "--nbval-cell-timeout", "600"]
    nbval += ["--nbval-sanitize-with", "code/tools/nbval_sanitize.cfg", "--dist", "loadscope"]
    return [*command, *nbval, *(os.path.relpath(path, ROOT) for path in notebooks)]


def not_run(path: Path) -> list[str]:
    """The ids of the cells whose outputs were never stored, or not in one run from top to bottom.

    The comparison passes over a cell that has not been run, so these have to be found beforehand.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    return [cell.get("id", "?") for number, cell in enumerate(code, start=1) if cell.get("execution_count") != number]


def check_stored(notebooks: list[Path]) -> Count:
    """Count a failure for each chapter that was stored without having been run whole."""
    failed = 0
    for path in notebooks:
        try:
            cells = not_run(path)
        except (OSError, ValueError, KeyError) as error:
            print(f"run_tests: {shown(path)} is not a valid notebook: {error}.", file=sys.stderr)
            failed += 1
            continue
        if cells:
            more = f" and {len(cells) - 3} more" if len(cells) > 3 else ""
            print(
                f"run_tests: {shown(path)} was not stored after a run from top to bottom (cells {', '.join(cells[:3])}"
                f"{more}): run `make run CHAPTERS={path.stem}`.",
                file=sys.stderr,
            )
            failed += 1
    return Count(failed=failed)


def run(which: str, notebooks: list[Path], processes: int, folder: str) -> Count:
    """One run of pytest, shown as it goes, and counted by the report that it writes to `folder`."""
    report = Path(folder, f"{which}.xml")
    done = subprocess.run(command_for(which, report, notebooks, processes), cwd=ROOT, check=False)
    return count_run(report, done.returncode)


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; return 0 when nothing failed."""
    parser = argparse.ArgumentParser(description="Run the tests and the chapters, and count them.")
    parser.add_argument("which", nargs="?", default="all", choices=("all", "tests", "chapters"))
    parser.add_argument("notebooks", nargs="*", help="chapters by number, name or path; all when left out")
    parser.add_argument("--processes", type=int, default=2, help="processes at the same time (2)")
    options = parser.parse_args(arguments)
    total = Count()
    with tempfile.TemporaryDirectory(prefix="unrolled-ipython-") as folder:  # of this run, so that two can run at once
        prepare_environment(folder)
        if options.which in ("all", "tests"):
            print("The package: unit, property and peer tests.", flush=True)
            total += run("tests", [], options.processes, folder)
        if options.which in ("all", "chapters"):
            print("\nThe chapters: every cell again, every output compared.", flush=True)
            try:
                notebooks = find_notebooks(options.notebooks)
                total += check_stored(notebooks) + run("chapters", notebooks, options.processes, folder)
            except StoreError as error:
                print(f"run_tests: {error}.", file=sys.stderr)
                total += Count(failed=1)
    print(f"\n{total}", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nrun_tests: interrupted.", file=sys.stderr)
        sys.exit(130)
