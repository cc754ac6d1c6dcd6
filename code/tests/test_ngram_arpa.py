"""ARPA files: round trips, and one clear error for every way in which a file can be wrong."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.ngram import SMOOTHINGS, ArpaError, NgramModel
from unrolled.vocabulary import START, UNKNOWN, Vocabulary

WRITABLE = [name for name in SMOOTHINGS if name not in ("maximum-likelihood", "stupid-backoff")]
WEIGHTS = [0.9, 0.6, 0.5, 0.4]
corpora = st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=12).filter(any)
vocabularies = st.sampled_from([None, Vocabulary(["a", "b"]), Vocabulary(list("abcdef"))])

ARPA = """\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-1.0\t<unk>\t0
-99\t<s>\t-0.5
-0.5\t</s>\t0
-0.4\ta\t-0.3
-0.6\tb\t-0.2

\\2-grams:
-0.3\t<s> a\t-0.1
-0.2\ta b\t-0.4
-0.1\tb </s>\t0

\\3-grams:
-0.05\t<s> a b

\\end\\
"""


def options(smoothing, order):
    return {"weights": WEIGHTS[:order]} if smoothing == "interpolation" else {}


def test_a_pruned_model_in_which_an_n_gram_lacks_its_first_word(tmp_path):
    path = tmp_path / "pruned.arpa"
    path.write_text(ARPA.replace("-0.2\ta b\t-0.4", "-0.2\tb a\t-0.4"))  # <s> a b is there, a b is not
    logs = NgramModel.read_arpa(path).log10_probabilities([["a", "b"], ["b", "a"]])
    b_a = [-0.5 - 0.6, -0.2, -0.4 - 0.3 - 0.5]
    np.testing.assert_allclose(logs, [-0.3, -0.05, -0.1, *b_a], rtol=0, atol=1e-12)


@pytest.mark.parametrize("smoothing", WRITABLE)
@settings(max_examples=15, deadline=None)
@given(corpora, st.integers(1, 4), vocabularies, corpora)
def test_round_trip(tmp_path_factory, smoothing, sentences, order, vocabulary, new):
    model = NgramModel.fit(sentences, order, smoothing, vocabulary, **options(smoothing, order))
    path = tmp_path_factory.mktemp("arpa") / "model.arpa"
    model.write_arpa(path)
    again = NgramModel.read_arpa(path)
    assert again.smoothing == "arpa"
    assert again.vocabulary == model.vocabulary
    assert again.order == model.order
    assert again.numbers_of_ngrams == model.numbers_of_ngrams
    np.testing.assert_allclose(again.log10_probabilities(new), model.log10_probabilities(new), rtol=0, atol=1e-8)
    if smoothing != "add-k":  # which is read as uniform where no text ever asks
        for k in range(order):
            assert again.contexts(k) == model.contexts(k)
            for context in model.contexts(k)[:20]:
                np.testing.assert_allclose(again.distribution(context), model.distribution(context), atol=1e-8)
    first = path.read_bytes()
    again.write_arpa(path)
    third = NgramModel.read_arpa(path)
    np.testing.assert_allclose(third.log10_probabilities(new), again.log10_probabilities(new), rtol=0, atol=1e-9)
    assert len(path.read_bytes().splitlines()) == len(first.splitlines())


def test_reading_by_hand(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_text("made by hand\n\n" + ARPA)
    model = NgramModel.read_arpa(path)
    assert model.order == 3
    assert model.vocabulary.words == ("a", "b")
    assert model.numbers_of_ngrams == (5, 3, 1)
    logs = model.log10_probabilities([["a", "b"], ["b", "a"], ["z"]])
    expected = [
        *(-0.3, -0.05, -0.4 + 0.4 - 0.1 - 0.4 + 0.0),
        *(-0.5 - 0.6, -0.2 - 0.4, -0.3 - 0.5),
        *(-0.5 - 1.0, -0.5),
    ]
    expected[2] = -0.4 - 0.1  # a b has a weight, and b </s> is there
    np.testing.assert_allclose(logs, expected, atol=1e-12)


def test_what_is_written(tmp_path):
    path = tmp_path / "model.arpa"
    NgramModel.fit([["a"]], 2, "absolute-discounting", discount=0.5).write_arpa(path)
    # Unigrams: a and </s> once each; (1 - 0.5)/2 + 0.5/3 = 5/12, and 0.5/3 for <unk>; bigrams: 0.5 + 0.5 * 5/12.
    one, unknown, two, half = (f"{np.log10(p):.10g}" for p in (5 / 12, 1 / 6, 0.5 + 0.5 * 5 / 12, 0.5))
    assert path.read_text() == (
        "\\data\\\nngram 1=4\nngram 2=2\n\n\\1-grams:\n"
        f"{unknown}\t<unk>\t0\n{one}\t</s>\t0\n{one}\ta\t{half}\n-99\t<s>\t{half}\n\n"
        f"\\2-grams:\n{two}\ta </s>\n{two}\t<s> a\n\n\\end\\\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("\\data\\", "data", 21, "without a line \\data\\"),
        ("ngram 1=5", "ngram 2=5", 2, "expected 'ngram 1=' and a number"),
        ("ngram 2=3", "ngram 2=three", 3, "expected 'ngram 2=' and a number"),
        ("ngram 2=3", "ngram 2=-3", 3, "expected 'ngram 2=' and a number"),
        ("ngram 1=5\nngram 2=3\nngram 3=1\n", "", 3, "expected 'ngram 1=' and a number"),
        ("\\1-grams:", "\\one-grams:", 6, "expected \\1-grams:"),
        ("ngram 1=5", "ngram 1=6", 13, "before all 1-grams that the head announces"),
        ("ngram 1=5", "ngram 1=4", 11, "expected \\2-grams:, after as many n-grams as the head announces"),
        ("ngram 2=3", "ngram 2=4", 18, "before all 2-grams"),
        ("ngram 2=3", "ngram 2=2", 16, "expected \\3-grams:"),
        ("ngram 3=1", "ngram 3=2", 21, "before all 3-grams"),
        ("ngram 3=1", "ngram 3=0", 19, "expected \\end\\"),
        ("\n\\end\\\n", "", 19, "ends before \\end\\; it is truncated"),
        ("\\3-grams:\n-0.05\t<s> a b\n\n\\end\\\n", "", 17, "ends before \\3-grams:"),
        ("-0.1\tb </s>\t0\n\n\\3-grams:\n-0.05\t<s> a b\n\n\\end\\\n", "", 15, "ends among the 2-grams"),
        ("-0.6\tb", "-0.x\tb", 11, "is no number"),
        ("-0.6\tb", "nan\tb", 11, "log10 of a probability cannot be nan"),
        ("-0.6\tb", "0.6\tb", 11, "log10 of a probability cannot be 0.6; it is 0 at most"),
        ("-0.2\ta b", "0.2\ta b", 15, "log10 of a probability cannot be 0.2"),
        ("b\t-0.2", "b\tx", 11, "is no number"),
        ("b\t-0.2", "b\tinf", 11, "back-off weight cannot be inf"),
        ("b\t-0.2", "b\tnan", 11, "back-off weight cannot be nan"),
        ("-0.6\tb", "-0.6\ta", 11, "the word 'a' stands there twice"),
        ("-0.2\ta b", "-0.2\t<s> a", 15, "this 2-gram stands there twice"),
        ("-0.2\ta b", "-0.2\ta c", 15, "the word 'c' is not among the 1-grams"),
        ("<s> a b", "b a b", 19, "the context of this 3-gram is not among the 2-grams"),
        ("-0.2\ta b", "-0.2\ta <s>", 15, "<s> can only begin an n-gram"),
        ("-0.2\ta b\t-0.4", "-0.2\ta", 15, "expected a log-probability, 2 words and perhaps a back-off weight"),
        ("-0.2\ta b\t-0.4", "-0.2\ta b b b", 15, "expected a log-probability, 2 words"),
        ("-0.05\t<s> a b", "-0.05\t<s> a b\t0", 19, "expected a log-probability, 3 words"),
        ("-1.0\t<unk>\t0", "-1.0\tq\t0", 11, "the 1-grams lack <unk>"),
        ("</s>\t0\n-0.4", "</S>\t0\n-0.4", 11, "the 1-grams lack </s>"),
        ("<s>\t-0.5", "<S>\t-0.5", 11, "the 1-grams lack <s>"),
    ],
)
def test_malformed(tmp_path, old, new, line, message):
    path = tmp_path / "model.arpa"
    assert ARPA.count(old) == 1
    path.write_text(ARPA.replace(old, new))
    with pytest.raises(ArpaError, match=re.escape(message)) as error:
        NgramModel.read_arpa(path)
    assert f"model.arpa, line {line}: " in str(error.value)


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "model.arpa"
    lines = ARPA.splitlines(keepends=True)
    for kept in range(len(lines)):
        path.write_text("".join(lines[:kept]))
        with pytest.raises(ArpaError):
            NgramModel.read_arpa(path)
    for size in range(len(ARPA) - 1):
        path.write_text(ARPA[:size])
        with pytest.raises(ArpaError):
            NgramModel.read_arpa(path)


def test_a_byte_that_is_not_utf8(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_bytes(ARPA.replace("a b", "\xe9 b").encode("latin-1"))
    with pytest.raises(ArpaError, match="line 15: the byte 0xe9 is not UTF-8"):
        NgramModel.read_arpa(path)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        NgramModel.read_arpa(tmp_path / "none.arpa")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        NgramModel.fit([["a"]], 2).write_arpa(tmp_path / "none" / "model.arpa")


def test_windows_line_ends(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_bytes(ARPA.replace("\n", "\r\n").encode())
    assert NgramModel.read_arpa(path).numbers_of_ngrams == (5, 3, 1)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (NgramModel.fit([["a"]], 2, "stupid-backoff"), "stupid backoff gives scores and no probabilities"),
        (NgramModel.fit([["a"]], 2, "maximum-likelihood"), "says nothing in contexts it has not seen"),
        (NgramModel.fit([list("a b")], 2), "the symbol ' ' is white space"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, model, message):
    path = tmp_path / "model.arpa"
    path.write_text("what stood here before")
    with pytest.raises(ValueError, match=message):
        model.write_arpa(path)
    assert path.read_text() == "what stood here before"
    assert [file.name for file in tmp_path.iterdir()] == ["model.arpa"]


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    from unrolled.ngram import arpa

    path = tmp_path / "model.arpa"
    monkeypatch.setattr(arpa, "_printable", lambda values: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        NgramModel.fit([["a"]], 2).write_arpa(path)
    assert list(tmp_path.iterdir()) == []


def test_add_k_gives_every_text_the_same(tmp_path):
    model = NgramModel.fit([list("abcab"), list("ba"), []], 3, "add-k", k=0.2)
    path = tmp_path / "model.arpa"
    model.write_arpa(path)
    again = NgramModel.read_arpa(path)
    new = [list("abz"), list("ccc"), [], list("babab")]
    np.testing.assert_allclose(again.log10_probabilities(new), model.log10_probabilities(new), atol=1e-9)
    for context in [(START,), (START, "a"), ("a", "b"), ("c", "c"), (UNKNOWN, "a")]:
        np.testing.assert_allclose(again.distribution(context), model.distribution(context), atol=1e-9)


def test_a_model_that_was_read_is_as_small_as_the_one_written(tmp_path):
    model = NgramModel.fit([list("abcab"), list("ba")], 3)
    model.write_arpa(tmp_path / "model.arpa")
    assert NgramModel.read_arpa(tmp_path / "model.arpa").nbytes == model.nbytes
