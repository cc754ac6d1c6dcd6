"""Sentences from lists or from a file, with one clear error for what cannot be a sentence."""

import os
from collections.abc import Iterable, Sequence
from itertools import chain

from unrolled.vocabulary import END, START, UNKNOWN, check_word

Sentences = Iterable[Sequence[str]]


def read_sentences(source: Sentences | str | os.PathLike[str]) -> list[Sequence[str]]:
    """The sentences of a list of word lists, or of a text file with one sentence a line and blanks between words.

    An empty list, or an empty line, is an empty sentence: `<s> </s>`.

    Raises:
        FileNotFoundError: a path names no file.
        ValueError: a file is not UTF-8 (the line is named); a word is empty, holds white space, or is `<s>` or `</s>`.
        TypeError: a sentence is one string instead of a list of words, or a word is no string.
    """
    if isinstance(source, (str, os.PathLike)):
        return _read_file(source)
    if isinstance(source, (bytes, dict)) or not isinstance(source, Iterable):
        raise TypeError(f"sentences are a list of word lists, or the path of a text file; got {type(source).__name__}")
    sentences = source if isinstance(source, list) else list(source)
    for number, sentence in enumerate(sentences, start=1):
        if isinstance(sentence, (str, bytes)):
            raise TypeError(
                f"sentence {number} is one string, {sentence[:30]!r}; a sentence has to be a list of words, so split it"
            )
        if not isinstance(sentence, Sequence):
            raise TypeError(f"sentence {number} is no list of words but a {type(sentence).__name__}")
    try:
        distinct = set(chain.from_iterable(sentences))
    except TypeError:
        distinct = {word if isinstance(word, str) else repr(word) for word in chain.from_iterable(sentences)}
        wrong = next(w for w in chain.from_iterable(sentences) if not isinstance(w, str))
        raise TypeError(f"a word has to be a string; got {wrong!r}") from None
    for word in distinct:
        if word != UNKNOWN:  # rare words may have been replaced already
            _check(word)
    return sentences


def _check(word: object) -> None:
    if word in (START, END):
        raise ValueError(f"the text holds {word!r}; leave the ends of sentences to the model, which adds them")
    check_word(word)


def _read_file(path: str | os.PathLike[str]) -> list[list[str]]:
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
    lines = text.removeprefix("\ufeff").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    sentences = [line.split() for line in lines]
    for symbol in (START, END):
        if symbol in text and any(symbol in sentence for sentence in sentences):
            line = next(i for i, sentence in enumerate(sentences, start=1) if symbol in sentence)
            raise ValueError(
                f"{os.fspath(path)}, line {line}: the text holds {symbol!r}; leave the ends of sentences to the model"
            )
    return sentences
