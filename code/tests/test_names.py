"""Names in dialogue: what the labels are, and the score of spans against a count by hand and by brute force."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import corpora, names
from unrolled.archives import DataError


@pytest.fixture(scope="module")
def splits():
    return names.load()


def speech(speaker, *lines):
    return corpora.Speech(speaker, lines)


def play(*speeches):
    return corpora.Play("x", "X", "comedies", speeches)


def test_words_are_those_of_the_book(splits):
    corpus = corpora.shakespeare()
    for split in corpora.SPLITS:
        assert [sentence.words for sentence in splits[split]] == corpus.words(split)
        assert all(len(words) == len(labels) for words, labels in splits[split])


def test_sizes(splits):
    assert {split: sum(sum(s.labels) for s in splits[split]) for split in splits} == {
        "train": 9308,
        "valid": 676,
        "test": 749,
    }


def test_more_than_half_of_the_held_out_names_are_new(splits):
    def named(split):
        return Counter(word for words, labels in splits[split] for word, y in zip(words, labels, strict=True) if y)

    train, held_out = named("train"), named("valid") + named("test")
    assert sum(n for name, n in held_out.items() if name not in train) / held_out.total() == pytest.approx(
        0.589, abs=5e-4
    )


@pytest.mark.parametrize(
    ("title", "are", "are_none"),
    [
        ("The Merry Wives of Windsor", {"page", "ford", "falstaff", "evans"}, {"hugh's", "host", "sir", "mistress"}),
        ("Romeo and Juliet", {"romeo", "juliet", "capulet", "laurence"}, {"nurse", "friar", "lady", "page", "verona"}),
        ("Macbeth", {"macbeth", "banquo"}, {"witch", "first", "lady", "thane", "man", "son"}),
    ],
)
def test_casts(title, are, are_none):
    corpus = corpora.shakespeare()
    cast = names.cast(next(p for split in corpora.SPLITS for p in corpus.plays(split) if p.title == title))
    assert are <= cast
    assert not are_none & cast


def test_capital_letters_decide_in_each_play_by_itself():
    """Counted anew from the printed text by a plain pattern, for every play and every name."""
    corpus = corpora.shakespeare()
    for one in corpus.plays("test"):
        text = " ".join(s.text for s in one.speeches)
        spoken = {word for s in one.speeches for word in re.findall(r"[a-z]+", s.speaker.lower())}
        for name in names.cast(one):
            found = [m[0] for m in re.finditer(rf"(?<![A-Za-z]){name}(?![a-zA-Z])", text, re.IGNORECASE)]
            assert name in spoken
            assert sum(word[0].isupper() for word in found) >= 0.88 * len(found), name


def test_labels_of_a_small_play():
    small = play(
        speech("SIR PAUL WELL", "Well, Paul is here. Paul's hat", "is well and Peter's is not."),
        speech("First Witch", "The witch sees Paul Well."),
    )
    assert [sentence.labels for sentence in names.label(small)] == [
        [0, 0, 1, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
    ]


def test_a_speaker_whom_nobody_mentions():
    assert names.cast(play(speech("PAUL", "Who calls?"))) == frozenset()


# --- masks ----------------------------------------------------------------------------------------

SENTENCES = [names.Sentence(["o", "romeo", ",", "romeo"], [0, 1, 0, 1]), names.Sentence(["no", "."], [0, 0])]


def test_masks_hide_names_alone():
    assert names.mask(SENTENCES, np.random.default_rng(0), 1.0) == [
        names.Sentence(["o", "<unk>", ",", "<unk>"], [0, 1, 0, 1]),
        SENTENCES[1],
    ]
    assert names.mask(SENTENCES, np.random.default_rng(0), 0.0) == SENTENCES
    assert SENTENCES[0].words == ["o", "romeo", ",", "romeo"]


def test_masks_hide_each_occurrence_by_itself():
    rng = np.random.default_rng(0)
    masked = [tuple(names.mask(SENTENCES, rng)[0].words) for _ in range(2000)]
    counts = Counter(masked)
    assert len(counts) == 4
    assert all(abs(count / 2000 - 0.25) < 0.05 for count in counts.values())


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_probabilities_are_checked(probability):
    with pytest.raises(ValueError, match="between 0 and 1"):
        names.mask(SENTENCES, np.random.default_rng(0), probability)


# --- spans ----------------------------------------------------------------------------------------

LABELS = st.lists(st.integers(0, 1), max_size=12)


@given(LABELS)
def test_spans_by_brute_force(labels):
    n = len(labels)
    wanted = [
        (i, j)
        for i in range(n)
        for j in range(i + 1, n + 1)
        if all(labels[i:j]) and (i == 0 or not labels[i - 1]) and (j == n or not labels[j])
    ]
    assert names.spans(labels) == wanted
    assert names.spans(np.array(labels, dtype=int)) == wanted


def test_score_by_hand():
    truth = [[0, 1, 1, 0, 1], [1, 0, 0]]
    guess = [[0, 1, 1, 0, 0], [1, 1, 0]]  # one of three found whole; one of two guesses right
    assert names.span_score(guess, truth) == (0.5, pytest.approx(1 / 3), pytest.approx(0.4))


@given(st.lists(LABELS, max_size=5), st.randoms())
def test_score_properties(truth, random):
    guess = [[random.randint(0, 1) for _ in labels] for labels in truth]
    one, other = names.span_score(guess, truth), names.span_score(truth, guess)
    assert (one.precision, one.recall, one.f1) == (other.recall, other.precision, other.f1)
    assert 0 <= one.f1 <= 1
    if one.f1:
        assert one.f1 == pytest.approx(2 * one.precision * one.recall / (one.precision + one.recall))
    assert names.span_score(truth, truth).f1 == float(any(map(any, truth)))


def test_scores_of_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="1 predicted sequences for 2"):
        names.span_score([[1]], [[1], [0]])
    with pytest.raises(ValueError, match="sentence 1 has 2 words and 1"):
        names.span_score([[1], [0]], [[1], [0, 0]])


# --- the dictionary -------------------------------------------------------------------------------


def test_the_dictionary_lists_what_is_mostly_a_name():
    sentences = [
        names.Sentence(["page", "and", "romeo"], [1, 0, 1]),
        names.Sentence(["page", "romeo"], [0, 1]),
        names.Sentence(["romeo"], [0]),
    ]
    dictionary = names.Dictionary.fit(sentences)
    assert dictionary.names == {"romeo"}
    assert dictionary.known == {"page", "and", "romeo"}
    assert dictionary.label(["romeo", "page", "juliet"]) == [1, 0, 0]
    assert dictionary.label(["romeo", "page", "juliet"], unknown=1) == [1, 0, 1]


def test_without_the_plays(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    monkeypatch.setattr(corpora, "shakespeare", corpora.shakespeare.__wrapped__)
    with pytest.raises(DataError, match="run `make data`"):
        names.load.__wrapped__()
