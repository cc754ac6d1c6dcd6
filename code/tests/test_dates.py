"""Dates: read back by a reader that shares no table with the writer, and held to what each place does."""

import datetime
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import dates

# The beginnings that tell the months apart, in the order of the year.
BEGINNINGS = {
    "us": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "gb": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "fr": "janv févr mars avr mai juin juil août sept oct nov déc",
    "de": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "hu": "jan feb már ápr máj jún júl aug sze okt nov dec",
}
WEEKDAYS = {  # beginnings again, from Monday on
    "us": "Mon Tue Wed Thu Fri Sat Sun",
    "gb": "Mon Tue Wed Thu Fri Sat Sun",
    "fr": "lun mar mer jeu ven sam dim",
    "de": "Mon Die Mit Don Fre Sam Son",
    "es": "lun mar mié jue vie sáb dom",
    "hu": "hét ked sze csü pén szo vas",
}
days = st.dates(dates.FIRST, dates.LAST)
places = st.sampled_from(dates.LOCALES)
patterns = st.integers(0, dates.NUMBER_OF_PATTERNS - 1)


def read(text, locale):
    """The date that a text means: numbers by their place, months by how they begin."""
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    words = re.findall(r"[^\W\d_]+", text)
    if len(numbers) == 3:
        order = {"us": "mdy", "hu": "ymd"}.get(locale, "dmy")
        found = dict(zip(order, numbers, strict=True))
    else:
        named = [(i, w) for w in words for i, b in enumerate(BEGINNINGS[locale].split(), start=1) if w.startswith(b)]
        month = named[-1][0] if locale in ("gb", "fr", "de", "es") else named[0][0]
        order = "yd" if locale == "hu" else "dy"
        found = dict(zip(order, numbers, strict=True)) | {"m": month}
    year = found["y"] if found["y"] > 99 else found["y"] + (1900 if found["y"] >= 50 else 2000)
    return datetime.date(year, found["m"], found["d"])


@given(days, places, patterns)
def test_what_is_written_can_be_read(date, locale, pattern):
    assert read(dates.write(date, locale, pattern), locale) == date


@given(days, places)
def test_the_weekday_is_right(date, locale):
    text = dates.write(date, locale, 0)
    assert any(w.startswith(WEEKDAYS[locale].split()[date.weekday()]) for w in re.findall(r"[^\W\d_]+", text))


@given(days, places, patterns)
def test_pairs(date, locale, pattern):
    pair = dates.pair(date, locale, pattern)
    assert pair.source == (f"<{locale}>", *dates.write(date, locale, pattern))
    assert "".join(pair.target) == f"{date.year:04}-{date.month:02}-{date.day:02}"
    assert (pair.date, pair.locale) == (date, locale)


def test_no_two_dates_are_written_alike_in_one_place():
    day, seen = dates.FIRST, set()
    while day <= datetime.date(1950, 12, 31) or datetime.date(1999, 6, 1) <= day <= dates.LAST:
        for locale in dates.LOCALES:
            texts = {dates.write(day, locale, p) for p in range(dates.NUMBER_OF_PATTERNS)}
            assert len(texts) >= 4  # March and May are not shortened everywhere
            assert not {(locale, text) for text in texts} & seen
            seen |= {(locale, text) for text in texts}
        day += datetime.timedelta(days=1)
        if day == datetime.date(1951, 1, 1):
            day = datetime.date(1999, 6, 1)
        if day > datetime.date(2000, 6, 1):
            break


@pytest.mark.parametrize(
    ("locale", "date", "texts"),
    [
        ("us", (2011, 3, 1), ["Tuesday, March 1, 2011", "March 1, 2011", "Mar 1, 2011", "3/1/2011", "03/01/11"]),
        ("gb", (2011, 3, 1), ["Tuesday 1st March 2011", "1 March 2011", "1st Mar 2011", "1/3/2011", "01/03/11"]),
        ("fr", (2011, 8, 1), ["lundi 1er août 2011", "1er août 2011", "1er août 2011", "01/08/2011", "01/08/11"]),
        ("de", (1950, 1, 22), ["Sonntag, 22. Januar 1950", "22. Januar 1950", "22. Jan. 1950", "22.1.1950",
                              "22.01.50"]),
        ("es", (2011, 9, 1), ["jueves, 1 de septiembre de 2011", "1 de septiembre de 2011", "1 sept 2011", "1/9/2011",
                              "01-09-11"]),
        ("hu", (2049, 12, 31), ["2049. december 31., péntek", "2049. december 31.", "2049. dec. 31.", "2049. 12. 31.",
                                "49. 12. 31."]),
    ],
)  # fmt: skip
def test_every_pattern(locale, date, texts):
    assert [dates.write(datetime.date(*date), locale, p) for p in range(5)] == texts


def test_english_endings():
    endings = [dates.write(datetime.date(2020, 1, d), "gb", 0).split()[1] for d in range(1, 32)]
    assert [e for e in endings if not e.endswith("th")] == ["1st", "2nd", "3rd", "21st", "22nd", "23rd", "31st"]


def test_splits_share_no_date():
    parts = dates.splits(np.random.default_rng(1), train=300, valid=50, test=70)
    assert [len(parts[name]) for name in ("train", "valid", "test")] == [300, 50, 70]
    everything = [pair.date for part in parts.values() for pair in part]
    assert len(set(everything)) == 420
    assert {pair.locale for pair in parts["test"]} == set(dates.LOCALES)
    assert dates.splits(np.random.default_rng(1), train=300, valid=50, test=70) == parts


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dates.write(datetime.date(1949, 12, 31), "us", 0), "between 1950"),
        (lambda: dates.write(datetime.date(2050, 1, 1), "us", 0), "between 1950"),
        (lambda: dates.write(datetime.date(2000, 1, 1), "se", 0), "one of us, gb"),
        (lambda: dates.write(datetime.date(2000, 1, 1), "us", 5), "0 .. 4"),
        (lambda: dates.splits(np.random.default_rng(0), train=-1), "train has to be"),
        (lambda: dates.splits(np.random.default_rng(0), train=40_000), "36,525 dates"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
