"""The set-up behind every `make` command: .venv, the pinned packages, the data.

    python3 code/tools/prepare.py            # all of it; a second call finds everything in place
    python3 code/tools/prepare.py peers      # all of it, and the KenLM package for the peer tests

This file is only the door. It is written so that any Python since 2.7 can read it and say what is wrong; the work is in
environment.py, which needs a Python that the book supports. Standard library only.
"""

# Old Pythons must be able to parse this file:
# ruff: noqa: UP010, UP031, RUF005

from __future__ import print_function

import os
import subprocess
import sys

OLDEST = (3, 11)
NEWEST = (3, 14)
REEXECUTED = "UNROLLED_REEXECUTED"  # set in the environment, so that the search cannot go round in circles


def supported(version):
    """Whether this (major, minor) is one that the book runs on."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def dotted(version):
    """(3, 11, 2) -> "3.11.2"."""
    return ".".join(str(part) for part in version)


def probe(command):
    """The version of another Python that can make virtual environments, or None."""
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        with open(os.devnull, "w") as nowhere:
            process = subprocess.Popen([command, "-c", code], stdout=subprocess.PIPE, stderr=nowhere)
            answer = process.communicate()[0].decode("ascii", "replace").strip()
        return tuple(int(part) for part in answer.split(".")) if process.returncode == 0 else None
    except (OSError, ValueError):
        return None


def search():
    """The newest supported Python on the PATH that can make virtual environments, or None."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        command = "python%d.%d" % (OLDEST[0], minor)
        version = probe(command)
        if version is not None and supported(version):
            return command
    return None


def can_make_environments():
    """Whether this Python carries venv and ensurepip (Debian puts them into a package of their own)."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def complaint():
    """One sentence on what is wrong with this Python, or None when nothing is."""
    version, where = dotted(sys.version_info[:3]), sys.executable or "python3"
    if not supported(sys.version_info):
        return (
            "%s is Python %s, and the book needs Python %s to %s: install one of them, or name it, "
            "as in `make book PYTHON=/path/to/python%s`." % (where, version, dotted(OLDEST), dotted(NEWEST), "3.12")
        )
    if sys.implementation.name != "cpython":
        return "%s is %s, and the book needs CPython (the Python from python.org): name it with PYTHON=..." % (
            where,
            sys.implementation.name,
        )
    if not can_make_environments():
        return (
            "%s (Python %s) has no venv or ensurepip module, so it cannot make a virtual environment: on Debian and "
            "Ubuntu install it with `apt install python3-venv` (or python%s-venv, if this is not the system's Python)."
            % (where, version, dotted(sys.version_info[:2]))
        )
    return None


def main():
    """Check this Python, hand over to a better one if there is one, and do the work."""
    wrong = complaint()
    if wrong is not None:
        asked_for = os.environ.get("UNROLLED_PYTHON")  # PYTHON=... on make's command line: then no other will do
        better = None if asked_for or os.environ.get(REEXECUTED) else search()
        if better is None:
            print("prepare: " + wrong, file=sys.stderr)
            return 1
        os.environ[REEXECUTED] = "1"
        os.execvp(better, [better, os.path.abspath(__file__)] + sys.argv[1:])
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import environment

    return environment.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
