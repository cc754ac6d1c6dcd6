"""Chorales: reading scores, moving them home, grouping tunes, and sound that is what the notes say."""

import io
import re
import wave
import zipfile
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import chorales
from unrolled.archives import DataError, archive_path


@pytest.fixture(scope="module")
def splits():
    return chorales.load()


@pytest.fixture(scope="module")
def lines(splits):
    return [line for part in splits.values() for line in part]


# --- what the archive holds -----------------------------------------------------------------------


def test_sizes(splits, lines):
    assert {split: len(part) for split, part in splits.items()} == {"train": 309, "valid": 38, "test": 60}
    assert sum(len(line.tokens) - 1 for line in lines) == 21_032
    assert Counter(line.mode for line in lines) == {chorales.MAJOR: 219, chorales.MINOR: 188}
    assert len({line.name for line in lines}) == 407


def test_every_file_but_one_is_read(lines):
    with zipfile.ZipFile(archive_path(chorales._ARCHIVE, chorales._SHA256)) as archive:
        names = {
            match[1]
            for member in archive.namelist()
            if (match := re.fullmatch(r"music21/corpus/bach/(bwv[^/]*)\.mxl", member))
        }
    assert names - {line.name for line in lines} == {"bwv846"}
    assert len(names) == 408


def test_melodies_end_at_home(lines):
    """Nearly all; a few end on the dominant, and tunes in old modes on another degree."""
    ends = {chorales.MAJOR: Counter(), chorales.MINOR: Counter()}
    for line in lines:
        ends[line.mode][line.tokens[-1].split(":")[0][:-1]] += 1
    assert ends[chorales.MAJOR]["C"] > 0.9 * ends[chorales.MAJOR].total()
    assert ends[chorales.MINOR]["A"] > 0.8 * ends[chorales.MINOR].total()


def test_notes_are_mostly_of_the_scale(lines):
    """Few notes are black keys, and G sharp, the leading note of A minor, belongs to the minor lines."""
    count = {mode: Counter() for mode in (chorales.MAJOR, chorales.MINOR)}
    for line in lines:
        count[line.mode].update(token.split(":")[0][:-1] for token in line.tokens[1:])
    for mode, counts in count.items():
        assert sum(counts[letter] for letter in "CDEFGAB") > 0.94 * counts.total(), mode
    assert count[chorales.MINOR]["G#"] > 5 * count[chorales.MAJOR]["G#"]


def test_melodies_can_be_sung(lines):
    for line in lines:
        for note in chorales.notes(line.tokens):
            assert 52 <= note.pitch <= 86, line.name


def test_tunes_are_not_divided(splits, lines):
    """No line of the test or valid part shares a long stretch of intervals with many of a training line's."""
    stretch = {}
    for line in lines:
        steps = np.diff([note.pitch for note in chorales.notes(line.tokens)]).tolist()
        stretch[line.name] = {tuple(steps[i : i + 6]) for i in range(len(steps) - 5)}
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        for a in splits[one]:
            for b in splits[other]:
                mine, theirs = stretch[a.name], stretch[b.name]
                assert len(mine & theirs) < 0.3 * min(len(mine), len(theirs)), (a.name, b.name)


def test_well_known_settings_of_one_tune_are_together(lines):
    """Of "O Haupt voll Blut und Wunden" in the St Matthew Passion, five settings; of "Jesu, meine Freude", three."""
    number = dict(zip((line.name for line in lines), chorales.tunes(lines), strict=True))
    assert len({number[f"bwv244.{n}"] for n in (15, 17, 44, 54, 62)}) == 1
    assert len({number[f"bwv227.{n}"] for n in (1, 3, 7)}) == 1
    assert number["bwv244.15"] != number["bwv227.1"]


# --- scores ---------------------------------------------------------------------------------------


def note(name, duration, extra="", octave=5):
    step, alter = name[0], {"": 0, "#": 1, "b": -1}[name[1:]]
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    return f"<note>{extra}{pitch}<duration>{duration}</duration></note>"


