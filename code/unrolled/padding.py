"""Sequences of different lengths in one batch: padded to the longest, with a mask that tells steps from padding."""

from collections.abc import Iterable, Sequence

import numpy as np


def pad(sequences: Iterable[Sequence[int] | np.ndarray], value: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Sequences side by side as columns, filled up at their ends.

    Args:
        sequences: m sequences of ids, each (T_i,) or a list, none of them empty; or of columns, each (T_i, n_x). All
            integers or all floats.
        value: what fills the gaps; under a mask it plays no part, but it has to be an id that exists.

    Returns:
        The padded batch, (T, m) for ids and (T, n_x, m) for columns, T the greatest length; and the lengths (m,).

    Raises:
        ValueError: there are no sequences, one is empty, or their columns differ in length.
        TypeError: the entries are no numbers, or `value` is none of their type.
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    if not arrays:
        raise ValueError("there are no sequences to pad")
    shape = arrays[0].shape[1:]
    for i, array in enumerate(arrays):
        if array.ndim == 0 or array.ndim > 2 or array.shape[1:] != shape:
            raise ValueError(
                f"every sequence has to have the shape (T_i,) or, all alike, (T_i, n_x); sequence 0 has the shape "
                f"{arrays[0].shape}, sequence {i} {array.shape}"
            )
        if len(array) == 0:
            raise ValueError(f"sequence {i} is empty; a sequence needs at least one step")
        if array.dtype.kind not in "iuf":
            raise TypeError(f"sequences have to hold numbers; got {array.dtype} in sequence {i}")
    dtype = np.result_type(*{array.dtype for array in arrays})
    if dtype.kind in "iu" and not float(value).is_integer():
        raise TypeError(f"the sequences hold integers; the value {value} is none")
    lengths = np.array([len(array) for array in arrays])
    padded = np.full((lengths.max(), *shape, len(arrays)), value, dtype)
    for i, array in enumerate(arrays):
        padded[: len(array), ..., i] = array
    return padded, lengths


def mask(lengths: Sequence[int] | np.ndarray, T: int | None = None) -> np.ndarray:
    """True at the steps that a sequence has, False at its padding: (T, m).

    Args:
        lengths: of the m sequences.
        T: the number of steps of the batch; the greatest length when it is not given.

    Raises:
        ValueError: a length is negative or above T, or `lengths` is no vector of integers.
    """
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.size == 0 or lengths.dtype.kind not in "iu":
        raise ValueError(f"lengths have to be integers (m,), m at least 1; got {lengths.dtype} {lengths.shape}")
    T = int(lengths.max()) if T is None else T
    if lengths.min() < 0 or lengths.max() > T:
        wrong = lengths.min() if lengths.min() < 0 else lengths.max()
        raise ValueError(f"a length of {wrong} does not fit into T = {T} steps")
    return np.arange(T)[:, None] < lengths
