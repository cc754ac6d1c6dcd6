"""Columns as rows of memory: the few operations that every layer over time needs, and the checks of what comes in.

Seen from outside an array over time is (T, n, m), as in the equations: a step is a matrix with one column for each of m
sequences. In memory every column lies in one piece, step after step, which is an array (T, m, n): its `rows`. Then all
steps of all sequences are the rows of one matrix (T m, n), and the products with weights that need not wait for the
step before are one product each (eq-bptt-one-product).
"""

import functools
import math
from collections.abc import Callable, Collection

import numpy as np

from unrolled.buffers import empty

Parameters = dict[str, np.ndarray]


def rows(v: np.ndarray) -> np.ndarray:
    """(T, n, m) as (T, m, n), each column in one piece; nothing is copied of what these modules have made."""
    return np.ascontiguousarray(v.swapaxes(1, 2))


def columns(v: np.ndarray) -> np.ndarray:
    """(T, m, n) as (T, n, m), without a copy."""
    return v.swapaxes(1, 2)


def steps(v: np.ndarray) -> list[np.ndarray]:
    """The steps of v (T, m, n) one by one, each (m, n); or (n,) if m = 1, since vectors are multiplied quicker."""
    return list(v[:, 0] if v.shape[1] == 1 else v)


_FEW = 2**15
"""Results of fewer numbers are left to NumPy."""


