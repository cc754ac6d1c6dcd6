"""Sentences from lists or from a file, turned into ids, with one clear error for what cannot be a sentence.

A text is one flat list, `<s> w w </s> <s> ... </s>`. Words are numbered as they come, so that every later step
(checking, counting, finding their ids in a vocabulary) looks at each distinct word once.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat

import numpy as np

from unrolled.ngram.words import SEPARATOR, WordTable
from unrolled.vocabulary import END, START, UNKNOWN, Vocabulary, check_word

Sentences = Iterable[Sequence[str]]


@dataclass
class Text:
    """Sentences, as numbers of words in the order of their first appearance.

    Attributes:
        words: the distinct symbols by number; the first two are `<s>` and `</s>`.
        numbers: the text, `<s> w w </s> <s> ...`, int64 (N,).
    """

    words: list[str]
    numbers: np.ndarray

    def vocabulary(self) -> Vocabulary:
        """Every word of the text, the most frequent first."""
        counts = np.bincount(self.numbers, minlength=len(self.words)).tolist()
        return Vocabulary.from_counts(dict(zip(self.words, counts, strict=True)))

    def ids(self, vocabulary: Vocabulary) -> np.ndarray:
        """The text in the ids of a vocabulary, words outside it as `<unk>`."""
        return vocabulary.encode(self.words).take(self.numbers)

    @property
    def number_of_words(self) -> int:
        """The length of the text without the ends of sentences."""
        return int(self.numbers.size - 2 * np.count_nonzero(self.numbers == 0))


def read_text(source: Sentences | str | os.PathLike[str]) -> Text:
    """Read lists of words, or a text file with one sentence a line and blanks between words.

    An empty list, or an empty line, is an empty sentence: `<s> </s>`.

    Raises:
        FileNotFoundError: a path names no file.
        ValueError: a file is not UTF-8 (the line is named); a word is empty, holds white space, or is `<s>` or `</s>`.
        TypeError: a sentence is one string instead of a list of words, or a word is no string.
    """
    symbols, sentences = _symbols(source)
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__  # a word that is new gets the next number
    number.update({START: 0, END: 1})
    try:
        numbers = np.fromiter(map(number.__getitem__, symbols), np.int64, len(symbols))
    except TypeError:
        raise TypeError(_wrong_word(symbols)) from None
    words = list(number)
    for word in words[2:]:
        if word != UNKNOWN:  # rare words may have been replaced already
            check_word(word)
    _check_ends(numbers, 0, 1, sentences)
    return Text(words, numbers)


def encode(
    source: Sentences | str | os.PathLike[str], vocabulary: Vocabulary, table: Callable[[], WordTable] | None = None
) -> np.ndarray:
    """The ids of a text, `<s> w w </s> <s> ...`, int64 (N,), words outside the vocabulary as `<unk>`.

    Args:
        source: lists of words, or the path of a text file.
        vocabulary: gives the ids.
        table: makes or returns the table of the vocabulary's words, which is asked for where it pays: for long texts.

    Raises:
        FileNotFoundError, ValueError, TypeError: as `read_text`.
    """
    ids = None
    if isinstance(source, (str, os.PathLike)):
        text = _read_file(source)
        if table is not None:
            ids = _encode_text_at_once(text, vocabulary, table)
        split = partial(_split, text)
    else:
        if table is not None and isinstance(source, list):
            ids = _encode_at_once(source, vocabulary, table)
        split = partial(_symbols, source)
    if ids is not None:
        return ids
    symbols, sentences = split()
    try:
        ids = vocabulary.encode(symbols)
    except TypeError:
        raise TypeError(_wrong_word(symbols)) from None
    for word in {symbols[i] for i in np.flatnonzero(ids == vocabulary.unknown).tolist()}:
        if word != UNKNOWN:
            check_word(word)
    _check_ends(ids, vocabulary.start, vocabulary.end, sentences)
    return ids


def _encode_at_once(source: list, vocabulary: Vocabulary, table: Callable[[], WordTable]) -> np.ndarray | None:
    """What `encode` returns, or None where it takes a look at each word to tell what is wrong, or does not pay."""
    if not {list, tuple}.issuperset(map(type, source)):
        return None
    number = sum(map(len, source)) + 2 * len(source)
    if number < vocabulary.size // 4:  # the table costs more than the words do
        return None
    try:
        sentences = f"{SEPARATOR}{END}{SEPARATOR}{START}{SEPARATOR}".join(map(SEPARATOR.join, source))
    except TypeError:  # a word is no string
        return None
    text = f"{START}{SEPARATOR}{sentences}{SEPARATOR}{END}{SEPARATOR}"
    ids = table().ids(text, number)
    if ids is None:
        return None
    if not ids.all() and (not text.isascii() or _has_control_characters(text)):  # is there white space in a word?
        symbols = text.split(SEPARATOR)
        for word in {symbols[i] for i in np.flatnonzero(ids == vocabulary.unknown).tolist()} - {UNKNOWN}:
            check_word(word)
    _check_ends(ids, vocabulary.start, vocabulary.end, len(source))
    return ids


def _encode_text_at_once(text: str | None, vocabulary: Vocabulary, table: Callable[[], WordTable]) -> np.ndarray | None:
    """What `encode` returns, or None where words are not parted by single blanks and line ends, or it does not pay."""
    if not text or not text.isascii() or SEPARATOR in text:
        return None
    text = text.replace(" ", SEPARATOR).replace("\n", f"{SEPARATOR}{END}{SEPARATOR}{START}{SEPARATOR}")
    text = f"{START}{SEPARATOR}{text}{SEPARATOR}{END}{SEPARATOR}"
    number = text.count(SEPARATOR)
    if number < vocabulary.size // 4 or _has_control_characters(text):
        return None
    return table().ids(text, number)  # None where two blanks, or an empty line, leave a word of no letters


def _has_control_characters(text: str) -> bool:
    """Whether a text has white space in it, or anything else up to it in ASCII but `SEPARATOR`."""
    codes = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    return bool((codes - np.uint8(1) < 32).any())


def _symbols(source: Sentences | str | os.PathLike[str]) -> tuple[list[str], int]:
    """The words of all sentences in one list, `<s>` before and `</s>` behind each, and the number of sentences."""
    if isinstance(source, (str, os.PathLike)):
        return _split(_read_file(source))
    if isinstance(source, (bytes, dict)) or not isinstance(source, Iterable):
        raise TypeError(f"sentences are a list of word lists, or the path of a text file; got {type(source).__name__}")
    sentences = source if isinstance(source, list) else list(source)
    if not {list, tuple}.issuperset(map(type, sentences)):
        for number, sentence in enumerate(sentences, start=1):
            _check_sentence(sentence, number)
    marked = zip(repeat([START]), sentences, repeat([END]))
    return list(chain.from_iterable(chain.from_iterable(marked))), len(sentences)


def _split(text: str | None) -> tuple[list[str], int]:
    """The same for the text of a file."""
    if text is None:
        return [], 0
    marked = text.replace("\n", f" {END} {START} ")
    return f"{START} {marked} {END}".split(), text.count("\n") + 1


def _check_sentence(sentence: object, number: int) -> None:
    if isinstance(sentence, (str, bytes)):
        raise TypeError(
            f"sentence {number} is one string, {sentence[:30]!r}; a sentence has to be a list of words, so split it"
        )
    if not isinstance(sentence, (Sequence, np.ndarray)):
        raise TypeError(f"sentence {number} is no list of words but a {type(sentence).__name__}")


def _check_ends(text: np.ndarray, start: int, end: int, sentences: int) -> None:
    """Every sentence was given one `<s>` and one `</s>`; any more were words of the text."""
    for symbol, number in ((START, start), (END, end)):
        if np.count_nonzero(text == number) > sentences:
            raise ValueError(
                f"the text holds {symbol!r} as a word; leave the ends of sentences to the model, which adds them"
            )


def _wrong_word(symbols: list) -> str:
    word = next(word for word in symbols if not isinstance(word, str))
    return f"a word has to be a string; got {word!r} of type {type(word).__name__}"


def _read_file(path: str | os.PathLike[str]) -> str | None:
    """The text of a file, its lines parted by line ends; None where not even an empty line is in it."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        hint = "; a text has to be split into lists of words" if " " in os.fspath(path) else ""
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r}{hint}") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{os.fspath(path)}, line {line}: the byte {data[error.start]:#04x} is not UTF-8; convert the file to UTF-8"
        ) from None
    if not data:
        return None
    text = text.removeprefix("\ufeff").removesuffix("\n")
    for symbol in (START, END):
        if symbol in text:
            for line, words in enumerate(map(str.split, text.split("\n")), start=1):
                if symbol in words:
                    raise ValueError(
                        f"{os.fspath(path)}, line {line}: the text holds {symbol!r} as a word; leave the ends of "
                        "sentences to the model, which adds them"
                    )
    return text
