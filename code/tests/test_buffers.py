"""Memory that is kept from one call to the next."""

import threading

import numpy as np

from unrolled import buffers
from unrolled.buffers import Buffers


def test_memory_is_kept_by_name_and_type():
    kept = Buffers()
    first = kept.empty("a", (3, 4), np.dtype(np.float64))
    assert first.shape == (3, 4)
    assert first.dtype == np.float64
    assert np.shares_memory(first, kept.empty("a", (2, 5), np.dtype(np.float64)))
    assert not np.shares_memory(first, kept.empty("b", (3, 4), np.dtype(np.float64)))
    assert not np.shares_memory(first, kept.empty("a", (3, 4), np.dtype(np.float32)))


def test_memory_grows_and_stays():
    kept = Buffers()
    small = kept.empty("a", (2,), np.dtype(np.float64))
    large = kept.empty("a", (100,), np.dtype(np.float64))
    assert not np.shares_memory(small, large)
    assert np.shares_memory(large, kept.empty("a", (2,), np.dtype(np.float64)))


def test_very_large_arrays_are_not_kept(monkeypatch):
    monkeypatch.setattr(buffers, "LARGEST", 800)
    kept = Buffers()
    first = kept.empty("a", (100,), np.dtype(np.float64))
    assert np.shares_memory(first, kept.empty("a", (100,), np.dtype(np.float64)))
    large = kept.empty("a", (101,), np.dtype(np.float64))
    assert not np.shares_memory(large, kept.empty("a", (101,), np.dtype(np.float64)))
    assert np.shares_memory(first, kept.empty("a", (100,), np.dtype(np.float64)))


def test_threads_have_their_own():
    kept, arrays = Buffers(), []
    threads = [
        threading.Thread(target=lambda: arrays.append(kept.empty("a", (10,), np.dtype(np.float64)))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
        thread.join()
    assert not np.shares_memory(*arrays)
