"""Numerical derivatives: exact where they have to be, and loud where they would lie. Lengths and clipping."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.gradients import (
    central_difference,
    clip_by_array_norm,
    clip_by_element,
    clip_by_global_norm,
    complex_step,
    global_norm,
)


@settings(deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6))
def test_complex_step_is_exact_to_the_last_digits(values):
    x = np.array(values)
    np.testing.assert_allclose(
        complex_step(lambda x: np.exp(np.sin(x)).sum(), x), np.exp(np.sin(x)) * np.cos(x), rtol=1e-14
    )


@settings(deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6))
def test_central_difference_keeps_about_ten_digits(values):
    x = np.array(values)
    np.testing.assert_allclose(
        central_difference(lambda x: np.exp(np.sin(x)).sum(), x), np.exp(np.sin(x)) * np.cos(x), atol=1e-9
    )


@pytest.mark.parametrize(("method", "tolerance"), [(complex_step, 1e-15), (central_difference, 1e-9)])
def test_a_function_with_many_values_gives_a_jacobian(method, tolerance):
    A = np.random.default_rng(0).normal(size=(3, 4))
    jacobian = method(lambda x: A @ x, np.ones((4, 2)))
    assert jacobian.shape == (3, 2, 4, 2)
    expected = np.einsum("ij,kl->ikjl", A, np.eye(2))
    np.testing.assert_allclose(jacobian, expected, atol=tolerance)


@pytest.mark.parametrize("method", [complex_step, central_difference])
def test_a_dictionary_is_differentiated_entry_by_entry(method):
    at = {"u": np.array([1.0, 2.0]), "v": np.array([[3.0]])}
    gradient = method(lambda p: (p["u"] ** 2).sum() * p["v"][0, 0], at)
    assert set(gradient) == {"u", "v"}
    np.testing.assert_allclose(gradient["u"], [6.0, 12.0], rtol=1e-9)
    np.testing.assert_allclose(gradient["v"], [[5.0]], rtol=1e-9)


@pytest.mark.parametrize("method", [complex_step, central_difference])
def test_the_point_is_left_alone_and_whole_numbers_are_welcome(method):
    at = np.array([2, 3])
    np.testing.assert_allclose(method(lambda x: (x**3).sum(), at), [12, 27], rtol=1e-9)
    assert at.tolist() == [2, 3]
    assert at.dtype.kind == "i"


def test_a_function_that_drops_the_imaginary_part_is_found_out():
    with pytest.raises(TypeError, match="imaginary part is lost"):
        complex_step(lambda x: np.abs(x).sum(), np.ones(2))


@pytest.mark.parametrize("method", [complex_step, central_difference])
def test_nothing_to_differentiate(method):
    with pytest.raises(ValueError, match="nothing to differentiate"):
        method(np.sum, np.empty(0))


# Lengths and clipping


@st.composite
def some_gradients(draw, dtype=np.float64, exponents=(-8, 8)):
    shapes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return {
        f"W{i}": (rng.normal(size=s) * 10.0 ** draw(st.integers(*exponents))).astype(dtype)
        for i, s in enumerate(shapes)
    }


def flat(gradients):
    return np.concatenate([np.ravel(g) for g in gradients.values()]).astype(np.float64)


def test_the_global_norm_by_hand():
    gradients = {"Waa": np.array([[3.0, 0.0], [0.0, 4.0]]), "ba": np.array([[12.0], [0.0]])}
    assert global_norm(gradients) == 13
    clipped, norm = clip_by_global_norm(gradients, 6.5)
    assert norm == 13
    np.testing.assert_array_equal(clipped["Waa"], [[1.5, 0], [0, 2]])
    np.testing.assert_array_equal(clipped["ba"], [[6], [0]])
    np.testing.assert_array_equal(gradients["ba"], [[12], [0]])
    same, norm = clip_by_global_norm(gradients, 13.0)
    assert norm == 13
    assert same is not gradients
    assert all(same[name] is gradients[name] for name in gradients)
    by_array = clip_by_array_norm(gradients, 6.0)
    assert by_array["Waa"] is gradients["Waa"]
    np.testing.assert_array_equal(by_array["ba"], [[6], [0]])
    by_element = clip_by_element(gradients, 3.5)
    np.testing.assert_array_equal(by_element["Waa"], [[3, 0], [0, 3.5]])
    np.testing.assert_array_equal(by_element["ba"], [[3.5], [0]])


@settings(deadline=None)
@given(some_gradients(), st.floats(1e-6, 1e6))
def test_clipping_shortens_and_keeps_the_direction(gradients, threshold):
    clipped, norm = clip_by_global_norm(gradients, threshold)
    assert norm == pytest.approx(np.linalg.norm(flat(gradients)), rel=1e-14)
    assert global_norm(clipped) <= threshold * (1 + 1e-14)
    assert global_norm(clipped) == pytest.approx(min(norm, threshold), rel=1e-14)
    factor = min(1.0, threshold / norm)
    again, _ = clip_by_global_norm(clipped, threshold)
    for name, g in gradients.items():
        np.testing.assert_allclose(clipped[name], factor * g, rtol=1e-14)
        np.testing.assert_allclose(again[name], clipped[name], rtol=1e-14)
    for name, g in clip_by_array_norm(gradients, threshold).items():
        length = np.linalg.norm(gradients[name])
        np.testing.assert_allclose(g, gradients[name] * min(1.0, threshold / length), rtol=1e-14)
    for name, g in clip_by_element(gradients, threshold).items():
        np.testing.assert_array_equal(g, np.minimum(np.maximum(gradients[name], -threshold), threshold))


@settings(deadline=None)
@given(some_gradients(), st.floats(1e-3, 1e3))
def test_clipping_against_torch(gradients, threshold):
    theirs = [torch.tensor(g, requires_grad=True) for g in gradients.values()]
    for tensor, g in zip(theirs, gradients.values(), strict=True):
        tensor.grad = torch.tensor(g)
    their_norm = torch.nn.utils.clip_grad_norm_(theirs, threshold).item()
    clipped, norm = clip_by_global_norm(gradients, threshold)
    assert norm == pytest.approx(their_norm, rel=1e-14)
    # They multiply by min(1, threshold / (norm + 1e-6)), we by min(1, threshold / norm).
    factor = min(1.0, threshold / norm) / min(1.0, threshold / (norm + 1e-6))
    for tensor, g in zip(theirs, clipped.values(), strict=True):
        np.testing.assert_allclose(g, tensor.grad.numpy() * factor, rtol=1e-13)


@settings(deadline=None)
@given(some_gradients(np.float32, (-30, 30)), st.floats(1e-3, 1e3))
def test_clipping_keeps_float32_and_counts_in_float64(gradients, threshold):
    clipped, norm = clip_by_global_norm(gradients, threshold)
    assert norm == pytest.approx(np.linalg.norm(flat(gradients)), rel=1e-13)
    assert {g.dtype for g in clipped.values()} == {np.dtype(np.float32)}
    assert global_norm(clipped) == pytest.approx(min(norm, threshold), rel=1e-6)


@pytest.mark.parametrize("scale", [1e308, 1e200, 1e154, 1e-150, 1e-170, 1e-300])
def test_squares_may_overflow_or_vanish(scale):
    gradients = {"W": np.array([[0.75, 0.0]]) * scale, "b": np.array([[1.0]]) * scale}
    assert global_norm(gradients) == pytest.approx(1.25 * scale, rel=1e-14)
    clipped, norm = clip_by_global_norm(gradients, scale * 0.5)
    assert norm == global_norm(gradients)
    np.testing.assert_allclose(clipped["b"], 0.4 * scale, rtol=1e-14)
    np.testing.assert_allclose(clip_by_global_norm(gradients, 1e-3)[0]["b"], min(0.8e-3, scale), rtol=1e-14)


def test_a_norm_beyond_all_floats_is_clipped_still():
    gradients = {"W": np.full((2, 2), 1.7e308)}
    assert global_norm(gradients) == np.inf
    np.testing.assert_allclose(clip_by_global_norm(gradients, 1.0)[0]["W"], 0.5, rtol=1e-14)


def test_nothing_is_clipped_to_nothing():
    gradients = {"W": np.zeros((2, 3)), "empty": np.zeros((0, 3))}
    clipped, norm = clip_by_global_norm(gradients, 1.0)
    assert norm == 0
    np.testing.assert_array_equal(clipped["W"], 0)
    assert global_norm({"empty": np.zeros((0, 3))}) == 0
    assert clip_by_global_norm({"W": np.full(4, 50.0)}, np.inf)[1] == 100


@pytest.mark.parametrize("clip", [clip_by_global_norm, clip_by_array_norm, clip_by_element])
def test_clipping_refuses(clip):
    good = {"Waa": np.ones((2, 2)), "ba": np.ones((2, 1))}
    for threshold in (0, -1.0, np.nan):
        with pytest.raises(ValueError, match="threshold of clipping has to be positive"):
            clip(good, threshold)
    with pytest.raises(ValueError, match="dictionary is empty"):
        clip({}, 1.0)
    for dtype in (np.float32, np.float64):
        for bad, what in ((np.nan, "a NaN"), (np.inf, "an infinity"), (-np.inf, "an infinity")):
            with pytest.raises(ValueError, match=f"gradient of ba holds {what}"):
                clip(good | {"ba": np.array([[1.0], [bad]], dtype=dtype)}, 1.0)
