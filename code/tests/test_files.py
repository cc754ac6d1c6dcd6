"""A file is written whole or not at all."""

import os
import stat

import pytest

from unrolled.files import write_whole


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
