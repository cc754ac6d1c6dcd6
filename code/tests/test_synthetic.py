"""The copy and the adding task: what stands where, and floors computed from the tasks themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import synthetic

SIZES = st.tuples(st.integers(2, 40), st.integers(1, 20), st.integers(0, 2**32 - 1))


@given(SIZES)
def test_a_copy_is_the_first_ten_symbols_after_the_marker(sizes):
    T, m, seed = sizes
    x, targets = synthetic.copying(np.random.default_rng(seed), T, m)
    assert x.shape == targets.shape == (T + 20, m)
    for column in range(m):
        read, written = x[:, column].tolist(), targets[:, column].tolist()
        assert max(read[:10]) < 8
        assert read.index(9) == T + 9
        assert set(read[10 : T + 9]) | set(read[T + 10 :]) <= {8}
        assert written == [8] * (T + 10) + read[:10]


@given(SIZES)
def test_a_sum_is_that_of_the_two_marked_numbers(sizes):
    T, m, seed = sizes
    x, targets = synthetic.adding(np.random.default_rng(seed), T, m)
    assert x.shape == (T, 2, m)
    assert targets.shape == (1, 1, m)
    assert set(np.unique(x[:, 1])) <= {0.0, 1.0}
    assert (x[: T // 2, 1].sum(axis=0) == 1).all()
    assert (x[T // 2 :, 1].sum(axis=0) == 1).all()
    np.testing.assert_allclose(targets[0, 0], (x[:, 0] * x[:, 1]).sum(axis=0), rtol=1e-15)


def test_the_copy_floor_is_what_guessing_costs():
    """A model that knows the time alone: the mean loss of the best fixed distribution of each step, from counts."""
    T, m = 7, 50_000
    targets = synthetic.copying(np.random.default_rng(0), T, m).targets
    losses = []
    for step in targets:
        share = np.bincount(step, minlength=synthetic.IDS) / m
        losses.append(-np.sum(share[share > 0] * np.log(share[share > 0])))
    assert np.mean(losses) == pytest.approx(synthetic.copying_floor(T), rel=1e-4)


def test_the_adding_floor_is_the_best_constant():
    targets = synthetic.adding(np.random.default_rng(0), 10, 200_000).targets
    assert targets.mean() == pytest.approx(1, abs=0.005)
    assert targets.var() == pytest.approx(synthetic.adding_floor(), rel=0.01)


def test_every_place_can_be_marked():
    marks = synthetic.adding(np.random.default_rng(0), 5, 2000).x[:, 1]
    assert (marks.sum(axis=1) > 0).all()


def test_copied_counts_the_last_ten_steps():
    targets = synthetic.copying(np.random.default_rng(0), 4, 3).targets
    assert synthetic.copied(targets, targets) == 1
    answers = targets.copy()
    answers[:-10] = 0
    assert synthetic.copied(answers, targets) == 1
    answers[-10:, 0] = 8
    assert synthetic.copied(answers, targets) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="one shape"):
        synthetic.copied(answers[1:], targets)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: synthetic.copying(rng, 0, 1), "T has to be at least 1; got 0"),
        (lambda rng: synthetic.copying(rng, 1, 0), "m has to be at least 1; got 0"),
        (lambda rng: synthetic.adding(rng, 1, 1), "T has to be at least 2"),
        (lambda rng: synthetic.adding(rng, 2, 0), "m has to be at least 1; got 0"),
        (lambda rng: synthetic.copying_floor(0), "T has to be at least 1"),
    ],
)
def test_impossible_sizes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
