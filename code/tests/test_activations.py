"""Activations and the softmax: values, derivatives, extremes, data types."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.activations import ACTIVATIONS, log_softmax, relu, sigmoid, softmax
from unrolled.gradients import complex_step

columns = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-30, 30))


@given(columns)
def test_softmax_against_torch(z):
    np.testing.assert_allclose(softmax(z), torch.softmax(torch.tensor(z), dim=0).numpy(), rtol=1e-13)
    np.testing.assert_allclose(
        log_softmax(z), torch.log_softmax(torch.tensor(z), dim=0).numpy(), rtol=1e-13, atol=1e-14
    )


@given(columns, st.floats(-1e6, 1e6))
def test_softmax_sums_to_one_and_ignores_a_shift(z, shift):
    np.testing.assert_allclose(softmax(z).sum(axis=0), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(z + shift), softmax(z), rtol=1e-8)
    np.testing.assert_allclose(softmax(z.T, axis=1), softmax(z).T, rtol=1e-14)


def test_softmax_of_scores_that_would_overflow():
    z = np.array([[1000.0], [0.0], [-np.inf]])
    np.testing.assert_array_equal(softmax(z), [[1.0], [0.0], [0.0]])
    np.testing.assert_array_equal(log_softmax(z), [[0.0], [-1000.0], [-np.inf]])
    assert log_softmax(np.array([[0.0], [800.0]]))[0, 0] == -800  # ln softmax would be ln 0


@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_softmax_leaves_its_argument_alone_and_keeps_its_type(function):
    for dtype in (np.float32, np.float64, np.complex128):
        z = np.arange(6, dtype=dtype).reshape(3, 2)
        before = z.copy()
        assert function(z).dtype == dtype
        np.testing.assert_array_equal(z, before)
    assert function(np.arange(3)).dtype == np.float64


@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_softmax_says_what_is_wrong(function):
    with pytest.raises(ValueError, match="at least one score"):
        function(np.empty((0, 3)))
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            function(np.array([[0.0], [bad]]))
    with pytest.raises(ValueError, match="finite"):
        function(np.full((2, 1), -np.inf))


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(z=hnp.arrays(np.float64, 5, elements=st.floats(-20, 20).filter(lambda v: abs(v) > 1e-6)))
def test_slopes_against_the_complex_step(name, z):
    activation = ACTIVATIONS[name]
    derivative = np.array([complex_step(lambda v: activation.function(v)[0], z[i : i + 1])[0] for i in range(z.size)])
    # 1 - a ** 2 cannot be more exact than the rounding of a near 1, hence the absolute part
    np.testing.assert_allclose(activation.slope(activation.function(z)), derivative, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_keep_the_data_type(name):
    activation = ACTIVATIONS[name]
    for dtype in (np.float32, np.float64):
        a = activation.function(np.linspace(-2, 2, 5, dtype=dtype))
        assert a.dtype == dtype
        assert activation.slope(a).dtype == dtype


def test_sigmoid_and_relu():
    z = np.array([-1000.0, -1.0, 0.0, 1.0, 1000.0])
    np.testing.assert_allclose(sigmoid(z), torch.sigmoid(torch.tensor(z)).numpy(), rtol=1e-13, atol=1e-16)
    np.testing.assert_array_equal(relu(z), [0, 0, 0, 1, 1000])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_out_is_where_the_result_is_written(name, dtype):
    activation, z = ACTIVATIONS[name], np.linspace(-2, 2, 6).astype(dtype)
    if dtype == np.complex128:
        z += 0.1j
    a = activation.function(z).copy()
    slope = activation.slope(a)
    out = np.empty_like(z)
    assert activation.function(z, out=out) is out
    np.testing.assert_array_equal(out, a)
    assert activation.slope(a, out=out) is out
    np.testing.assert_array_equal(out, slope)
    assert activation.function(z, out=z) is z  # in place
    np.testing.assert_array_equal(z, a)
    assert activation.slope(z, out=z) is z
    np.testing.assert_array_equal(z, slope)