def product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A @ B, the result in memory from `unrolled.buffers` if that is worth it."""
    if len(A) * B.shape[1] < _FEW:
        return A.dot(B)  # quicker than np.matmul, and than with out=
    return A.dot(B, empty((len(A), B.shape[1]), A.dtype))


_SMALL = 10**6
"""So few multiplications OpenBLAS does straight away. For a larger product it first copies both factors into an order
of its own, which pays off for many rows; with the few rows of one step it takes a third of the time."""


def product_of_steps(W: np.ndarray, m: int) -> Callable[..., np.ndarray]:
    """The product that every step does again, quicker than `np.dot`: a function of rows (m, K) and out.

    Args:
        W: (K, N), or several such matrices (G, K, N).
        m: the number of rows.

    Returns:
        A function that writes rows @ W to `out`, (m, N) or (G, m, N) in one piece of memory, and returns it. It cuts W
        into blocks of columns that make small products, if there are such.
    """
    *several, K, N = W.shape
    width = N
    if m * K * N > _SMALL:
        width = max((w for w in range(16, N, 16) if N % w == 0 and m * K * w <= _SMALL), default=N)
    if width == N:
        W = np.ascontiguousarray(W)
        return (lambda a, out: np.matmul(a, W, out)) if several else (lambda a, out: a.dot(W, out))
    blocks = np.ascontiguousarray(W.reshape(*several, K, N // width, width).swapaxes(-3, -2))

    def multiply(a: np.ndarray, out: np.ndarray) -> np.ndarray:
        np.matmul(a, blocks, out=out.reshape(*out.shape[:-1], N // width, width).swapaxes(-3, -2))
        return out

    return multiply


@functools.lru_cache(maxsize=16)  # batches of many lengths do not pile up
def ones(n: int, dtype: np.dtype) -> np.ndarray:
    """n times the number 1, to be read only; a product with them is a sum, in less time than `np.sum` takes."""
    v = np.ones(n, dtype)
    v.flags.writeable = False
    return v


def sum_of_rows(v: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """The sum of all rows, (N, n) to (n, 1), times `scale`."""
    total = ones(len(v), v.dtype).dot(v)[:, None]
    return total if scale == 1 else total * v.dtype.type(scale)


def are_ids(x: np.ndarray) -> bool:
    """Whether x holds ids, which stand for one-hot columns, and not numbers."""
    return x.dtype.kind in "iu"


def input_scores(Wax: np.ndarray, ba: np.ndarray, x: np.ndarray, out: np.ndarray, halved: bool = False) -> None:
    """Wax x^<t> + ba for all steps at once, or half of it, into `out` (T, m, n)."""
    if are_ids(x) and Wax.shape[1] > x.size:  # few of many columns
        np.add(Wax.T[x], ba.T, out=out)  # eq-rnn-one-hot
        if halved:
            out *= 0.5
        return
    if halved:
        Wax, ba = 0.5 * Wax, 0.5 * ba
    if are_ids(x):
        table = np.add(Wax.T, ba.T, order="C")  # each column in one piece, once, since most are needed more than once
        np.take(table, x, axis=0, out=out, mode="clip")  # the ids have been checked; this mode spares a copy
    else:
        np.matmul(rows(x).reshape(-1, x.shape[1]), Wax.T, out=out.reshape(-1, out.shape[2]))
        out += ba.T


def input_weights(x: np.ndarray, dz: np.ndarray, n_x: int) -> np.ndarray:
    """dWax (n, n_x), from dz as rows (T m, n). Implements eq-bptt-wax."""
    if not are_ids(x):
        return product(dz.T, rows(x).reshape(-1, n_x))
    ids = x.ravel()
    if ids.size <= 64 and n_x <= 128:  # a product with one-hot rows is quicker than to sort so few
        one_hot = np.zeros((ids.size, n_x), dz.dtype)
        one_hot[np.arange(ids.size), ids] = 1
        return dz.T.dot(one_hot)
    order = np.argsort(ids.astype(np.min_scalar_type(n_x)), kind="stable")  # small types are sorted digit by digit
    ids, dz = ids[order], np.take(dz, order, axis=0, out=empty(dz.shape, dz.dtype), mode="clip")
    first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])  # where the run of each id begins
    sums, of_each = np.empty((first.size, dz.shape[1]), dz.dtype), ones(len(dz), dz.dtype)
    for total, start, end in zip(sums, first, [*first[1:], len(dz)], strict=True):
        np.dot(of_each[start:end], dz[start:end], out=total)
    dWax = empty((dz.shape[1], n_x), dz.dtype)
    dWax.fill(0)
    dWax[:, ids[first]] = sums.T
    return dWax


# Checks


_PRECISION = {np.dtype(name): bits for name, bits in {"f4": 32, "f8": 64, "c8": 32, "c16": 64}.items()}


def choice(name: str, value: str, choices: Collection[str]) -> object:
    """What stands under `value` in a table, or `value` itself in a list.

    Raises:
        ValueError: it is not there.
    """
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}; got {value!r}")
    return choices[value] if isinstance(choices, dict) else value


def check_shape(name: str, array: np.ndarray, axes: tuple[str, ...], shape: tuple[int, ...]) -> None:
    """Raise a ValueError that names the right shape unless the array has it."""
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}; it has to be ({', '.join(axes)}) = {shape}")


def check_shapes(
    parameters: Parameters, shapes: dict[str, tuple[str, str]], blocks: int = 1, known: dict[str, int] | None = None
) -> tuple[Parameters, dict[str, int]]:
    """See that matrices are there and fit together.

    Args:
        parameters: by name; others than those of `shapes` are not looked at.
        shapes: the two axes of each: "1", names of sizes such as "n_a", or "G n_a" for `blocks` times n_a.
        blocks: G.
        known: sizes that are settled beforehand.

    Returns:
        The matrices of these names, and the sizes that their shapes agree on.

    Raises:
        ValueError: a matrix is missing, empty, or of a shape that does not fit; the message says what would.
    """
    sizes, found = {"1": 1} | (known or {}), {}
    for name, axes in shapes.items():
        if name not in parameters:
            raise ValueError(f"the parameter {name} is missing; there are only {', '.join(parameters) or 'none'}")
        value = np.asarray(parameters[name])
        if value.ndim != 2 or not (
            _fits(sizes, axes[0], len(value), blocks) and _fits(sizes, axes[1], value.shape[1], blocks)
        ):
            _, settled = check_shapes(found, {earlier: shapes[earlier] for earlier in found}, blocks, known)
            right = ", ".join(_size(settled, axis, blocks) for axis in axes)
            axes = tuple(axis.replace("G ", "" if blocks == 1 else f"{blocks} ") for axis in axes)
            raise ValueError(f"{name} has the shape {value.shape}; it has to be ({', '.join(axes)}) = ({right})")
        if 0 in value.shape:
            raise ValueError(f"{name} is empty: its shape is {value.shape}")
        found[name] = value
    return found, sizes


def _fits(sizes: dict[str, int], axis: str, n: int, blocks: int) -> bool:
    """Whether n can be the length of this axis; if nothing was known about the axis, now it is."""
    if not axis.startswith("G "):
        return sizes.setdefault(axis, n) == n
    return n % blocks == 0 and sizes.setdefault(axis[2:], n // blocks) == n // blocks


def _size(sizes: dict[str, int], axis: str, blocks: int) -> str:
    if not axis.startswith("G "):
        return str(sizes.get(axis, axis))
    axis = axis[2:]
    return str(blocks * sizes[axis]) if axis in sizes else axis if blocks == 1 else f"{blocks} {axis}"


def check_numbers(arrays: dict[str, np.ndarray]) -> tuple[np.dtype, dict[str, np.ndarray]]:
    """The common type of some arrays, and the arrays in it: all have to be finite and of one precision.

    Raises:
        ValueError: a number is not finite; the message says which.
        TypeError: an array holds the wrong kind of numbers, or float32 meets float64.
    """
    types = set()
    for name, value in arrays.items():
        if value.dtype not in types:
            if value.dtype not in _PRECISION:
                raise TypeError(f"{name} holds {value.dtype}; float64 or float32 is needed")
            types.add(value.dtype)
        # One pass decides: the sum of squares is finite. If not, the numbers may yet be finite and only large (and
        # np.vdot, unlike np.dot, does not warn then).
        flat = value.ravel(order="K")  # as it lies in memory: columns that are kept as rows need no copy
        if not math.isfinite(np.vdot(flat, flat).real) and not (finite := np.isfinite(value)).all():
            where = np.unravel_index(np.argmin(finite), value.shape)
            raise ValueError(f"{name} is not finite: {name}[{', '.join(map(str, where))}] is {value[where]}")
    if len(types) == 1:
        return types.pop(), arrays
    if len({_PRECISION[dtype] for dtype in types}) > 1:
        listed = ", ".join(f"{name} {value.dtype}" for name, value in arrays.items())
        raise TypeError(f"float32 and float64 are mixed ({listed}); make them one with astype")
    dtype = np.result_type(*types)
    return dtype, {name: value.astype(dtype, copy=False) for name, value in arrays.items()}


def check_input(x: np.ndarray, n_x: int, width: str = "the columns of Wax") -> None:
    """See that x holds ids (T, m) or columns (T, n_x, m).

    Raises:
        ValueError: the shape does not fit, or an id is out of range.
        TypeError: x holds the wrong kind of numbers.
    """
    if are_ids(x):
        if x.ndim != 2:
            hint = "; numbers instead of ids have to be floats" if x.ndim == 3 else ""
            hint = "; one sequence is one column, x[:, None]" if x.ndim == 1 else hint
            raise ValueError(f"integers x are ids and have to be of shape (T_x, m); got {x.shape}{hint}")
    elif x.dtype.kind not in "fc":
        raise TypeError(f"x has to hold floats (T_x, n_x, m) or integer ids (T_x, m); got {x.dtype} {x.shape}")
    elif x.ndim != 3 or x.shape[1] != n_x:
        hint = "; one sequence is one column, x[:, :, None]" if x.ndim == 2 else ""
        raise ValueError(f"x has the shape {x.shape}; floats have to be (T_x, n_x, m) with n_x = {n_x}, {width}{hint}")
    if 0 in x.shape:
        raise ValueError(
            f"x is empty, with the shape {x.shape}: a sequence needs at least one step, a batch one column"
        )


def check_ids(x: np.ndarray, n_x: int) -> None:
    """Raise a ValueError if an id has no column in Wax."""
    smallest, largest = x.min(), x.max()
    if smallest < 0 or largest >= n_x:
        wrong = smallest if smallest < 0 else largest
        raise ValueError(f"the id {wrong} in x is out of range: Wax has columns for the ids 0 .. {n_x - 1}")


def check_mask(mask: np.ndarray | None, T: int, m: int) -> np.ndarray | None:
    """The mask as an array of booleans (T, m), or None for one that hides nothing.

    Raises:
        ValueError, TypeError: its shape or type is wrong.
    """
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"a mask has to be boolean; got {mask.dtype}")
    check_shape("mask", mask, ("T_x", "m"), (T, m))
    return None if mask.all() else mask


# Parameters of parts


def part(parameters: Parameters, name: str) -> Parameters:
    """The parameters of a part of a network: those whose names begin with `name.`, under what follows."""
    return {key[len(name) + 1 :]: value for key, value in parameters.items() if key.startswith(f"{name}.")}


def as_part(parameters: Parameters, name: str) -> Parameters:
    """Parameters under the names that they have as a part of a network: `name.Waa` for Waa."""
    return {f"{name}.{key}": value for key, value in parameters.items()}
