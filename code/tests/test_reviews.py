"""Film reviews: what the archive holds, how words are cut, how snippets are divided, and what happens without it."""

import io
import tarfile
import zipfile
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import reviews
from unrolled.archives import DataError, archive_path


@pytest.fixture(scope="module")
def splits():
    return reviews.load(neutral=True)


def test_sizes(splits):
    assert {split: len(part) for split, part in splits.items()} == {"train": 7954, "valid": 1061, "test": 1590}
    polar = reviews.load()
    assert {split: len(part) for split, part in polar.items()} == {"train": 7539, "valid": 992, "test": 1512}
    assert sum(map(len, polar.values())) == 10_043
    assert all(abs(review.rating) > 0.5 for part in polar.values() for review in part)
    assert sum(review.label for part in polar.values() for review in part) == 4982


def test_nothing_is_lost(splits):
    """Every row of the file arrives in one split, with its rating; read here line by line."""
    outer = zipfile.ZipFile(archive_path(reviews._ARCHIVE, reviews._SHA256))
    with tarfile.open(fileobj=io.BytesIO(outer.read(reviews._INNER))) as inner:
        lines = inner.extractfile(reviews._FILE).read().decode().split("\r\n")
    wanted = Counter(line.split("\t")[1] for line in lines if line)
    assert wanted.total() == 10_605
    assert wanted == Counter(_as_printed(r.rating, wanted) for part in splits.values() for r in part)


def _as_printed(rating, known):
    return next(text for text in (repr(rating), f"{rating:.12g}", f"{rating:.0f}") if text in known)


def test_no_snippet_stands_in_two_splits(splits):
    parts = [{tuple(word for word in review.words if word[0].isalnum()) for review in part} for part in splits.values()]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]


def test_words_are_plain(splits):
    for part in splits.values():
        for review in part:
            assert review.words
            assert all(word.isascii() and word == word.lower() and " " not in word for word in review.words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's a treat – a delightful, witty film", "it's a treat -- a delightful , witty film"),
        ("a film    full of life  and small delights", "a film -- full of life -- and small delights"),
        ("Lilo &amp; Stitch", "lilo & stitch"),
        ("Touché! Jiří Næss", "touche ! jiri naess"),
        ("''Conan'' 'works'", "conan works"),
        ("wait.... what?!", "wait ... what ? !"),
        ("the 90s, in 3 D; a 1/2 of 12½", "the 90s , in 3 d ; a 1 2 of 121 2"),
        (" ends in blanks   ", "ends in blanks"),
        ("", ""),
    ],
)
def test_words(text, expected):
    assert reviews.words(text) == expected.split()


@given(st.text())
def test_any_text_can_be_cut(text):
    assert all(word.isascii() and word for word in reviews.words(text))


def numbered(texts):
    return [reviews.Review(text.split(), float(i)) for i, text in enumerate(texts)]


@given(st.lists(st.text("ab !", max_size=6), max_size=60), st.integers(0, 2**32 - 1))
def test_dividing_keeps_all_and_joins_what_is_the_same(texts, seed):
    some = numbered(texts)
    divided = reviews.divide(some, seed)
    assert sorted(r.rating for part in divided.values() for r in part) == [r.rating for r in some]
    where = {}
    for split, part in divided.items():
        for review in part:
            letters = tuple(word for word in review.words if word[0].isalnum())
            assert where.setdefault(letters, split) == split


def test_dividing_is_at_random():
    some = numbered(f"w{i}" for i in range(2000))
    divided = reviews.divide(some, 1)
    assert [len(part) for part in divided.values()] == [1500, 200, 300]
    assert divided == reviews.divide(some, 1) != reviews.divide(some, 2)
    assert np.mean([r.rating for r in divided["train"]]) == pytest.approx(1000, abs=60)


@pytest.mark.parametrize("rating", [-3.0, -0.6, 0.6, 3.0])
def test_the_label_is_the_sign(rating):
    assert reviews.Review(["x"], rating).label == (rating > 0)


def broken_archives():
    def tar(name, content):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        return buffer.getvalue()

    yield "no zip", None, b"not a zip"
    yield "no tar inside", "other.txt", b""
    yield "no gzip", reviews._INNER, b"not a tar"
    yield "another tar", reviews._INNER, tar("other", b"")
    yield "cut short", reviews._INNER, tar(reviews._FILE, b"1\t2.0\tx\r\n" * 1000)[:60]
    yield "no number", reviews._INNER, tar(reviews._FILE, b"1\tgood\tx\r\n")
    yield "two columns", reviews._INNER, tar(reviews._FILE, b"1\t2.0\r\n")
    yield "no utf-8", reviews._INNER, tar(reviews._FILE, b"1\t2.0\tx\xff\r\n")


@pytest.mark.parametrize(("member", "content"), [pytest.param(*case[1:], id=case[0]) for case in broken_archives()])
def test_what_cannot_be_read_is_said(tmp_path, member, content):
    path = tmp_path / "x.zip"
    if member is None:
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(member, content)
    with pytest.raises(DataError, match=r"x\.zip cannot be read"):
        reviews._read(path)


def test_without_the_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    monkeypatch.setattr(reviews, "_divided", reviews._divided.__wrapped__)
    with pytest.raises(DataError, match="run `make data`"):
        reviews.load()
