"""Every model that can be saved: what its file survives, and what it refuses.

That a model comes back as it was is tested with each model; here is what they have in common.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from unrolled.language_model import RecurrentFileError, RecurrentModel
from unrolled.sequence_to_sequence import Translator, TranslatorFileError
from unrolled.vocabulary import Vocabulary
from unrolled.window import WindowFileError, WindowModel

LETTERS, WORDS = Vocabulary(list("abc")), Vocabulary(["one", "two"])


class Kind(NamedTuple):
    """A kind of model: how one is made of a seed, how its file is read, and what other files are answered with."""

    make: Callable[[int], Any]
    load: Callable[..., Any]
    error: type[ValueError]
    message: str


KINDS = {
    "window": Kind(
        lambda seed: WindowModel.create(np.random.default_rng(seed), LETTERS, context=2, embedding=3, hidden=4),
        WindowModel.load,
        WindowFileError,
        "is no saved window model, or is damaged",
    ),
    "recurrent": Kind(
        lambda seed: RecurrentModel.create(np.random.default_rng(seed), LETTERS, hidden=4, unit="lstm", layers=2),
        RecurrentModel.load,
        RecurrentFileError,
        "is no saved recurrent language model, or is damaged",
    ),
    "translator": Kind(
        lambda seed: Translator.create(np.random.default_rng(seed), WORDS, LETTERS, hidden=4, embedding=2, attention=3),
        Translator.load,
        TranslatorFileError,
        "is no saved translator, or is damaged",
    ),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


def test_there_has_to_be_a_file(tmp_path, kind):
    with pytest.raises(FileNotFoundError):
        kind.load(tmp_path / "model.npz")
    with pytest.raises(IsADirectoryError):
        kind.load(tmp_path)


def test_other_files_are_refused(tmp_path, kind):
    path = tmp_path / "model.npz"
    path.write_bytes(b"not a model")
    with pytest.raises(kind.error, match=kind.message):
        kind.load(path)
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(kind.error, match=kind.message):
        kind.load(path)
    np.savez(path, W=np.zeros((2, 3)))
    with pytest.raises(kind.error, match="description"):
        kind.load(path)
    np.savez(path, description=np.frombuffer(b"[]", dtype=np.uint8))
    with pytest.raises(kind.error, match=kind.message):
        kind.load(path)


def test_a_model_of_another_kind_is_refused(tmp_path, kind):
    path = tmp_path / "model.npz"
    for other in KINDS.values():
        if other is not kind:
            other.make(0).save(path)
            with pytest.raises(kind.error, match=kind.message):
                kind.load(path)


def test_damaged_files_are_refused_or_read_rightly(tmp_path, kind):
    path, model = tmp_path / "model.npz", kind.make(0)
    model.save(path)
    whole, refused = path.read_bytes(), 0
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(kind.error, match=kind.message):
            kind.load(path)
    for place in range(200, len(whole), len(whole) // 40):  # a bit among the numbers, in a name, in a date
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            again = kind.load(path)
        except kind.error:
            refused += 1
            continue
        for name, value in model.parameters.items():
            np.testing.assert_array_equal(again.parameters[name], value)
    assert refused > 20


def test_a_failed_save_leaves_the_old_file(tmp_path, full_disk, kind):
    path = tmp_path / "model.npz"
    kind.make(1).save(path)
    before = path.read_bytes()
    full_disk()
    with pytest.raises(OSError, match="no space"):
        kind.make(2).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
