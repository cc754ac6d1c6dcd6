"""The sopranos of Bach's chorales, as sequences of notes: one symbol goes in, major or minor, and a melody comes out.

The scores are MusicXML files inside a pinned archive; the soprano is read from each with the standard library, moved to
C major or A minor, and written as one token for each note, its pitch and its length in quarter notes:

    >>> print(*load()["train"][0].tokens[:9])
    <major> C5:1 B4:1 A4:1 A4:1 A4:1 B4:1 C5:1/2 B4:1/2

The first token is the mode. Whoever models a line predicts what follows it.

Where is home? A key signature alone does not say, and what the files say about the mode is not to be relied on. The
bass ends on the home note nearly always; how far that is from the signature, counted in fifths, tells: C or G with an
empty signature is major (with G the old mixolydian mode, or an end on the dominant), A, D and E are minor. D is the
home of minor tunes that are written with the old signature, which lacks one flat, and is moved to A as well.

Many tunes come several times, for Bach set them again and again. All settings of a tune, as far as they can be told by
the melody, are in one split.
"""

import io
import re
import wave
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from unrolled.archives import DataError, archive_path

MAJOR, MINOR = "<major>", "<minor>"
"""The first tokens."""

SHARES = {"train": 0.75, "valid": 0.10, "test": 0.15}
"""How the lines are divided."""

SAMPLE_RATE = 8000
"""Of the sound, per second."""
LONGEST = 9.0
"""Seconds of sound, at most."""

_ARCHIVE = "music21-10.5.1-py3-none-any.whl"
_SHA256 = "dc3309498c4c95cebdf8d4f20c868deb6b63bce1d929cad4f51a7ccc982987b1"
_SEED = 1685  # of the split
_NO_CHORALE = "bwv846"  # a prelude and fugue for the keyboard, in the same folder

_FIFTHS = dict(zip("FCGDAEB", range(-1, 6), strict=True))  # steps on the circle of fifths, from C
_SEMITONES = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))  # above C
_PART = re.compile(r"<part(?:\s[^>]*)?>.*?</part>", re.DOTALL)
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")  # what it says about an encoding no longer holds
_SIGNATURE = re.compile(r"<fifths>\s*(-?\d+)\s*</fifths>")
_INTERVALS = 6  # a stretch of melody: so many intervals in a row
_SAME_TUNE = 0.3  # the share of the stretches of the shorter line that the other has too


@dataclass(frozen=True)
class Chorale:
    """The soprano of one chorale.

    Attributes:
        name: the number in the catalogue of Bach's works, as the file is called, such as "bwv244.54".
        tokens: the mode, then a token for each note, such as "C5:1" or "F#4:1/2"; middle C is C4, and lengths are in
            quarter notes.
    """

    name: str
    tokens: tuple[str, ...]

    @property
    def mode(self) -> str:
        """`<major>` or `<minor>`."""
        return self.tokens[0]


class Note(NamedTuple):
    """Where a note stands in a score-like picture.

    Attributes:
        pitch: in semitones, with middle C at 60.
        onset: when it begins, in quarter notes from the beginning.
        length: in quarter notes.
    """

    pitch: int
    onset: float
    length: float


@lru_cache(maxsize=1)
def load() -> dict[str, list[Chorale]]:
    """All lines, under "train", "valid" and "test"; read once in the life of a process.

    Raises:
        DataError: the archive is missing, is not the pinned one, or cannot be read.
    """
    return divide(_read(archive_path(_ARCHIVE, _SHA256)))


def notes(tokens: Iterable[str]) -> list[Note]:
    """Pitches, onsets and lengths of a line; tokens in angle brackets (modes, `</s>`) are passed over.

    >>> notes(["<major>", "C4:1", "C#5:1/2", "</s>"])
    [Note(pitch=60, onset=0.0, length=1.0), Note(pitch=73, onset=1.0, length=0.5)]

    Raises:
        ValueError: a token is none of a line.
    """
    found, onset = [], Fraction(0)
    for token in tokens:
        if token.startswith("<"):
            continue
        pitch, length = _parse(token)
        found.append(Note(pitch, float(onset), float(length)))
        onset += length
    return found


