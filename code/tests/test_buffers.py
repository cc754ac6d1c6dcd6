"""Memory that is used again."""

import gc
import threading

import numpy as np
import pytest

from unrolled import buffers

SHAPE = (300, 400)  # of float64, 960,000 bytes


@pytest.fixture(autouse=True)
def nothing_waiting(monkeypatch):
    monkeypatch.setattr(buffers, "_waiting", {})


def waiting():
    return sum(block.size for blocks in buffers._waiting.values() for block in blocks)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.dtype("f8")])
@pytest.mark.parametrize("shape", [(), (0, 5), (3, 4), SHAPE, (70_000,), (7, 11, 1_300)])
def test_an_array_like_any_other(shape, dtype):
    for _ in range(2):
        array = buffers.empty(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.flags.aligned
        assert type(array) is np.ndarray
        array[...] = 3
        assert np.all(array == 3)
        del array


def test_memory_is_used_again_when_nobody_holds_it():
    first = buffers.empty(SHAPE, np.float64)
    address = first.ctypes.data
    assert waiting() == 0
    del first
    assert waiting() > 0
    again = buffers.empty((SHAPE[1], SHAPE[0] - 1), np.float64)  # nearly as large
    assert again.ctypes.data == address
    assert waiting() == 0


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[5:].T[1:],
        lambda a: a.reshape(-1)[3:],
        lambda a: a.view(np.int64)[:, :2],
        lambda a: np.lib.stride_tricks.as_strided(a, (3,), (8,)),
        lambda a: memoryview(a),
        lambda a: np.asarray(memoryview(a))[1:],
        lambda a: np.frombuffer(a)[1:],
        lambda a: a[None].swapaxes(0, 2)[0][..., 0],
    ],
)
def test_a_view_keeps_the_memory(view):
    array = buffers.empty(SHAPE, np.float64)
    array.fill(1)
    held = view(array)
    del array
    assert waiting() == 0
    other = buffers.empty(SHAPE, np.float64)
    other.fill(2)
    assert not np.shares_memory(other, held)
    assert not (np.asarray(held) == 2).any()
    del held, other
    assert waiting() > 0


def test_torch_keeps_the_memory():
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(buffers.empty(SHAPE, np.float64))
    assert waiting() == 0
    assert not np.shares_memory(buffers.empty(SHAPE, np.float64), tensor.numpy())
    del tensor
    gc.collect()
    assert waiting() > 0


def test_two_arrays_never_share():
    rng, held = np.random.default_rng(0), {}
    for number in range(2_000):
        shape = (int(rng.integers(1, 40)), int(rng.integers(1, 3_000)))
        held[int(rng.integers(8))] = array = buffers.empty(shape, np.float64)
        array.fill(number)
        held = {key: value for key, value in held.items() if rng.random() < 0.9 or value is array}
        assert all(np.ptp(value) == 0 for value in held.values())
    values = list(held.values())
    assert len({value.flat[0] for value in values}) == len(values)


def test_small_and_very_large_arrays_are_left_to_numpy(monkeypatch):
    monkeypatch.setattr(buffers, "LARGEST", 10**6)
    for size in (buffers.SMALLEST // 8 - 1, 10**6 // 8 + 1):
        assert buffers.empty((size,), np.float64).flags.owndata
    assert waiting() == 0


def test_no_more_than_the_limit_is_waiting(monkeypatch):
    monkeypatch.setattr(buffers, "LARGEST", 3 * 10**6)
    arrays = [buffers.empty((n, 400), np.float64) for n in range(200, 400, 10)]
    while arrays:
        arrays.pop()
        assert waiting() <= 3 * 10**6
    assert waiting() > 0


def test_threads_do_not_get_each_others_memory():
    wrong = []

    def work(number):
        for _ in range(300):
            array = buffers.empty(SHAPE, np.float64)
            array.fill(number)
            if not (array == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
