"""Finding n-grams: a trie in arrays, asked about a whole text at once.

The followers of a context stand side by side, sorted by word, so that an n-gram is found by a binary search among
them. A text is looked up one order at a time: the n-gram of length k that ends at position i extends the one of
length k - 1 that ends at position i - 1, whose number is known from the step before.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Trie:
    """The n-grams of a model by length.

    Attributes:
        word: per level the last word of each n-gram, (N_k,); at level 1 every symbol at its id.
        first: per level but the first the number of the first n-gram that extends each (k - 1)-gram, (N_(k-1) + 1,).
    """

    word: list[np.ndarray]
    first: list[np.ndarray]

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.word)

    def find(self, level: int, context: np.ndarray, word: np.ndarray) -> np.ndarray:
        """The numbers of the n-grams (context, word) of length level + 1, and -1 for those that are not there.

        Args:
            level: 1 for bigrams, and so on.
            context: numbers of n-grams of length `level`, all of them valid, (m,).
            word: ids, (m,).
        """
        words, first = self.word[level], self.first[level - 1]
        low, high = first[context].astype(np.int64), first[context + 1].astype(np.int64)
        if words.size == 0:
            return np.full(context.shape, -1)
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) >> 1
            less = words.take(middle, mode="clip") < word
            less &= low < high
            low = np.where(less, middle + 1, low)
            high = np.where(less, high, middle)
        found = low < first[context + 1]
        found &= words.take(low, mode="clip") == word
        return np.where(found, low, -1)

    def match(self, flat: np.ndarray, end: int, start: int) -> list[np.ndarray]:
        """The number of the n-gram of each length that ends at each position of a text, -1 where there is none.

        Args:
            flat: ids, `<s> w w </s> <s> ...`, (N,).
            end: the id of `</s>`; nothing extends beyond it.
            start: the id of `<s>`.
        """
        numbers = [flat]
        reachable = np.append(False, flat[:-1] != end) & (flat != start)
        for level in range(1, self.order):
            place = np.flatnonzero(reachable)
            number = np.full(flat.size, -1)
            context = numbers[-1][place - 1]
            known = context >= 0
            place = place[known]
            number[place] = self.find(level, context[known], flat[place])
            numbers.append(number)
        return numbers

    def descend(self, ids: np.ndarray) -> int:
        """The number of one n-gram, from its ids, or -1 when it is not there."""
        number = int(ids[0])
        for level, word in enumerate(ids[1:], start=1):
            if number < 0:
                return -1
            number = int(self.find(level, np.array([number]), np.array([word]))[0])
        return number

    def context_of(self, level: int) -> np.ndarray:
        """The number of the (k - 1)-gram that each n-gram of a level extends."""
        first = self.first[level - 1]
        return np.repeat(np.arange(first.size - 1), np.diff(first))

    def spell(self, level: int, numbers: np.ndarray) -> np.ndarray:
        """The ids of n-grams of length level + 1, (m, level + 1)."""
        spelled = np.empty((numbers.size, level + 1), dtype=np.int64)
        for k in range(level, 0, -1):
            spelled[:, k] = self.word[k][numbers]
            numbers = np.searchsorted(self.first[k - 1], numbers, side="right") - 1
        spelled[:, 0] = numbers
        return spelled
