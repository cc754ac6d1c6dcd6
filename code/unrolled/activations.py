"""Activation functions, their derivatives, and the softmax.

All of them take real or complex arrays, keep the data type, and act on each element by itself, except the softmax,
which acts along one axis: columns by default, as everywhere in the book. Complex numbers are welcome because the
complex-step derivative (see `unrolled.gradients`) sends them through a whole network.

An activation is worth little without its derivative. For the functions here the derivative can be written with the
*output* a = g(z) alone, so that a backward pass need not keep z: `ACTIVATIONS["tanh"].slope(a)` is 1 - a ** 2.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Activation(NamedTuple):
    """An elementwise function g and its derivative, written with the output.

    Attributes:
        name: what the field calls it.
        function: g, from z to a = g(z); with out=, a is written there (z itself may be given).
        slope: g'(z), computed from a; with out= as for g.
    """

    name: str
    function: Callable[..., np.ndarray]
    slope: Callable[..., np.ndarray]


def sigmoid(z: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """1 / (1 + exp(-z)), as (1 + tanh(z / 2)) / 2, which cannot overflow."""
    a = np.divide(z, 2, out=out)
    a = np.tanh(a, out=out)
    a = np.add(a, 1, out=out)
    return np.divide(a, 2, out=out)


def relu(z: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The larger of z and 0; for complex z the real part decides, so that the complex step follows the same branch."""
    z = np.asarray(z)
    if z.dtype.kind != "c":
        return np.maximum(z, 0, out=out)
    return np.multiply(z, z.real > 0, out=out)


def identity(z: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """z itself."""
    if out is None:
        return z
    np.copyto(out, z)
    return out


def softmax(z: np.ndarray, axis: int = 0) -> np.ndarray:
    """exp(z) divided by its sum along `axis`. Implements eq-softmax (Bridle 1990).

    The largest entry is subtracted first; the result does not change (eq-softmax-shift) and nothing overflows.

    Args:
        z: scores, columns of them by default: (V, m).
        axis: the axis along which the results sum to one.

    Raises:
        ValueError: there is no score along `axis`, or the largest one is not finite.
    """
    y_hat = _shifted(z, axis)
    np.exp(y_hat, out=y_hat)
    y_hat /= y_hat.sum(axis=axis, keepdims=True)
    return y_hat


def log_softmax(z: np.ndarray, axis: int = 0) -> np.ndarray:
    """ln softmax(z), computed without ever taking the logarithm of a rounded-off probability.

    Args and errors as for `softmax`.
    """
    shifted = _shifted(z, axis)
    shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def _shifted(z: np.ndarray, axis: int) -> np.ndarray:
    """z minus its largest real part along `axis`, in a new array of floats."""
    z = np.asarray(z)
    if z.ndim == 0 or z.shape[axis] == 0:
        raise ValueError(f"a softmax needs at least one score along axis {axis}; z has shape {z.shape}")
    largest = z.real.max(axis=axis, keepdims=True)
    if not np.isfinite(largest).all():
        raise ValueError("a softmax needs scores whose largest is finite; z holds a NaN or +inf, or only -inf")
    shifted = z - largest
    return shifted if shifted.dtype.kind in "fc" else shifted.astype(np.float64)


def _tanh_slope(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return np.subtract(a.dtype.type(1), np.multiply(a, a, out=out), out=out)  # a Python 1 takes three times as long


def _sigmoid_slope(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return np.multiply(a, 1 - a, out=out)


def _relu_slope(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return identity((a.real > 0).astype(a.dtype), out=out)


def _identity_slope(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    return identity(np.ones_like(a), out=out)


ACTIVATIONS: dict[str, Activation] = {
    "tanh": Activation("tanh", np.tanh, _tanh_slope),
    "sigmoid": Activation("sigmoid", sigmoid, _sigmoid_slope),
    "relu": Activation("relu", relu, _relu_slope),
    "identity": Activation("identity", identity, _identity_slope),
}
"""The activations by name."""
