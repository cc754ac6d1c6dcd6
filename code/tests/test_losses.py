"""Losses with their gradients in one pass: against torch, the complex step, and bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.gradients import complex_step
from unrolled.losses import LOSSES, apply_mask, sigmoid_cross_entropy, softmax_cross_entropy


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


def test_large_steps_are_taken_one_at_a_time_with_the_same_result():
    rng = np.random.default_rng(2)
    z, targets = rng.normal(size=(3, 5000, 8)), rng.integers(0, 5000, (3, 8))
    before = z.copy()
    losses, dz = softmax_cross_entropy(z, targets)
    np.testing.assert_array_equal(z, before)
    for t in range(3):
        step, dz_t = softmax_cross_entropy(z[t], targets[t])
        np.testing.assert_allclose(losses[t], step, rtol=1e-14)
        np.testing.assert_allclose(dz[t], dz_t, rtol=1e-13)
    again, same = softmax_cross_entropy(z, targets, out=z)
    assert same is z
    np.testing.assert_array_equal(same, dz)
    np.testing.assert_array_equal(again, losses)


# The sigmoid loss


@st.composite
def binary_problems(draw):
    shape = (*draw(st.sampled_from([(), (3,), (1,)])), draw(st.integers(1, 7)), draw(st.integers(1, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    z = rng.normal(0, draw(st.sampled_from([0.1, 1.0, 10.0])), shape)
    y = rng.random(shape) if draw(st.booleans()) else rng.integers(0, 2, shape)
    return z, y, rng.normal(size=shape[:-2] + shape[-1:])


@given(binary_problems())
def test_sigmoid_against_torch_with_a_random_upstream(problem):
    z, y, upstream = problem
    losses, dz = sigmoid_cross_entropy(z, y)
    leaf = torch.tensor(z, requires_grad=True)
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(leaf, torch.tensor(y).double(), reduction="none")
    theirs = theirs.sum(dim=-2)
    (theirs * torch.tensor(upstream)).sum().backward()
    np.testing.assert_allclose(losses, theirs.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(dz * np.expand_dims(upstream, -2), leaf.grad.numpy(), rtol=1e-12, atol=1e-15)


@given(binary_problems())
def test_sigmoid_against_the_complex_step_with_a_random_upstream(problem):
    z, y, upstream = problem
    _, dz = sigmoid_cross_entropy(z, y)
    derivative = complex_step(lambda z: (sigmoid_cross_entropy(z, y)[0] * upstream).sum(), z)
    np.testing.assert_allclose(dz * np.expand_dims(upstream, -2), derivative, rtol=1e-12, atol=1e-14)


@given(binary_problems())
def test_sigmoid_is_a_softmax_over_two_scores(problem):
    z, _, _ = problem
    y = (z > 0.3).astype(int)
    z, y = z[..., :1, :], y[..., :1, :]
    expected, _ = softmax_cross_entropy(np.concatenate([0 * z, z], axis=-2), y[..., 0, :])
    np.testing.assert_allclose(sigmoid_cross_entropy(z, y)[0], expected, rtol=1e-12, atol=1e-15)


def test_sigmoid_of_huge_scores():
    z = np.array([[1e4, -1e4, 1e4, -1e4, 0.0]])
    losses, dz = sigmoid_cross_entropy(z, np.array([[1, 0, 0, 1, 1]]))
    np.testing.assert_array_equal(losses, [0, 0, 1e4, 1e4, np.log(2)])
    np.testing.assert_array_equal(dz, [[0, 0, 1, -1, -0.5]])
    assert sigmoid_cross_entropy(np.array([[40.0]]), np.array([[1.0]]))[0][0] == pytest.approx(np.exp(-40), rel=1e-12)


def test_sigmoid_keeps_the_type_and_writes_where_it_is_told():
    for dtype in (np.float32, np.float64):
        z, y = np.linspace(-2, 2, 6, dtype=dtype).reshape(3, 2), np.linspace(0, 1, 6).reshape(3, 2)
        before = z.copy()
        losses, dz = sigmoid_cross_entropy(z, y)
        assert losses.dtype == dz.dtype == dtype
        np.testing.assert_array_equal(z, before)
        again, same = sigmoid_cross_entropy(z, y, out=z)
        assert same is z
        np.testing.assert_array_equal(same, dz)
        np.testing.assert_array_equal(again, losses)


def test_sigmoid_names_bad_input():
    z = np.zeros((4, 3))
    with pytest.raises(ValueError, match=r"got z \(4, 3\), y \(3,\)"):
        sigmoid_cross_entropy(z, np.zeros(3))
    with pytest.raises(ValueError, match=r"\[0, 1\]; one is 2\.0"):
        sigmoid_cross_entropy(z, np.full((4, 3), 2.0))
    with pytest.raises(ValueError, match="one is nan"):
        sigmoid_cross_entropy(z, np.full((4, 3), np.nan))
    with pytest.raises(TypeError, match="real numbers"):
        sigmoid_cross_entropy(z, np.zeros((4, 3), complex))
    with pytest.raises(TypeError, match="floating-point"):
        sigmoid_cross_entropy(z.astype(int), z)
    with pytest.raises(ValueError, match="out has to have the shape"):
        sigmoid_cross_entropy(z, z, out=np.zeros((3, 3)))


# Masks


@pytest.mark.parametrize("name", LOSSES)
def test_a_mask_zeroes_losses_and_gradients_of_padding_even_where_they_are_nan(name):
    rng = np.random.default_rng(0)
    z, mask = rng.normal(size=(4, 3, 5)), rng.random((4, 5)) < 0.5
    losses, dz = LOSSES[name](z, rng.integers(0, 2, (4, 5) if name == "softmax" else (4, 3, 5)))
    expected, expected_dz = np.where(mask, losses, 0), np.where(mask[:, None], dz, 0)
    losses[~mask] = np.nan
    dz.swapaxes(1, 2)[~mask] = np.nan
    found, found_dz = apply_mask(losses, dz, mask)
    assert found is losses
    assert found_dz is dz
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found_dz, expected_dz)
    with pytest.raises(ValueError, match=r"boolean and of the shape \(4, 5\)"):
        apply_mask(losses, dz, mask.T)
    with pytest.raises(ValueError, match="boolean"):
        apply_mask(losses, dz, mask.astype(int))