def score(soprano, bass, fifths=0, parts=("Soprano", "Bass"), divisions=2):
    bodies = []
    for body in (soprano, bass):
        attributes = f"<divisions>{divisions}</divisions><key><fifths>{fifths}</fifths><mode>major</mode></key>"
        bodies.append(f"<part><measure><attributes>{attributes}</attributes>{body}</measure></part>")
    names = "".join(f"<score-part><part-name>{name}</part-name></score-part>" for name in parts)
    return f"<score-partwise><part-list>{names}</part-list>{''.join(bodies)}</score-partwise>"


def read(soprano, bass, **rest):
    return chorales.parse_score(score(soprano, bass, **rest), "x").tokens


def test_ties_rests_graces_and_chords():
    rest = "<note><rest/><duration>2</duration></note>"
    grace = "<note><grace/><pitch><step>D</step><octave>5</octave></pitch></note>"
    soprano = (
        note("C", 2, '<tie type="start"/>') + note("C", 1, '<tie type="stop"/><tie type="start"/>')
        + note("C", 1, '<tie type="stop"/>') + rest + grace + note("E", 3) + note("G", 3, "<chord/>")
        + note("E", 1) + note("F", 2, '<tie type="stop"/>')
    )  # fmt: skip
    assert read(soprano, note("C", 2)) == ("<major>", "C5:2", "E5:3/2", "E5:1/2", "F5:1")


@pytest.mark.parametrize(
    ("fifths", "melody", "bass", "expected"),
    [
        (0, ["C", "D"], "C", ["<major>", "C5:1", "D5:1"]),
        (2, ["D", "F#"], "D", ["<major>", "C5:1", "E5:1"]),
        (-3, ["Eb", "Bb"], "Eb", ["<major>", "C5:1", "G5:1"]),
        (5, ["B", "A#"], "B", ["<major>", "C6:1", "B5:1"]),
        (0, ["C", "B"], "G", ["<major>", "C5:1", "B5:1"]),  # ends on the dominant
        (0, ["A", "G#"], "A", ["<minor>", "A5:1", "G#5:1"]),
        (-2, ["G", "F#", "Eb"], "G", ["<minor>", "A5:1", "G#5:1", "F5:1"]),
        (-1, ["G", "F#", "Eb"], "G", ["<minor>", "A5:1", "G#5:1", "F5:1"]),  # the old signature of G minor
        (0, ["E", "F"], "E", ["<minor>", "E5:1", "F5:1"]),  # phrygian
        (6, ["F#", "C#"], "F#", ["<major>", "C5:1", "G4:1"]),
    ],
)
def test_moving_home(fifths, melody, bass, expected):
    tokens = read("".join(note(name, 2) for name in melody), note(bass, 2, octave=3), fifths=fifths)
    letters = [token.rstrip("0123456789:/") for token in tokens]
    assert [re.sub(r"\d(?=:)", "", token) for token in tokens] == [re.sub(r"\d(?=:)", "", token) for token in expected]
    assert letters
    steps = np.diff([chorales._parse(note_token)[0] for note_token in tokens[1:]])
    semitones = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
    heights = [semitones[name[0]] + {"": 0, "#": 1, "b": -1}[name[1:]] for name in melody]
    assert steps.tolist() == np.diff(heights).tolist()


def test_the_first_soprano_is_read_and_other_instruments_are_not():
    assert read(note("G", 2), note("C", 2), parts=("Soprano 1", "Bass")) == ("<major>", "G5:1")
    with pytest.raises(ValueError, match="x has no part called Soprano; its parts are Horn, Bass"):
        read(note("G", 2), note("C", 2), parts=("Horn", "Bass"))


@pytest.mark.parametrize(
    ("xml", "message"), [("<score", "no MusicXML"), ("<a/>", "none"), (score("", ""), "has no note")]
)
def test_what_is_no_score_is_refused(xml, message):
    with pytest.raises(ValueError, match=message):
        chorales.parse_score(xml, "x")


# --- tunes and splits -----------------------------------------------------------------------------


def line(name, pitches, length="1"):
    letters = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    return chorales.Chorale(name, ("<major>", *(f"{letters[p % 12]}{p // 12 - 1}:{length}" for p in pitches)))


