"""Number words: read back by a reader that knows nothing of the grammar, and held to the rules where French is odd."""

import re

import numpy as np
import pytest

from unrolled import number_words

# A reader adds up what it hears, word by word; the writer cuts a number from the left. They share no table.
UNITS = "zero one two three four five six seven eight nine ten eleven twelve"
TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
ENGLISH = {word: value for value, word in enumerate(f"{UNITS} {TEENS}".split())}
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
ENGLISH |= {word: 10 * v for v, word in enumerate(TENS.split(), start=2)}
FRENCH_UNITS = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
FRENCH = {word: value for value, word in enumerate(FRENCH_UNITS.split())}
FRENCH |= {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60}


def read_english(words):
    total = current = 0
    for word in words:
        if word == "thousand":
            total, current = 1000 * current, 0
        elif word == "hundred":
            current *= 100
        elif word != "and":
            current += ENGLISH[word]
    return total + current


def read_french(words):
    total = current = 0
    before = ""
    for word in words:
        if word == "mille":
            total, current = 1000 * (current or 1), 0
        elif word in ("cent", "cents"):
            current = 100 * (current or 1)
        elif word in ("vingt", "vingts") and before == "quatre":
            current += 4 * 20 - 4
        elif word != "et":
            current += FRENCH[word]
        before = word
    return total + current


# Spelling, as patterns over whole numbers.
_TO_9 = "one|two|three|four|five|six|seven|eight|nine"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_TO_99 = rf"(?:{_TO_9}|ten|eleven|twelve|{TEENS.replace(' ', '|')}|(?:{_TENS})(?: (?:{_TO_9}))?)"
_TO_999 = rf"(?:{_TO_99}|(?:{_TO_9}) hundred(?: and {_TO_99})?)"
_REST = rf"(?: and {_TO_99}| (?:{_TO_9}) hundred(?: and {_TO_99})?)"
WELL_SPELLED_ENGLISH = re.compile(rf"zero|{_TO_999}|{_TO_999} thousand{_REST}?")

_DE_2 = "deux|trois|quatre|cinq|six|sept|huit|neuf"
_DE_12 = "douze|treize|quatorze|quinze|seize|dix sept|dix huit|dix neuf"
_DE_1 = (  # what may stand behind the hundreds, but for 80
    rf"(?:un|{_DE_2}|dix|onze|{_DE_12}"
    rf"|(?:vingt|trente|quarante|cinquante)(?: et un| (?:{_DE_2}))?"
    rf"|soixante(?: et un| (?:{_DE_2})| dix| et onze| (?:{_DE_12}))?"
    rf"|quatre vingt (?:un|{_DE_2}|dix|onze|{_DE_12}))"
)
_CENTS = rf"(?:(?:{_DE_2}) )?cent"
_LAST = rf"(?:(?:{_CENTS} )?(?:{_DE_1}|quatre vingts)|(?:{_DE_2}) cents|cent)"
_BEFORE_MILLE = rf"(?!un mille)(?:(?:{_CENTS} )?(?:{_DE_1}|quatre vingt)|{_CENTS})"
WELL_SPELLED_FRENCH = re.compile(rf"zéro|{_LAST}|(?:{_BEFORE_MILLE} )?mille(?: {_LAST})?")
NUMBERS = [*range(100_000), *np.random.default_rng(0).integers(100_000, number_words.LIMIT, size=20_000).tolist()]


def test_every_number_reads_back_and_is_well_spelled():
    for number in NUMBERS:
        english, french = number_words.english(number), number_words.french(number)
        assert read_english(english) == number, english
        assert read_french(french) == number, french
        assert WELL_SPELLED_ENGLISH.fullmatch(" ".join(english)), english
        assert WELL_SPELLED_FRENCH.fullmatch(" ".join(french)), french


@pytest.mark.parametrize(
    "wrong",
    [
        *("un cent", "un mille", "cents", "deux cent", "deux cents un", "deux cents mille", "mille cents", "milles"),
        *(
            "vingt un",
            "soixante onze",
            "quatre vingt",
            "quatre vingts un",
            "quatre vingt et un",
            "quatre vingt et onze",
        ),
        *("trente et deux", "vingts", "vingt mille zéro", "trente et onze"),
    ],
)
def test_the_patterns_refuse_what_is_wrong_in_french(wrong):
    assert not WELL_SPELLED_FRENCH.fullmatch(wrong)


@pytest.mark.parametrize(
    "wrong",
    ["one hundred five", "one thousand five", "twenty and one", "one hundred and", "one thousand and one hundred"],
)
def test_the_patterns_refuse_what_is_wrong_in_english(wrong):
    assert not WELL_SPELLED_ENGLISH.fullmatch(wrong)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zéro"),
        (17, "dix sept"),
        (21, "vingt et un"),
        (71, "soixante et onze"),
        (80, "quatre vingts"),
        (81, "quatre vingt un"),
        (91, "quatre vingt onze"),
        (97, "quatre vingt dix sept"),
        (100, "cent"),
        (200, "deux cents"),
        (202, "deux cent deux"),
        (1000, "mille"),
        (1100, "mille cent"),
        (21_000, "vingt et un mille"),
        (80_000, "quatre vingt mille"),
        (200_080, "deux cent mille quatre vingts"),
        (999_999, "neuf cent quatre vingt dix neuf mille neuf cent quatre vingt dix neuf"),
    ],
)
def test_french_by_hand(number, words):
    assert number_words.french(number) == tuple(words.split())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (110, "one hundred and ten"),
        (1000, "one thousand"),
        (1001, "one thousand and one"),
        (1100, "one thousand one hundred"),
        (350_012, "three hundred and fifty thousand and twelve"),
    ],
)
def test_english_by_hand(number, words):
    assert number_words.english(number) == tuple(words.split())


@pytest.mark.parametrize("number", [-1, 1_000_000])
@pytest.mark.parametrize("write", [number_words.english, number_words.french, number_words.pair])
def test_numbers_outside_are_refused(write, number):
    with pytest.raises(ValueError, match=f"between 0 and 999,999; got {number}"):
        write(number)


def test_splits_share_no_number():
    splits = number_words.splits(np.random.default_rng(0))
    assert {name: len(pairs) for name, pairs in splits.items()} == {"train": 8000, "valid": 1000, "test": 1000}
    assert len({pair.number for pairs in splits.values() for pair in pairs}) == 10_000
    for pair in splits["test"]:
        assert pair == number_words.pair(pair.number)


def test_the_generator_decides():
    first, again = (number_words.splits(np.random.default_rng(3), 50, 5, 5) for _ in range(2))
    assert first == again
    assert first != number_words.splits(np.random.default_rng(4), 50, 5, 5)


def test_held_out_words_are_all_known():
    splits = number_words.splits(np.random.default_rng(1))
    for side in ("english", "french"):
        words = {name: {word for pair in pairs for word in getattr(pair, side)} for name, pairs in splits.items()}
        assert words["valid"] | words["test"] <= words["train"]


def test_the_languages_differ_in_length():
    pairs = number_words.splits(np.random.default_rng(0))["train"]
    equal = np.mean([len(pair.english) == len(pair.french) for pair in pairs])
    assert 0.12 < equal < 0.17


@pytest.mark.parametrize(("sizes", "message"), [((-1, 1, 1), "train has to be 0 or more"), ((10**6, 1, 1), "wanted")])
def test_impossible_splits_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        number_words.splits(np.random.default_rng(0), *sizes)
