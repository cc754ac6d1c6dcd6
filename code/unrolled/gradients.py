"""Derivatives without calculus: what a backward pass is compared with.

Both functions know nothing of the function they differentiate but its values. `complex_step` is accurate to the last
digits and needs a function that takes complex numbers; `central_difference` takes any function and loses about a third
of the digits. They evaluate the function once or twice per element, which is why nobody trains with them.
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
