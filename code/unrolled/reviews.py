"""Film reviews, one sentence each, with how positive people found them: a sequence goes in and a number comes out.

The snippets are sentences from film reviews that Pang & Lee (2005) collected; Hutto & Gilbert (2014) had each of them
rated by 15 people or more, from -4, most negative, to 4, and published the mean. The label is the sign of that mean,
where people agreed on one: snippets with a mean between -0.5 and 0.5 are left out unless they are asked for.

    >>> splits = load()
    >>> {split: len(reviews) for split, reviews in splits.items()}
    {'train': 7539, 'valid': 992, 'test': 1512}
    >>> print(round(splits["train"][4].rating, 2), *splits["train"][4].words)
    1.6 it looks closely , insightfully at fragile , complex relationships .
"""

import html
import io
import re
import tarfile
import unicodedata
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unrolled.archives import DataError, archive_path

NEUTRAL = 0.5
"""A mean rating no farther than this from zero is called neutral."""

SHARES = {"train": 0.75, "valid": 0.10, "test": 0.15}
"""How the snippets are divided."""

_ARCHIVE = "vaderSentiment-0.5.zip"
_SHA256 = "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a"
_INNER = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
_FILE = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
_SEED = 2014  # of the split

# Words as in the plays, and what plays do not have: digits, and dots that trail off.
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+[a-z]*|\.\.+|--+|[!&,\-.:;?]")
_LOST_DASH = re.compile(r"(?<=\S) {2,}(?=\S)")  # in the file, dashes between words have become blanks
_PLAIN = str.maketrans({"æ": "ae", "–": "--", "’": "'", "`": "'"})


class Review(NamedTuple):
    """One snippet.

    Attributes:
        words: its lower-case words and punctuation marks.
        rating: the mean of its ratings, between -4 and 4.
    """

    words: list[str]
    rating: float

    @property
    def label(self) -> int:
        """1 for a positive rating, 0 for a negative one."""
        return int(self.rating > 0)


def load(neutral: bool = False) -> dict[str, list[Review]]:
    """The snippets, under "train", "valid" and "test"; read once in the life of a process.

    Args:
        neutral: whether to keep those whose rating is at most 0.5 away from zero. The others stand in the same split
            either way.

    Raises:
        DataError: the archive is missing, is not the pinned one, or cannot be read.
    """
    return {
        split: [review for review in reviews if neutral or abs(review.rating) > NEUTRAL]
        for split, reviews in _divided().items()
    }


def words(text: str) -> list[str]:
    """Cut a snippet into lower-case words and punctuation marks.

    Accents are dropped (the few accented words are mostly names), quotation marks and brackets too.

    >>> words("The Ch\xe2teau's ''balance''  a co writer's (10) &amp; more...")
    ['the', "chateau's", 'balance', '--', 'a', 'co', "writer's", '10', '&', 'more', '...']
    """
    text = _LOST_DASH.sub(" -- ", html.unescape(text).translate(_PLAIN))
    letters = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return [
        "..." if word.startswith("..") else "--" if word.startswith("--") else word
        for word in _WORD.findall("".join(letters).lower())
    ]


@lru_cache(maxsize=1)
def _divided() -> dict[str, list[Review]]:
    return divide([Review(words(text), rating) for rating, text in _read(archive_path(_ARCHIVE, _SHA256))])


def divide(reviews: list[Review], seed: int = _SEED) -> dict[str, list[Review]]:
    """Divide reviews at random; those that consist of the same words go together.

    Args:
        reviews: all of them, in any order that is always the same.
        seed: decides the split.

    Returns:
        75 percent under "train", 10 under "valid" and 15 under "test", up to one group.
    """
    groups: dict[tuple[str, ...], list[Review]] = {}
    for review in reviews:
        groups.setdefault(tuple(word for word in review.words if word[0].isalnum()), []).append(review)
    shuffled = list(groups.values())
    order = np.random.default_rng(seed).permutation(len(shuffled))
    divided: dict[str, list[Review]] = {split: [] for split in SHARES}
    bounds = np.cumsum(list(SHARES.values())) * len(reviews)
    done = 0
    for i in order.tolist():
        split = list(SHARES)[int(np.searchsorted(bounds[:-1], done, side="right"))]
        divided[split] += shuffled[i]
        done += len(shuffled[i])
    return divided


def _read(path: Path) -> list[tuple[float, str]]:
    """The ratings and the texts, as they stand in the archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            inner = io.BytesIO(archive.read(_INNER))
        with tarfile.open(fileobj=inner, mode="r:gz") as archive:
            text = archive.extractfile(_FILE).read().decode("utf-8")
        rows = [line.split("\t") for line in text.splitlines()]
        return [(float(rating), snippet) for _, rating, snippet in rows]
    except (zipfile.BadZipFile, tarfile.TarError, KeyError, AttributeError, OSError, EOFError, ValueError) as error:
        raise DataError(f"the data archive {path} cannot be read: {error}") from None