def test_tunes():
    rng = np.random.default_rng(0)
    one, two = rng.integers(60, 80, size=(2, 40)).tolist()
    some = [
        line("one", one),
        line("two", two),
        line("one in another key and rhythm", [p + 2 for p in one], "1/2"),
        line("one, and more", [*one[:20], *rng.integers(60, 80, size=20).tolist()]),
        line("short", [60, 62, 64]),
    ]
    assert chorales.tunes(some) == [0, 1, 0, 0, 4]


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 2**32 - 1))
def test_dividing_keeps_all_and_joins_tunes(which, seed):
    melodies = np.random.default_rng(0).integers(55, 85, size=(6, 30)).tolist()
    some = [line(str(i), melodies[k]) for i, k in enumerate(which)]
    divided = chorales.divide(some, seed)
    assert sorted(x.name for part in divided.values() for x in part) == sorted(x.name for x in some)
    where = {}
    for split, part in divided.items():
        for x in part:
            assert where.setdefault(which[int(x.name)], split) == split


# --- notes and sound ------------------------------------------------------------------------------


def test_notes():
    found = chorales.notes(["<minor>", "A4:3/2", "G#4:1/2", "Bb4:1/8", "</s>"])
    assert found == [(69, 0.0, 1.5), (68, 1.5, 0.5), (70, 2.0, 0.125)]


@given(st.integers(-8, 12), st.integers(40, 90))
def test_names_and_pitches_agree(place, pitch):
    """Any place on the circle of fifths whose pitch class fits is spelled so that it reads back."""
    pitch += (7 * place - pitch) % 12
    name = chorales._spell(place, pitch)
    assert chorales._parse(f"{name}:1") == (pitch, 1)


@pytest.mark.parametrize(
    "token", ["C5", "H5:1", "C:1", "C5:0", "C5:-1", "C5:x", "C#b5:1", "C5:1/0", "", "c5:1", "C-1:"]
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(ValueError, match="looks like C5:1"):
        chorales.notes([token])


def samples_of(content):
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)


def test_sound_lasts_as_long_as_the_line():
    assert len(samples_of(chorales.wav(["<major>", "C5:1", "D5:1/2"], tempo=60))) == 12_000
    assert len(samples_of(chorales.wav(["C5:1"] * 100, tempo=60))) == 72_000
    assert len(chorales.wav(["C5:1"] * 100, tempo=60)) == 144_044


@pytest.mark.parametrize("token", ["C5:1", "A4:1", "F#5:1", "C6:1", "Bb3:1"])
def test_the_loudest_frequency_is_that_of_the_note(token):
    samples = samples_of(chorales.wav([token], tempo=60))
    loudest = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax()  # 1 Hz each
    pitch = chorales.notes([token])[0].pitch
    assert loudest == pytest.approx(440 * 2 ** ((pitch - 69) / 12), abs=1)


def test_sound_is_soft():
    """Notes begin and end at zero, nothing is clipped, and no step between samples is a click."""
    samples = samples_of(chorales.wav(["C5:1", "A5:1", "E4:8"], tempo=100))
    starts = [0, 4800, 9600, len(samples)]
    assert all(abs(samples[i]) < 300 for i in starts[:-1])
    assert all(abs(samples[i - 1]) < 300 for i in starts[1:])
    assert 15_000 < np.abs(samples).max() < 32_767


@pytest.mark.parametrize(
    ("tokens", "tempo", "message"),
    [(["<major>"], 100, "no note"), (["C5:1"], 0, "positive"), (["C5:1"], float("nan"), "positive")],
)
def test_what_cannot_sound_is_refused(tokens, tempo, message):
    with pytest.raises(ValueError, match=message):
        chorales.wav(tokens, tempo)


# --- without the archive --------------------------------------------------------------------------


def test_a_damaged_archive(tmp_path, monkeypatch):
    path = tmp_path / "x.whl"
    path.write_bytes(b"no zip")
    with pytest.raises(DataError, match=r"x\.whl cannot be read"):
        chorales._read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other", "")
    with pytest.raises(DataError, match="has no chorales"):
        chorales._read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("music21/corpus/bach/bwv1.mxl", b"no zip")
    with pytest.raises(DataError, match=r"x\.whl cannot be read"):
        chorales._read(path)
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    with pytest.raises(DataError, match="run `make data`"):
        chorales.load.__wrapped__()
