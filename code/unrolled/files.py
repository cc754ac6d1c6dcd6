"""Files that are written whole or not at all; and arrays with a description of what they are, in one such file."""

import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np


@contextmanager
def write_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary file beside `path`; rename it to `path` if the block ends without an error.

    A reader of `path` therefore sees the old file or the whole new one, never a half. When the block raises, or the
    program is interrupted, the temporary file is removed and `path` stays as it was.

    Args:
        path: the file to write; its folder has to exist.

    Raises:
        FileNotFoundError: the folder of `path` does not exist.
        IsADirectoryError: `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it before writing {path.name}")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        with open(beside, "rb") as written:
            os.fsync(written.fileno())  # the bytes reach the disk before the name does
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        beside.chmod(mode)  # mkstemp makes files that only their owner may read
        os.replace(beside, path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def write_arrays(
    path: str | os.PathLike[str],
    description: dict[str, Any],
    arrays: dict[str, np.ndarray],
    default: Callable[[Any], Any] | None = None,
) -> None:
    """Write arrays and what they are to one .npz file, whole or not at all; no pickle is involved.

    Args:
        path: the file to write.
        description: anything that JSON can say.
        arrays: by name; "description" and "file" are taken.
        default: what makes of things that JSON cannot say things that it can.

    Raises:
        TypeError: the description holds something else.
        FileNotFoundError, IsADirectoryError: as for `write_whole`.
    """
    text = json.dumps(description, default=default).encode()
    with write_whole(path) as beside, open(beside, "wb") as file:
        np.savez(file, description=np.frombuffer(text, dtype=np.uint8), **arrays)


_DAMAGE = (OSError, EOFError, BadZipFile, zlib.error, RuntimeError, MemoryError)
"""What reading a damaged archive can end in; one wrong byte may call for a password, or for all memory there is."""


@contextmanager
def arrays_from(
    path: str | os.PathLike[str], what: str, error: type[ValueError]
) -> Iterator[tuple[Any, dict[str, np.ndarray]]]:
    """Yield the description and the arrays that `write_arrays` has written, to be put together in the block.

    Whatever shows there or here that the file is something else, or damaged, becomes the one error of the caller.

    Args:
        path: the file to read.
        what: what it should be, as in "saved window model".
        error: what to raise if it is not.

    Raises:
        ValueError: of the kind `error`: the file is something else, or damaged.
        FileNotFoundError, IsADirectoryError, PermissionError: there is no such file to read.
    """
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        yield json.loads(arrays.pop("description").tobytes()), arrays
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except (*_DAMAGE, AttributeError, LookupError, TypeError, ValueError) as wrong:
        raise error(f"{path} is no {what}, or is damaged: {wrong}") from None


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
