"""Entropies, perplexity and log-sum-exp against exact arithmetic and against each other."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled import metrics


@st.composite
def distributions(draw, number=1):
    """Distributions over the same few symbols, zeros included in the first one only."""
    size = draw(st.integers(1, 8))
    drawn = []
    for i in range(number):
        low = 0.0 if i == 0 else 0.01
        weights = draw(hnp.arrays(np.float64, size, elements=st.floats(low, 1.0)))
        weights[draw(st.integers(0, size - 1))] += 1.0
        drawn.append(weights / weights.sum())
    return drawn if number > 1 else drawn[0]


logits = hnp.arrays(np.float64, st.integers(1, 6), elements=st.floats(-800, 800))


@given(logits)
def test_log_sum_exp_against_decimal_arithmetic(z):
    with localcontext() as context:
        context.prec = 60
        exact = float(sum(Decimal(float(x)).exp() for x in z).ln())
    assert metrics.log_sum_exp(z) == pytest.approx(exact, rel=1e-14, abs=1e-14)


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(-50, 50)), st.sampled_from([None, 0, 1, -1]))
def test_log_sum_exp_along_an_axis(z, axis):
    np.testing.assert_allclose(metrics.log_sum_exp(z, axis), np.log(np.exp(z).sum(axis=axis)), rtol=1e-13, atol=1e-13)


@given(logits, st.floats(-1000, 1000))
def test_log_sum_exp_shift(z, shift):
    assert metrics.log_sum_exp(z + shift) == pytest.approx(metrics.log_sum_exp(z) + shift, abs=1e-11)


def test_log_sum_exp_at_the_edges():
    assert metrics.log_sum_exp([-np.inf, -np.inf]) == -np.inf
    assert metrics.log_sum_exp([-np.inf, 3.0]) == 3.0
    assert metrics.log_sum_exp([np.inf, 0.0]) == np.inf
    assert metrics.log_sum_exp(np.float32([0, 0])).dtype == np.float32
    assert metrics.log_sum_exp([1, 2]) == pytest.approx(np.logaddexp(1, 2), rel=1e-15)
    with pytest.raises(ValueError, match="empty"):
        metrics.log_sum_exp([])


def test_log_sum_exp_takes_a_complex_step():
    z, h = np.array([800.0, 799.0, -3.0]), 1e-30
    slopes = [np.imag(metrics.log_sum_exp(z + 1j * h * np.eye(3)[i])) / h for i in range(3)]
    weights = np.exp(z - 800)
    np.testing.assert_allclose(slopes, weights / weights.sum(), rtol=1e-14)


@given(distributions(number=2))
def test_cross_entropy_splits_and_is_never_below_the_entropy(pair):
    p, q = pair
    split = metrics.entropy(p) + metrics.kullback_leibler(p, q)
    assert metrics.cross_entropy(p, q) == pytest.approx(split, rel=1e-12, abs=1e-12)
    assert metrics.kullback_leibler(p, q) >= -1e-12
    assert metrics.entropy(p) <= np.log2(p.size) + 1e-12
    assert metrics.kullback_leibler(p, p) == 0


def test_entropies_by_hand():
    assert metrics.entropy([0.5, 0.25, 0.25]) == 1.5
    assert metrics.entropy([1.0, 0.0]) == 0.0
    assert metrics.cross_entropy([0.5, 0.5], [0.25, 0.75]) == pytest.approx(0.5 * 2 + 0.5 * np.log2(4 / 3))
    assert metrics.cross_entropy([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert metrics.kullback_leibler([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert metrics.cross_entropy([1.0, 0.0], [1.0, 0.0]) == 0.0


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([], "empty"),
        ([0.5, 0.6], "sum to 1.1"),
        ([-0.5, 1.5], "-0.5"),
        ([np.nan, 1.0], "NaN"),
        ([np.inf], "sum to inf"),
    ],
)
def test_what_is_no_distribution(p, message):
    for call in (
        metrics.entropy,
        lambda p: metrics.cross_entropy(p, [1.0]),
        lambda p: metrics.kullback_leibler([1.0], p),
    ):
        with pytest.raises(ValueError, match=message):
            call(p)
    with pytest.raises(ValueError, match="same symbols"):
        metrics.cross_entropy([0.5, 0.5], [1.0])
    with pytest.raises(ValueError, match="same symbols"):
        metrics.kullback_leibler([0.5, 0.5], [1.0])


@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(1e-6, 1.0)))
def test_perplexity_is_the_inverse_geometric_mean(p):
    product = float(np.prod(p.astype(np.longdouble)) ** (-np.longdouble(1) / p.size))
    assert metrics.perplexity(np.log(p)) == pytest.approx(product, rel=1e-12)
    assert metrics.perplexity(np.log10(p), base=10) == pytest.approx(product, rel=1e-12)
    assert metrics.perplexity(np.log2(p), base=2) == pytest.approx(2 ** metrics.bits_per_token(np.log(p)), rel=1e-12)


@given(st.integers(1, 100_000), st.integers(1, 50))
def test_the_uniform_model(v, tokens):
    assert metrics.perplexity(np.full(tokens, -np.log(v))) == pytest.approx(v, rel=1e-12)


@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-9, -0.01)), st.integers(1, 200))
def test_units_convert(log_probabilities, characters):
    bits = metrics.bits_per_character(log_probabilities, characters)
    converted = metrics.convert_perplexity(metrics.perplexity(log_probabilities), log_probabilities.size, characters)
    assert np.log2(converted) == pytest.approx(bits, rel=1e-9)
    back = metrics.convert_perplexity(converted, characters, log_probabilities.size)
    assert back == pytest.approx(metrics.perplexity(log_probabilities), rel=1e-9)


def test_impossible_tokens_and_bad_input():
    assert metrics.perplexity([0.0, -np.inf]) == np.inf
    assert metrics.perplexity([0.0]) == 1.0
    for call in (
        metrics.perplexity,
        metrics.bits_per_token,
        lambda x, **base: metrics.bits_per_character(x, 3, **base),
    ):
        with pytest.raises(ValueError, match="no log-probabilities"):
            call([])
        with pytest.raises(ValueError, match="number 1 is NaN"):
            call([-1.0, np.nan])
        with pytest.raises(ValueError, match="above zero"):
            call([0.5])
        with pytest.raises(ValueError, match="base"):
            call([-1.0], base=1.0)
    with pytest.raises(ValueError, match="positive"):
        metrics.bits_per_character([-1.0], 0)
    with pytest.raises(ValueError, match="at least 1"):
        metrics.convert_perplexity(0.5, 1, 1)
    with pytest.raises(ValueError, match="positive"):
        metrics.convert_perplexity(2.0, 0, 1)
