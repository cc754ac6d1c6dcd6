"""The ARPA format: the text file in which n-gram toolkits exchange back-off models.

    \\data\\
    ngram 1=4
    ngram 2=3

    \\1-grams:
    -0.8	<unk>	0
    ...

Each line holds log10 p(w | h), the words h w, and log10 of the back-off weight of h w as a context, separated by
tabs. The value -99 stands for log10 of zero, as is the custom, since `<s>` is never predicted.
"""

import math
import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unrolled.files import write_whole
from unrolled.ngram.trie import Trie
from unrolled.vocabulary import SPECIAL, START, UNKNOWN, Vocabulary

ZERO = -99.0


class ArpaError(ValueError):
    """A file is no whole ARPA model; the message names the line."""


class ArpaModel(NamedTuple):
    """What an ARPA file says: a vocabulary, the n-grams, log10 probabilities and back-off weights per level."""

    vocabulary: Vocabulary
    trie: Trie
    log10_probability: list[np.ndarray]
    log10_backoff: list[np.ndarray]


def write(path: str | os.PathLike[str], model: ArpaModel) -> None:
    """Write a model; the file appears whole or not at all.

    Raises:
        ValueError: a symbol is white space, which the format uses to separate words.
    """
    symbols = np.array(model.vocabulary.symbols, dtype=object)
    for symbol in model.vocabulary.symbols:
        if symbol.isspace():
            raise ValueError(
                f"the symbol {symbol!r} is white space, which separates the words of an ARPA file; "
                "replace it by another character in the training text"
            )
    order = model.trie.order
    with write_whole(path) as beside, open(beside, "w", encoding="utf-8", newline="\n") as file:
        file.write("\\data\\\n")
        file.writelines(f"ngram {k}={words.size}\n" for k, words in enumerate(model.trie.word, start=1))
        spelled = symbols.tolist()  # the words of the n-grams of the level below, joined by blanks
        for level in range(order):
            file.write(f"\n\\{level + 1}-grams:\n")
            if level:
                context = model.trie.context_of(level).tolist()
                words = symbols[model.trie.word[level]].tolist()
                spelled = [f"{spelled[h]} {w}" for h, w in zip(context, words, strict=True)]
            logs = _printable(np.minimum(model.log10_probability[level], 0.0))  # rounding may exceed 1 by 1e-16
            if level + 1 < order:
                weights = _printable(model.log10_backoff[level])
                lines = (f"{p:.10g}\t{w}\t{b:.10g}\n" for p, w, b in zip(logs, spelled, weights, strict=True))
            else:
                lines = (f"{p:.10g}\t{w}\n" for p, w in zip(logs, spelled, strict=True))
            file.writelines(lines)
        file.write("\n\\end\\\n")


def _printable(values: np.ndarray) -> list[float]:
    return (np.maximum(values, ZERO) + 0.0).tolist()  # -inf becomes -99, and -0.0 becomes 0.0


class _Lines:
    """The lines of a file with their numbers, decoded one at a time so that a wrong byte can be located."""

    def __init__(self, path: str | os.PathLike[str], file: Iterator[bytes]):
        self.path, self.file, self.number = os.fspath(path), file, 0

    def error(self, message: str) -> ArpaError:
        return ArpaError(f"{self.path}, line {self.number}: {message}")

    def __iter__(self) -> Iterator[str]:
        for raw in self.file:
            self.number += 1
            try:
                yield raw.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise self.error(f"the byte {raw[error.start]:#04x} is not UTF-8") from None

    def meaningful(self) -> Iterator[str]:
        """The lines that are not blank."""
        return (line for line in self if line.strip())


