"""Finding words by their bytes: the ids of a whole text at once, without a look into a dictionary per word.

Eight bytes make one number of 64 bits. So a word of up to sixteen bytes is two numbers, they are compared in two
operations on the whole text, and a product with a large odd number says where in a table to look. A word whose place
is taken stands in the next free one. So the few that are not found at once look one place further, and again, until
they come to an empty one. Longer words are looked up in a dictionary one by one.
"""

import numpy as np

from unrolled.vocabulary import Vocabulary

SEPARATOR = "\0"
"""Stands behind every word of a text that is looked up."""

_EIGHT = 8  # bytes in a number
_ROOM = 8  # slots per word, so that few words meet in one slot
_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03))
_BITS = (8 * (_EIGHT - np.arange(_EIGHT + 1))).astype(np.uint64)  # of eight bytes those that are not the word's
_KEEP = np.append(np.uint64(0), np.uint64(2**64 - 1) >> _BITS[1:])  # what remains of them for 0 .. 8 bytes
_NONE = np.uint64(0)  # the bytes of no word


class WordTable:
    """The words of a vocabulary, to be found by their bytes.

    Args:
        vocabulary: its symbols, the special ones included.
    """

    def __init__(self, vocabulary: Vocabulary):
        self._unknown = vocabulary.unknown
        self._id = {
            symbol.encode("utf-8", "surrogatepass"): i
            for i, symbol in enumerate(vocabulary.symbols)
            if SEPARATOR not in symbol  # such a word can be in no text that is looked up here
        }
        ids = np.fromiter(self._id.values(), dtype=np.int64, count=len(self._id))
        text = b"\0".join(self._id) + b"\0"
        beginning, length = _cut(text)
        first, second = _numbers(text, beginning, length)
        self._shift = np.uint64(64 - (_ROOM * len(self._id)).bit_length())
        self._nothing = len(vocabulary.symbols)  # behind the last id
        self._first, self._second = np.full((2, self._nothing + 1), _NONE)
        self._entry = np.full(1 << (64 - int(self._shift)), self._nothing, dtype=np.int32)
        waiting = np.flatnonzero(length <= 2 * _EIGHT)[::-1]  # backwards: of two words the frequent one gets the place
        self._first[ids[waiting]], self._second[ids[waiting]] = first[waiting], second[waiting]
        slot = self._slot(first, second)
        while waiting.size:
            free = waiting[self._entry[slot[waiting]] == self._nothing]
            self._entry[slot[free]] = ids[free]  # of several that want one place the last gets it
            waiting = waiting[self._entry[slot[waiting]] != ids[waiting]]
            slot[waiting] = self._next(slot[waiting])

    def ids(self, text: str, number_of_words: int) -> np.ndarray | None:
        """The ids of the words of a text, int64 (N,), words outside the vocabulary as that of `<unk>`.

        Args:
            text: words, each followed by `SEPARATOR`.
            number_of_words: N, how many there have to be.

        Returns:
            The ids; None if the text has another number of words, which means that a word holds the separator, or if
            one is empty.
        """
        encoded = text.encode("utf-8", "surrogatepass")
        beginning, length = _cut(encoded)
        if length.size != number_of_words or not length.all():
            return None
        first, second = _numbers(encoded, beginning, length)
        slot = self._slot(first, second)
        ids = self._entry.take(slot).astype(np.int64)
        other = np.flatnonzero(self._differs(ids, first, second))
        while (other := other[ids.take(other) != self._nothing]).size:  # another word stands there
            slot[other] = self._next(slot.take(other))
            ids[other] = self._entry.take(slot.take(other))
            other = other[self._differs(ids.take(other), first.take(other), second.take(other))]
        np.copyto(ids, self._unknown, where=ids == self._nothing)
        for i in np.flatnonzero(length > 2 * _EIGHT).tolist():  # of these only the beginning was compared
            start = int(beginning[i])
            ids[i] = self._id.get(encoded[start : start + int(length[i])], self._unknown)
        return ids

    def _differs(self, ids: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Whether words are other ones than those with some ids, by their bytes."""
        return (self._first.take(ids) != first) | (self._second.take(ids) != second)

    def _next(self, slot: np.ndarray) -> np.ndarray:
        """The place behind, where a word stands whose own is taken."""
        return (slot + 1) & (self._entry.size - 1)

    def _slot(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Where in the table a word may stand."""
        mixed = first * _MULTIPLIERS[0] + second * _MULTIPLIERS[1]
        mixed ^= mixed >> np.uint64(32)
        mixed *= _MULTIPLIERS[0]
        mixed >>= self._shift
        return mixed.view(np.int64)


def _cut(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where the words of a text begin, and how many bytes each has."""
    end = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0)
    beginning = np.empty_like(end)
    beginning[:1] = 0
    np.add(end[:-1], 1, out=beginning[1:])
    return beginning, end - beginning


def _numbers(text: bytes, beginning: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first eight bytes of each word and the eight behind them, as numbers; bytes behind a word count as zero."""
    padded = np.frombuffer(text + b"\0" * 2 * _EIGHT, dtype=np.uint8)
    eight = np.ndarray(padded.size - _EIGHT + 1, dtype="<u8", buffer=padded, strides=(1,))  # at every byte
    first = eight[beginning]
    first &= _KEEP.take(length, mode="clip")
    second = np.zeros_like(first)
    long = np.flatnonzero(length > _EIGHT)
    second[long] = eight[beginning[long] + _EIGHT] & _KEEP.take(length[long] - _EIGHT, mode="clip")
    return first, second
