"""Dates as people write them in six places, and the same dates in ISO 8601: a translation task with one right answer.

A source is a row of characters behind a symbol for the place it comes from, since nobody can tell what day 03/05/2019
is who does not know whether an American or a Frenchman wrote it. The target is ten characters, such as 2019-05-03:
year, month, day, whatever order they came in.

    >>> import datetime
    >>> for locale in LOCALES:
    ...     print(locale, write(datetime.date(2019, 5, 3), locale, pattern=0))
    us Friday, May 3, 2019
    gb Friday 3rd May 2019
    fr vendredi 3 mai 2019
    de Freitag, 3. Mai 2019
    es viernes, 3 de mayo de 2019
    hu 2019. május 3., péntek

What makes it worth learning: the parts change places (in the target the year comes first, in most sources last);
months are words that have to become numbers; a weekday says nothing that is asked for; and two digits have to do for
the year in some patterns. The dates are those of 1950 to 2049, so that of two digits 50 and more belong to the century
before.
"""

import datetime
from typing import NamedTuple

import numpy as np

FIRST, LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
"""The first and the last date."""

# fmt: off
_MONTHS = {
    "us": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"),
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Dezember"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
           "noviembre", "diciembre"),
    "hu": ("január", "február", "március", "április", "május", "június", "július", "augusztus", "szeptember", "október",
           "november", "december"),
}
_SHORT_MONTHS = {
    "us": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "de": ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
    "hu": ("jan.", "febr.", "márc.", "ápr.", "máj.", "jún.", "júl.", "aug.", "szept.", "okt.", "nov.", "dec."),
}
_WEEKDAYS = {
    "us": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "hu": ("hétfő", "kedd", "szerda", "csütörtök", "péntek", "szombat", "vasárnap"),
}
# fmt: on
for _names in (_MONTHS, _SHORT_MONTHS, _WEEKDAYS):
    _names["gb"] = _names["us"]

# What a pattern may name: {d} day, {m} month, {y} year; {dd}, {mm}, {yy} the same in two digits; {month} and {short}
# the names of the month, {weekday} that of the day; {nth} the day with its English ending, {er} with the French one.
_PATTERNS = {
    "us": ("{weekday}, {month} {d}, {y}", "{month} {d}, {y}", "{short} {d}, {y}", "{m}/{d}/{y}", "{mm}/{dd}/{yy}"),
    "gb": ("{weekday} {nth} {month} {y}", "{d} {month} {y}", "{nth} {short} {y}", "{d}/{m}/{y}", "{dd}/{mm}/{yy}"),
    "fr": ("{weekday} {er} {month} {y}", "{er} {month} {y}", "{er} {short} {y}", "{dd}/{mm}/{y}", "{dd}/{mm}/{yy}"),
    "de": ("{weekday}, {d}. {month} {y}", "{d}. {month} {y}", "{d}. {short} {y}", "{d}.{m}.{y}", "{dd}.{mm}.{yy}"),
    "es": ("{weekday}, {d} de {month} de {y}", "{d} de {month} de {y}", "{d} {short} {y}", "{d}/{m}/{y}",
           "{dd}-{mm}-{yy}"),
    "hu": ("{y}. {month} {d}., {weekday}", "{y}. {month} {d}.", "{y}. {short} {d}.", "{y}. {mm}. {dd}.",
           "{yy}. {mm}. {dd}."),
}  # fmt: skip

LOCALES = tuple(_PATTERNS)
"""The six places: the United States, Britain, France, Germany, Spain, Hungary."""
NUMBER_OF_PATTERNS = 5
"""How many ways of writing each place has: 0, with the weekday, to 4, the shortest."""


class Pair(NamedTuple):
    """One date, as it was written somewhere and in ISO.

    Attributes:
        date: the date itself.
        locale: where it was written, one of `LOCALES`.
        source: the symbol of the place, such as "<us>", and the characters as they were written.
        target: the ten characters of the date in ISO 8601.
    """

    date: datetime.date
    locale: str
    source: tuple[str, ...]
    target: tuple[str, ...]


def write(date: datetime.date, locale: str, pattern: int) -> str:
    """A date as somebody writes it.

    Args:
        date: between `FIRST` and `LAST`.
        locale: one of `LOCALES`.
        pattern: 0 .. 4, from the longest to the shortest.

    Raises:
        ValueError: the date, the place or the pattern is outside these.
    """
    if not FIRST <= date <= LAST:
        raise ValueError(f"dates lie between {FIRST} and {LAST}, or two digits would not tell the year; got {date}")
    if locale not in LOCALES:
        raise ValueError(f"the locale is one of {', '.join(LOCALES)}; got {locale!r}")
    if pattern not in range(NUMBER_OF_PATTERNS):
        raise ValueError(f"patterns are numbered 0 .. {NUMBER_OF_PATTERNS - 1}; got {pattern}")
    d, m, y = date.day, date.month, date.year
    return _PATTERNS[locale][pattern].format(
        d=d,
        m=m,
        y=y,
        dd=f"{d:02}",
        mm=f"{m:02}",
        yy=f"{y % 100:02}",
        month=_MONTHS[locale][m - 1],
        short=_SHORT_MONTHS[locale][m - 1],
        weekday=_WEEKDAYS[locale][date.weekday()],
        nth=f"{d}{_ending(d)}",
        er="1er" if d == 1 else d,
    )


def pair(date: datetime.date, locale: str, pattern: int) -> Pair:
    """A date with its source and its target.

    Args and errors as for `write`.
    """
    return Pair(date, locale, (f"<{locale}>", *write(date, locale, pattern)), tuple(date.isoformat()))


def splits(
    rng: np.random.Generator, train: int = 8_000, valid: int = 1_000, test: int = 1_000
) -> dict[str, list[Pair]]:
    """Draw different dates, every one as likely as every other, and write each in one place, in one way.

    No date stands twice, so that a model is asked for dates it has never seen, in whatever place.

    Args:
        rng: draws the dates, the places and the patterns.
        train: how many are for training.
        valid: how many are for choices.
        test: how many are for what is reported.

    Returns:
        The pairs, under "train", "valid" and "test".

    Raises:
        ValueError: a size is negative, or more dates are wanted than there are.
    """
    sizes = {"train": train, "valid": valid, "test": test}
    for name, size in sizes.items():
        if size < 0:
            raise ValueError(f"{name} has to be 0 or more; got {size}")
    there_are, wanted = (LAST - FIRST).days + 1, sum(sizes.values())
    if wanted > there_are:
        raise ValueError(f"there are {there_are:,} dates; {wanted:,} are wanted")
    days = rng.choice(there_are, size=wanted, replace=False).tolist()
    places = rng.integers(len(LOCALES), size=wanted).tolist()
    patterns = rng.integers(NUMBER_OF_PATTERNS, size=wanted).tolist()
    pairs = [
        pair(FIRST + datetime.timedelta(days=day), LOCALES[place], pattern)
        for day, place, pattern in zip(days, places, patterns, strict=True)
    ]
    return {"train": pairs[:train], "valid": pairs[train : train + valid], "test": pairs[train + valid :]}


def _ending(day: int) -> str:
    """What English puts behind a number: 1st, 2nd, 3rd, 4th, and 11th to 13th."""
    if day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
