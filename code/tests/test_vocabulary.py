"""The vocabulary: ids, special symbols, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.vocabulary import END, START, UNKNOWN, Vocabulary

words = st.text(st.characters(categories=("Ll", "Lu", "Nd", "Po")), min_size=1, max_size=5)
sentences = st.lists(st.lists(words, max_size=6), min_size=1, max_size=8).filter(lambda s: any(s))


def test_ids_by_frequency_then_alphabet():
    v = Vocabulary.from_sentences([["b", "a", "c"], ["c", "b"], ["c"], ["d"]])
    assert v.symbols == (UNKNOWN, END, "c", "b", "a", "d", START)
    assert (v.unknown, v.end, v.start, v.size, len(v)) == (0, 1, 6, 6, 6)
    assert v.words == ("c", "b", "a", "d")
    assert v.encode(["a", "x", END, START]).tolist() == [4, 0, 1, 6]
    assert v.encode([]).dtype == np.int64


def test_size_counts_what_can_be_predicted():
    v = Vocabulary.from_sentences([["b", "a", "c"], ["c", "b"], ["c"], ["d"]], size=4)
    assert v.size == 4
    assert v.symbols == (UNKNOWN, END, "c", "b", START)


def test_minimum_count():
    assert Vocabulary.from_sentences([["a", "a", "b"]], minimum_count=2).words == ("a",)
    with pytest.raises(ValueError, match="no word occurs 3 times; the most frequent one occurs 2 times"):
        Vocabulary.from_sentences([["a", "a", "b"]], minimum_count=3)


@given(sentences)
def test_round_trip(corpus):
    v = Vocabulary.from_sentences(corpus)
    for sentence in corpus:
        assert v.decode(v.encode(sentence)) == sentence
        assert v.unknown not in v.encode(sentence)
    flat = [symbol for s in corpus for symbol in (START, *s, END)]
    assert v.decode(v.encode_sentences(corpus)) == flat


@given(sentences, st.integers(3, 6))
def test_replace_unknown_is_decode_of_encode(corpus, size):
    v = Vocabulary.from_sentences(corpus, size=size)
    assert v.size <= size
    assert v.replace_unknown(corpus) == [v.decode(v.encode(s)) for s in corpus]


def test_special_symbols_in_the_text_are_not_words():
    v = Vocabulary.from_sentences([["a", UNKNOWN, "b"]])
    assert v.words == ("a", "b")
    assert v.encode([UNKNOWN]).tolist() == [v.unknown]


def test_characters_may_be_white_space():
    v = Vocabulary(["a", " ", "\n"])
    assert v.encode(list("a \n")).tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["a", "b", "a"], "'a' stands twice"),
        ([""], "may not be empty"),
        (["two words"], "white space"),
        (["a\n"], "white space"),
        (["<s>"], "special symbol"),
        (["</s>"], "special symbol"),
        (["<unk>"], "special symbol"),
    ],
)
def test_bad_words(bad, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary(bad)


def test_strings_are_no_lists():
    with pytest.raises(TypeError, match="not one string"):
        Vocabulary("the king")
    with pytest.raises(TypeError, match="has to be a string"):
        Vocabulary([1])
    v = Vocabulary(["a"])
    for call in (v.encode, lambda s: v.encode_sentences([s]), lambda s: v.replace_unknown([s])):
        with pytest.raises(TypeError, match="split it first"):
            call("the king")
    with pytest.raises(TypeError, match="split it first"):
        Vocabulary.from_sentences(["the king"])


def test_empty_and_impossible():
    for nothing in ([], [[]], [[UNKNOWN]]):
        with pytest.raises(ValueError, match="empty"):
            Vocabulary.from_sentences(nothing)
    with pytest.raises(ValueError, match="at least 3"):
        Vocabulary.from_sentences([["a"]], size=2)
    with pytest.raises(ValueError, match="at least 1"):
        Vocabulary.from_sentences([["a"]], minimum_count=0)
    v = Vocabulary(["a"])
    for bad in ([-1], [4], np.array([0, 9])):
        with pytest.raises(ValueError, match=r"ids are 0 \.\. 3"):
            v.decode(bad)
