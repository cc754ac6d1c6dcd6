"""Where something stands in a source file, in words that an editor understands: path:line.

Sphinx numbers the lines of a notebook by cell (30005 is line 5 of the third cell), which no editor can open. The
warnings of the book's extensions name the line of the .ipynb file instead, and the cell.
"""

import functools
import json
import os
from pathlib import Path

CELL = 10_000
"""myst-nb gives line k of the i-th cell (counted from one) the number i * CELL + k."""


def of_node(app, node) -> str:
    """The place of a docutils node: "path:line", and the cell where the file is a notebook."""
    while node is not None and not (node.source and node.line):
        node = node.parent
    if node is None:
        return app.env.docname or ""
    path = Path(node.source.split(":docstring of")[0])
    if path.suffix == ".ipynb" and node.line >= CELL:
        return of_cell(app, path, node.line // CELL - 1, (node.rawsource or node.astext()).strip().split("\n")[0])
    return f"{_relative(app, path)}:{node.line}"


def of_cell(app, path: Path, index: int, needle: str = "") -> str:
    """The place of `needle` in the index-th cell (from zero) of a notebook, or of the cell where it is not found."""
    identity, lines = _cells(str(path), path.stat().st_mtime_ns)[index]
    quoted = json.dumps(needle, ensure_ascii=False)[1:-1]
    line = next((number for number, text in lines if needle and quoted in text), lines[0][0])
    return f"{_relative(app, path)}:{line} (cell {identity})"


def of_path(app, path: Path, line: int) -> str:
    """The place of a line of an ordinary file."""
    return f"{_relative(app, Path(path))}:{line}"


def _relative(app, path: Path) -> str:
    return os.path.relpath(path, app.srcdir)


@functools.lru_cache(maxsize=64)
def _cells(path: str, _changed: int) -> list[tuple[str, list[tuple[int, str]]]]:
    """Each cell's id and the numbered lines of the file that hold it, found by walking the file and the parsed cells
    together."""
    text = Path(path).read_text(encoding="utf-8")
    numbered = list(enumerate(text.split("\n"), start=1))
    cells, position = [], 0
    for number, cell in enumerate(json.loads(text)["cells"], start=1):
        identity = cell.get("id", f"number {number}")
        first = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"][:1])
        marks = [json.dumps(first, ensure_ascii=False)[1:-1]]
        if "id" in cell:
            marks.insert(0, f'"id": "{identity}"')
        for mark in marks:
            found = next((i for i in range(position, len(numbered)) if mark and mark in numbered[i][1]), None)
            if found is not None:
                position = found
                break
        cells.append((identity, position))
    ends = [start for _, start in cells[1:]] + [len(numbered)]
    return [
        (identity, numbered[start : max(end, start + 1)]) for (identity, start), end in zip(cells, ends, strict=True)
    ]
