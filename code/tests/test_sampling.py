"""Temperature, top-k, nucleus, drawing: distributions, ties, limits, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.activations import softmax
from unrolled.sampling import draw, nucleus, temper, top_k


@st.composite
def distributions(draw_, columns=True):
    """Distributions with ties and zeros among them."""
    size = draw_(st.integers(1, 9))
    m = draw_(st.integers(1, 4)) if columns else 1
    weight = draw_(st.lists(st.integers(0, 5), min_size=size * m, max_size=size * m))
    weight = np.array(weight, dtype=np.float64).reshape(size, m)
    weight[0] += weight.sum(axis=0) == 0
    p = weight / weight.sum(axis=0)
    return p if columns and draw_(st.booleans()) else p[:, 0]


def columns_of(p):
    return list(p.T) if p.ndim == 2 else [p]


# Temperature


@settings(deadline=None)
@given(distributions(), st.floats(0.05, 20))
def test_temper_by_its_formula(p, temperature):
    q = temper(p, temperature)
    assert q.shape == p.shape
    for new, old in zip(columns_of(q), columns_of(p), strict=True):
        largest = old.max()
        expected = [(value / largest) ** (1 / temperature) for value in old]
        np.testing.assert_allclose(new, np.array(expected) / sum(expected), rtol=1e-11, atol=1e-300)
        assert new.sum() == pytest.approx(1, rel=1e-14)
        assert (new[old == 0] == 0).all()


@settings(deadline=None)
@given(distributions(), st.floats(0.05, 20), st.floats(-1e3, 1e3))
def test_scores_and_probabilities_agree(p, temperature, shift):
    with np.errstate(divide="ignore"):
        z = np.log(p) + shift
    np.testing.assert_allclose(temper(scores=z, temperature=temperature), temper(p, temperature), rtol=1e-10)
    if np.isfinite(z).all():
        np.testing.assert_allclose(temper(scores=z, temperature=temperature), softmax(z / temperature), rtol=1e-10)


@settings(deadline=None)
@given(distributions())
def test_limits_of_the_temperature(p):
    np.testing.assert_allclose(temper(p, 1.0), p, rtol=1e-14)
    coldest = temper(p, 0)
    for tiny in (1e-3, 1e-300):
        np.testing.assert_allclose(temper(p, tiny), coldest, atol=1e-12)
    for new, old in zip(columns_of(coldest), columns_of(p), strict=True):
        largest = old == old.max()
        np.testing.assert_allclose(new, largest / largest.sum(), rtol=1e-14)
    hot = temper(p, 1e12)
    for new, old in zip(columns_of(hot), columns_of(p), strict=True):
        np.testing.assert_allclose(new, (old > 0) / (old > 0).sum(), rtol=1e-9)


@settings(deadline=None)
@given(distributions(), st.floats(0.1, 10), st.floats(0.1, 10))
def test_temperatures_multiply(p, one, other):
    np.testing.assert_allclose(temper(temper(p, one), other), temper(p, one * other), rtol=1e-9, atol=1e-300)


def test_huge_scores_do_not_overflow():
    np.testing.assert_array_equal(temper(scores=np.array([1e308, -1e308, 0.0]), temperature=0.5), [1, 0, 0])
    np.testing.assert_array_equal(temper(scores=np.array([1000.0, 1000.0, -np.inf])), [0.5, 0.5, 0])


# Top-k and nucleus


@settings(deadline=None)
@given(distributions(), st.integers(1, 12))
def test_top_k_against_sorting(p, k):
    q = top_k(p, k)
    assert q.shape == p.shape
    for new, old in zip(columns_of(q), columns_of(p), strict=True):
        kept = sorted(range(len(old)), key=lambda i: (-old[i], i))[:k]
        expected = np.zeros(len(old))
        expected[kept] = old[kept]
        np.testing.assert_allclose(new, expected / expected.sum(), rtol=1e-14)


@settings(deadline=None)
@given(distributions(), st.floats(0.001, 1))
def test_a_nucleus_is_the_smallest_set_that_suffices(p, mass):
    q = nucleus(p, mass)
    assert q.shape == p.shape
    for new, old in zip(columns_of(q), columns_of(p), strict=True):
        ranked = sorted(range(len(old)), key=lambda i: (-old[i], i))
        number = np.count_nonzero(new)
        kept = ranked[:number]
        assert set(np.flatnonzero(new)) == set(kept)
        np.testing.assert_allclose(new[kept], old[kept] / old[kept].sum(), rtol=1e-13)
        assert old[kept].sum() >= mass - 1e-12
        assert old[kept[:-1]].sum() < mass + 1e-12


@settings(deadline=None)
@given(distributions())
def test_limits_of_top_k_and_nucleus(p):
    size = p.shape[0]
    for all_of_it in (top_k(p, size), top_k(p, size + 3), nucleus(p, 1), nucleus(p, 1.0)):
        np.testing.assert_array_equal(all_of_it, p)
        assert all_of_it is not p
    np.testing.assert_array_equal(top_k(p, 1), nucleus(p, 1e-9))
    np.testing.assert_array_equal(np.argmax(top_k(p, 1), axis=0), np.argmax(p, axis=0))  # the first of equals


def test_of_equals_the_smaller_id_comes_first():
    p = np.full(8, 0.125)
    np.testing.assert_array_equal(top_k(p, 2), [0.5, 0.5, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(nucleus(p, 0.25), [0.5, 0.5, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(np.count_nonzero(nucleus(p, 0.26)), 3)


@settings(deadline=None)
@given(distributions())
def test_arguments_are_left_alone(p):
    before = p.copy()
    temper(p, 0.5), top_k(p, 1), nucleus(p, 0.5), draw(p, np.random.default_rng(0))
    np.testing.assert_array_equal(p, before)


# Drawing


@settings(deadline=None)
@given(distributions(), st.integers(0, 2**32))
def test_what_is_impossible_is_never_drawn(p, seed):
    ids = draw(p, np.random.default_rng(seed))
    assert np.shape(ids) == p.shape[1:]
    assert all(column[i] > 0 for column, i in zip(columns_of(p), np.atleast_1d(ids), strict=True))


class Edge:
    """A generator whose uniform number is the largest or the smallest there is."""

    def __init__(self, value):
        self.value = value

    def random(self, size):
        return np.full(size, self.value)


@settings(deadline=None)
@given(distributions())
def test_the_ends_of_the_unit_interval(p):
    last = np.atleast_1d(draw(p, Edge(np.nextafter(1.0, 0))))
    first = np.atleast_1d(draw(p, Edge(0.0)))
    for column, i, j in zip(columns_of(p), first, last, strict=True):
        assert i == np.flatnonzero(column)[0]
        assert j == np.flatnonzero(column)[-1]


def test_frequencies_of_what_is_drawn():
    p = np.array([0.5, 0.0, 0.2, 0.3])
    ids = draw(np.tile(p[:, None], (1, 40_000)), np.random.default_rng(3))
    share = np.bincount(ids, minlength=4) / ids.size
    assert share[1] == 0
    assert (abs(share - p) < 4 * np.sqrt(p * (1 - p) / ids.size) + 1e-12).all()  # four standard errors
    one = draw(p, np.random.default_rng(3))
    assert isinstance(one, int)
    assert one == ids[0]


# Errors


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.array([0.5, 0.6]), "sums to 1.1"),
        (np.array([[0.5, 0.2], [0.5, 0.2]]), "sums to 0.4"),
        (np.array([-0.5, 1.5]), "an entry is -0.5"),
        (np.array([np.nan, 1.0]), "an entry is NaN"),
        (np.array([]), "shape"),
        (np.ones((1, 1, 1)), "shape"),
    ],
)
def test_what_is_no_distribution_is_refused(p, message):
    for function in (temper, lambda p: top_k(p, 1), lambda p: nucleus(p, 0.5), lambda p: draw(p, Edge(0.5))):
        with pytest.raises(ValueError, match=message):
            function(p)


def test_arguments_out_of_range():
    p = np.array([0.5, 0.5])
    for temperature in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="temperature"):
            temper(p, temperature)
    for k in (0, -1, 1.5):
        with pytest.raises(ValueError, match="k has to be a whole number"):
            top_k(p, k)
    for mass in (0, -0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="mass"):
            nucleus(p, mass)
    with pytest.raises(ValueError, match="either probabilities or scores"):
        temper()
    with pytest.raises(ValueError, match="either probabilities or scores"):
        temper(p, scores=p)
    for z in (np.array([np.nan, 0]), np.array([np.inf, 0]), np.array([-np.inf, -np.inf]), np.empty(0)):
        with pytest.raises(ValueError, match="finite largest"):
            temper(scores=z)
