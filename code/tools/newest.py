"""Rewrite requirements.txt for the weekly run: what the book needs directly, each at its newest release.

    python code/tools/newest.py

What others need in turn is left to pip. Two pins stay: Jupyter Book below version 2, which is another program, and
matplotlib, whose figures are compared byte for byte. Meant for a checkout that is thrown away.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IN_TURN = "# What those need in turn"
KEPT = {"jupyter-book": "jupyter-book<2", "matplotlib": None}  # None: as it is pinned


def newest(text: str) -> str:
    """The direct requirements of `text` without their pins, and the package itself.

    Raises:
        ValueError: the line that parts direct requirements from the others is not there.
    """
    if IN_TURN not in text:
        raise ValueError(f"requirements.txt has no line that begins with {IN_TURN!r}")
    lines = []
    for line in text.split(IN_TURN)[0].splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==\S+", line)
        if match:
            name = match.group(1)
            lines.append((KEPT[name] or match.group(0)) if name in KEPT else name)
    return "\n".join([*lines, "-e ."]) + "\n"


def main() -> int:
    """Rewrite the file and show it."""
    path = ROOT / "requirements.txt"
    text = newest(path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
