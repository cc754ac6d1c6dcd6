"""Counting n-grams of every length at once.

The text is one flat array, `<s> w w </s> <s> ... </s>`. Let g_k(i) be the number of the k-gram that ends at position i.
Then the k-gram is known when g_(k-1)(i - 1) and the word at i are: it is that shorter n-gram, extended by one word. So
all k-grams are counted by sorting pairs of small integers, whatever k is, and no key ever holds more than two numbers.

The n-grams of length k are numbered in the order (context, word). That makes the followers of a context one
contiguous run of numbers, in which `unrolled.ngram.trie` finds them again.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Level:
    """The n-grams of one length k that occur in a text, sorted by (context, word).

    At k = 1 there is one entry for every symbol of the vocabulary, whether it occurs or not, at its id.

    Attributes:
        context: the number of the (k - 1)-gram that each n-gram extends, (N_k,).
        word: the last word of each n-gram, (N_k,).
        suffix: the number of the (k - 1)-gram that is left when the first word is dropped, (N_k,).
        count: how often it occurs, (N_k,).
        begins: whether its first word is `<s>`, (N_k,).
        first: for each (k - 1)-gram the number of the first n-gram that extends it, and N_k at the end, (N_(k-1) + 1,).
    """

    context: np.ndarray
    word: np.ndarray
    suffix: np.ndarray
    count: np.ndarray
    begins: np.ndarray
    first: np.ndarray

    @property
    def followed(self) -> np.ndarray:
        """Whether anything follows a context, (N_(k-1),)."""
        return self.first[1:] > self.first[:-1]

    def sum_by_context(self, values: np.ndarray) -> np.ndarray:
        """The sum of `values` (N_k,) over the followers of each context, (N_(k-1),); 0 for a context without any."""
        return np.bincount(self.context, values, minlength=self.first.size - 1)


def count_ngrams(flat: np.ndarray, order: int, vocabulary_size: int) -> list[Level]:
    """Count the n-grams of length 1 .. order; none crosses the end of a sentence.

    Args:
        flat: ids of the text, int64 (N,), with `<s>` = V before and `</s>` = 1 behind every sentence.
        order: the greatest length.
        vocabulary_size: V.

    Returns:
        One level per length; level k - 1 holds the k-grams.
    """
    end, start = 1, vocabulary_size
    symbols = np.arange(vocabulary_size + 1)
    none = np.zeros(symbols.size, dtype=np.int64)
    count = np.bincount(flat, minlength=symbols.size)
    levels = [Level(none, symbols, none, count, symbols == start, np.array([0, symbols.size]))]
    bits = int(start).bit_length()  # of a word
    small = np.int32 if flat.size < 2**31 else np.int64  # half the bytes, for what is read and written out of order
    number = word = flat.astype(small)  # of the k-grams in the order of the text: their numbers, their last words
    for k in range(2, order + 1):
        longer = np.flatnonzero(word[:-1] != end)  # one word more can be read; the n-gram that ends there is the next
        context = number.take(longer)
        longer += 1
        word, suffix = word.take(longer), number.take(longer)
        key, place = _sort_with_place((context.astype(np.int64) << bits) | word)
        new = np.append(True, key[1:] != key[:-1])[: key.size]
        begin = np.flatnonzero(new)
        count = np.diff(begin, append=key.size)
        if k < order:
            number = np.empty(key.size, dtype=small)
            number[place.astype(small)] = np.cumsum(new, dtype=small) - small(1)
        key, place = key[begin], place[begin]
        context = key >> bits
        below = levels[-1]
        first = np.append(0, np.cumsum(np.bincount(context, minlength=below.word.size)))
        suffix = suffix[place].astype(np.int64)
        levels.append(Level(context, key & ((1 << bits) - 1), suffix, count, below.begins[context], first))
    return levels


def _sort_with_place(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted keys and the place where each one stood, by one plain sort of key * 2^bits + place: no slow argsort."""
    bits = int(key.size).bit_length()
    if key.size and int(key.max()) >> (63 - bits):
        order = np.argsort(key, kind="stable")  # a text or a vocabulary so large that both do not fit into 63 bits
        return key[order], order
    packed = key << bits
    packed |= np.arange(key.size)
    packed.sort()
    place = packed & ((1 << bits) - 1)
    packed >>= bits
    return packed, place


def continuation_counts(levels: list[Level]) -> list[np.ndarray]:
    """The adjusted counts of Kneser and Ney, one array per level. Implements eq-kneser-ney-continuation.

    An n-gram below the top order counts once for each different word that stands before it somewhere. Nothing stands
    before `<s>`, so n-grams that begin with it keep their counts, as those of the top order do. `<s>` itself is never
    predicted and counts 0.
    """
    adjusted = []
    for k, level in enumerate(levels):
        if k + 1 == len(levels):
            count = level.count.copy()
        else:
            left = np.bincount(levels[k + 1].suffix, minlength=level.word.size)
            count = np.where(level.begins, level.count, left)
        adjusted.append(count)
    adjusted[0][-1] = 0
    return adjusted


def raw_counts(levels: list[Level]) -> list[np.ndarray]:
    """The counts as they are, one array per level, but 0 for `<s>`, which is never predicted."""
    counts = [level.count.copy() for level in levels]
    counts[0][-1] = 0
    return counts


def counts_of_counts(count: np.ndarray, up_to: int) -> np.ndarray:
    """n_r, the number of n-grams with count r, for r = 0 .. up_to (n_0 is not meant to be used)."""
    return np.bincount(np.minimum(count, up_to + 1), minlength=up_to + 2)[: up_to + 1]
