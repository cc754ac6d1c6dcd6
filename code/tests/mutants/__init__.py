"""Wrong versions of the chapters' derivations, each of which a check has to catch.

One module per chapter holds a list MUTANTS; `test_mutants.py` applies them one at a time.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One wrong version.

    Attributes:
        label: the equation whose check has to fail.
        old: a piece of text that stands in exactly one code cell of the chapter (or once in the module).
        new: what replaces it.
        why: what is wrong with the replacement, in a few words.
        module: the module of the package to change instead of a cell, such as "unrolled.losses".
    """

    label: str
    old: str
    new: str
    why: str
    module: str | None = None
