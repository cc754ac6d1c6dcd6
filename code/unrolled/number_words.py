"""Numbers in words, English and French: a small translation task whose every sentence is known to be right.

Both languages are written by a grammar, for 0 to 999,999. What makes French worth translating into is its past: 70 is
sixty and ten, 80 four twenties, 91 four twenties and eleven; a unit one is joined by "et" (vingt et un, soixante et
onze), but not after four twenties; "cent" and "vingt" take an s when they are multiplied and nothing follows them, and
"mille" never does.

A token is a word; hyphens are blanks here. Seen that way the French orthographies before and after the reform of 1990
are the same, since they differ in hyphens alone. The French is that of France: no septante, no nonante. The English is
that of Britain, with an "and" behind the hundreds, and behind the thousands when no hundreds follow.

    >>> print(*english(281_091))
    two hundred and eighty one thousand and ninety one
    >>> print(*french(281_091))
    deux cent quatre vingt un mille quatre vingt onze
"""

import operator
from typing import NamedTuple

import numpy as np

LIMIT = 1_000_000
"""The numbers are 0 .. LIMIT - 1."""

# fmt: off
_ENGLISH_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_ENGLISH_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_FRENCH_SMALL = (
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
    "quatorze", "quinze", "seize", "dix sept", "dix huit", "dix neuf",
)
# What the tens are counted from: 70 to 79 go on from sixty, 90 to 99 from four twenties.
_FRENCH_TENS = (
    "", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre vingt", "quatre vingt",
)
# fmt: on


class Pair(NamedTuple):
    """One number in both languages.

    Attributes:
        number: the number.
        english: its English words.
        french: its French words.
    """

    number: int
    english: tuple[str, ...]
    french: tuple[str, ...]


def english(number: int) -> tuple[str, ...]:
    """A number in English words.

    >>> english(1_000)
    ('one', 'thousand')

    Raises:
        ValueError: the number is outside 0 .. 999,999.
    """
    thousands, rest = _cut(number, 1000)
    words = [*_english_below_1000(thousands), "thousand"] if thousands else []
    if thousands and 0 < rest < 100:
        words.append("and")
    return tuple(words + _english_below_1000(rest)) or ("zero",)


def french(number: int) -> tuple[str, ...]:
    """A number in French words.

    >>> french(200), french(201), french(200_000), french(1_080)
    (('deux', 'cents'), ('deux', 'cent', 'un'), ('deux', 'cent', 'mille'), ('mille', 'quatre', 'vingts'))

    Raises:
        ValueError: the number is outside 0 .. 999,999.
    """
    thousands, rest = _cut(number, 1000)
    words = []
    if thousands > 1:  # mille, never un mille
        words = _french_below_1000(thousands, last=False)
    if thousands:
        words.append("mille")
    return tuple(words + _french_below_1000(rest, last=True)) or ("zéro",)


def pair(number: int) -> Pair:
    """A number with its words in both languages.

    Raises:
        ValueError: the number is outside 0 .. 999,999.
    """
    return Pair(int(number), english(number), french(number))


def splits(
    rng: np.random.Generator, train: int = 8_000, valid: int = 1_000, test: int = 1_000
) -> dict[str, list[Pair]]:
    """Draw different numbers, every one as likely as every other, and divide them.

    No number stands in two splits, so that a model is asked for numbers that it has never seen. Most numbers below a
    million have six digits; so have those drawn.

    Args:
        rng: draws the numbers.
        train: how many are for training.
        valid: how many are for choices.
        test: how many are for what is reported.

    Returns:
        The pairs, under "train", "valid" and "test".

    Raises:
        ValueError: a size is negative, or more numbers are wanted than there are.
    """
    sizes = {"train": train, "valid": valid, "test": test}
    for name, size in sizes.items():
        if size < 0:
            raise ValueError(f"{name} has to be 0 or more; got {size}")
    if sum(sizes.values()) > LIMIT:
        raise ValueError(f"there are {LIMIT:,} numbers; {sum(sizes.values()):,} are wanted")
    numbers = rng.choice(LIMIT, size=sum(sizes.values()), replace=False)
    divided, start = {}, 0
    for name, size in sizes.items():
        divided[name] = [pair(number) for number in numbers[start : start + size].tolist()]
        start += size
    return divided


def _cut(number: int, by: int) -> tuple[int, int]:
    if not 0 <= number < LIMIT:
        raise ValueError(f"the number has to be between 0 and {LIMIT - 1:,}; got {number}")
    return divmod(operator.index(number), by)


def _english_below_1000(number: int) -> list[str]:
    """The words of 1 .. 999; none for 0, which is silent behind a thousand."""
    hundreds, rest = divmod(number, 100)
    words = [_ENGLISH_SMALL[hundreds], "hundred"] if hundreds else []
    if hundreds and rest:
        words.append("and")
    if rest >= 20:
        words.append(_ENGLISH_TENS[rest // 10])
        rest %= 10
    return words + ([_ENGLISH_SMALL[rest]] if rest else [])


def _french_below_1000(number: int, last: bool) -> list[str]:
    """The words of 1 .. 999; none for 0. `last` says that no mille follows, which would take the s of the plural."""
    hundreds, rest = divmod(number, 100)
    words = [_FRENCH_SMALL[hundreds]] if hundreds > 1 else []  # cent, never un cent
    if hundreds:
        words.append("cents" if hundreds > 1 and rest == 0 and last else "cent")
    return words + _french_below_100(rest, last)


def _french_below_100(number: int, last: bool) -> list[str]:
    if number < 20:
        return _FRENCH_SMALL[number].split() if number else []
    tens, unit = divmod(number, 10)
    words = _FRENCH_TENS[tens].split()
    if tens in (7, 9):
        unit += 10
    if number == 80 and last:
        words[-1] = "vingts"
    elif unit in (1, 11) and tens < 8:
        words.append("et")
    return words + (_FRENCH_SMALL[unit].split() if unit else [])
