"""Other toolkits as oracles: KenLM for modified Kneser-Ney and ARPA files, NLTK where it is right."""

from pathlib import Path

import numpy as np
import pytest
from nltk.lm import MLE, KneserNeyInterpolated, Lidstone
from nltk.lm import Vocabulary as NltkVocabulary
from nltk.lm.preprocessing import padded_everygram_pipeline
from nltk.util import everygrams

from unrolled import corpora
from unrolled.ngram import SMOOTHINGS, NgramModel
from unrolled.vocabulary import END, START, UNKNOWN

try:
    import kenlm
except ImportError:
    kenlm = None

needs_kenlm = pytest.mark.skipif(kenlm is None, reason="KenLM has no wheel; `make peers` builds it")

GOLDEN = Path(__file__).parent / "golden"
SENTENCES = [line.split() for line in (GOLDEN / "sentences.txt").read_text().splitlines()]
NEW = [
    ["the", "reader", "pays", "the", "price", "of", "the", "next", "word"],
    ["a", "word", "that", "was", "never", "said", "is", "a", "good", "guess"],
    ["curtain", ":", "the", "model", "that", "counts", "the", "counts", "counts"],
    ["of", "of", "of"],
    [],
    ["unheard-of"],
    ["what", "follows", "unheard-of", "words", "is", "read", "as", "if", "it", "came", "first"],
]


@pytest.fixture(scope="module")
def plays():
    """Three plays to count on and one to score."""
    corpus = corpora.shakespeare()
    return corpus.words("valid"), corpus.words("test")[:1500]


def kenlm_model(path):
    return kenlm.Model(str(path), kenlm.Config())


def kenlm_scores(model, sentences):
    return np.array([entry[0] for s in sentences for entry in model.full_scores(" ".join(s))])


# ------------------------------------------------------------------------------------------------ KenLM


@pytest.mark.parametrize("order", [1, 2, 3])
def test_fit_equals_what_lmplz_wrote(order):
    """The ARPA files in the folder were written by KenLM's lmplz from the sentences beside them."""
    theirs = NgramModel.read_arpa(GOLDEN / f"kenlm-{order}.arpa")
    ours = NgramModel.fit(SENTENCES, order)
    assert ours.notes == []
    assert ours.numbers_of_ngrams == theirs.numbers_of_ngrams
    for text in (SENTENCES, NEW):
        np.testing.assert_allclose(ours.log10_probabilities(text), theirs.log10_probabilities(text), rtol=0, atol=5e-7)
        assert ours.perplexity(text) == pytest.approx(theirs.perplexity(text), rel=1e-7)
    symbols = set(ours.vocabulary.symbols)
    assert symbols == set(theirs.vocabulary.symbols)
    same = [theirs.vocabulary.symbols.index(symbol) for symbol in ours.vocabulary.symbols[:-1]]
    for k in range(order):
        assert set(ours.contexts(k)) == set(theirs.contexts(k))
        for context in ours.contexts(k):
            np.testing.assert_allclose(ours.distribution(context), theirs.distribution(context)[same], rtol=1e-6)


def test_the_fallback_equals_that_of_lmplz():
    """Letters: the bigrams give no discounts in range, and lmplz ran with --discount_fallback."""
    letters = [list(word) for sentence in SENTENCES[:3] for word in sentence] + [list("jaz")]
    theirs = NgramModel.read_arpa(GOLDEN / "kenlm-2-letters.arpa")
    ours = NgramModel.fit(letters, 2)
    assert ours.discounts[1] == (0.5, 1.0, 1.5)
    assert len(ours.notes) == 1
    assert ours.notes[0].startswith("order 2: ")
    new = [list("model"), list("quiz"), []]
    np.testing.assert_allclose(ours.log10_probabilities(new), theirs.log10_probabilities(new), rtol=0, atol=5e-7)


@needs_kenlm
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_kenlm_scores_our_files_as_we_do(tmp_path, plays, order):
    train, test = plays
    model = NgramModel.fit(train, order)
    model.write_arpa(tmp_path / "model.arpa")
    theirs = kenlm_model(tmp_path / "model.arpa")
    assert theirs.order == order
    ours = model.log10_probabilities(test)
    np.testing.assert_allclose(kenlm_scores(theirs, test), ours, rtol=0, atol=2e-6)
    np.testing.assert_allclose(
        [theirs.score(" ".join(s)) for s in test], model.sentence_log10_probabilities(test), rtol=2e-6
    )


