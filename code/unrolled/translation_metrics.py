"""How good a translation is, as far as counting can tell: BLEU, and the share that is right to the last word.

A hypothesis is what a system says, a reference what a person (or a grammar) says; both are lists of words, and a
hypothesis may have several references. BLEU (Papineni, Roukos, Ward & Zhu 2002) counts the n-grams of all hypotheses
together that stand in their references, for n = 1 .. 4, and takes the geometric mean of the four shares; hypotheses
that are shorter than their references pay a penalty. It is a property of a corpus: the mean of the BLEUs of its
sentences is another number.

Scores of different papers compare only if the words were cut in the same way (Post 2018). Here they come cut, and the
numbers are those of sacrebleu with `tokenize="none"`.

    >>> reference = "deux cent quatre vingt un mille".split()
    >>> score = bleu(["deux cent quatre vingt mille".split()], [reference])
    >>> print(f"{score.bleu:.4f}", score.matches, score.totals, f"{score.brevity_penalty:.4f}")
    0.5789 (5, 3, 2, 1) (5, 4, 3, 2) 0.8187
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Words = Sequence[str]
References = Words | Sequence[Words]


class Bleu(NamedTuple):
    """BLEU, and what it is made of.

    Attributes:
        bleu: between 0 and 1 (multiply by 100 to compare with what papers print).
        matches: how many n-grams of the hypotheses stand in their references, for n = 1, 2, ...
        totals: how many n-grams the hypotheses have.
        brevity_penalty: between 0 and 1.
        length: words of all hypotheses.
        reference_length: words of all references, of each sentence's the one that is nearest in length.
    """

    bleu: float
    matches: tuple[int, ...]
    totals: tuple[int, ...]
    brevity_penalty: float
    length: int
    reference_length: int


def ngrams(words: Words, n: int) -> Counter[tuple[str, ...]]:
    """How often each run of n words occurs.

    Raises:
        ValueError: n is below 1.
    """
    if n < 1:
        raise ValueError(f"n is at least 1; got {n}")
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))


def bleu(
    hypotheses: Sequence[Words], references: Sequence[References], order: int = 4, smoothing: str = "none"
) -> Bleu:
    """BLEU of a corpus. Implements eq-bleu, with eq-clipped-matches and eq-brevity-penalty.

    Args:
        hypotheses: what the system says, a list of words for each sentence.
        references: for each sentence a list of words, or several lists of words.
        order: the longest n-grams that are counted.
        smoothing: "none": without a single match of some n, BLEU is zero. "exponential": the first such precision
            becomes 1/2 over its total, the next 1/4, and so on, so that one sentence can be scored (the default of
            sacrebleu). Where hypotheses have no n-grams of some n at all, BLEU is zero either way.

    Raises:
        ValueError: there are no sentences, their numbers differ, a sentence has no reference, or an argument is out of
            range.
        TypeError: a sentence is a string that has not been cut into words.
    """
    if len(hypotheses) != len(references) or not len(hypotheses):
        raise ValueError(
            f"each hypothesis needs its reference, and there has to be one; got {len(hypotheses)} and {len(references)}"
        )
    if order < 1:
        raise ValueError(f"order is at least 1; got {order}")
    if smoothing not in ("none", "exponential"):
        raise ValueError(f"smoothing is 'none' or 'exponential'; got {smoothing!r}")
    matches, totals = np.zeros(order, dtype=np.int64), np.zeros(order, dtype=np.int64)
    length = reference_length = 0
    for i, (hypothesis, given) in enumerate(zip(hypotheses, references, strict=True)):
        several = _references(given, i)
        _check_words(hypothesis, f"hypothesis {i}")
        length += len(hypothesis)
        reference_length += min((abs(len(r) - len(hypothesis)), len(r)) for r in several)[1]  # of two, the shorter
        for n in range(1, order + 1):
            counts = ngrams(hypothesis, n)
            allowed: Counter = Counter()
            for reference in several:
                allowed |= ngrams(reference, n)  # the largest count in any of them
            matches[n - 1] += (counts & allowed).total()  # eq-clipped-matches
            totals[n - 1] += counts.total()
    penalty = _brevity_penalty(length, reference_length)
    precisions = _precisions(matches, totals, smoothing)
    value = float(penalty * np.exp(np.log(precisions).mean())) if (precisions > 0).all() else 0.0  # eq-bleu
    return Bleu(value, tuple(matches.tolist()), tuple(totals.tolist()), penalty, length, reference_length)


def exact_match(hypotheses: Sequence[Words], references: Sequence[References]) -> tuple[float, float]:
    """The share of hypotheses that equal a reference word for word, and its standard error sqrt(p (1 - p) / n).

    Raises:
        ValueError: there are no sentences, their numbers differ, or a sentence has no reference.
        TypeError: a sentence is a string that has not been cut into words.
    """
    if len(hypotheses) != len(references) or not len(hypotheses):
        raise ValueError(
            f"each hypothesis needs its reference, and there has to be one; got {len(hypotheses)} and {len(references)}"
        )
    hits = 0
    for i, (hypothesis, given) in enumerate(zip(hypotheses, references, strict=True)):
        _check_words(hypothesis, f"hypothesis {i}")
        hits += any(list(hypothesis) == list(reference) for reference in _references(given, i))
    share = hits / len(hypotheses)
    return share, float(np.sqrt(share * (1 - share) / len(hypotheses)))


def _brevity_penalty(length: int, reference_length: int) -> float:
    """1 for what is long enough, else exp(1 - reference_length / length). Implements eq-brevity-penalty."""
    if length >= reference_length:
        return 1.0
    return float(np.exp(1 - reference_length / length)) if length else 0.0


def _precisions(matches: np.ndarray, totals: np.ndarray, smoothing: str) -> np.ndarray:
    precisions = np.zeros(len(matches))
    share = 1.0
    for n, (match, total) in enumerate(zip(matches.tolist(), totals.tolist(), strict=True)):
        if match:
            precisions[n] = match / total
        elif total and smoothing == "exponential" and matches.any():
            share /= 2
            precisions[n] = share / total
    return precisions


def _references(given: References, i: int) -> Sequence[Words]:
    """The references of one sentence as a list of lists of words."""
    if isinstance(given, str):
        raise TypeError(f"reference {i} is the string {given[:40]!r}; cut it into words first")
    if len(given) == 0:
        raise ValueError(f"sentence {i} has no reference, or an empty one")
    several = [given] if all(isinstance(word, str) for word in given) else given
    for reference in several:
        _check_words(reference, f"a reference of sentence {i}")
    return several


def _check_words(words: Words, what: str) -> None:
    if isinstance(words, str):
        raise TypeError(f"{what} is the string {words[:40]!r}; cut it into words first")
