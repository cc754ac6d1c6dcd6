"""A file is written whole or not at all, and arrays come back out of it."""

import os
import stat

import numpy as np
import pytest

from unrolled.files import arrays_from, write_arrays, write_whole


def test_the_new_file_replaces_the_old(tmp_path):
    path = tmp_path / "model.txt"
    path.write_text("old")
    path.chmod(0o640)
    with write_whole(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["model.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "model.txt"
    path.write_text("old")

    def fail():
        with write_whole(path) as beside:
            beside.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["model.txt"]


def test_nothing_half_written_where_nothing_was(tmp_path):
    def fail():
        with write_whole(tmp_path / "model.txt"):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"), write_whole(tmp_path / "no" / "model.txt"):
        pass
    with pytest.raises(IsADirectoryError, match="is a folder"), write_whole(tmp_path):
        pass


def test_a_new_file_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with write_whole(tmp_path / "model.txt") as beside:
            beside.write_text("new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "model.txt").stat().st_mode) == 0o640


class ThingError(ValueError):
    pass


def test_arrays_come_back_with_their_description(tmp_path):
    path, arrays = tmp_path / "thing.npz", {"W": np.arange(6.0).reshape(2, 3), "1.b": np.float32([[1]])}
    write_arrays(path, {"words": ["é", "b"], "n": None}, arrays)
    with arrays_from(path, "saved thing", ThingError) as (description, again):
        assert description == {"words": ["é", "b"], "n": None}
    assert list(again) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array, strict=True)


def test_what_the_description_cannot_say_leaves_the_old_file(tmp_path):
    path = tmp_path / "thing.npz"
    write_arrays(path, {}, {})
    before = path.read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_arrays(path, {"n": np.int64(3)}, {})
    assert path.read_bytes() == before
    write_arrays(path, {"n": np.int64(3)}, {}, default=int)
    with arrays_from(path, "saved thing", ThingError) as (description, _):
        assert description == {"n": 3}


@pytest.mark.parametrize(
    "wrong", [KeyError("W"), ValueError("no matrix"), TypeError("a list"), AttributeError("dtype")]
)
def test_parts_that_do_not_fit_are_the_fault_of_the_file(tmp_path, wrong):
    path = tmp_path / "thing.npz"
    write_arrays(path, {}, {})
    message = r"thing\.npz is no saved thing, or is damaged: "
    with pytest.raises(ThingError, match=message), arrays_from(path, "saved thing", ThingError):
        raise wrong


def test_a_program_that_fails_for_another_reason_says_so(tmp_path):
    path = tmp_path / "thing.npz"
    write_arrays(path, {}, {})
    with pytest.raises(KeyboardInterrupt), arrays_from(path, "saved thing", ThingError):
        raise KeyboardInterrupt
    for missing, error in [(tmp_path / "no.npz", FileNotFoundError), (tmp_path, IsADirectoryError)]:
        with pytest.raises(error), arrays_from(missing, "saved thing", ThingError):
            pass