def wav(tokens: Iterable[str], tempo: float = 100.0) -> bytes:
    """A line as sound: the content of a WAV file, 16 bit, mono, 8,000 samples per second, 9 seconds at most.

    A note is a sum of four harmonics that swells for a hundredth of a second, fades slowly and ends softly. What would
    sound after nine seconds is cut off, and the cut is soft too.

    Args:
        tokens: as for `notes`.
        tempo: quarter notes per minute.

    Raises:
        ValueError: a token is none of a line, there is no note, or the tempo is not positive.
    """
    line = notes(tokens)
    if not line:
        raise ValueError("there is no note to be heard: the line is empty")
    if not 0 < tempo < np.inf:
        raise ValueError(f"the tempo has to be positive, in quarter notes per minute; got {tempo}")
    quarter = 60 / tempo  # seconds
    total = min((line[-1].onset + line[-1].length) * quarter, LONGEST)
    sound = np.zeros(round(total * SAMPLE_RATE))
    for pitch, onset, length in line:
        first = round(onset * quarter * SAMPLE_RATE)
        last = min(round((onset + length) * quarter * SAMPLE_RATE), len(sound))
        if first < last:
            sound[first:last] = _tone(440 * 2 ** ((pitch - 69) / 12), last - first)
    samples = np.round(sound * 0.8 * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def divide(lines: Sequence[Chorale], seed: int = _SEED) -> dict[str, list[Chorale]]:
    """Divide lines at random; settings of the same tune go together.

    Args:
        lines: all of them, in an order that is always the same.
        seed: decides the split.

    Returns:
        75 percent under "train", 10 under "valid" and 15 under "test", up to one tune.
    """
    groups: dict[int, list[Chorale]] = {}
    for line, group in zip(lines, tunes(lines), strict=True):
        groups.setdefault(group, []).append(line)
    members = list(groups.values())
    divided: dict[str, list[Chorale]] = {split: [] for split in SHARES}
    bounds = np.cumsum(list(SHARES.values())) * len(lines)
    done = 0
    for i in np.random.default_rng(seed).permutation(len(members)).tolist():
        split = list(SHARES)[int(np.searchsorted(bounds[:-1], done, side="right"))]
        divided[split] += members[i]
        done += len(members[i])
    return divided


def tunes(lines: Sequence[Chorale]) -> list[int]:
    """For each line the number of its tune.

    Two lines have the same tune when of the stretches of six intervals that the shorter one consists of, 30 percent or
    more are found in the other; and so has a third that is like one of them. Rhythm and key play no part.
    """
    stretches = []
    for line in lines:
        steps = np.diff([_parse(token)[0] for token in line.tokens[1:]]).tolist()
        stretches.append({tuple(steps[i : i + _INTERVALS]) for i in range(len(steps) - _INTERVALS + 1)})
    owners: dict[tuple[int, ...], list[int]] = {}
    for i, mine in enumerate(stretches):
        for stretch in mine:
            owners.setdefault(stretch, []).append(i)
    shared = Counter((i, j) for same in owners.values() for i in same for j in same if i < j)
    leader = list(range(len(lines)))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    for (i, j), count in shared.items():
        if count >= _SAME_TUNE * min(len(stretches[i]), len(stretches[j])):
            first, second = sorted((find(i), find(j)))
            leader[second] = first
    return [find(i) for i in range(len(lines))]


def parse_score(xml: str, name: str = "") -> Chorale:
    """Read the soprano from a score in MusicXML.

    Tied notes are one note. Rests, grace notes, fermatas, ornaments and signs of repetition are passed over.

    Raises:
        ValueError: the text is no such score, or has no soprano.
    """
    # Only two of the parts are parsed, which is most of the time that it takes to read the chorales.
    texts = _PART.findall(xml)
    try:
        names = _part_names(ElementTree.fromstring(_DECLARATION.sub("", _PART.sub("", xml))))
        parts = dict(zip(names, texts, strict=False))
        soprano, bass = (next((p for p in parts if p.startswith(voice)), None) for voice in ("Soprano", "Bass"))
        if soprano is None:
            raise ValueError(f"{name} has no part called Soprano; its parts are {', '.join(parts) or 'none'}")
        soprano = ElementTree.fromstring(parts[soprano])
        bass = soprano if bass is None else ElementTree.fromstring(parts[bass])
    except ElementTree.ParseError as error:
        raise ValueError(f"{name} is no MusicXML: {error}") from None
    melody = _melody(soprano)
    if not melody:
        raise ValueError(f"the soprano of {name} has no note")
    signatures = Counter(int(fifths) for text in texts for fifths in _SIGNATURE.findall(text))
    signature = signatures.most_common(1)[0][0] if signatures else 0
    last = (list(bass.iter("pitch")) or list(soprano.iter("pitch")))[-1]
    mode, fifths = _home(_place(last) - signature)
    fifths -= signature
    semitones = (7 * fifths + 5) % 12 - 5  # up or down, whichever is less
    tokens = [f"{_spell(place + fifths, pitch + semitones)}:{length}" for place, pitch, length in melody]
    return Chorale(name, (mode, *tokens))


def _home(degree: int) -> tuple[str, int]:
    """The mode, and how many fifths to move beyond the signature, from the last note of the bass.

    `degree` is that note in fifths above the major tonic: with an empty signature 0 is C, 1 G, 2 D, 3 A, 4 E.
    """
    if degree == 2:
        return MINOR, 1
    return (MINOR if degree > 2 else MAJOR), 0


def _part_names(score: ElementTree.Element) -> list[str]:
    names = [(part.findtext("part-name") or "").strip() for part in score.iter("score-part")]
    return [name if names.index(name) == i else f"{name} ({i + 1})" for i, name in enumerate(names)]


def _melody(part: ElementTree.Element) -> list[tuple[int, int, Fraction]]:
    """The notes of a part: the place on the circle of fifths, the pitch in semitones, the length in quarter notes."""
    melody: list[tuple[int, int, Fraction]] = []
    divisions = 1
    for element in part.iterfind("measure/*"):
        if element.tag == "attributes":
            divisions = int(element.findtext("divisions") or divisions)
        pitch = element.find("pitch")
        if pitch is None or element.find("grace") is not None or element.find("chord") is not None:
            continue
        place = _place(pitch)
        number = 12 * (int(pitch.findtext("octave")) + 1) + _SEMITONES[pitch.findtext("step")]
        number += int(pitch.findtext("alter") or 0)
        length = Fraction(int(element.findtext("duration")), divisions)
        if element.find("tie[@type='stop']") is not None and melody and melody[-1][1] == number:
            length += melody.pop()[2]
        melody.append((place, number, length))
    return melody


def _place(pitch: ElementTree.Element) -> int:
    """Where a pitch stands on the circle of fifths: C is 0, G 1, F -1, F sharp 6."""
    return _FIFTHS[pitch.findtext("step")] + 7 * int(pitch.findtext("alter") or 0)


def _spell(place: int, pitch: int) -> str:
    """The name of a pitch: 6 on the circle of fifths and 66 semitones is F#4."""
    alter, letter = divmod(place + 1, 7)
    octave = (pitch - alter) // 12 - 1
    return "FCGDAEB"[letter] + ("#" * alter if alter > 0 else "b" * -alter) + str(octave)


@lru_cache(maxsize=1024)
def _parse(token: str) -> tuple[int, Fraction]:
    """Pitch in semitones and length of a token.

    Raises:
        ValueError: it is no token of a line.
    """
    name, _, length = token.partition(":")
    letter, sign, octave = name[:1], name[1:].rstrip("0123456789"), name[1:].lstrip("#b")
    try:
        if set(sign) not in (set(), {"#"}, {"b"}):
            raise ValueError(sign)
        pitch = 12 * (int(octave) + 1) + _SEMITONES[letter] + sign.count("#") - sign.count("b")
        quarters = Fraction(length)
        if quarters <= 0:
            raise ValueError(length)
    except (KeyError, ValueError, ZeroDivisionError):
        raise ValueError(f"a token of a line looks like C5:1 or F#4:1/2; got {token!r}") from None
    return pitch, quarters


def _tone(frequency: float, samples: int) -> np.ndarray:
    """One note, between -1 and 1, that begins and ends at zero."""
    seconds = np.arange(samples) / SAMPLE_RATE
    strengths = np.array([0.55, 0.25, 0.13, 0.07])
    harmonics = np.arange(1, 5)
    audible = harmonics * frequency < SAMPLE_RATE / 2
    phases = 2 * np.pi * frequency * np.outer(seconds, harmonics[audible])  # (samples, harmonics)
    swell = np.minimum(1, seconds / 0.01)
    fade = np.exp(-1.5 * seconds) * np.minimum(1, seconds[::-1] / 0.03)
    return (np.sin(phases) @ strengths[audible]) * swell * fade


def _read(path: Path) -> list[Chorale]:
    """The lines of all chorales in the archive, in the order of their names."""
    lines = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                folder, _, file = member.rpartition("/")
                if folder == "music21/corpus/bach" and file.startswith("bwv") and file.endswith(".mxl"):
                    name = file.removesuffix(".mxl")
                    if name != _NO_CHORALE:
                        lines.append(parse_score(_unpack(archive.read(member)), name))
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, AttributeError, ValueError, OSError) as error:
        raise DataError(f"the data archive {path} cannot be read: {error}") from None
    if not lines:
        raise DataError(f"the data archive {path} has no chorales in music21/corpus/bach")
    return lines


def _unpack(content: bytes) -> str:
    """The score inside a zipped MusicXML file, which says in a file of its own what the score is called."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        return archive.read(container.find(".//{*}rootfile").attrib["full-path"]).decode("utf-8")
