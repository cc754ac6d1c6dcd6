"""Build the book into _build/html: from the start, with warnings as errors, and whole or not at all.

    python code/tools/build_book.py                  # the pages
    python code/tools/build_book.py linkcheck        # follow the links that lead out of the book

The pages are built beside, in _build/new, and put in place when no warning was left. A build that failed leaves the
last good book where it was. Every build starts anew (seconds: the outputs are stored in the notebooks), because a
warning that Sphinx showed once is not shown again by a build that finds the page unchanged.

Jupyter Book knows no option for it, but Sphinx reads and writes pages with several processes; how many, is what this
script passes on. What the book's extensions do to keep a build short stands in book/extensions/pace.py.
"""

from __future__ import annotations

import argparse
import functools
import gc
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "_build"
NEW = BUILD / "new"
LOG = BUILD / "book.log"


def colourless(text: str) -> str:
    """Text without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def problems(log: str) -> list[str]:
    """The lines of a build's log that say what is wrong, each once, with paths relative to the project."""
    found: dict[str, None] = {}
    for line in colourless(log).splitlines():
        if re.search(
            r"\b(WARNING|ERROR|CRITICAL|SEVERE)\b|^(Extension error|Exception occurred|\w*Error:|broken\b)|\bbroken\s",
            line,
        ):
            found[line.replace(str(ROOT) + os.sep, "").strip()] = None
    return list(found)


def processes() -> int:
    """How many processes Sphinx is to work with: one for each core, and one that gives the others their work.

    macOS has one: a process there must not go on with what its parent began in Apple's own libraries.
    """
    if sys.platform == "darwin" or not hasattr(os, "fork"):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 8) + 1 if cores > 1 else 1


def jupyter_book_itself(arguments: list[str]) -> None:
    """The command `jupyter-book` in this process; the first argument says with how many processes Sphinx works."""
    number, *arguments = arguments
    # Doctrees are full of cycles and mostly wanted until the end: the collector would take a third of the time.
    gc.disable()
    # jsonschema loads this to check international addresses, which takes a second; no schema here has one.
    sys.modules["rfc3987_syntax"] = None
    import jupyter_book.sphinx
    from jupyter_book.cli.main import main

    jupyter_book.sphinx.build_sphinx = functools.partial(jupyter_book.sphinx.build_sphinx, jobs=int(number))
    main(arguments, prog_name="jupyter-book")


def jupyter_book(builder: str) -> tuple[int, str]:
    """Run Jupyter Book into an empty _build/new; return its exit status and its log."""
    shutil.rmtree(NEW, ignore_errors=True)
    NEW.mkdir(parents=True)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import build_book; build_book.jupyter_book_itself(sys.argv[2:])"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(processes() if builder == "html" else 1)]
    command += ["build", ".", "--path-output", os.path.relpath(NEW, ROOT)]
    command += ["--builder", builder, "-n", "-W", "--keep-going"]
    environment = os.environ | {
        "PYTHONUTF8": "1",
        "MPLBACKEND": "agg",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("PYTHONWARNINGS", None)
    lines = []
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            for line in process.stdout:
                log.write(line)
                lines.append(line)
                if sys.stdout.isatty():
                    width = shutil.get_terminal_size().columns - 1
                    print("\r" + " ".join(colourless(line).split())[:width].ljust(width), end="", flush=True)
        finally:
            if sys.stdout.isatty():
                print("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r", end="", flush=True)
            if process.poll() is None:
                process.wait()
    return process.returncode, "".join(lines)


def put_in_place() -> Path:
    """Replace the last book by the new one, by renaming; return the first page."""
    made, final, old = NEW / "_build" / "html", BUILD / "html", BUILD / "html-old"
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        os.replace(final, old)
    os.replace(made, final)
    shutil.rmtree(old, ignore_errors=True)
    return final / "index.html"


def main(arguments: list[str] | None = None) -> int:
    """Build; return 0 when there was nothing to complain of."""
    parser = argparse.ArgumentParser(description="Build the book with warnings as errors.")
    parser.add_argument("builder", nargs="?", default="html", choices=("html", "linkcheck"))
    options = parser.parse_args(arguments)
    status, log = jupyter_book(options.builder)
    wrong = problems(log)
    pages = NEW / "_build" / "html"
    complete = options.builder != "html" or (pages / "index.html").is_file()
    if status or not complete:
        for line in wrong or colourless(log).splitlines()[-15:]:
            print(line, file=sys.stderr)
        last = " The last good book is still in _build/html." if (BUILD / "html" / "index.html").is_file() else ""
        beside = " The faulty pages are in _build/new/_build/html." if options.builder == "html" and complete else ""
        print(
            f"build_book: not built, for the reasons above (all of the log: _build/book.log).{beside}{last}",
            file=sys.stderr,
        )
        return 1
    if options.builder == "linkcheck":
        print("Every link that leads out of the book was followed.")
        return 0
    first = put_in_place()
    shutil.rmtree(NEW, ignore_errors=True)
    number = sum(1 for _ in first.parent.rglob("*.html"))
    print(f"The book is built: {number} pages, no warnings.")
    print(f"Open {first.relative_to(ROOT)} in a browser, or run `make serve`.")
    print(first.as_uri())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nbuild_book: interrupted; _build/html is as it was.", file=sys.stderr)
        sys.exit(130)
