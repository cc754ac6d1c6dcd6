"""The smoothing ladder: from counts to probabilities that are never zero, and that sum to one in every context.

Every rung but two has the same shape. With h' for the context h without its oldest word,

    p(w | h) = P(h w)                  if the n-gram h w was seen in training,
               backoff(h) p(w | h')    if only its context h was,
               p(w | h')               if not even h was,

and below the unigrams stands the uniform distribution 1 / V. An estimator therefore returns two numbers per n-gram: its
probability, and its weight as a context. The rungs that interpolate,

    p(w | h) = share(h w) + backoff(h) p(w | h'),

take this shape when the sum is stored for the n-grams seen. The two others, maximum likelihood and add-k, look at the
longest context alone, and their weight multiplies the uniform distribution.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from unrolled.ngram.counts import Level, continuation_counts, counts_of_counts, raw_counts

FALLBACK = (0.5, 1.0, 1.5)
"""The discounts for counts of 1, 2 and more where the text gives none, as in KenLM (Heafield et al. 2013)."""

KATZ_CUTOFF = 5
"""Counts above this are trusted as they are (Katz 1987)."""

STUPID_ALPHA = 0.4
"""What every word of context that is dropped costs in stupid backoff (Brants et al. 2007)."""


@dataclass
class Estimate:
    """Probabilities and back-off weights, one array per level.

    Attributes:
        probability: p(w | h) of each n-gram seen, (N_k,); at level 1 of every symbol, and 0 for `<s>`.
        backoff: the weight of each n-gram as a context, (N_k,), for all levels but the highest; 1 where nothing
            follows.
        discounts: what was subtracted, per level, for smoothings that subtract.
        notes: what had to be replaced because the text did not determine it, in words.
    """

    probability: list[np.ndarray]
    backoff: list[np.ndarray]
    discounts: list[tuple[float, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def interpolate(
    levels: list[Level], share: list[np.ndarray], backoff: list[np.ndarray], size: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """p(w | h) = share(h w) + backoff(h) p(w | h'), from the uniform distribution upwards.

    Args:
        levels: the n-grams.
        share: what an n-gram's own count contributes, (N_k,) per level.
        backoff: what is left for the shorter context, (N_(k-1),) per level, so the first array has one entry.
        size: V.

    Returns:
        The probabilities per level, and the back-off weights per level but the highest, 1 where nothing follows.
    """
    lower = np.full(size + 1, 1 / size)
    probability: list[np.ndarray] = []
    for level, own, left in zip(levels, share, backoff, strict=True):
        p = left.take(level.context)
        p *= probability[-1].take(level.suffix) if probability else lower
        p += own
        if not probability:
            p[-1] = 0.0  # <s>
        probability.append(p)
    weights = [np.where(level.followed, w, 1.0) for level, w in zip(levels[1:], backoff[1:], strict=True)]
    return probability, weights


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and 0 where b is 0: contexts that nothing follows."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=b > 0)


def _discounted(levels: list[Level], counts: list[np.ndarray], amounts: list[np.ndarray], size: int) -> tuple:
    """Subtract an amount from every count and give what was taken from a context to the shorter one."""
    share, backoff = [], []
    for level, count, amount in zip(levels, counts, amounts, strict=True):
        total = level.sum_by_context(count)  # of each context
        own = count - amount
        own /= total.take(level.context)  # never 0, since something follows the context
        share.append(own)
        backoff.append(divide(level.sum_by_context(amount), total))
    return interpolate(levels, share, backoff, size)


def _one_discount(count: np.ndarray, level: int, notes: list[str]) -> float:
    """D = n1 / (n1 + 2 n2), which leaving one out gives (Ney, Essen and Kneser 1994). Implements eq-discount."""
    _, n1, n2 = counts_of_counts(count, 2)
    if n1 == 0:
        notes.append(f"order {level}: no n-gram occurs once, so the discount is {FALLBACK[0]} by convention")
        return FALLBACK[0]
    return float(n1 / (n1 + 2 * n2))


def absolute_discounting(levels: list[Level], size: int, discount: float | None = None) -> Estimate:
    """Subtract the same D from every count. Implements eq-absolute-discounting (Ney, Essen and Kneser 1994)."""
    return _single(levels, raw_counts(levels), size, discount)


def kneser_ney(levels: list[Level], size: int, discount: float | None = None) -> Estimate:
    """One discount per order, on continuation counts. Implements eq-kneser-ney (Kneser and Ney 1995), interpolated."""
    return _single(levels, continuation_counts(levels), size, discount)


def _single(levels: list[Level], counts: list[np.ndarray], size: int, discount: float | None) -> Estimate:
    notes: list[str] = []
    found = [
        discount if discount is not None else _one_discount(count, k, notes) for k, count in enumerate(counts, start=1)
    ]
    amounts = [np.minimum(count, d) for count, d in zip(counts, found, strict=True)]
    return Estimate(*_discounted(levels, counts, amounts, size), [(d,) for d in found], notes)


def modified_kneser_ney(levels: list[Level], size: int, discounts: tuple[float, ...] | None = None) -> Estimate:
    """Three discounts per order, on continuation counts. Implements eq-modified-kneser-ney (Chen and Goodman 1999).

    The probabilities equal those of KenLM's lmplz, but for one slip of the latter: the last n-gram of each order below
    the highest, in its order of sorting, enters the counts of counts with its raw count and not the adjusted one. As a
    rule that n-gram ends in a word that occurs once, and both counts are 1; in a text with a handful of types the
    discounts of the two programs can differ.
    """
    counts = continuation_counts(levels)
    notes: list[str] = []
    found = [discounts or three_discounts(count, k, notes) for k, count in enumerate(counts, start=1)]
    amounts = [np.array([0.0, *d]).take(count, mode="clip") for count, d in zip(counts, found, strict=True)]
    return Estimate(*_discounted(levels, counts, amounts, size), [tuple(d) for d in found], notes)


def three_discounts(count: np.ndarray, level: int = 0, notes: list[str] | None = None) -> tuple[float, float, float]:
    """D1, D2 and D3+ from counts of counts. Implements eq-modified-kneser-ney-discounts (Chen and Goodman 1999).

    Args:
        count: the (adjusted) counts of one order.
        level: the order, for the note.
        notes: where a note is appended when the discounts are undefined or out of range, and `FALLBACK` is used.
    """
    n = counts_of_counts(count, 4)
    reason = ""
    if not n[1:4].all():
        reason = f"no n-gram has the count {1 + int(np.argmin(n[1:4] > 0))}"
    else:
        y = n[1] / (n[1] + 2 * n[2])
        found = tuple(float(r - (r + 1) * y * n[r + 1] / n[r]) for r in (1, 2, 3))
        out = [r for r, d in enumerate(found, start=1) if not 0 <= d <= r]
        if not out:
            return found
        reason = f"D{out[0]} = {found[out[0] - 1]:.3g} is outside 0 .. {out[0]}"
    if notes is not None:
        notes.append(f"order {level}: {reason}, so the discounts are {', '.join(map(str, FALLBACK))} by convention")
    return FALLBACK


def witten_bell(levels: list[Level], size: int) -> Estimate:
    """Reserve as much for new words as there were different ones. Implements eq-witten-bell (Witten and Bell 1991)."""
    share, backoff = [], []
    for level, count in zip(levels, raw_counts(levels), strict=True):
        total = level.sum_by_context(count)
        kinds = level.sum_by_context(count > 0)
        share.append(divide(count, (total + kinds)[level.context]))
        backoff.append(divide(kinds, total + kinds))
    return Estimate(*interpolate(levels, share, backoff, size))


def linear_interpolation(levels: list[Level], size: int, weights: np.ndarray) -> Estimate:
    """A fixed share for each order. Implements eq-linear-interpolation (Jelinek and Mercer 1980).

    Args:
        levels: the n-grams.
        size: V.
        weights: the lambda of each order, (n,): of p_k = lambda_k c(h w) / c(h) + (1 - lambda_k) p_(k-1).
    """
    share, backoff = [], []
    for level, count, weight in zip(levels, raw_counts(levels), weights, strict=True):
        total = level.sum_by_context(count)
        share.append(weight * divide(count, total[level.context]))
        backoff.append(np.full(total.shape, 1 - weight))
    return Estimate(*interpolate(levels, share, backoff, size))


def em_weights(
    relative: np.ndarray, available: np.ndarray, size: int, tolerance: float = 1e-10, maximum_steps: int = 1000
) -> np.ndarray:
    """The interpolation weights under which a held-out text is most probable, by EM. Implements eq-em-weights.

    Each held-out token has a hidden order j from which it was drawn, with probability lambda_j times (1 - lambda_i) for
    the higher orders i whose context was seen, and below the lowest order the uniform distribution. A step replaces
    lambda_j by the expected share of tokens drawn at order j among those that came down to it.

    Args:
        relative: c(h w) / c(h) of each held-out token at each order, (n, N); 0 where the context is new.
        available: whether the context was seen, (n, N).
        size: V.
        tolerance: stop when no weight moves by more.
        maximum_steps: stop after so many steps.
    """
    order = relative.shape[0]
    weights = np.full(order, 0.5)
    for _ in range(maximum_steps):
        mixed = np.full(relative.shape[1], 1 / size)
        mixtures = [mixed]
        for k in range(order):
            mixed = np.where(available[k], weights[k] * relative[k] + (1 - weights[k]) * mixed, mixed)
            mixtures.append(mixed)
        reached = np.ones(relative.shape[1])  # the posterior probability that the draw came down to order k
        new = weights.copy()
        for k in reversed(range(order)):
            here = np.where(available[k], reached * weights[k] * relative[k] / mixtures[k + 1], 0.0)
            came = float(reached[available[k]].sum())
            new[k] = min(here.sum() / came, 1.0) if came else weights[k]  # rounding must not lift a share above 1
            reached = reached - here
        moved = float(np.abs(new - weights).max())
        weights = new
        if moved <= tolerance:
            break
    return weights


def katz_discounts(count: np.ndarray, cutoff: int = KATZ_CUTOFF) -> np.ndarray:
    """d_r for r = 0 .. cutoff, by which a count r is multiplied. Implements eq-katz-discount (Katz 1987).

    r* = (r + 1) n_(r+1) / n_r is Good and Turing's count (eq-good-turing). Where a d_r is undefined or outside (0, 1),
    the counts are too thin to say anything, and it is 1.
    """
    n = counts_of_counts(count, cutoff + 1).astype(np.float64)
    factor = np.ones(cutoff + 1)
    if n[1] == 0:
        return factor
    large = (cutoff + 1) * n[cutoff + 1] / n[1]
    for r in range(1, cutoff + 1):
        if n[r] > 0 and large != 1:
            turing = (r + 1) * n[r + 1] / n[r]  # eq-good-turing
            d = (turing / r - large) / (1 - large)
            factor[r] = d if 0 < d < 1 else 1.0
    return factor


def katz(levels: list[Level], size: int, cutoff: int = KATZ_CUTOFF) -> Estimate:
    """Discount small counts by Good and Turing, and back off. Implements eq-katz and eq-katz-backoff-weight (Katz
    1987).

    In a context whose counts are all above the cutoff nothing would be left over for words not seen there; its counts
    are then divided by their sum plus one. A context that every word of the vocabulary has followed needs nothing.
    """
    probability: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    factors = []
    for level, count in zip(levels, raw_counts(levels), strict=True):
        factor = katz_discounts(count, cutoff)
        factors.append(tuple(factor[1:].tolist()))
        kept = count * np.append(factor, 1.0)[np.minimum(count, cutoff + 1)]
        total = level.sum_by_context(count)
        kinds = level.sum_by_context(count > 0)
        nothing_left = (level.sum_by_context(count - kept) <= 0) & (kinds < size)
        every_word = kinds >= size
        kept = np.where(every_word[level.context], count, kept)
        p = divide(kept, (total + nothing_left)[level.context])
        below = np.full(size + 1, 1 / size) if not probability else probability[-1][level.suffix]
        seen = count > 0
        left = divide(level.sum_by_context(count - kept) + nothing_left, total + nothing_left)
        room = 1 - level.sum_by_context(np.where(seen, below, 0.0))
        weight = np.where(every_word, 0.0, divide(left, np.where(every_word, 0.0, room)))
        if not probability:
            p = np.where(seen, p, weight[0] / size)
            p[-1] = 0.0  # <s>
        else:
            weights.append(np.where(level.followed, weight, 1.0))
        probability.append(p)
    return Estimate(probability, weights, factors)


def stupid_backoff(levels: list[Level], size: int, alpha: float = STUPID_ALPHA) -> Estimate:
    """Relative frequencies, alpha times the shorter context's where there is none. Implements def-stupid-backoff.

    These are scores: they sum to more than one in most contexts (Brants et al. 2007).
    """
    probability = [
        divide(count, level.sum_by_context(count)[level.context])
        for level, count in zip(levels, raw_counts(levels), strict=True)
    ]
    return Estimate(probability, [np.full(level.first.size - 1, alpha) for level in levels[1:]])


def maximum_likelihood(levels: list[Level], size: int) -> Estimate:
    """c(h w) / c(h). Implements eq-maximum-likelihood. The context is never shortened, and nothing is left over."""
    return add_k(levels, size, 0.0)


def add_k(levels: list[Level], size: int, k: float = 1.0) -> Estimate:
    """(c(h w) + k) / (c(h) + k V). Implements eq-add-k (Lidstone 1920; k = 1 is Laplace's law of succession).

    The context is never shortened: the back-off weight k V / (c(h) + k V) multiplies the uniform distribution.
    """
    probability, backoff = [], []
    for level, count in zip(levels, raw_counts(levels), strict=True):
        total = level.sum_by_context(count)
        probability.append(divide(count + k, (total + k * size)[level.context]))
        backoff.append(divide(np.full(total.shape, k * size), total + k * size))
    probability[0][-1] = 0.0  # <s>
    return Estimate(probability, backoff[1:])


ESTIMATORS: dict[str, Callable[..., Estimate]] = {
    "maximum-likelihood": maximum_likelihood,
    "add-k": add_k,
    "absolute-discounting": absolute_discounting,
    "kneser-ney": kneser_ney,
    "modified-kneser-ney": modified_kneser_ney,
    "witten-bell": witten_bell,
    "interpolation": linear_interpolation,
    "katz": katz,
    "stupid-backoff": stupid_backoff,
}
"""The smoothings, by name."""
