"""Numerical derivatives: exact where they have to be, and loud where they would lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.gradients import central_difference, complex_step


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=6))
def test_complex_step_is_exact_to_the_last_digits(values):
    x = np.array(values)
    np.testing.assert_allclose(
        complex_step(lambda x: np.exp(np.sin(x)).sum(), x), np.exp(np.sin(x)) * np.cos(x), rtol=1e-14
    )


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
