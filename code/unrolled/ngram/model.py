"""The n-gram model: fitted on sentences, asked for log-probabilities, and kept in ARPA files."""

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from unrolled import metrics
from unrolled.ngram import arpa
from unrolled.ngram.counts import Level, count_ngrams, raw_counts
from unrolled.ngram.reading import Sentences, encode, read_text
from unrolled.ngram.smoothing import ESTIMATORS, STUPID_ALPHA, Estimate, divide, em_weights, linear_interpolation
from unrolled.ngram.trie import Trie
from unrolled.ngram.words import WordTable
from unrolled.vocabulary import END, START, UNKNOWN, Vocabulary

SMOOTHINGS = tuple(ESTIMATORS)
"""The names that `NgramModel.fit` takes."""

_OPTIONS = {
    "add-k": ("k",),
    "interpolation": ("weights", "held_out"),
    "absolute-discounting": ("discount",),
    "kneser-ney": ("discount",),
    "modified-kneser-ney": ("discounts",),
    "katz": ("cutoff",),
    "stupid-backoff": ("alpha",),
}


class NgramModel:
    """A model of the next word given the n - 1 words before it. Made by `fit`, `fit_ids` or `read_arpa`.

    Attributes:
        order: n.
        vocabulary: the symbols it predicts; words outside become `<unk>`.
        smoothing: the name of the rung of the ladder, or "arpa" for a model that was read from a file.
        discounts: what was subtracted from counts, one tuple per order (for Katz the factors d_1 .. d_5).
        weights: the interpolation weights per order, or None.
        notes: what the text did not determine and was set by convention, in words; empty as a rule.
        number_of_training_tokens: predicted tokens of the training text, `</s>` counted.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        smoothing: str,
        trie: Trie,
        probability: list[np.ndarray],
        backoff: list[np.ndarray],
        *,
        longest_only: bool = False,
        unseen: float = 0.0,
        unseen_context: float = 1.0,
        discounts: Sequence[tuple[float, ...]] = (),
        weights: np.ndarray | None = None,
        notes: Sequence[str] = (),
        number_of_training_tokens: int = 0,
    ):
        self.vocabulary = vocabulary
        self.smoothing = smoothing
        self.discounts = list(discounts)
        self.weights = weights
        self.notes = list(notes)
        self.number_of_training_tokens = number_of_training_tokens
        self._trie = trie
        # p(w | h) of the n-grams seen, per level, and, but at the highest, what is left for other words, side by side:
        # whoever reads the one from far away in memory has the other as well.
        self._both = [np.stack(both, axis=1) for both in zip(probability[:-1], backoff, strict=True)]
        self._probability = [*(both[:, 0] for both in self._both), probability[-1]]
        self._backoff = [both[:, 1] for both in self._both]
        self._longest_only = longest_only  # add-k and maximum likelihood never look at a shorter context
        self._unseen = unseen  # their p(w | h) where not even h was seen
        self._unseen_context = unseen_context  # what a context costs that was never seen
        self._table_of_words: WordTable | None = None  # made when a long text is first asked about

    # ------------------------------------------------------------------------------------------------ fitting

    @classmethod
    def fit(
        cls,
        sentences: Sentences | str | os.PathLike[str],
        order: int = 3,
        smoothing: str = "modified-kneser-ney",
        vocabulary: Vocabulary | None = None,
        **parameters: object,
    ) -> "NgramModel":
        """Count the n-grams of some sentences and smooth them.

        Args:
            sentences: lists of words, or the path of a UTF-8 text file with one sentence a line.
            order: n, at least 1; the model looks at n - 1 words of context.
            smoothing: one of `SMOOTHINGS`.
            vocabulary: the symbols; None takes every word of the sentences.
            **parameters: of the smoothing: k for "add-k" (1); discount for "absolute-discounting" and "kneser-ney"
                (from the counts of counts); discounts, three numbers, for "modified-kneser-ney" (likewise); cutoff for
                "katz" (5); alpha for "stupid-backoff" (0.4); for "interpolation" either weights, one per order, or
                held_out, sentences on which EM finds them.

        Raises:
            ValueError: the corpus is empty, the order is below 1, the smoothing unknown, a parameter out of range or
                foreign to the smoothing, the vocabulary without `<unk>`, or a sentence cannot be one.
            TypeError: something of a wrong kind, such as a string where a list of words is needed.
            FileNotFoundError: a path names no file.
        """
        _check_order(order)
        _check_smoothing(smoothing, parameters)
        if vocabulary is not None:
            vocabulary = _checked_vocabulary(vocabulary)
        text = read_text(sentences)
        if text.number_of_words == 0:
            what = f"{text.numbers.size // 2} empty sentences" if text.numbers.size else "no sentence"
            raise ValueError(f"the corpus is empty: it has {what}; fitting needs at least one word")
        if vocabulary is None:
            vocabulary = text.vocabulary()
        if parameters.get("held_out") is not None:
            parameters["held_out"] = encode(parameters["held_out"], vocabulary)
            if parameters["held_out"].size == 0:
                raise ValueError("held_out has no sentence; EM needs some to find the weights")
        return cls.fit_ids(text.ids(vocabulary), order, smoothing, vocabulary, **parameters)

    @classmethod
    def fit_ids(
        cls,
        flat: np.ndarray,
        order: int,
        smoothing: str,
        vocabulary: Vocabulary,
        counts: Sequence[Level] | None = None,
        **parameters: object,
    ) -> "NgramModel":
        """The same from ids, `<s> w w </s> <s> ... </s>` as `Vocabulary.encode_sentences` makes them.

        Args:
            flat: the ids.
            order: n.
            smoothing: one of `SMOOTHINGS`.
            vocabulary: the symbols.
            counts: what `counts.count_ngrams` gave for the same ids at this order or a higher one, so that many
                models of one text need not count it again; None counts.
            **parameters: as for `fit`, with ids for held_out.

        Raises:
            ValueError: as for `fit`, or the ids are not of that layout, or the counts are of a lower order.
        """
        _check_order(order)
        _check_smoothing(smoothing, parameters)
        flat = _checked_ids(flat, vocabulary)
        if counts is not None and len(counts) < order:
            raise ValueError(f"a model of order {order} needs counts up to that order; these end at {len(counts)}")
        levels = count_ngrams(flat, order, vocabulary.size) if counts is None else list(counts[:order])
        trie = Trie([level.word for level in levels], [level.first for level in levels[1:]]).packed()
        tokens = int(np.count_nonzero(flat != vocabulary.start))
        common = {"number_of_training_tokens": tokens}
        if smoothing == "interpolation":
            weights = parameters.get("weights")
            if weights is None:
                held_out = _checked_ids(parameters["held_out"], vocabulary)
                weights = em_weights(*_relative_frequencies(levels, trie, held_out, vocabulary), vocabulary.size)
            weights = np.asarray(weights, dtype=np.float64)
            if weights.shape != (order,):
                raise ValueError(f"weights has to hold one number per order, {order}; got shape {weights.shape}")
            estimate = linear_interpolation(levels, vocabulary.size, weights)
            common["weights"] = weights
        else:
            given = {name: value for name, value in parameters.items() if value is not None}
            estimate: Estimate = ESTIMATORS[smoothing](levels, vocabulary.size, **given)
        if smoothing == "stupid-backoff":
            common["unseen_context"] = float(given.get("alpha", STUPID_ALPHA))
        if smoothing in ("maximum-likelihood", "add-k"):
            common["longest_only"] = True
            common["unseen"] = 1 / vocabulary.size if smoothing == "add-k" else 0.0
        return cls(
            vocabulary,
            smoothing,
            trie,
            estimate.probability,
            estimate.backoff,
            discounts=estimate.discounts,
            notes=estimate.notes,
            **common,
        )

    # ------------------------------------------------------------------------------------------------ asking

    @property
    def order(self) -> int:
        """n, the length of the longest n-grams."""
        return self._trie.order

    @property
    def numbers_of_ngrams(self) -> tuple[int, ...]:
        """How many different n-grams of each length the model holds; at length 1 the V + 1 symbols."""
        return tuple(words.size for words in self._trie.word)

    @property
    def nbytes(self) -> int:
        """The bytes of the model's arrays: n-grams, the index to find them, probabilities and back-off weights."""
        return self._trie.nbytes + sum(array.nbytes for array in (*self._probability, *self._backoff))

    def __repr__(self) -> str:
        numbers = " + ".join(f"{n:,}" for n in self.numbers_of_ngrams)
        return f"NgramModel of order {self.order}, {self.smoothing}, V = {self.vocabulary.size:,}, {numbers} n-grams"

    def log10_probabilities(self, sentences: Sentences | str | os.PathLike[str]) -> np.ndarray:
        """log10 p of every token: for each sentence its words and then `</s>`, one flat float64 array.

        A probability of zero gives -inf.
        """
        return self.log10_probabilities_of_ids(self._encode(sentences))

    def log10_probabilities_of_ids(self, flat: np.ndarray) -> np.ndarray:
        """The same from ids, `<s> w w </s> <s> ... </s>` as `Vocabulary.encode_sentences` makes them."""
        return self._log10_of_ids(flat).take(np.flatnonzero(flat != self.vocabulary.start))

    def sentence_log10_probabilities(self, sentences: Sentences | str | os.PathLike[str]) -> np.ndarray:
        """log10 of the probability of each whole sentence, its `</s>` included, float64 (number of sentences,)."""
        flat = self._encode(sentences)
        ends = np.flatnonzero(flat == self.vocabulary.end)
        if ends.size == 0:
            return np.zeros(0)
        logs = self._log10_of_ids(flat)
        logs[flat == self.vocabulary.start] = 0.0
        return np.add.reduceat(logs, np.append(0, ends[:-1] + 1))

    def perplexity(self, sentences: Sentences | str | os.PathLike[str]) -> float:
        """The perplexity per predicted token, `</s>` counted and `<s>` not; inf when a probability is zero.

        Raises:
            ValueError: there is no sentence.
        """
        logs = self.log10_probabilities(sentences)
        if logs.size == 0:
            raise ValueError("there is no sentence to take the perplexity of")
        return float(10.0 ** -logs.mean()) if self.smoothing == "stupid-backoff" else metrics.perplexity(logs, base=10)

    def distribution(self, context: Sequence[str] = ()) -> np.ndarray:
        """p(w | context) of every symbol that can be predicted, (V,), in the order of the ids.

        Args:
            context: the words before, the latest last; it may begin with `<s>`. Only the last n - 1 count. Words
                outside the vocabulary are read as `<unk>`.

        Raises:
            ValueError: the context holds `</s>`, or `<s>` anywhere but at its beginning; or the model is one of maximum
                likelihood and has never seen the context, where it has no distribution.
        """
        return self._distribution(self._context_ids(context))

    def contexts(self, k: int) -> list[tuple[str, ...]]:
        """Every context of k words, k < n, that something followed in training, `<s>` included where it begins one.

        Raises:
            ValueError: k is not in 0 .. n - 1.
        """
        if not 0 <= k < self.order:
            raise ValueError(f"a model of order {self.order} has contexts of 0 .. {self.order - 1} words; got {k}")
        if k == 0:
            return [()]
        followed = np.flatnonzero(np.diff(self._trie.first[k - 1]))
        symbols = self.vocabulary.symbols
        return [tuple(symbols[i] for i in ids) for ids in self._trie.spell(k - 1, followed).tolist()]

    def sample(
        self,
        rng: np.random.Generator,
        temperature: float = 1.0,
        context: Sequence[str] = (),
        maximum_length: int = 200,
    ) -> list[str]:
        """Draw a sentence word by word. Implements eq-temperature.

        Args:
            rng: the source of randomness.
            temperature: T > 0; each distribution is raised to the power 1 / T and normalised again.
            context: words that the sentence begins with; they are not returned. `<s>` before them is understood.
            maximum_length: stop after so many words although no `</s>` was drawn.

        Returns:
            The words drawn, without `</s>`.

        Raises:
            ValueError: the temperature is not a positive finite number, or the length below 0.
        """
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"rng has to be a numpy.random.Generator, such as default_rng(1); got {type(rng).__name__}")
        if not 0 < temperature < np.inf:
            raise ValueError(f"the temperature has to be a positive number; got {temperature}")
        if maximum_length < 0:
            raise ValueError(f"maximum_length cannot be negative; got {maximum_length}")
        ids = self._context_ids(context)
        if ids.size == 0 or ids[0] != self.vocabulary.start:
            ids = np.append(self.vocabulary.start, ids)
        history, drawn = ids.tolist(), []
        while len(drawn) < maximum_length:
            p = self._distribution(np.array(history))
            if temperature != 1:
                with np.errstate(divide="ignore"):
                    z = np.log(p) / temperature  # eq-temperature
                p = np.exp(z - z.max())
            total = np.cumsum(p)
            word = int(np.searchsorted(total, rng.random() * total[-1], side="right"))
            word = min(word, int(np.flatnonzero(p)[-1]))
            if word == self.vocabulary.end:
                break
            history.append(word)
            drawn.append(word)
        return self.vocabulary.decode(drawn)

    # ------------------------------------------------------------------------------------------------ files

    def write_arpa(self, path: str | os.PathLike[str]) -> None:
        """Write the model in the ARPA format, whole or not at all.

        An add-k model is written as the back-off model that gives every text the same probability: where a context was
        not seen, or is shorter than n - 1 words without beginning a sentence, it is uniform.

        Raises:
            ValueError: the model has no back-off form (maximum likelihood, stupid backoff), or a symbol is white space.
        """
        if self.smoothing == "stupid-backoff":
            raise ValueError("stupid backoff gives scores and no probabilities, which an ARPA file has to hold")
        if self.smoothing == "maximum-likelihood":
            raise ValueError(
                "a maximum-likelihood model says nothing in contexts it has not seen, where an ARPA model backs off; "
                "write a smoothed model instead"
            )
        probability, backoff = self._add_k_as_backoff() if self._longest_only else (self._probability, self._backoff)
        with np.errstate(divide="ignore"):
            logs = [np.log10(p) for p in probability]
            weights = [np.log10(b) for b in backoff]
        arpa.write(path, arpa.ArpaModel(self.vocabulary, self._trie, logs, weights))

    @classmethod
    def read_arpa(cls, path: str | os.PathLike[str]) -> "NgramModel":
        """Read a model from an ARPA file, ours or another toolkit's.

        Raises:
            ArpaError: the file is malformed or truncated; the message names the line.
            FileNotFoundError: there is no such file.
        """
        vocabulary, trie, logs, weights = arpa.read(path)
        return cls(vocabulary, "arpa", trie, [10.0**p for p in logs], [10.0**b for b in weights])

    # ------------------------------------------------------------------------------------------------ inside

    def _encode(self, sentences: Sentences | str | os.PathLike[str]) -> np.ndarray:
        return encode(sentences, self.vocabulary, self._word_table)

    def _word_table(self) -> WordTable:
        if self._table_of_words is None:
            self._table_of_words = WordTable(self.vocabulary)
        return self._table_of_words

    def _context_ids(self, context: Sequence[str]) -> np.ndarray:
        if isinstance(context, str):
            raise TypeError(f"the context has to be a list of words, not the string {context!r}; split it first")
        context = list(context)
        if END in context:
            raise ValueError(f"the context holds {END}, behind which nothing is predicted")
        if START in context[1:]:
            raise ValueError(f"{START} may stand at the beginning of the context only; got {context}")
        return self.vocabulary.encode(context)

    def _distribution(self, ids: np.ndarray) -> np.ndarray:
        ids = ids[max(0, ids.size - self.order + 1) :]
        size = self.vocabulary.size
        p = self._probability[0][:size].copy()
        for k in range(1, ids.size + 1):
            if self._longest_only:
                p = np.full(size, self._unseen)
            context, first = self._trie.descend(ids[ids.size - k :]), self._trie.first[k - 1]
            if context < 0 or first[context] == first[context + 1]:
                p *= self._unseen_context
                continue
            followers = slice(first[context], first[context + 1])
            p *= self._backoff[k - 1][context]
            p[self._trie.word[k][followers]] = self._probability[k][followers]
        if self.smoothing == "maximum-likelihood" and not p.any():
            raise ValueError(
                f"the context {' '.join(self.vocabulary.decode(ids))!r} was never seen, and maximum likelihood has no "
                "distribution there; choose another smoothing"
            )
        return p

    def _log10_of_ids(self, flat: np.ndarray) -> np.ndarray:
        """log10 p of every position of a text; what stands at `<s>` means nothing."""
        by_longest = self._longest_only and self.order > 1
        p = self._by_longest_context(flat) if by_longest else self._backed_off(flat)
        with np.errstate(divide="ignore"):
            return np.log10(p, out=p)

    def _backed_off(self, flat: np.ndarray) -> np.ndarray:
        """p of every position, from the unigrams upwards."""
        p, left = self._probability_and_backoff(0, flat)
        used = np.zeros(flat.size if self._unseen_context != 1 else 0, dtype=np.int64)  # words of context
        for k, (place, context, found, number) in enumerate(self._walk(flat), start=1):
            if self._unseen_context == 1:
                p[place] *= left[: context.size]  # nothing follows the last word of the text
            else:
                used[found] = k
            p[found], left = self._probability_and_backoff(k, number)
        if self._unseen_context != 1:  # each word of context that was of no use costs the same
            p *= self._unseen_context ** (self._words_of_context(flat) - used)
        return p

    def _probability_and_backoff(self, level: int, number: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """p(w | h) of some n-grams, and what is left for other words behind them."""
        if level == self.order - 1:
            return self._probability[level].take(number), None
        both = self._both[level].take(number, axis=0)
        return both[:, 0].copy(), both[:, 1]

    def _by_longest_context(self, flat: np.ndarray) -> np.ndarray:
        """p of every position by its longest context alone: n - 1 words, or all back to `<s>`."""
        p = np.full(flat.size, self._unseen)
        words = self._words_of_context(flat)
        for k, (place, context, found, number) in enumerate(self._walk(flat), start=1):
            p[place] = np.where(words[place] == k, self._backoff[k - 1].take(context) * self._unseen, p[place])
            longest = words[found] == k
            p[found[longest]] = self._probability[k].take(number[longest])
        return p

    def _walk(self, flat: np.ndarray) -> Iterator[tuple[np.ndarray | slice, np.ndarray, np.ndarray, np.ndarray]]:
        return self._trie.walk(flat)

    def _words_of_context(self, flat: np.ndarray) -> np.ndarray:
        """How many words before each position the model looks at, `<s>` counted."""
        positions = np.arange(flat.size)
        begin = np.maximum.accumulate(np.where(flat == self.vocabulary.start, positions, 0))
        return np.minimum(positions - begin, self.order - 1)

    def _add_k_as_backoff(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Probabilities and weights with which backing off gives every text what add-k does.

        A text asks for the longest contexts and for those that begin with `<s>` only, so that the others are free to be
        uniform, and it is a uniform distribution that add-k leaves to words it has not seen.
        """
        if self.order == 1:
            return self._probability, []
        size = self.vocabulary.size
        begins = np.arange(size + 1) == self.vocabulary.start
        probability, backoff = [np.where(begins, 0.0, 1 / size)], []
        for k in range(1, self.order):
            asked_for = np.full(begins.size, True) if k == self.order - 1 else begins
            context = self._trie.context_of(k)
            probability.append(np.where(asked_for[context], self._probability[k], 1 / size))
            backoff.append(np.where(asked_for, self._backoff[k - 1], 1.0))
            begins = begins[context]
        return probability, backoff


def _relative_frequencies(
    levels: list[Level], trie: Trie, flat: np.ndarray, vocabulary: Vocabulary
) -> tuple[np.ndarray, np.ndarray]:
    """c(h w) / c(h) of each token of a held-out text at each order, and whether h was seen, (n, N) both."""
    predicted = flat != vocabulary.start
    relative, available = np.zeros((len(levels), flat.size)), np.zeros((len(levels), flat.size), dtype=bool)
    frequency = [
        divide(count, level.sum_by_context(count)[level.context])
        for level, count in zip(levels, raw_counts(levels), strict=True)
    ]
    relative[0], available[0] = frequency[0][flat], True
    for k, (place, context, found, number) in enumerate(trie.walk(flat), start=1):
        relative[k, found] = frequency[k].take(number)
        available[k, place] = trie.first[k - 1][context + 1] > trie.first[k - 1][context]
    return relative[:, predicted], available[:, predicted]


def _check_order(order: object) -> None:
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)):
        raise TypeError(f"the order has to be a whole number; got {order!r}")
    if order < 1:
        raise ValueError(f"the order has to be at least 1 (a unigram model); got {order}")


def _check_smoothing(smoothing: object, parameters: dict[str, object]) -> None:
    if smoothing not in SMOOTHINGS:
        raise ValueError(f"unknown smoothing {smoothing!r}; the known ones are {', '.join(SMOOTHINGS)}")
    allowed = _OPTIONS.get(smoothing, ())
    for name in parameters:
        if name not in allowed and not (name == "held_out" and parameters[name] is None):
            takes = f"takes {', '.join(allowed)}" if allowed else "takes no parameter"
            raise ValueError(f"the smoothing {smoothing!r} {takes}; got {name}")
    _check_range(parameters, "k", 0, np.inf, "a positive number")
    _check_range(parameters, "alpha", 0, 1, "above 0 and at most 1", closed=True)
    _check_range(parameters, "discount", 0, 1, "above 0 and at most 1", closed=True)
    if parameters.get("cutoff") is not None:
        cutoff = parameters["cutoff"]
        if isinstance(cutoff, bool) or not isinstance(cutoff, (int, np.integer)) or cutoff < 1:
            raise ValueError(f"cutoff has to be a whole number of at least 1; got {cutoff!r}")
    if parameters.get("discounts") is not None:
        values = np.asarray(parameters["discounts"], dtype=np.float64)
        if values.shape != (3,) or not ((values >= 0) & (values <= [1, 2, 3])).all() or not values.any():
            raise ValueError(f"discounts are D1, D2 and D3+ with 0 <= D_r <= r, not all zero; got {values.tolist()}")
        parameters["discounts"] = tuple(values.tolist())
    if smoothing == "interpolation":
        weights = parameters.get("weights")
        if (weights is None) == (parameters.get("held_out") is None):
            raise ValueError("interpolation needs either weights, one per order, or held_out sentences to find them on")
        if weights is not None:
            values = np.asarray(weights, dtype=np.float64)
            if not ((values >= 0) & (values < 1)).all():
                raise ValueError(f"interpolation weights have to be in [0, 1); got {values.tolist()}")


def _check_range(
    parameters: dict[str, object], name: str, low: float, high: float, words: str, closed: bool = False
) -> None:
    value = parameters.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} has to be a number; got {value!r}")
    if not (low < value < high or (closed and value == high)):
        raise ValueError(f"{name} has to be {words}; got {value}")


def _checked_vocabulary(vocabulary: object) -> Vocabulary:
    if isinstance(vocabulary, Vocabulary):
        return vocabulary
    if isinstance(vocabulary, str) or not isinstance(vocabulary, Iterable):
        raise TypeError(f"vocabulary has to be a Vocabulary; got {vocabulary!r}")
    words = list(vocabulary)
    if UNKNOWN not in words:
        raise ValueError(
            f"the vocabulary lacks {UNKNOWN}, so that words outside it could not be read; "
            "make one with Vocabulary(words), which adds the special symbols"
        )
    return Vocabulary(word for word in words if word not in (UNKNOWN, START, END))


def _checked_ids(flat: object, vocabulary: Vocabulary) -> np.ndarray:
    flat = np.asarray(flat)
    if flat.ndim != 1 or flat.size == 0 or flat.dtype.kind not in "iu":
        raise ValueError(f"ids have to be a flat array of whole numbers; got {flat.dtype} of shape {flat.shape}")
    flat = flat.astype(np.int64, copy=False)
    if flat.min() < 0 or flat.max() > vocabulary.start:
        raise ValueError(f"ids have to be 0 .. {vocabulary.start}; got {flat.min()} .. {flat.max()}")
    is_start, is_end = flat == vocabulary.start, flat == vocabulary.end
    if not is_start[0] or not is_end[-1] or not np.array_equal(is_start[1:], is_end[:-1]):
        raise ValueError(f"every sentence has to begin with {START} ({vocabulary.start}) and end with {END} (1)")
    return flat
