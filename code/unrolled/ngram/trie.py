"""Finding n-grams: a trie in arrays, asked about a whole text at once.

The followers of a context stand side by side, sorted by word, so that the n-grams of one length are runs in a long
array. They need no keys of their own: an n-gram is told by its place.

A text is looked up one length at a time. The n-gram of length k that ends at position i extends the one of length k - 1
that ends at position i - 1, whose number is known from the step before; where that one is missing, so is every longer
one. Nor is it there if the one of length k - 1 that ends at position i itself is missing, which is what is left of it
without its first word. So fewer and fewer positions are left to look at.

Among many followers a word is found by a hash table of n-gram numbers in which every n-gram has two places where it may
stand (Pagh and Rodler 2004), so that two looks settle the question for every position alike. Most long contexts have a
follower or two; these are compared one by one and stay out of the table, which saves most of its room.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

FEW = 4
"""Up to so many followers are compared one by one, at lengths where a context has fewer than that on average."""

ROOM = 2.1
"""Slots in a hash table per n-gram in it. With two places for each, fewer than 2 would not do."""

LINE = 16
"""Slots of a hash table that are next to each other in memory and fetched together; its size is a multiple of it."""

_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03))
"""Odd numbers of 64 bits without a pattern; the upper half of a key times one of them looks random."""


@dataclass
class Trie:
    """The n-grams of a model by length.

    Attributes:
        word: per level the last word of each n-gram, (N_k,); at level 1 every symbol at its id.
        first: per level but the first the number of the first n-gram that extends each (k - 1)-gram, (N_(k-1) + 1,).
        closed: whether every n-gram is there without its first word, too, as it is if all were counted in one text.
    """

    word: list[np.ndarray]
    first: list[np.ndarray]
    closed: bool = True
    _tables: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.word)

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays, hash tables included."""
        tables = [self._table(level)[1] for level in range(1, self.order)]
        return sum(array.nbytes for array in (*self.word, *self.first, *tables))

    def packed(self) -> "Trie":
        """The same in as few bytes as the numbers allow."""
        letter = np.uint16 if self.word[0].size < 2**16 else np.uint32
        place = np.int32 if max(words.size for words in self.word) < 2**30 else np.int64  # a table holds their doubles
        return Trie(
            [words.astype(letter, copy=False) for words in self.word],
            [first.astype(place, copy=False) for first in self.first],
            self.closed,
        )

    def find(self, level: int, context: np.ndarray, word: np.ndarray) -> np.ndarray:
        """The numbers of the n-grams (context, word) of length level + 1, and -1 for those that are not there.

        Args:
            level: 1 for bigrams, and so on.
            context: numbers of n-grams of length `level`, all of them valid, int64 (m,).
            word: ids, int64 (m,).
        """
        first, words = self.first[level - 1], self.word[level]
        low, high = first.take(context), first.take(context + 1)
        word = word.astype(words.dtype)
        if words.size == 0:
            return np.full(word.size, -1)
        few, table = self._table(level)
        if not few:
            return self._look_up(words, table, low, high, context, word)
        number = np.empty(context.size, dtype=np.int64)
        followers = high - low
        many = np.flatnonzero(followers > few)
        number[many] = self._look_up(words, table, low[many], high[many], context[many], word[many])
        rest = np.flatnonzero(followers <= few)
        number[rest] = self._compare(words, low[rest], followers[rest], word[rest])
        return number

    @staticmethod
    def _compare(words: np.ndarray, low: np.ndarray, followers: np.ndarray, word: np.ndarray) -> np.ndarray:
        """The numbers of n-grams whose context has at most `FEW` followers, or -1."""
        number = np.full(word.size, -1)
        for step in range(FEW):
            here = low + step
            hit = (words.take(here, mode="clip") == word) & (step < followers)
            number += hit * (here + 1)  # at most one step hits, and adds its number to -1
        return number

    def _look_up(
        self,
        words: np.ndarray,
        table: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        context: np.ndarray,
        word: np.ndarray,
    ) -> np.ndarray:
        """The numbers of n-grams that are in the hash table, or -1."""
        entry = table.take(self._slot(0, context, word, table.size))
        moved = entry & 1
        entry >>= 1
        hit = (words.take(entry, mode="clip") == word) & (low <= entry) & (entry < high)
        number = (entry.astype(np.int64) + 1) * hit - 1  # the entry or -1, quicker than np.where
        again = np.flatnonzero(moved > hit)
        word, low, high = word[again], low[again], high[again]
        entry = table.take(self._slot(1, context[again], word, table.size)) >> 1
        hit = (words.take(entry, mode="clip") == word) & (low <= entry) & (entry < high)
        number[again] = (entry.astype(np.int64) + 1) * hit - 1
        return number

    def _slot(self, choice: int, context: np.ndarray, word: np.ndarray, size: int) -> np.ndarray:
        """The first or the second place, 0 .. size - 1, where an n-gram may stand in a table.

        The first places of `LINE` words that follow one another in the vocabulary lie side by side if their context is
        the same. So the most frequent words share what the processor fetches from memory at a time.
        """
        group, groups = (word, size) if choice else (word // LINE, size // LINE)
        upper = (context * self.word[0].size + group).view(np.uint64)
        upper *= _MULTIPLIERS[choice]
        upper >>= np.uint64(32)
        upper *= np.uint64(groups)
        upper >>= np.uint64(32)
        slot = upper.view(np.int64)
        return slot if choice else slot * LINE + (word & (LINE - 1))

    def _table(self, level: int) -> tuple[int, np.ndarray]:
        """Up to how many followers are compared, and the table for all others, made when first needed.

        A slot holds twice the number of an n-gram, and 1 more if the slot was the first place of one that stands in its
        second; an empty slot holds -2.
        """
        if level not in self._tables:
            followers = np.diff(self.first[level - 1])
            few = FEW if self.word[level].size < FEW * np.count_nonzero(followers) else 0
            inside = followers > few
            context = np.repeat(np.flatnonzero(inside), followers[inside])
            number = np.flatnonzero(np.repeat(inside, followers))
            room = ROOM
            while (table := self._fill(level, context, number, (int(room * number.size) // LINE + 1) * LINE)) is None:
                room *= 1.5
            self._tables[level] = (few, table)
        return self._tables[level]

    def _fill(self, level: int, context: np.ndarray, number: np.ndarray, size: int) -> np.ndarray | None:
        """Put n-grams into a table, all at once. One whose place is taken throws the holder out, to its other place.

        None when they do not come to rest, which hardly ever happens when the table has room enough.
        """
        places = np.stack([self._slot(choice, context, self.word[level][number], size) for choice in (0, 1)])
        choice = np.zeros(number.size, dtype=np.int8)
        holder = np.full(size, -1, dtype=self.first[level - 1].dtype)  # which of the n-grams is in a slot
        waiting = np.arange(number.size)[::-1]  # backwards, so that frequent words come last and get their first place
        for _ in range(500):
            place = places[choice[waiting], waiting]
            before = holder[place]
            holder[place] = waiting  # of several that want one slot the last gets it
            won = holder[place] == waiting
            thrown_out = before[won & (before >= 0)]
            waiting = np.concatenate([waiting[~won], thrown_out])
            if waiting.size == 0:
                table = np.append(2 * number, -2).astype(holder.dtype)[holder]  # -1, an empty slot, becomes -2
                table[places[0, choice == 1]] |= 1
                return table
            choice[waiting] ^= 1
        return None

    def walk(self, flat: np.ndarray) -> Iterator[tuple[np.ndarray | slice, np.ndarray, np.ndarray, np.ndarray]]:
        """For n-gram lengths 2, 3, .. the positions of a text whose context is in the trie, and what is found there.

        Args:
            flat: ids, `<s> w w </s> <s> ...`, int64 (N,).

        Yields:
            A tuple (place, context, found, number) for each length. place: positions whose context is in the trie, in
            order, (m,), those behind the ones found before; for bigrams a slice, of all positions but the first. Those
            of `<s>` are among them, but no n-gram ends there. context: the numbers of the contexts, (m,). found: those
            of the positions where the whole n-gram is in the trie, (f,). number: the numbers of these n-grams, (f,).
        """
        if self.order == 1:
            return
        place: np.ndarray | slice = slice(1, None)
        context, number = flat[:-1], self.find(1, flat[:-1], flat[1:])
        hit = np.flatnonzero(number >= 0)
        found, number = hit + 1, number.take(hit)
        yield place, context, found, number
        for level in range(2, self.order):
            shorter = np.full(flat.size, not self.closed)  # where an n-gram is there without its first word
            shorter[found] = True
            followed = found.size - np.count_nonzero(found[-1:] == flat.size - 1)  # all but the last word of the text
            place, context = found[:followed] + 1, number[:followed]
            on = np.flatnonzero(shorter.take(place))
            found = place.take(on)
            number = self.find(level, context.take(on), flat.take(found))
            hit = np.flatnonzero(number >= 0)
            found, number = found.take(hit), number.take(hit)
            yield place, context, found, number

    def descend(self, ids: np.ndarray) -> int:
        """The number of one n-gram, from its ids, or -1 when it is not there."""
        number = int(ids[0])
        for level, word in enumerate(ids[1:].tolist(), start=1):
            low, high = self.first[level - 1][number : number + 2].tolist()
            at = low + int(np.searchsorted(self.word[level][low:high], word))
            if at == high or self.word[level][at] != word:
                return -1
            number = at
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