def read(path: str | os.PathLike[str]) -> ArpaModel:
    """Read a model.

    Raises:
        FileNotFoundError: there is no such file.
        ArpaError: the file is malformed or truncated; the message says where and what was expected.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r}") from None
    with file:
        lines = _Lines(path, file)
        text = lines.meaningful()
        counts, header = _read_head(lines, text)
        order = len(counts)
        vocabulary, logs, weights = _read_unigrams(lines, text, counts[0], header, order)
        trie = Trie([np.arange(vocabulary.size + 1)], [])
        probability, backoff = [logs], [weights] if order > 1 else []
        for k in range(2, order + 1):
            _expect(lines, text, f"\\{k}-grams:")
            logs, weights = _read_level(lines, text, counts[k - 1], k, k == order, vocabulary, trie)
            probability.append(logs)
            if k < order:
                backoff.append(weights)
        _expect(lines, text, "\\end\\")
    return ArpaModel(vocabulary, trie.packed(), probability, backoff)


def _read_head(lines: _Lines, text: Iterator[str]) -> tuple[list[int], str]:
    for line in text:
        if line.strip() == "\\data\\":
            break
    else:
        raise lines.error("the file ends without a line \\data\\; this is no ARPA file")
    counts: list[int] = []
    for line in text:
        if not line.startswith("ngram "):
            break
        left, _, right = line[6:].partition("=")
        if left.strip() != str(len(counts) + 1) or not right.strip().isdecimal():
            raise lines.error(f"expected 'ngram {len(counts) + 1}=' and a number; got {line!r}")
        counts.append(int(right))
    else:
        raise lines.error("the file ends inside its head; it is truncated")
    if not counts:
        raise lines.error(f"expected 'ngram 1=' and a number; got {line!r}")
    return counts, line


def _expect(lines: _Lines, text: Iterator[str], wanted: str) -> None:
    line = next(text, None)
    if line is None:
        raise lines.error(f"the file ends before {wanted}; it is truncated")
    if line.strip() != wanted:
        raise lines.error(f"expected {wanted}, after as many n-grams as the head announces; got {line[:60]!r}")


def _fields(lines: _Lines, line: str, k: int, last: bool) -> tuple[float, list[str], float]:
    """log10 p, the words and log10 of the back-off weight on one line."""
    if line.startswith("\\"):
        raise lines.error(f"got {line.strip()!r} before all {k}-grams that the head announces; some are missing")
    fields = line.split()
    if len(fields) not in (k + 1, k + 2) or (last and len(fields) == k + 2):
        weight = "" if last else " and perhaps a back-off weight"
        raise lines.error(f"expected a log-probability, {k} word{'s' * (k > 1)}{weight}; got {line[:60]!r}")
    try:
        p = float(fields[0])
        weight = float(fields[k + 1]) if len(fields) == k + 2 else 0.0
    except ValueError:
        raise lines.error(f"a log-probability or back-off weight is no number: {line[:60]!r}") from None
    if math.isnan(p) or p > 0:
        raise lines.error(f"log10 of a probability cannot be {fields[0]}; it is 0 at most")
    if not weight <= -ZERO:  # a NaN, too
        raise lines.error(f"log10 of a back-off weight cannot be {fields[-1]}; {-ZERO:.0f} would be enormous")
    return (-math.inf if p <= ZERO else p), fields[1 : k + 1], (-math.inf if weight <= ZERO else weight)


def _read_unigrams(
    lines: _Lines, text: Iterator[str], count: int, header: str, order: int
) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    if header.strip() != "\\1-grams:":
        raise lines.error(f"expected \\1-grams:; got {header[:60]!r}")
    found: dict[str, tuple[float, float]] = {}
    for _ in range(count):
        line = next(text, None)
        if line is None:
            raise lines.error("the file ends among the 1-grams; it is truncated")
        p, (word,), weight = _fields(lines, line, 1, order == 1)
        if word in found:
            raise lines.error(f"the word {word!r} stands there twice")
        found[word] = (p, weight)
    for symbol in SPECIAL:
        if symbol not in found:
            why = ", so that the model could say nothing about words it has not seen" if symbol == UNKNOWN else ""
            raise lines.error(f"the 1-grams lack {symbol}{why}")
    vocabulary = Vocabulary(word for word in found if word not in SPECIAL)
    values = np.array([found[symbol] for symbol in vocabulary.symbols])
    logs = values[:, 0].copy()
    logs[vocabulary.start] = -np.inf
    return vocabulary, logs, values[:, 1].copy()


def _without_first_word(trie: Trie, ids: np.ndarray) -> bool:
    """Whether all n-grams, (m, k), are in the trie without their first word. Pruning may have left a gap."""
    number = ids[:, 1]
    for level in range(1, ids.shape[1] - 1):
        number = trie.find(level, number, ids[:, level + 1])
        if (number < 0).any():
            return False
    return True


def _read_level(
    lines: _Lines, text: Iterator[str], count: int, k: int, last: bool, vocabulary: Vocabulary, trie: Trie
) -> tuple[np.ndarray, np.ndarray]:
    """Read the k-grams and put them into the trie; their log-probabilities and weights in the trie's order."""
    get = {symbol: i for i, symbol in enumerate(vocabulary.symbols)}
    ids = np.empty((count, k), dtype=np.int64)
    logs, weights = np.empty(count), np.empty(count)
    numbers = np.empty(count, dtype=np.int64)  # of lines, for the errors found later
    for i in range(count):
        line = next(text, None)
        if line is None:
            raise lines.error(f"the file ends among the {k}-grams; it is truncated")
        logs[i], words, weights[i] = _fields(lines, line, k, last)
        try:
            ids[i] = [get[word] for word in words]
        except KeyError as error:
            raise lines.error(f"the word {error.args[0]!r} is not among the 1-grams") from None
        if ids[i, 1:].max() == vocabulary.start:
            raise lines.error(f"{START} can only begin an n-gram; got {line[:60]!r}")
        numbers[i] = lines.number
    context = ids[:, 0]
    for level in range(1, k - 1):
        known = context >= 0
        longer = np.full(count, -1)
        longer[known] = trie.find(level, context[known], ids[known, level])
        context = longer
    if (context < 0).any():
        lines.number = int(numbers[np.argmax(context < 0)])
        raise lines.error(f"the context of this {k}-gram is not among the {k - 1}-grams")
    trie.closed = trie.closed and _without_first_word(trie, ids)
    order = np.lexsort((ids[:, -1], context))
    context, word = context[order], ids[order, -1]
    again = np.flatnonzero((context[1:] == context[:-1]) & (word[1:] == word[:-1]))
    if again.size:
        lines.number = int(numbers[order[again[0] + 1]])
        raise lines.error(f"this {k}-gram stands there twice")
    trie.word.append(word)
    trie.first.append(np.searchsorted(context, np.arange(trie.word[-2].size + 1)))
    return logs[order], weights[order]
