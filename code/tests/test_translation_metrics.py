"""BLEU against sacrebleu over random corpora, and by hand; exact match; what has to be refused."""

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import translation_metrics as tm

words = st.lists(st.sampled_from("abcde"), min_size=1, max_size=9)


def theirs(hypotheses, references, **how):
    """sacrebleu's corpus BLEU, between 0 and 1. References there go reference by reference, with None for gaps."""
    most = max(len(several) for several in references)
    streams = [[" ".join(s[k]) if k < len(s) else None for s in references] for k in range(most)]
    settings_ = {"tokenize": "none", "force": True, "smooth_method": "none"} | how
    return sacrebleu.corpus_bleu([" ".join(h) for h in hypotheses], streams, **settings_)


@settings(deadline=None, max_examples=150)
@given(
    corpus=st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=3)), min_size=1, max_size=8),
    smoothing=st.sampled_from([("none", "none"), ("exponential", "exp")]),
)
def test_bleu_is_that_of_sacrebleu(corpus, smoothing):
    hypotheses, references = [h for h, _ in corpus], [r for _, r in corpus]
    ours = tm.bleu(hypotheses, references, smoothing=smoothing[0])
    other = theirs(hypotheses, references, smooth_method=smoothing[1])
    assert np.isclose(ours.bleu, other.score / 100, rtol=1e-12, atol=1e-300)
    assert list(ours.matches) == other.counts
    assert list(ours.totals) == other.totals
    assert (ours.length, ours.reference_length) == (other.sys_len, other.ref_len)
    assert np.isclose(ours.brevity_penalty, other.bp, rtol=1e-12)


def test_by_hand():
    # the, clipped to the two of the reference; no other n-gram is there
    score = tm.bleu([["the"] * 7], [["the", "cat", "is", "on", "the", "mat"]])
    assert score.matches == (2, 0, 0, 0)
    assert score.totals == (7, 6, 5, 4)
    assert score.bleu == 0
    # 4 of 4, 3 of 3, 2 of 2, 1 of 1; four words for five: exp(1 - 5 / 4)
    score = tm.bleu([list("abcd")], [list("abcde")])
    assert np.isclose(score.bleu, np.exp(-1 / 4), rtol=1e-14)
    # smoothed: 2/3, 1/2 of 2, 1/4 of 1 with three orders
    score = tm.bleu([list("axb")], [list("abc")], order=3, smoothing="exponential")
    assert np.isclose(score.bleu, (2 / 3 * 1 / 4 * 1 / 4) ** (1 / 3), rtol=1e-14)


@settings(deadline=None, max_examples=50)
@given(st.lists(words, min_size=1, max_size=5))
def test_bounds_and_perfect_translations(corpus):
    longer = [[*sentence, *"xyz"] for sentence in corpus]
    assert tm.bleu(longer, longer).bleu == pytest.approx(1, rel=1e-14)
    assert 0 <= tm.bleu(corpus, longer).bleu <= 1
    assert tm.exact_match(corpus, corpus) == (1.0, 0.0)
    assert tm.exact_match(corpus, longer) == (0.0, 0.0)
    assert tm.exact_match(corpus, [[a, b] for a, b in zip(longer, corpus, strict=True)])[0] == 1


def test_the_nearest_reference_counts_and_of_two_the_shorter():
    assert tm.bleu([list("abcd")], [[list("abc"), list("abcde")]]).reference_length == 3
    assert tm.bleu([list("abcd")], [[list("abcde"), list("ab")]]).reference_length == 5


def test_exact_match_counts_and_spreads():
    share, error = tm.exact_match([["a"], ["b"], ["c"], ["d"]], [["a"], ("b",), ["x"], ["y", "d"]])
    assert share == 0.5
    assert error == pytest.approx(0.25)


def test_an_empty_hypothesis_counts_nothing():
    score = tm.bleu([[], list("abcde")], [list("ab"), list("abcde")])
    assert score.matches == (5, 4, 3, 2)
    assert np.isclose(score.bleu, np.exp(1 - 7 / 5), rtol=1e-14)
    assert tm.bleu([[]], [list("ab")]).bleu == 0


@pytest.mark.parametrize(
    ("hypotheses", "references", "error", "message"),
    [
        ([], [], ValueError, "has to be one"),
        ([["a"]], [["a"], ["b"]], ValueError, "needs its reference"),
        ([["a"]], [[]], ValueError, "no reference"),
        (["ab"], [["a"]], TypeError, "cut it into words"),
        ([["a"]], ["ab"], TypeError, "cut it into words"),
        ([["a"]], [["a"], ["b"]][:1], None, ""),
    ],
)
def test_what_cannot_be_measured(hypotheses, references, error, message):
    for measure in (tm.bleu, tm.exact_match):
        if error is None:
            assert measure(hypotheses, references)
            continue
        with pytest.raises(error, match=message):
            measure(hypotheses, references)


def test_arguments_out_of_range():
    with pytest.raises(ValueError, match="order"):
        tm.bleu([["a"]], [["a"]], order=0)
    with pytest.raises(ValueError, match="smoothing"):
        tm.bleu([["a"]], [["a"]], smoothing="floor")
    with pytest.raises(ValueError, match="n is at least 1"):
        tm.ngrams(["a"], 0)
