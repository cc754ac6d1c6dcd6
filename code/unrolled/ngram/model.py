"""The n-gram model: fitted on sentences, asked for log-probabilities, and kept in ARPA files."""

import os
from collections.abc import Iterable, Sequence

import numpy as np

from unrolled import metrics
from unrolled.ngram import arpa
from unrolled.ngram.counts import Level, count_ngrams
from unrolled.ngram.reading import Sentences, read_sentences
from unrolled.ngram.smoothing import ESTIMATORS, Estimate, em_weights, linear_interpolation
from unrolled.ngram.trie import Trie
from unrolled.vocabulary import END, START, UNKNOWN, Vocabulary

SMOOTHINGS = ("maximum-likelihood", "add-k", *ESTIMATORS)
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
        counts: list[np.ndarray] | None = None,
        added: float = 0.0,
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
        self._probability = probability  # p(w | h) per level; empty for the smoothings that look at one context only
        self._backoff = backoff
        self._counts = counts  # c(h w) per level, for those smoothings
        self._added = added
        self._unseen_context = unseen_context  # the weight of a context that was never seen

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
        sentences = read_sentences(sentences)
        if not any(sentences):
            what = f"{len(sentences)} empty sentences" if sentences else "no sentence"
            raise ValueError(f"the corpus is empty: it has {what}; fitting needs at least one word")
        if vocabulary is None:
            vocabulary = Vocabulary.from_sentences(sentences)
        if smoothing == "interpolation" and parameters.get("held_out") is not None:
            held_out = read_sentences(parameters["held_out"])
            if not held_out:
                raise ValueError("held_out has no sentence; EM needs some to find the weights")
            parameters["held_out"] = vocabulary.encode_sentences(held_out)
        return cls.fit_ids(vocabulary.encode_sentences(sentences), order, smoothing, vocabulary, **parameters)

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
        trie = _pack(levels, vocabulary.size)
        tokens = int(np.count_nonzero(flat != vocabulary.start))
        common = {"number_of_training_tokens": tokens}
        if smoothing in ("maximum-likelihood", "add-k"):
            counts = [level.count.astype(np.int32) for level in levels]
            counts[0][-1] = 0
            added = float(parameters.get("k", 1.0)) if smoothing == "add-k" else 0.0
            return cls(vocabulary, smoothing, trie, [], [], counts=counts, added=added, **common)
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
            common["unseen_context"] = float(parameters.get("alpha", 0.4))
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

    def __repr__(self) -> str:
        numbers = " + ".join(f"{n:,}" for n in self.numbers_of_ngrams)
        return f"NgramModel of order {self.order}, {self.smoothing}, V = {self.vocabulary.size:,}, {numbers} n-grams"

    def log10_probabilities(self, sentences: Sentences | str | os.PathLike[str]) -> np.ndarray:
        """log10 p of every token: for each sentence its words and then `</s>`, one flat float64 array.

        A probability of zero gives -inf.
        """
        flat = self.vocabulary.encode_sentences(read_sentences(sentences))
        return self._log10_of_ids(flat)[flat != self.vocabulary.start]

    def sentence_log10_probabilities(self, sentences: Sentences | str | os.PathLike[str]) -> np.ndarray:
        """log10 of the probability of each whole sentence, its `</s>` included, float64 (number of sentences,)."""
        flat = self.vocabulary.encode_sentences(read_sentences(sentences))
        if flat.size == 0:
            return np.zeros(0)
        return np.add.reduceat(self._log10_of_ids(flat), np.flatnonzero(flat == self.vocabulary.start))

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
        probability, backoff = (
            self._add_k_as_backoff() if self._counts is not None else (self._probability, self._backoff)
        )
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
        if self._counts is not None:
            return self._single_context(ids)
        p = self._probability[0][:size].copy()
        for k in range(1, ids.size + 1):
            context = self._trie.descend(ids[ids.size - k :])
            first = self._trie.first[k - 1]
            if context < 0 or first[context] == first[context + 1]:
                p *= self._unseen_context
                continue
            followers = slice(first[context], first[context + 1])
            p *= self._backoff[k - 1][context]
            p[self._trie.word[k][followers]] = self._probability[k][followers]
        return p

    def _single_context(self, ids: np.ndarray) -> np.ndarray:
        """Maximum likelihood and add-k: one look at the longest context."""
        size = self.vocabulary.size
        counts = np.zeros(size)
        if ids.size == 0:
            counts += self._counts[0][:size]
        else:
            context, first = self._trie.descend(ids), self._trie.first[ids.size - 1]
            if context >= 0:
                followers = slice(first[context], first[context + 1])
                counts[self._trie.word[ids.size][followers]] = self._counts[ids.size][followers]
        total = counts.sum() + self._added * size
        if total == 0:
            raise ValueError(
                f"the context {' '.join(self.vocabulary.decode(ids))!r} was never seen, and maximum likelihood has no "
                "distribution there; choose a smoothing"
            )
        return (counts + self._added) / total

    def _log10_of_ids(self, flat: np.ndarray) -> np.ndarray:
        """log10 p of every position of a text, 0 at `<s>`."""
        if flat.size == 0:
            return np.zeros(0)
        start, end = self.vocabulary.start, self.vocabulary.end
        numbers = self._trie.match(flat, end, start)
        with np.errstate(divide="ignore"):
            if self._counts is not None:
                logs = np.log10(self._single_context_of_ids(flat, numbers))
            else:
                logs = np.log10(self._backed_off(flat, numbers))
        logs[flat == start] = 0.0
        return logs

    def _backed_off(self, flat: np.ndarray, numbers: list[np.ndarray]) -> np.ndarray:
        p = self._probability[0][flat]
        inside = np.append(False, flat[:-1] != self.vocabulary.end)  # the position before is in the same sentence
        deep = inside  # a context of k words fits into the sentence
        for k in range(1, self.order):
            number = numbers[k]
            seen = number >= 0
            context = np.append(-1, numbers[k - 1][:-1])
            known = (context >= 0) & inside & ~seen
            if k == 1:
                p[known] *= self._backoff[0][context[known]]
            else:
                p[known] *= self._backoff[k - 1][context[known]]
            p[seen] = self._probability[k][number[seen]]
            if self._unseen_context != 1:
                deep = deep if k == 1 else inside & np.append(False, deep[:-1])
                p[deep & (context < 0)] *= self._unseen_context
        return p

    def _single_context_of_ids(self, flat: np.ndarray, numbers: list[np.ndarray]) -> np.ndarray:
        """p of every position by its longest context: n - 1 words, or all back to `<s>`."""
        size = self.vocabulary.size
        totals = [np.array([float(self._counts[0].sum())])] + [
            np.add.reduceat(np.append(counts, 0), first[:-1]) * (np.diff(first) > 0)
            for counts, first in zip(self._counts[1:], self._trie.first, strict=True)
        ]
        depth = np.arange(flat.size) - np.maximum.accumulate(
            np.where(flat == self.vocabulary.start, np.arange(flat.size), 0)
        )
        p = np.zeros(flat.size)
        for k in range(self.order):  # contexts of k words
            here = np.flatnonzero((depth == k) if k < self.order - 1 else (depth >= k))
            number = numbers[k][here]
            count = np.where(number >= 0, self._counts[k][number], 0)
            if k == 0:
                total = np.full(here.size, totals[0][0])
            else:
                context = numbers[k - 1][here - 1]
                total = np.where(context >= 0, totals[k][context], 0)
            p[here] = np.divide(
                count + self._added,
                total + self._added * size,
                out=np.zeros(here.size),
                where=total + self._added * size > 0,
            )
        return p

    def _add_k_as_backoff(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        size, added = self.vocabulary.size, self._added
        begins = np.arange(size + 1) == self.vocabulary.start
        probability = [np.where(begins, 0.0, 1 / size)]
        backoff = []
        if self.order == 1:
            probability = [np.where(begins, 0.0, (self._counts[0] + added) / (self._counts[0].sum() + added * size))]
        for k in range(1, self.order):
            first, counts = self._trie.first[k - 1], self._counts[k]
            total = Level(self._trie.word[k], first, counts, counts, begins).sum_by_context(counts)
            looked_at = (total > 0) & (begins | (k == self.order - 1))  # contexts whose counts the model uses
            backoff.append(np.where(looked_at, added * size / (total + added * size), 1.0))
            context = self._trie.context_of(k)
            uses = looked_at[context]
            probability.append(np.where(uses, (counts + added) / (total[context] + added * size), 1 / size))
            begins = begins[context]
        return probability, backoff


def _pack(levels: list[Level], size: int) -> Trie:
    """The trie in as few bytes as the numbers allow."""
    letter = np.uint16 if size < 2**16 - 1 else np.uint32
    words = [level.word.astype(letter) for level in levels]
    first = [level.first.astype(np.int32 if level.word.size < 2**31 else np.int64) for level in levels[1:]]
    return Trie(words, first)


def _relative_frequencies(
    levels: list[Level], trie: Trie, flat: np.ndarray, vocabulary: Vocabulary
) -> tuple[np.ndarray, np.ndarray]:
    """c(h w) / c(h) of each token of a held-out text at each order, and whether h was seen, (n, N) both."""
    numbers = trie.match(flat, vocabulary.end, vocabulary.start)
    predicted = np.flatnonzero(flat != vocabulary.start)
    relative = np.zeros((len(levels), predicted.size))
    available = np.zeros(relative.shape, dtype=bool)
    for k, level in enumerate(levels):
        count = level.count.copy()
        if k == 0:
            count[-1] = 0
        total = level.sum_by_context(count)
        context = np.zeros(predicted.size, np.int64) if k == 0 else numbers[k - 1][predicted - 1]
        available[k] = (context >= 0) & (total[context] > 0)
        if k > 1:
            available[k] &= available[k - 1]  # the sentence is long enough
        number = numbers[k][predicted]
        seen = number >= 0
        relative[k, seen] = count[number[seen]] / total[context[seen]]
    return relative, available


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
    _check_range(parameters, "alpha", 0, 1, "between 0 and 1", closed=True)
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
    flat = flat.astype(np.int64)
    if flat.min() < 0 or flat.max() > vocabulary.start:
        raise ValueError(f"ids have to be 0 .. {vocabulary.start}; got {flat.min()} .. {flat.max()}")
    is_start, is_end = flat == vocabulary.start, flat == vocabulary.end
    if not is_start[0] or not is_end[-1] or not np.array_equal(is_start[1:], is_end[:-1]):
        raise ValueError(f"every sentence has to begin with {START} ({vocabulary.start}) and end with {END} (1)")
    return flat
