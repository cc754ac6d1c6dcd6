"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
