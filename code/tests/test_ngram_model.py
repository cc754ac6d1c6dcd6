"""The n-gram model: held to a slow and obvious implementation, and to what every model has to satisfy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ngram_reference import MODELS, Counts
from scipy import stats

from unrolled.ngram import SMOOTHINGS, NgramModel
from unrolled.vocabulary import END, START, UNKNOWN, Vocabulary

DISTRIBUTIONS = [name for name in SMOOTHINGS if name != "stupid-backoff"]
ALWAYS = [name for name in DISTRIBUTIONS if name != "maximum-likelihood"]  # a distribution in every context
WEIGHTS = [0.9, 0.6, 0.5, 0.4, 0.3]

quick = settings(max_examples=20, deadline=None)  # the dictionaries are slow

word = st.sampled_from("abcd")
sentence = st.lists(word, max_size=6)
corpora = st.builds(
    lambda sentences, again: sentences + sentences[:again],
    st.lists(sentence, min_size=1, max_size=12),
    st.integers(0, 6),
).filter(any)
orders = st.integers(1, 5)
vocabularies = st.sampled_from(
    [None, Vocabulary(list("ab")), Vocabulary(list("ca")), Vocabulary(list("abcdef")), Vocabulary(list("xy"))]
)


def options(smoothing, order):
    return {"weights": WEIGHTS[:order]} if smoothing == "interpolation" else {}


def fitted(sentences, order, smoothing, vocabulary=None, **parameters):
    model = NgramModel.fit(sentences, order, smoothing, vocabulary, **options(smoothing, order), **parameters)
    counts = Counts(sentences, order, model.vocabulary.symbols)
    return model, MODELS[smoothing](counts, **options(smoothing, order), **parameters)


def all_contexts(model, seed=0, few=30):
    """The empty one, those seen, and some that were not: of known words, of unknown ones, behind <s>."""
    seen = [context for k in range(model.order) for context in model.contexts(k)]
    rng = np.random.default_rng(seed)
    if len(seen) > 4 * few:
        seen = [seen[i] for i in rng.choice(len(seen), 4 * few, replace=False)]
    words = [*model.vocabulary.words, UNKNOWN, "never-seen"]
    drawn = [tuple(rng.choice(words, size=k)) for k in rng.integers(0, model.order + 2, few)]
    return [*seen, *drawn, *((START, *context) for context in drawn)]


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@quick
@given(corpora, orders, vocabularies)
@example([["a"]], 1, None)
@example([["a", "b"], []], 5, None)
@example([list("abcab")] * 7 + [list("abd")], 3, Vocabulary(list("ab")))
@example([["c", "d"], ["d"]], 3, Vocabulary(list("ab")))  # nothing but unknown words
def test_equals_the_dictionaries(smoothing, sentences, order, vocabulary):
    model, p = fitted(sentences, order, smoothing, vocabulary)
    symbols = model.vocabulary.symbols[:-1]
    for context in all_contexts(model, few=6):
        known = tuple(w if w in model.vocabulary else UNKNOWN for w in context)
        known = known[max(0, len(known) - order + 1) :]
        expected = np.array([p(w, known) for w in symbols])
        if smoothing == "maximum-likelihood" and not expected.any():
            with pytest.raises(ValueError, match="was never seen"):
                model.distribution(context)
        else:
            np.testing.assert_allclose(model.distribution(context), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@quick
@given(corpora, orders, vocabularies, st.lists(st.lists(st.sampled_from("abcdz"), max_size=7), max_size=5))
def test_text_equals_the_dictionaries(smoothing, sentences, order, vocabulary, new):
    model, p = fitted(sentences, order, smoothing, vocabulary)
    expected = []
    for s in new:
        text = [START, *(w if w in model.vocabulary else UNKNOWN for w in s), END]
        for i in range(1, len(text)):
            probability = p(text[i], tuple(text[max(0, i - order + 1) : i]))
            expected.append(math.log10(probability) if probability else -math.inf)
    logs = model.log10_probabilities(new)
    assert logs.dtype == np.float64
    assert logs.shape == (sum(len(s) + 1 for s in new),)
    np.testing.assert_allclose(logs, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("smoothing", ALWAYS)
@quick
@given(corpora, orders, vocabularies, st.integers(0, 2**32))
def test_sums_to_one_in_every_context(smoothing, sentences, order, vocabulary, seed):
    model = NgramModel.fit(sentences, order, smoothing, vocabulary, **options(smoothing, order))
    for context in all_contexts(model, seed):
        p = model.distribution(context)
        assert p.shape == (model.vocabulary.size,)
        assert p.min() >= 0
        assert abs(p.sum() - 1) < 1e-12


@quick
@given(corpora, orders, vocabularies)
def test_maximum_likelihood_sums_to_one_where_it_is_defined(sentences, order, vocabulary):
    model = NgramModel.fit(sentences, order, "maximum-likelihood", vocabulary)
    for k in range(order):
        for context in model.contexts(k):
            assert abs(model.distribution(context).sum() - 1) < 1e-12


@quick
@given(corpora, st.integers(2, 5))
def test_stupid_backoff_is_no_distribution(sentences, order):
    model = NgramModel.fit(sentences, order, "stupid-backoff")
    assert model.distribution(()).sum() == pytest.approx(1)  # but the unigrams are
    sums = [model.distribution(context).sum() for k in range(1, order) for context in model.contexts(k)]
    assert min(sums) > 1 - 1e-12
    if model.vocabulary.size > 3:  # two words: some context was not followed by one of them
        assert max(sums) > 1.01


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@quick
@given(corpora, orders, st.lists(st.lists(st.sampled_from("abcdz"), max_size=7), min_size=1, max_size=5))
def test_a_text_at_once_equals_sentence_by_sentence(smoothing, sentences, order, new):
    model = NgramModel.fit(sentences, order, smoothing, **options(smoothing, order))
    together = model.log10_probabilities(new)
    np.testing.assert_array_equal(together, np.concatenate([model.log10_probabilities([s]) for s in new]))
    ends = np.cumsum([len(s) + 1 for s in new])
    sums = [part.sum() for part in np.split(together, ends[:-1])]
    np.testing.assert_allclose(model.sentence_log10_probabilities(new), sums, rtol=1e-12)
    with np.errstate(over="ignore"):
        expected = np.exp2(-together.mean() * np.log2(10))
    assert model.perplexity(new) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@quick
@given(corpora, orders, st.randoms(use_true_random=False))
def test_the_order_of_sentences_does_not_matter(smoothing, sentences, order, random):
    shuffled = random.sample(sentences, len(sentences))
    one = NgramModel.fit(sentences, order, smoothing, **options(smoothing, order))
    two = NgramModel.fit(shuffled, order, smoothing, **options(smoothing, order))
    assert one.vocabulary == two.vocabulary
    assert one.numbers_of_ngrams == two.numbers_of_ngrams
    np.testing.assert_array_equal(one.log10_probabilities(sentences), two.log10_probabilities(sentences))


@quick
@given(corpora, orders)
def test_lists_tuples_generators_and_files_are_the_same(tmp_path_factory, sentences, order):
    model = NgramModel.fit(sentences, order, "witten-bell")
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("".join(" ".join(s) + "\n" for s in sentences), encoding="utf-8")
    expected = model.log10_probabilities(sentences)
    for source in ((tuple(s) for s in sentences), path, str(path)):
        other = NgramModel.fit(source, order, "witten-bell")
        assert other.vocabulary == model.vocabulary
        np.testing.assert_array_equal(other.log10_probabilities(path), expected)
    flat = model.vocabulary.encode_sentences(sentences)
    other = NgramModel.fit_ids(flat, order, "witten-bell", model.vocabulary)
    np.testing.assert_array_equal(other.log10_probabilities_of_ids(flat), expected)


@quick
@given(corpora, orders)
def test_contexts(sentences, order):
    model = NgramModel.fit(sentences, order)
    for k in range(order):
        seen = set()
        for s in sentences:
            text = [START, *s, END]
            seen |= {tuple(text[i - k : i]) for i in range(max(1, k), len(text))}
        found = model.contexts(k)
        assert len(found) == len(set(found))
        assert set(found) == seen


@quick
@given(corpora, orders, vocabularies)
def test_numbers_of_ngrams(sentences, order, vocabulary):
    model = NgramModel.fit(sentences, order, vocabulary=vocabulary)
    counts = Counts(sentences, order, model.vocabulary.symbols)
    assert model.order == order
    assert model.numbers_of_ngrams[0] == model.vocabulary.size + 1
    assert model.numbers_of_ngrams[1:] == tuple(len(counts.of[k]) for k in range(2, order + 1))
    assert model.number_of_training_tokens == sum(len(s) + 1 for s in sentences)


# ------------------------------------------------------------------------------------------------ parameters


@quick
@given(corpora, orders, st.floats(1e-3, 10))
def test_k(sentences, order, k):
    model, p = fitted(sentences, order, "add-k", k=k)
    for context in all_contexts(model, few=4)[:20]:
        known = tuple(w if w in model.vocabulary else UNKNOWN for w in context)
        known = known[max(0, len(known) - order + 1) :]
        expected = [p(w, known) for w in model.vocabulary.symbols[:-1]]
        np.testing.assert_allclose(model.distribution(context), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("smoothing", "parameters"),
    [
        ("absolute-discounting", {"discount": 0.3}),
        ("absolute-discounting", {"discount": 1.0}),
        ("kneser-ney", {"discount": 0.75}),
        ("modified-kneser-ney", {"discounts": (0.4, 1.1, 2.5)}),
        ("modified-kneser-ney", {"discounts": (1.0, 2.0, 3.0)}),
        ("katz", {"cutoff": 2}),
        ("katz", {"cutoff": 20}),
        ("stupid-backoff", {"alpha": 0.7}),
        ("stupid-backoff", {"alpha": 1.0}),
    ],
)
@quick
@given(corpora, orders, vocabularies)
def test_parameters(smoothing, parameters, sentences, order, vocabulary):
    model, p = fitted(sentences, order, smoothing, vocabulary, **parameters)
    for context in all_contexts(model, few=4):
        known = tuple(w if w in model.vocabulary else UNKNOWN for w in context)
        known = known[max(0, len(known) - order + 1) :]
        expected = [p(w, known) for w in model.vocabulary.symbols[:-1]]
        np.testing.assert_allclose(model.distribution(context), expected, rtol=1e-12)
        if smoothing != "stupid-backoff":
            assert abs(model.distribution(context).sum() - 1) < 1e-12


def log_likelihood(weights, sentences, held_out, order):
    model = NgramModel.fit(sentences, order, "interpolation", weights=weights)
    return model.log10_probabilities(held_out).sum()


@quick
@given(corpora, st.integers(1, 4), corpora)
def test_em_finds_the_best_weights(sentences, order, held_out):
    model = NgramModel.fit(sentences, order, "interpolation", held_out=held_out)
    assert model.weights.shape == (order,)
    assert ((model.weights >= 0) & (model.weights <= 1)).all()
    best = log_likelihood(np.minimum(model.weights, 1 - 1e-9), sentences, held_out, order)
    rng = np.random.default_rng(3)
    for step in (1e-1, 1e-2, 1e-3):
        for _ in range(5):
            other = np.clip(model.weights + rng.normal(scale=step, size=order), 0.0, 1 - 1e-9)
            assert log_likelihood(other, sentences, held_out, order) <= best + 1e-4  # at the border of [0, 1] EM creeps


@quick
@given(corpora, orders, vocabularies)
def test_em_weights_sum_to_one_everywhere(sentences, order, vocabulary):
    model = NgramModel.fit(sentences, order, "interpolation", vocabulary, held_out=sentences[:3])
    for context in all_contexts(model):
        assert abs(model.distribution(context).sum() - 1) < 1e-12


def test_discounts_by_hand():
    # Eight unigrams with counts 1 1 1 1, 2 2, 3, 4 (and </s>, once): n1 = 5, n2 = 2, n3 = 1, n4 = 1.
    text = [list("abcd") + list("eeff") + list("ggg") + list("hhhh")]
    model = NgramModel.fit(text, 1)
    y = 5 / 9
    assert model.discounts == [pytest.approx((1 - 2 * y * 2 / 5, 2 - 3 * y * 1 / 2, 3 - 4 * y * 1 / 1))]
    assert model.notes == []
    total = 16
    left = (5 * (1 - 2 * y * 2 / 5) + 2 * (2 - 3 * y / 2) + 2 * (3 - 4 * y)) / total
    p = model.distribution()
    assert p[model.vocabulary.unknown] == pytest.approx(left / 10)
    assert p[model.vocabulary.encode(["e"])[0]] == pytest.approx((2 - (2 - 3 * y / 2)) / total + left / 10)


def test_a_discount_that_the_text_does_not_determine_is_noted():
    model = NgramModel.fit([["a", "b"]] * 8, 2)
    assert model.discounts == [(0.5, 1.0, 1.5)] * 2
    assert len(model.notes) == 2
    assert "order 1" in model.notes[0]
    assert "order 2: no n-gram has the count 1" in model.notes[1]
    model = NgramModel.fit([["a", "b"]] * 8, 2, "absolute-discounting")
    assert model.discounts == [(0.5,), (0.5,)]
    assert "no n-gram occurs once" in model.notes[0]


def test_an_empty_sentence_is_a_sentence():
    model = NgramModel.fit([["a"], [], []], 2, "maximum-likelihood")
    assert model.distribution((START,)).tolist() == pytest.approx([0, 2 / 3, 1 / 3])
    assert model.log10_probabilities([[]]).tolist() == pytest.approx([math.log10(2 / 3)])
    assert model.log10_probabilities([]).shape == (0,)
    assert model.sentence_log10_probabilities([]).shape == (0,)


def test_unknown_words():
    closed = NgramModel.fit([["a", "b"], ["a", "c"]], 2, "maximum-likelihood", Vocabulary(list("a")))
    assert closed.distribution(("a",)).tolist() == [1, 0, 0]  # every word behind a is <unk>
    assert closed.distribution(("what",)).tolist() == [0, 1, 0]
    opened = NgramModel.fit([["a", "b"], ["a", "c"]], 2)
    p = opened.distribution(("never",))
    np.testing.assert_array_equal(p, opened.distribution())
    assert 0 < p[opened.vocabulary.unknown] < p[opened.vocabulary.end]
    marked = NgramModel.fit([["a", UNKNOWN], ["a", UNKNOWN]], 2, "maximum-likelihood")
    assert marked.vocabulary.words == ("a",)
    assert marked.distribution(("a",)).tolist() == [1, 0, 0]


def test_probability_zero():
    model = NgramModel.fit([["a", "b"]], 2, "maximum-likelihood")
    logs = model.log10_probabilities([["b", "a"], ["z"]])
    assert logs.tolist() == [-np.inf] * 5
    assert model.perplexity([["b", "a"]]) == math.inf
    assert NgramModel.fit([["a", "b"]], 3, "stupid-backoff").perplexity([["z"]]) == math.inf


def test_only_the_last_words_of_a_context_count():
    model = NgramModel.fit([list("abcd"), list("bca")], 3)
    np.testing.assert_array_equal(model.distribution(list("dddbc")), model.distribution(("b", "c")))
    np.testing.assert_array_equal(model.distribution((START, "b", "c")), model.distribution(("b", "c")))


def test_many_followers_are_found(monkeypatch):
    """Contexts with more followers than are compared one by one, so that the hash table has work to do."""
    rng = np.random.default_rng(5)
    words = [f"w{i}" for i in range(300)]
    sentences = [list(rng.choice(words, size=20)) for _ in range(400)]
    model, p = fitted(sentences, 3, "witten-bell")
    new = [list(rng.choice(words, size=8)) for _ in range(5)] + sentences[:5]
    expected = [
        math.log10(p(text[i], tuple(text[max(0, i - 2) : i])))
        for text in ([START, *s, END] for s in new)
        for i in range(1, len(text))
    ]
    np.testing.assert_allclose(model.log10_probabilities(new), expected, rtol=1e-12)


# ------------------------------------------------------------------------------------------------ sampling


@pytest.mark.parametrize(("temperature", "context"), [(1.0, ()), (1.0, ("a",)), (0.5, ()), (2.0, ("b", "a"))])
def test_sampling_follows_the_distribution(temperature, context):
    model = NgramModel.fit([list("abcab"), list("bacd"), list("aab")], 3, "witten-bell")
    p = model.distribution((START, *context)) ** (1 / temperature)
    p /= p.sum()
    rng = np.random.default_rng(20)
    drawn = [model.sample(rng, temperature, context, maximum_length=1) for _ in range(4000)]
    ids = [model.vocabulary.end if not words else model.vocabulary.encode(words)[0] for words in drawn]
    observed = np.bincount(ids, minlength=model.vocabulary.size)
    assert stats.chisquare(observed, p * len(drawn)).pvalue > 1e-3


def test_sampled_sentences_have_the_lengths_of_the_model():
    model = NgramModel.fit([["a"], ["a", "a"], ["a", "a", "a"]], 1, "maximum-likelihood")
    end = model.distribution()[model.vocabulary.end]
    rng = np.random.default_rng(7)
    lengths = [len(model.sample(rng)) for _ in range(4000)]
    assert np.mean(lengths) == pytest.approx((1 - end) / end, abs=4 * math.sqrt(1 - end) / end / math.sqrt(4000))


def test_sampling_is_repeatable_and_ends():
    model = NgramModel.fit([list("abcab"), list("bacd")], 2)
    one, two = (model.sample(np.random.default_rng(4), maximum_length=50) for _ in range(2))
    assert one == two
    assert len(model.sample(np.random.default_rng(4), temperature=50, maximum_length=3)) <= 3
    assert model.sample(np.random.default_rng(4), maximum_length=0) == []
    greedy = model.sample(np.random.default_rng(4), temperature=1e-3, maximum_length=1)
    assert greedy == [model.vocabulary.symbols[int(np.argmax(model.distribution((START,))))]]


# ------------------------------------------------------------------------------------------------ errors

TEXT = [["a", "b"], ["b"]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sentences": []}, ValueError, "the corpus is empty: it has no sentence"),
        ({"sentences": [[], []]}, ValueError, "the corpus is empty: it has 2 empty sentences"),
        ({"sentences": iter(())}, ValueError, "the corpus is empty"),
        ({"order": 0}, ValueError, "order has to be at least 1"),
        ({"order": -2}, ValueError, "order has to be at least 1"),
        ({"order": 2.5}, TypeError, "order has to be a whole number; got 2.5"),
        ({"order": True}, TypeError, "order has to be a whole number; got True"),
        ({"order": "3"}, TypeError, "order has to be a whole number"),
        (
            {"smoothing": "laplace"},
            ValueError,
            "unknown smoothing 'laplace'; the known ones are maximum-likelihood, add-k",
        ),
        ({"smoothing": None}, ValueError, "unknown smoothing None"),
        ({"sentences": [["a b", "c"]]}, ValueError, "the word 'a b' contains white space"),
        ({"sentences": [["a", ""]]}, ValueError, "a word may not be empty"),
        ({"sentences": [["<s>", "a"]]}, ValueError, "the text holds '<s>'"),
        ({"sentences": [["a", "</s>"]]}, ValueError, "the text holds '</s>'"),
        ({"sentences": [["a", "</s>", "<s>", "b"]]}, ValueError, "the text holds '</?s>'"),
        ({"sentences": [["a", 3]]}, TypeError, "a word has to be a string; got 3"),
        ({"sentences": [["a", ["b"]]]}, TypeError, r"a word has to be a string; got \['b'\]"),
        ({"sentences": [["a", None]]}, TypeError, "a word has to be a string; got None"),
        ({"sentences": [["a"], "the king"]}, TypeError, "sentence 2 is one string, 'the king'"),
        ({"sentences": [5]}, TypeError, "sentence 1 is no list of words but a int"),
        ({"sentences": 5}, TypeError, "sentences are a list of word lists, or the path"),
        ({"sentences": b"a b"}, TypeError, "sentences are a list of word lists, or the path"),
        ({"sentences": "to be or not"}, FileNotFoundError, "no file 'to be or not'; a text has to be split"),
        ({"vocabulary": ["a", "b"]}, ValueError, "the vocabulary lacks <unk>"),
        ({"vocabulary": "ab"}, TypeError, "vocabulary has to be a Vocabulary"),
        ({"vocabulary": 7}, TypeError, "vocabulary has to be a Vocabulary"),
        ({"smoothing": "interpolation"}, ValueError, "needs either weights, one per order, or held_out"),
        ({"smoothing": "interpolation", "held_out": []}, ValueError, "held_out has no sentence"),
        ({"smoothing": "interpolation", "weights": [0.5]}, ValueError, "one number per order, 3"),
        ({"smoothing": "interpolation", "weights": [0.5, 0.5, 1.5]}, ValueError, r"in \[0, 1\)"),
        ({"smoothing": "interpolation", "weights": [0.5, 0.5, math.nan]}, ValueError, r"in \[0, 1\)"),
        ({"smoothing": "add-k", "k": 0}, ValueError, "k has to be a positive number; got 0"),
        ({"smoothing": "add-k", "k": -1}, ValueError, "k has to be a positive number"),
        ({"smoothing": "add-k", "k": math.nan}, ValueError, "k has to be a positive number; got nan"),
        ({"smoothing": "add-k", "k": math.inf}, ValueError, "k has to be a positive number; got inf"),
        ({"smoothing": "add-k", "k": "1"}, TypeError, "k has to be a number"),
        ({"smoothing": "witten-bell", "k": 1}, ValueError, "'witten-bell' takes no parameter; got k"),
        ({"smoothing": "kneser-ney", "alpha": 1}, ValueError, "'kneser-ney' takes discount; got alpha"),
        ({"smoothing": "kneser-ney", "discount": 0}, ValueError, "discount has to be above 0 and at most 1; got 0"),
        ({"smoothing": "kneser-ney", "discount": 1.1}, ValueError, "discount has to be above 0 and at most 1"),
        ({"smoothing": "absolute-discounting", "discount": math.nan}, ValueError, "discount has to be above 0"),
        ({"discounts": (0.5, 1.0)}, ValueError, "discounts are D1, D2 and D3"),
        ({"discounts": (0.5, 1.0, 4.0)}, ValueError, "discounts are D1, D2 and D3"),
        ({"discounts": (0.5, 1.0, math.nan)}, ValueError, "discounts are D1, D2 and D3"),
        ({"smoothing": "katz", "cutoff": 0}, ValueError, "cutoff has to be a whole number of at least 1"),
        ({"smoothing": "stupid-backoff", "alpha": 0}, ValueError, "alpha has to be above 0 and at most 1"),
    ],
)
def test_bad_input_to_fit(arguments, error, message):
    with pytest.raises(error, match=message):
        NgramModel.fit(**({"sentences": TEXT} | arguments))


@pytest.mark.parametrize("name", ["<s>", "</s>"])
def test_ends_of_sentences_in_a_file(tmp_path, name):
    path = tmp_path / "text.txt"
    path.write_text(f"a b\n{name} c\n", encoding="utf-8")
    with pytest.raises(ValueError, match=f"text.txt, line 2: the text holds '{name}'"):
        NgramModel.fit(path)


def test_a_file_that_is_not_utf8(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"a b\nc \xe9 d\n")
    with pytest.raises(ValueError, match=r"text.txt, line 2: the byte 0xe9 is not UTF-8"):
        NgramModel.fit(path)
    with pytest.raises(ValueError, match="line 2"):
        NgramModel.fit(TEXT).perplexity(path)


@pytest.mark.parametrize("content", ["", "\n", "\n\n\n", "  \n"])
def test_a_file_without_words(tmp_path, content):
    path = tmp_path / "text.txt"
    path.write_text(content)
    with pytest.raises(ValueError, match="the corpus is empty"):
        NgramModel.fit(path)


def test_line_ends_and_blanks_of_a_file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffa  b\r\n\r\n\tc a \r\nb".encode())
    model = NgramModel.fit(path, 2)
    again = NgramModel.fit([["a", "b"], [], ["c", "a"], ["b"]], 2)
    np.testing.assert_array_equal(
        model.log10_probabilities(path), again.log10_probabilities([["a", "b"], [], ["c", "a"], ["b"]])
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.distribution("a"), TypeError, "the context has to be a list of words, not the string 'a'"),
        (lambda m: m.distribution(("a", END)), ValueError, "behind which nothing is predicted"),
        (lambda m: m.distribution(("a", START)), ValueError, "beginning of the context only"),
        (lambda m: m.contexts(3), ValueError, "contexts of 0 .. 2 words; got 3"),
        (lambda m: m.contexts(-1), ValueError, "contexts of 0 .. 2 words; got -1"),
        (lambda m: m.perplexity([]), ValueError, "there is no sentence"),
        (lambda m: m.perplexity(["a b"]), TypeError, "sentence 1 is one string"),
        (lambda m: m.log10_probabilities([["a", START]]), ValueError, "the text holds '<s>'"),
        (lambda m: m.log10_probabilities([[END]]), ValueError, "the text holds '</s>'"),
        (lambda m: m.log10_probabilities([["a b"]]), ValueError, "contains white space"),
        (lambda m: m.log10_probabilities([["a", 1]]), TypeError, "a word has to be a string; got 1"),
        (lambda m: m.log10_probabilities([["a", []]]), TypeError, r"a word has to be a string; got \[\]"),
        (lambda m: m.sample(1), TypeError, "rng has to be a numpy.random.Generator"),
        (lambda m: m.sample(np.random.default_rng(1), temperature=0), ValueError, "temperature has to be a positive"),
        (lambda m: m.sample(np.random.default_rng(1), temperature=math.nan), ValueError, "temperature has to be a"),
        (lambda m: m.sample(np.random.default_rng(1), maximum_length=-1), ValueError, "cannot be negative"),
        (lambda m: m.sample(np.random.default_rng(1), context="ab"), TypeError, "list of words"),
    ],
)
def test_bad_questions(call, error, message):
    with pytest.raises(error, match=message):
        call(NgramModel.fit(TEXT, 3))


@pytest.mark.parametrize(
    ("flat", "message"),
    [
        (np.array([4, 2, 1]), "ids have to be 0 .. 3"),
        (np.array([3, -1, 1]), "ids have to be 0 .. 3"),
        (np.array([3, 2, 3, 2, 1]), "every sentence has to begin with <s>"),
        (np.array([2, 1]), "every sentence has to begin with <s>"),
        (np.array([3, 2]), "every sentence has to begin with <s>"),
        (np.array([[3, 2, 1]]), "flat array of whole numbers"),
        (np.array([3.0, 2.0, 1.0]), "flat array of whole numbers"),
        (np.array([], dtype=int), "flat array of whole numbers"),
    ],
)
def test_bad_ids(flat, message):
    with pytest.raises(ValueError, match=message):
        NgramModel.fit_ids(flat, 2, "witten-bell", Vocabulary(list("a")))


def test_every_smoothing_is_tested():
    assert set(SMOOTHINGS) == set(MODELS)


def test_ids_beyond_16_bits_are_counted_alike():
    """The same text with ids 0 .. 50, which are sorted at once, and with ids up to 200,000, which take two sorts."""
    from unrolled.ngram.counts import count_ngrams

    rng = np.random.default_rng(0)
    sentences = [rng.integers(2, 50, length).tolist() for length in rng.integers(0, 12, 300)]
    flat = np.array([i for sentence in sentences for i in (50, *sentence, 1)])
    wide = np.array([0, 1, *np.sort(rng.choice(np.arange(2, 200_000), 48, replace=False)), 200_000])  # rising
    narrow_levels, wide_levels = count_ngrams(flat, 4, 50), count_ngrams(wide[flat], 4, 200_000)
    for k, (few, many) in enumerate(zip(narrow_levels[1:], wide_levels[1:], strict=True), start=2):
        np.testing.assert_array_equal(wide[few.word], many.word)
        np.testing.assert_array_equal(wide[few.context] if k == 2 else few.context, many.context)
        np.testing.assert_array_equal(wide[few.suffix] if k == 2 else few.suffix, many.suffix)
        np.testing.assert_array_equal(few.count, many.count)
        np.testing.assert_array_equal(few.begins, many.begins)


def test_all_texts_together_have_probability_one():
    """The probabilities of all texts of up to m words, and of those not ended by then, sum to one."""
    model = NgramModel.fit([list("ab"), list("ba"), list("b")], 3)
    words = [UNKNOWN, "a", "b"]
    ended = sum(
        (10 ** model.sentence_log10_probabilities([list(s) for s in itertools.product(words, repeat=m)])).sum()
        for m in range(5)
    )
    longer = list(itertools.product(words, repeat=5))
    logs = model.log10_probabilities([list(s) for s in longer]).reshape(len(longer), 6)
    going_on = (10 ** logs[:, :5].sum(axis=1)).sum()
    assert ended + going_on == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_counts_of_a_higher_order_serve_lower_ones(smoothing):
    from unrolled.ngram.counts import count_ngrams

    vocabulary = Vocabulary(list("abc"))
    flat = vocabulary.encode_sentences([list("abcab"), list("bacd"), [], list("aab")])
    levels = count_ngrams(flat, 4, vocabulary.size)
    for order in (1, 2, 3, 4):
        given = NgramModel.fit_ids(flat, order, smoothing, vocabulary, levels, **options(smoothing, order))
        alone = NgramModel.fit_ids(flat, order, smoothing, vocabulary, **options(smoothing, order))
        np.testing.assert_array_equal(given.log10_probabilities_of_ids(flat), alone.log10_probabilities_of_ids(flat))
        assert given.discounts == alone.discounts
    with pytest.raises(ValueError, match="needs counts up to that order; these end at 4"):
        NgramModel.fit_ids(flat, 5, smoothing, vocabulary, levels, **options(smoothing, 5))
