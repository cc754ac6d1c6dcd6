"""A fixed list of symbols that a language model can predict, and their numbers.

The vocabulary of a language model is the set over which its probabilities sum to one. Three symbols are special:

* `<unk>` stands for every word outside the vocabulary,
* `</s>` says that the sentence is over; a model predicts it like a word,
* `<s>` says that a sentence begins; a model reads it and never predicts it.

So the size V counts `<unk>` and `</s>` but not `<s>`, and ids are given out such that the V symbols that can be
predicted are 0 .. V - 1: `<unk>` is 0, `</s>` is 1, the words follow by falling frequency, and `<s>` is V. A softmax
layer has V rows, an embedding V + 1, and the model that knows nothing has a perplexity of exactly V.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import chain, repeat

import numpy as np

UNKNOWN = "<unk>"
START = "<s>"
END = "</s>"
SPECIAL = (UNKNOWN, START, END)


class Vocabulary:
    """The symbols of a model and their ids.

    Args:
        words: the words in the order of their ids, without the three special symbols.

    Raises:
        ValueError: a word stands twice, is empty, contains white space other than being one such character, or is one
            of the special symbols.
        TypeError: `words` is one string, or a word is no string.

    >>> v = Vocabulary(["the", "king"])
    >>> v.size, v.encode(["the", "queen"]).tolist(), v.symbols
    (4, [2, 0], ('<unk>', '</s>', 'the', 'king', '<s>'))
    """

    def __init__(self, words: Iterable[str]):
        if isinstance(words, str):
            raise TypeError("words has to be a list of words, not one string")
        words = list(words)
        for word in words:
            check_word(word)
        self.symbols: tuple[str, ...] = (UNKNOWN, END, *words, START)
        self._id: dict[str, int] = {symbol: i for i, symbol in enumerate(self.symbols)}
        if len(self._id) < len(self.symbols):
            twice = next(word for word, count in Counter(words).items() if count > 1)
            raise ValueError(f"the word {twice!r} stands twice in the vocabulary; every word may stand there once")

    @classmethod
    def from_sentences(
        cls, sentences: Iterable[Sequence[str]], size: int | None = None, minimum_count: int = 1
    ) -> "Vocabulary":
        """The most frequent words of some sentences; words of equal frequency in alphabetical order.

        Args:
            sentences: lists of words.
            size: V, counting `<unk>` and `</s>`; None keeps every word that is frequent enough.
            minimum_count: how often a word has to occur to be kept.

        Raises:
            ValueError: there is no word at all, `size` is below 3 or `minimum_count` below 1.
            TypeError: a sentence is a string instead of a list of words.
        """
        return cls.from_counts(Counter(chain.from_iterable(map(_checked_sentence, sentences))), size, minimum_count)

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], size: int | None = None, minimum_count: int = 1) -> "Vocabulary":
        """The same from words and how often they occur.

        Raises:
            ValueError: as for `from_sentences`.
        """
        if size is not None and size < 3:
            raise ValueError(f"size counts <unk>, </s> and the words, so it is at least 3; got {size}")
        if minimum_count < 1:
            raise ValueError(f"minimum_count has to be at least 1; got {minimum_count}")
        # Sentences whose rare words have been replaced hold <unk> already; it is in the vocabulary anyway.
        ranked = sorted(word for word in counts if word not in SPECIAL)
        if not ranked:
            raise ValueError("the corpus is empty: a vocabulary needs at least one word")
        ranked.sort(key=counts.__getitem__, reverse=True)  # words of equal frequency stay in the order of the alphabet
        words = [word for word in ranked if counts[word] >= minimum_count]
        if not words:
            most = counts[ranked[0]]
            raise ValueError(f"no word occurs {minimum_count} times; the most frequent one occurs {most} times")
        return cls(words if size is None else words[: size - 2])

    @property
    def size(self) -> int:
        """V, the number of symbols that can be predicted: the words, `<unk>` and `</s>`."""
        return len(self.symbols) - 1

    @property
    def words(self) -> tuple[str, ...]:
        """The ordinary words, by id, without the three special symbols."""
        return self.symbols[2:-1]

    @property
    def unknown(self) -> int:
        """The id of `<unk>`, 0."""
        return 0

    @property
    def end(self) -> int:
        """The id of `</s>`, 1."""
        return 1

    @property
    def start(self) -> int:
        """The id of `<s>`, V."""
        return self.size

    def __len__(self) -> int:
        return self.size

    def __contains__(self, word: object) -> bool:
        return word in self._id

    def __iter__(self) -> Iterator[str]:
        return iter(self.symbols)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __repr__(self) -> str:
        return f"Vocabulary of {self.size} symbols: {', '.join(self.symbols[:6])}, ..."

    def encode(self, words: Iterable[str]) -> np.ndarray:
        """The ids of some words, int64 of shape (number of words,); a word outside the vocabulary becomes `<unk>`.

        Raises:
            TypeError: `words` is one string (which would be read letter by letter).
        """
        ids = map(self._id.get, _checked_sentence(words), repeat(self.unknown))
        return np.fromiter(ids, dtype=np.int64, count=len(words) if isinstance(words, Sized) else -1)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words with some ids.

        Raises:
            ValueError: an id is outside 0 .. V.
        """
        ids = np.asarray(list(ids) if not isinstance(ids, np.ndarray) else ids)
        if ids.size and (ids.min() < 0 or ids.max() > self.start):
            bad = int(ids.min() if ids.min() < 0 else ids.max())
            raise ValueError(f"the id {bad} belongs to no symbol; ids are 0 .. {self.start}")
        return [self.symbols[i] for i in ids.tolist()]

    def encode_sentences(self, sentences: Iterable[Sequence[str]]) -> np.ndarray:
        """The ids of many sentences behind one another, `<s> w ... w </s> <s> w ... </s>`, int64 of shape (N,)."""
        marked = zip(repeat([START]), map(_checked_sentence, sentences), repeat([END]))
        return self.encode(chain.from_iterable(chain.from_iterable(marked)))

    def replace_unknown(self, sentences: Iterable[Sequence[str]]) -> list[list[str]]:
        """The same sentences with every word outside the vocabulary replaced by `<unk>`."""
        known = self._id
        return [[word if word in known else UNKNOWN for word in _checked_sentence(s)] for s in sentences]


def check_word(word: object) -> None:
    """Raise a clear error if `word` cannot be a word of a vocabulary.

    A single white-space character is allowed, because a character model has the blank and the line end as symbols.

    Raises:
        TypeError: `word` is no string.
        ValueError: it is empty, a special symbol, or has white space in it.
    """
    if not isinstance(word, str):
        raise TypeError(f"a word has to be a string; got {word!r} of type {type(word).__name__}")
    if word == "":
        raise ValueError("a word may not be empty")
    if word in SPECIAL:
        raise ValueError(
            f"{word!r} is a special symbol that every vocabulary adds by itself; leave it out of the words"
        )
    if len(word) > 1 and word.split() != [word]:
        raise ValueError(f"the word {word!r} contains white space; split the text into words first")


def _checked_sentence(sentence: Iterable[str]) -> Iterable[str]:
    if isinstance(sentence, str):
        raise TypeError(f"a sentence has to be a list of words, not the string {sentence[:40]!r}; split it first")
    return sentence
