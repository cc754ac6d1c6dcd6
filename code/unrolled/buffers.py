"""Memory to compute in, kept from one call to the next.

A training step needs the same large intermediate arrays again and again. Asking the operating system for them each time
costs up to as much as the arithmetic does. What a caller gets to see is never such an array: results are always new.
"""

import math
import threading

import numpy as np

LARGEST = 2**28
"""Arrays of more bytes than this are not kept."""


class Buffers(threading.local):
    """Arrays by name, each as large as the largest that was asked for; every thread has its own."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, np.dtype], np.ndarray] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array with no particular content, valid until the same name is asked for again."""
        size = math.prod(shape)
        flat = self._kept.get((name, dtype))
        if flat is None or flat.size < size:
            flat = np.empty(size, dtype)
            if flat.nbytes <= LARGEST:
                self._kept[name, dtype] = flat
        return flat[:size].reshape(shape)
