"""What several tests need."""

import numpy as np
import pytest


@pytest.fixture
def full_disk(monkeypatch):
    """A function that fills the disk: of an .npz file written after it was called only a few bytes get there."""

    def broken(file, **arrays):
        file.write(b"half")
        raise OSError("no space left on device")

    return lambda: monkeypatch.setattr(np, "savez", broken)