@needs_kenlm
@pytest.mark.parametrize("order", [2, 3])
def test_we_score_their_files_as_kenlm_does(order):
    path = GOLDEN / f"kenlm-{order}.arpa"
    theirs = kenlm_scores(kenlm_model(path), NEW)
    np.testing.assert_allclose(NgramModel.read_arpa(path).log10_probabilities(NEW), theirs, rtol=0, atol=1e-6)


@needs_kenlm
@pytest.mark.parametrize(
    "smoothing", [name for name in SMOOTHINGS if name not in ("maximum-likelihood", "stupid-backoff")]
)
@pytest.mark.parametrize("vocabulary", ["open", "closed"])
def test_kenlm_reads_every_smoothing(tmp_path, smoothing, vocabulary):
    options = {"held_out": NEW} if smoothing == "interpolation" else {}
    words = None if vocabulary == "open" else NgramModel.fit(SENTENCES, 1).vocabulary.from_sentences(SENTENCES, size=20)
    model = NgramModel.fit(SENTENCES, 3, smoothing, words, **options)
    model.write_arpa(tmp_path / "model.arpa")
    theirs = kenlm_scores(kenlm_model(tmp_path / "model.arpa"), NEW)
    if vocabulary == "closed":  # KenLM forgets the words before an unknown one, and ours are counted like others
        known = [[w if w in model.vocabulary else UNKNOWN for w in s] for s in NEW]
        kept = np.concatenate(
            [[UNKNOWN not in [*s, END][max(0, i - 2) : i + 1] for i in range(len(s) + 1)] for s in known]
        )
    else:
        kept = np.ones(theirs.size, dtype=bool)
    assert kept.any()
    np.testing.assert_allclose(theirs[kept], model.log10_probabilities(NEW)[kept], rtol=0, atol=2e-6)


# ------------------------------------------------------------------------------------------------ NLTK


def nltk_model(cls, order, *arguments):
    """NLTK, given our padding: one <s> and one </s> whatever the order, and a vocabulary without <s>."""
    words = {word for sentence in SENTENCES for word in sentence} | {END}
    model = cls(*arguments, order, vocabulary=NltkVocabulary(sorted(words), unk_label=UNKNOWN))
    model.counts.update(list(everygrams([START, *s, END], max_len=order)) for s in SENTENCES)
    return model


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize(("smoothing", "cls", "k"), [("maximum-likelihood", MLE, 0), ("add-k", Lidstone, 0.3)])
def test_counts_equal_nltk(order, smoothing, cls, k):
    theirs = nltk_model(cls, order, *([k] if k else []))
    ours = NgramModel.fit(SENTENCES, order, smoothing, **({"k": k} if k else {}))
    assert len(theirs.vocab) == ours.vocabulary.size
    for context in [(START,), *ours.contexts(order - 1)[::7]]:
        expected = [theirs.unmasked_score(w, context) for w in ours.vocabulary.symbols[:-1]]
        np.testing.assert_allclose(ours.distribution(context), expected, rtol=1e-12)


def test_kneser_ney_of_order_two_agrees_with_nltk():
    """NLTK does not interpolate the unigrams with 1/V; apart from that the two are the same."""
    discount = 0.7
    theirs = nltk_model(KneserNeyInterpolated, 2)
    theirs.estimator.discount = discount
    ours = NgramModel.fit(SENTENCES, 2, "kneser-ney", discount=discount)
    unigrams = ours.distribution()
    continuation = np.array(
        [
            len({s[i - 1] if i else START for s in SENTENCES for i in range(len(s)) if s[i] == w})
            for w in ours.vocabulary.words
        ]
    )
    ends = len({s[-1] if s else START for s in SENTENCES})
    continuation = np.concatenate([[0, ends], continuation])
    continuation = continuation / continuation.sum()
    for context in ours.contexts(1)[::5]:
        p = ours.distribution(context)
        weight = p[0] / unigrams[0]  # <unk> was never seen: all it has comes through the back-off weight
        expected = [theirs.unmasked_score(w, context) for w in ours.vocabulary.symbols[:-1]]
        np.testing.assert_allclose(p - weight * unigrams + weight * continuation, expected, rtol=1e-9)


def test_nltk_trigram_kneser_ney_is_no_distribution():
    """Why NLTK is no oracle above order 2, in its own padding: two <s> before and two </s> behind every sentence."""
    theirs = KneserNeyInterpolated(3)
    theirs.fit(*padded_everygram_pipeline(3, SENTENCES))
    ours = NgramModel.fit(SENTENCES, 3, "kneser-ney")
    total = sum(theirs.unmasked_score(word, (START,)) for word in theirs.vocab)
    assert total > 1.005
    for context in [(START,), (START, "the"), ("the", "words")]:
        assert abs(ours.distribution(context).sum() - 1) < 1e-12
