"""Memory for large arrays, used again as soon as nobody holds it any more.

A training step needs the same large arrays again and again. Asking the operating system for them each time, and giving
them back, costs up to as much as the arithmetic does. Here memory that has become free waits for the next array of
about its size. Nobody can tell the difference: an array belongs to whoever holds it, or a view of it, as always.
"""

import math
import threading
import weakref

import numpy as np

SMALLEST = 2**18
"""Arrays of fewer bytes are left to NumPy."""

LARGEST = 2**28
"""No more bytes than this are waiting at a time."""


class _Block(np.ndarray):
    """Memory that arrays are views of. That its type is not theirs makes views of them refer to them, not to it."""


_waiting: dict[int, list[_Block]] = {}
_lock = threading.RLock()  # one that lets a thread in twice: arrays can be given up at any moment


def empty(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """A new array with no particular content, as `np.empty` makes it."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if not SMALLEST <= size <= LARGEST:
        return np.empty(shape, dtype)
    step = 2 ** (size.bit_length() - 3)
    room = -(-size // step) * step  # at most a quarter more, so that arrays of many lengths can follow each other
    with _lock:
        blocks = _waiting.get(room)
        block = blocks.pop() if blocks else _Block(room, np.uint8)
    flat = block.view(np.ndarray)
    weakref.finalize(flat, _give_up, block).atexit = False  # when neither the array nor a view of it is left
    return flat[:size].view(dtype).reshape(shape)


def _give_up(block: _Block) -> None:
    with _lock:
        if sum(len(blocks) * room for room, blocks in _waiting.items()) + block.size > LARGEST:
            _waiting.clear()
        _waiting.setdefault(block.size, []).append(block)
