"""Derivatives without calculus, which a backward pass is compared with; and the length of a gradient, and its clipping.

`complex_step` and `central_difference` know nothing of the function they differentiate but its values. `complex_step`
is accurate to the last digits and needs a function that takes complex numbers; `central_difference` takes any
function and loses about a third of the digits. They evaluate the function once or twice per element, which is why
nobody trains with them.

A gradient of many parameters is a dictionary of arrays. `global_norm` is the length of all of them together, and the
three ways of clipping shorten what is too long: all together, each array by itself, each number by itself.
"""

from collections.abc import Callable, Mapping

import numpy as np

Arrays = np.ndarray | Mapping[str, np.ndarray]


def complex_step(
    function: Callable[[Arrays], np.ndarray | float], at: Arrays, step: float = 1e-30
) -> np.ndarray | dict[str, np.ndarray]:
    """The derivative of a function by a step along the imaginary axis: Im f(x + ih) / h (Squire & Trapp 1998).

    f(x + ih) = f(x) + ih f'(x) - h^2 f''(x) / 2 - ...: the derivative stands alone in the imaginary part, nothing is
    subtracted, and with h = 1e-30 the next term is beyond the last digit.

    Args:
        function: takes an array (or a dictionary of arrays) and returns a number or an array; it has to be made of
            operations that are analytic at `at` and keep complex numbers: no abs, no max of complex values.
        at: where to differentiate; left unchanged.
        step: h.

    Returns:
        An array of the shape of the function's value followed by the shape of `at`: the gradient of a number has the
        shape of `at`. For a dictionary, a dictionary with such an array for each entry.

    Raises:
        TypeError: the function returns real numbers, so that it must have dropped the imaginary part on its way.
    """

    def derivative(f: Callable[[np.ndarray], np.ndarray | float], x: np.ndarray) -> np.ndarray:
        x = np.array(x, dtype=np.complex128)

        def along(i: tuple[int, ...]) -> np.ndarray:
            moved = x.copy()
            moved[i] += 1j * step
            value = np.asarray(f(moved))
            if value.dtype.kind != "c":
                raise TypeError(
                    f"the function returned {value.dtype} for a complex argument: somewhere the imaginary part is lost "
                    "(an array of floats that is assigned to, an abs, a float())"
                )
            return value.imag / step

        return _stack([along(i) for i in np.ndindex(x.shape)], x.shape)

    return _for_each(derivative, function, at)


def central_difference(
    function: Callable[[Arrays], np.ndarray | float], at: Arrays, step: float = 1e-5
) -> np.ndarray | dict[str, np.ndarray]:
    """The derivative of a function by (f(x + h) - f(x - h)) / 2h.

    The error is about h^2 |f'''| / 6 + 1e-16 |f| / h: smallest near h = 1e-5, where some ten digits are right.

    Args:
        function: takes an array (or a dictionary of arrays) and returns a number or an array.
        at: where to differentiate; left unchanged.
        step: h.

    Returns:
        As for `complex_step`.
    """

    def derivative(f: Callable[[np.ndarray], np.ndarray | float], x: np.ndarray) -> np.ndarray:
        x = np.array(x, dtype=np.float64)

        def along(i: tuple[int, ...]) -> np.ndarray:
            right, left = x.copy(), x.copy()
            right[i] += step
            left[i] -= step
            return (np.asarray(f(right)) - np.asarray(f(left))) / (right[i] - left[i])

        return _stack([along(i) for i in np.ndindex(x.shape)], x.shape)

    return _for_each(derivative, function, at)


