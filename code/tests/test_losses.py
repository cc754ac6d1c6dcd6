"""Softmax and cross-entropy in one pass: against torch, the complex step, and bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.gradients import complex_step
from unrolled.losses import softmax_cross_entropy


@st.composite
def problems(draw):
    shape = (*draw(st.sampled_from([(), (3,), (1,)])), draw(st.integers(1, 7)), draw(st.integers(1, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    z = rng.normal(0, draw(st.sampled_from([0.1, 1.0, 10.0])), shape)
    targets = rng.integers(0, shape[-2], shape[:-2] + shape[-1:])
    return z, targets, rng.normal(size=targets.shape)


@given(problems())
def test_against_torch_with_a_random_upstream(problem):
    z, targets, upstream = problem
    losses, dz = softmax_cross_entropy(z, targets)
    leaf = torch.tensor(z, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        leaf.movedim(-2, -1).flatten(0, -2), torch.tensor(targets).flatten(), reduction="none"
    )
    (theirs * torch.tensor(upstream).flatten()).sum().backward()
    np.testing.assert_allclose(losses.ravel(), theirs.detach().numpy(), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(dz * np.expand_dims(upstream, -2), leaf.grad.numpy(), rtol=1e-12, atol=1e-14)


@given(problems())
def test_against_the_complex_step_with_a_random_upstream(problem):
    z, targets, upstream = problem
    _, dz = softmax_cross_entropy(z, targets)
    derivative = complex_step(lambda z: (softmax_cross_entropy(z, targets)[0] * upstream).sum(), z)
    np.testing.assert_allclose(dz * np.expand_dims(upstream, -2), derivative, rtol=1e-12, atol=1e-13)


@given(problems())
def test_the_gradient_of_a_column_sums_to_zero_and_the_loss_is_positive(problem):
    z, targets, _ = problem
    losses, dz = softmax_cross_entropy(z, targets)
    assert (losses >= 0).all()
    np.testing.assert_allclose(dz.sum(axis=-2), 0, atol=1e-13)


def test_equal_scores_cost_ln_v():
    losses, dz = softmax_cross_entropy(np.zeros((5, 2)), np.array([0, 4]))
    np.testing.assert_allclose(losses, np.log(5), rtol=1e-15)
    np.testing.assert_allclose(dz[:, 0], [-0.8, 0.2, 0.2, 0.2, 0.2], rtol=1e-15)


def test_huge_scores_do_not_overflow():
    losses, dz = softmax_cross_entropy(np.array([[1e4, 1e4], [0.0, 0.0]]), np.array([0, 1]))
    np.testing.assert_array_equal(losses, [0, 1e4])
    np.testing.assert_array_equal(dz, [[0, 1], [0, -1]])


def test_type_is_kept_and_the_scores_are_left_alone():
    for dtype in (np.float32, np.float64):
        z = np.arange(6, dtype=dtype).reshape(3, 2)
        before = z.copy()
        losses, dz = softmax_cross_entropy(z, np.array([0, 2], dtype=np.int32))
        assert losses.dtype == dz.dtype == dtype
        np.testing.assert_array_equal(z, before)


def test_out_may_be_the_scores_themselves():
    z = np.random.default_rng(1).normal(size=(4, 3))
    targets = np.array([0, 3, 1])
    losses, dz = softmax_cross_entropy(z, targets)
    again, same = softmax_cross_entropy(z, targets, out=z)
    assert same is z
    np.testing.assert_array_equal(same, dz)
    np.testing.assert_array_equal(again, losses)


def test_bad_input_is_named():
    z = np.zeros((4, 3))
    with pytest.raises(ValueError, match="targets of shape"):
        softmax_cross_entropy(z, np.array([0, 1]))
    with pytest.raises(ValueError, match="targets of shape"):
        softmax_cross_entropy(z[:, 0], np.array(0))
    with pytest.raises(ValueError, match="target 4 is out of range: the scores have V = 4 rows"):
        softmax_cross_entropy(z, np.array([0, 4, 1]))
    with pytest.raises(ValueError, match="target -1 is out of range"):
        softmax_cross_entropy(z, np.array([0, -1, 1]))
    with pytest.raises(TypeError, match="integers"):
        softmax_cross_entropy(z, np.array([0.0, 1.0, 2.0]))
    with pytest.raises(TypeError, match="floating-point"):
        softmax_cross_entropy(z.astype(int), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="out has to have the shape"):
        softmax_cross_entropy(z, np.array([0, 1, 2]), out=np.zeros((3, 3)))
