"""Words found by their bytes: the same ids, and the same errors, as one look into a dictionary per word."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.ngram import NgramModel
from unrolled.ngram.reading import _encode_text_at_once, encode
from unrolled.ngram.words import SEPARATOR, WordTable, _cut, _numbers
from unrolled.vocabulary import Vocabulary

letters = st.characters(codec="utf-8", exclude_categories=("Z", "C"))
some_words = st.one_of(
    st.text(st.sampled_from("ab"), min_size=1, max_size=20), st.text(letters, min_size=1, max_size=7)
).filter(lambda word: word.split() == [word] and SEPARATOR not in word)


def at_once(sentences: list, vocabulary: Vocabulary) -> np.ndarray:
    """The fast way, made to pay by saying everything often enough."""
    times = 1 + vocabulary.size // 4
    ids = encode(sentences * times, vocabulary, lambda: WordTable(vocabulary))
    assert np.array_equal(ids, np.tile(ids[: ids.size // times], times))
    return ids[: ids.size // times]


@given(st.data())
def test_the_ids_are_those_of_the_vocabulary(data: st.DataObject):
    words = data.draw(st.lists(some_words, min_size=1, max_size=30, unique=True))
    vocabulary = Vocabulary(words)
    sentences = data.draw(st.lists(st.lists(some_words | st.sampled_from(words), max_size=8), min_size=1, max_size=5))
    assert np.array_equal(at_once(sentences, vocabulary), vocabulary.encode_sentences(sentences))


@pytest.mark.parametrize("length", [1, 7, 8, 9, 15, 16, 17, 24, 40])
def test_words_that_differ_in_one_byte_are_told_apart(length: int):
    words = ["x" * i + "y" + "x" * (length - i - 1) for i in range(length)]
    vocabulary = Vocabulary(words[::2])
    sentences = [words, ["x" * length, "x" * (length + 1)]]
    assert np.array_equal(at_once(sentences, vocabulary), vocabulary.encode_sentences(sentences))


def test_words_that_meet_in_a_slot_are_all_found():
    rng = np.random.default_rng(1)
    words = sorted({"".join(map(chr, rng.integers(97, 123, rng.integers(3, 19)))) for _ in range(30_000)})
    vocabulary = Vocabulary(words[::2])
    table = WordTable(vocabulary)
    text = "".join(word + SEPARATOR for word in words)
    own = table._slot(*_numbers(text.encode(), *_cut(text.encode())))
    assert np.unique(own).size < own.size
    assert np.array_equal(table.ids(text, len(words)), vocabulary.encode(words))


def test_characters_with_their_blanks_and_line_ends():
    vocabulary = Vocabulary([" ", "\n", "a", "é", "\u3000"])
    sentences = [list("a é\na"), list("z\u3000 "), []]
    assert np.array_equal(
        encode(sentences, vocabulary, lambda: WordTable(vocabulary)), vocabulary.encode_sentences(sentences)
    )


def test_a_vocabulary_and_a_text_that_hold_the_separator():
    vocabulary = Vocabulary(["a\0b", "c"])
    sentences = [["a\0b", "c", "d\0"]]
    assert np.array_equal(at_once(sentences, vocabulary), vocabulary.encode_sentences(sentences))


def test_a_lone_surrogate_is_a_character_like_any_other():
    vocabulary = Vocabulary(["\ud800", "c"])
    assert at_once([["\ud800", "c", "\ud801"]], vocabulary).tolist() == [4, 2, 3, 0, 1]


@pytest.mark.parametrize(
    ("word", "error", "message"),
    [
        ("", ValueError, "may not be empty"),
        ("two words", ValueError, "white space"),
        ("no\u00a0break", ValueError, "white space"),
        ("</s>", ValueError, "'</s>' as a word"),
        ("<s>", ValueError, "'<s>' as a word"),
        (7, TypeError, "has to be a string; got 7"),
        (None, TypeError, "has to be a string; got None"),
    ],
)
def test_a_wrong_word_is_named_in_long_texts_too(word: object, error: type, message: str):
    model = NgramModel.fit([["to", "be", "or", "not", "to", "be"]], 2)
    with pytest.raises(error, match=message):
        model.log10_probabilities([["to", "be"]] * 50 + [["to", word]])
    with pytest.raises(error, match=message):
        model.log10_probabilities([["to", word]])


@pytest.mark.parametrize(
    ("text", "quick"),
    [
        ("to be or\nnot to <unk>\nbe", True),
        ("to be\nor not\n", True),
        ("to  be\n", False),
        (" to be", False),
        ("to be \nor", False),
        ("to be\n\nnot", False),
        ("to be\n\n", False),
        ("to\tbe", False),
        ("to be\r\nor not\r\n", False),
        ("to\u00a0be or", False),
        ("\u00eatre or not", False),
        ("to\0be or\0", False),
        ("\n", False),
        ("", False),
    ],
)
def test_a_file_is_read_alike_in_both_ways(tmp_path: Path, text: str, quick: bool):
    vocabulary = Vocabulary(["to", "be", "or", "not", "a", "longer", "list", "of", "words"])
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode() * (10 if text.endswith("\n") else 1))
    table = WordTable(vocabulary)
    ids = encode(path, vocabulary, lambda: table)
    assert ids.dtype == np.int64
    assert np.array_equal(ids, encode(path, vocabulary))
    seen = _encode_text_at_once(path.read_bytes().decode().removesuffix("\n"), vocabulary, lambda: table)
    assert (seen is not None) == quick


def test_unknown_words_spelled_as_such_and_empty_sentences():
    vocabulary = Vocabulary(["a"])
    sentences = [["<unk>", "a"], [], ("b", "a")]
    assert np.array_equal(at_once(sentences, vocabulary), vocabulary.encode_sentences(sentences))