def _stack(columns: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    if not columns:
        raise ValueError(f"there is nothing to differentiate with respect to: an array of shape {shape}")
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape(stacked.shape[:-1] + shape)


def _for_each(derivative: Callable, function: Callable, at: Arrays) -> np.ndarray | dict[str, np.ndarray]:
    if not isinstance(at, Mapping):
        return derivative(function, np.asarray(at))
    return {name: derivative(lambda x, name=name: function({**at, name: x}), at[name]) for name in at}


def global_norm(gradients: Mapping[str, np.ndarray]) -> float:
    """The length of all gradients together, as if they were one long vector. Implements eq-global-norm.

    The squares are summed in float64, whatever the type of the gradients; where they overflow or vanish, they are
    summed again in units of the largest entry.

    Raises:
        ValueError: there is no gradient, or one holds a NaN or an infinity; the message names it.
    """
    root, exponent = _norm(gradients)
    with np.errstate(over="ignore"):  # a norm beyond the largest float is inf
        return float(np.ldexp(root, exponent))


def clip_by_global_norm(gradients: Mapping[str, np.ndarray], grad_clip: float) -> tuple[dict[str, np.ndarray], float]:
    """All gradients shortened by one factor, so that together they are no longer than a threshold. Implements eq-clip.

    The direction is kept (Pascanu, Mikolov & Bengio 2013), and the new norm is the threshold up to rounding.
    `torch.nn.utils.clip_grad_norm_` divides by the norm plus 1e-6 instead of the norm; otherwise both agree.

    Args:
        gradients: arrays by name.
        grad_clip: the threshold, positive; infinity never clips.

    Returns:
        A new dictionary, and the norm before clipping. The arrays are new if they had to be shortened, and the very
        same ones if not; those that were given are never changed.

    Raises:
        ValueError: the threshold is not positive, or as for `global_norm`.
    """
    _check_threshold(grad_clip)
    root, exponent = _norm(gradients)
    with np.errstate(over="ignore"):
        norm = float(np.ldexp(root, exponent))
    if norm <= grad_clip:
        return dict(gradients), norm
    return {name: _scaled(np.asarray(g), exponent, grad_clip / root) for name, g in gradients.items()}, norm


def clip_by_array_norm(gradients: Mapping[str, np.ndarray], grad_clip: float) -> dict[str, np.ndarray]:
    """Each gradient shortened by itself to a threshold, which turns the direction of the whole.

    Args and errors as for `clip_by_global_norm`; arrays that need not be shortened are the very same.
    """
    _check_threshold(grad_clip)
    _norm(gradients)  # an empty dictionary is as wrong here
    return {name: clip_by_global_norm({name: g}, grad_clip)[0][name] for name, g in gradients.items()}


def clip_by_element(gradients: Mapping[str, np.ndarray], grad_clip: float) -> dict[str, np.ndarray]:
    """Each number cut to -threshold .. threshold, which turns the direction.

    Args and errors as for `clip_by_global_norm`.
    """
    _check_threshold(grad_clip)
    _norm(gradients)
    return {name: np.clip(g, -grad_clip, grad_clip) for name, g in gradients.items()}


def _norm(gradients: Mapping[str, np.ndarray]) -> tuple[float, int]:
    """The global norm as a number and the power of two that it has to be multiplied with, usually 0."""
    if not gradients:
        raise ValueError("there are no gradients: the dictionary is empty")
    arrays = {name: np.asarray(g, dtype=np.float64).ravel() for name, g in gradients.items()}
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = sum(float(np.vdot(g, g)) for g in arrays.values())  # eq-global-norm
    if 1e-280 < squares < np.inf:  # far below, the squares of small entries are lost
        return float(np.sqrt(squares)), 0
    for name, g in arrays.items():
        if not np.isfinite(g).all():
            what = "a NaN" if np.isnan(g).any() else "an infinity"
            raise ValueError(f"the gradient of {name} holds {what}, so that the gradients have no norm")
    largest = max((float(np.abs(g).max()) for g in arrays.values() if g.size), default=0.0)
    exponent = int(np.frexp(largest)[1])  # dividing by a power of two rounds nothing
    with np.errstate(under="ignore"):
        squares = sum(float(np.vdot(g, g)) for g in (np.ldexp(g, -exponent) for g in arrays.values()))
    return float(np.sqrt(squares)), exponent


def _scaled(g: np.ndarray, exponent: int, factor: float) -> np.ndarray:
    """g / 2 ** exponent * factor, computed in float64, in the type of g."""
    g64 = np.asarray(g, dtype=np.float64)
    with np.errstate(under="ignore"):
        return ((np.ldexp(g64, -exponent) if exponent else g64) * factor).astype(g.dtype, copy=False)  # eq-clip


def _check_threshold(grad_clip: float) -> None:
    if not grad_clip > 0:
        raise ValueError(f"the threshold of clipping has to be positive; got {grad_clip}")
