"""Counting n-grams of every length at once.

The text is one flat array, `<s> w w </s> <s> ... </s>`. Its places are sorted by the k words that end there the way
sorting machines sorted punched cards, one column after another from the last to the first. Places that are in order by
the last k - 1 words need one more sort, by the word in front of these, if it leaves equal ones as they stood. So each
length costs one sort of the text by single words, whatever k is.

Let g_k(i) be the number of the k-gram that ends at position i. Then the k-gram is known when g_(k-1)(i - 1) and the
word at i are: it is that shorter n-gram, extended by one word. So equal k-grams, which the sort puts side by side, are
told by two numbers.

The n-grams of length k are numbered as they are sorted, in the order (context, word). That makes the followers of a
context one contiguous run of numbers, in which `unrolled.ngram.trie` finds them again.
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
    start = vocabulary_size
    symbols = np.arange(vocabulary_size + 1)
    none = np.zeros(symbols.size, dtype=np.int64)
    count = np.bincount(flat, minlength=symbols.size)
    levels = [Level(none, symbols, none, count, symbols == start, np.array([0, symbols.size]))]
    small = np.int32 if flat.size < 2**31 else np.int64  # half the bytes, for what is read and written out of order
    word = flat.astype(np.uint16 if symbols.size <= 2**16 else small)
    number = word.astype(small)  # of the (k - 1)-gram that ends at each position
    place = _stable_order(word, start)  # where the (k - 1)-grams end, in the order of their numbers
    for k in range(2, order + 1):
        below = levels[-1]
        # Nothing stands before <s>. It has the greatest id, so that the (k - 1)-grams that begin with it come last.
        place = place[: place.size - int(below.count[below.begins].sum())]
        place = place.take(_stable_order(word.take(place - (k - 1)), start))
        context, last = number.take(place - 1), word.take(place)
        new = np.empty(place.size, dtype=bool)  # whether a k-gram is another one than that before it
        new[:1] = True
        np.not_equal(context[1:], context[:-1], out=new[1:])
        new[1:] |= last[1:] != last[:-1]
        begin = np.flatnonzero(new)
        context, last, suffix = context.take(begin), last.take(begin), number.take(place.take(begin))
        first = np.zeros(below.word.size + 1, dtype=small)
        np.cumsum(np.bincount(context, minlength=below.word.size), out=first[1:])
        count = np.diff(begin, append=place.size)
        levels.append(Level(context, last, suffix, count, below.begins.take(context), first))
        if k < order:
            number[place] = np.cumsum(new, dtype=small) - small(1)
    return levels


def _stable_order(keys: np.ndarray, largest: int) -> np.ndarray:
    """The places of keys 0 .. largest in rising order, equal ones as they stood.

    NumPy sorts numbers of 16 bits by their digits, in a time that grows no faster than their number, and quicker than
    numbers of 64 bits by comparison. Wider ones are sorted by their lowest 16 bits, then by the next.
    """
    order = np.argsort(keys.astype(np.uint16, copy=False), kind="stable")
    for shift in range(16, int(largest).bit_length(), 16):
        digit = (keys >> shift).astype(np.uint16).take(order)
        order = order.take(np.argsort(digit, kind="stable"))
    return order


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
    return np.array([np.count_nonzero(count == r) for r in range(up_to + 1)])
