"""Entropy, cross-entropy and perplexity: how surprised a model is, and in which unit.

Log-probabilities are natural logarithms unless a `base` says otherwise. Entropies are in bits. Perplexity is what is
left when the unit is taken away again: the number of equally likely symbols that would surprise as much.
"""

import numpy as np

ArrayLike = np.ndarray | float | list


def log_sum_exp(z: ArrayLike, axis: int | None = None) -> np.ndarray | float:
    """ln of the sum of exp(z) along `axis`, without overflow or underflow. Implements eq-log-sum-exp.

    The largest entry is taken out of the sum first, so that the largest exponential is exp(0) = 1. Entries of -inf
    stand for probability zero and add nothing; if all are -inf the result is -inf.

    Args:
        z: real or complex numbers of any shape; the shift is taken from the real part.
        axis: the axis to sum over; None sums over everything.

    Raises:
        ValueError: `z` is empty.
    """
    z = np.asarray(z)
    z = z if z.dtype.kind in "fc" else z.astype(np.float64)
    if z.size == 0:
        raise ValueError("log_sum_exp of nothing: z is empty")
    shift = z.real.max(axis=axis, keepdims=True)
    shift = np.where(np.isfinite(shift), shift, 0.0).astype(z.real.dtype)  # -inf - (-inf) would be NaN
    with np.errstate(divide="ignore"):  # ln 0 = -inf is the right answer when every entry is -inf
        total = np.log(np.exp(z - shift).sum(axis=axis, keepdims=True)) + shift
    total = total.squeeze() if axis is None else total.squeeze(axis)
    return total if total.ndim else total[()]


def entropy(p: ArrayLike) -> float:
    """H(p) in bits of a distribution p over finitely many symbols. Implements def-entropy (Shannon 1948).

    Raises:
        ValueError: p is no distribution: an entry is negative or NaN, or the sum is not 1 to 1e-6.
    """
    p = _distribution("p", p)
    return float(-np.sum(p[p > 0] * np.log2(p[p > 0])) + 0.0)  # + 0.0 turns -0.0 into 0.0


def cross_entropy(p: ArrayLike, q: ArrayLike) -> float:
    """H(p, q) in bits: the surprise at symbols drawn from p of somebody who believes q. Implements def-cross-entropy.

    It is infinite where q gives no probability to a symbol that p has.

    Raises:
        ValueError: p or q is no distribution, or their shapes differ.
    """
    p, q = _distribution("p", p), _distribution("q", q)
    if p.shape != q.shape:
        raise ValueError(f"p and q have to be over the same symbols; their shapes are {p.shape} and {q.shape}")
    drawn = p > 0
    with np.errstate(divide="ignore"):
        return float(-np.sum(p[drawn] * np.log2(q[drawn])) + 0.0)


def kullback_leibler(p: ArrayLike, q: ArrayLike) -> float:
    """D(p || q) = H(p, q) - H(p) in bits, never negative. Implements def-kullback-leibler."""
    p, q = _distribution("p", p), _distribution("q", q)
    if p.shape != q.shape:
        raise ValueError(f"p and q have to be over the same symbols; their shapes are {p.shape} and {q.shape}")
    drawn = p > 0
    with np.errstate(divide="ignore"):
        return float(np.sum(p[drawn] * np.log2(p[drawn] / q[drawn])))


def perplexity(log_probabilities: ArrayLike, base: float = np.e) -> float:
    """The perplexity of a text: base ** (minus the mean log-probability of its tokens). Implements def-perplexity.

    Args:
        log_probabilities: one logarithm per predicted token, `</s>` included; -inf gives an infinite perplexity.
        base: the base of those logarithms (10 for ARPA models and KenLM, 2 for bits).

    Raises:
        ValueError: there is no token, a value is NaN or above zero, or the base is not above 1.
    """
    return float(2.0 ** bits_per_token(log_probabilities, base))


def bits_per_token(log_probabilities: ArrayLike, base: float = np.e) -> float:
    """The cross-entropy of a text in bits per token: minus the mean of log2 p. Implements def-bits-per-token.

    Args and errors as for `perplexity`.
    """
    return float(-np.mean(_log_probabilities(log_probabilities, base)) * np.log2(base) + 0.0)


def bits_per_character(log_probabilities: ArrayLike, number_of_characters: int, base: float = np.e) -> float:
    """The bits that a text costs per character of it, whatever the units of the model. Implements
    def-bits-per-character.

    Args:
        log_probabilities: one logarithm per predicted token of the text.
        number_of_characters: the length of the same text in characters, ends of sentences counted as the model counts
            them.
        base: the base of the logarithms.

    Raises:
        ValueError: as for `perplexity`, or the number of characters is not positive.
    """
    if not number_of_characters > 0:
        raise ValueError(f"number_of_characters has to be positive; got {number_of_characters}")
    return float(-np.sum(_log_probabilities(log_probabilities, base)) * np.log2(base) / number_of_characters + 0.0)


def convert_perplexity(perplexity: float, tokens: int, new_tokens: int) -> float:
    """The perplexity per new unit of a text whose total probability is unchanged. Implements eq-unit-conversion.

    Args:
        perplexity: per token, when the text has `tokens` of them.
        tokens: the number of predicted tokens in the old unit, such as words.
        new_tokens: the number in the new unit, such as characters, of the very same text.

    Raises:
        ValueError: the perplexity is below 1 or a number of tokens is not positive.
    """
    if not perplexity >= 1:
        raise ValueError(f"a perplexity is at least 1; got {perplexity}")
    if not (tokens > 0 and new_tokens > 0):
        raise ValueError(f"the numbers of tokens have to be positive; got {tokens} and {new_tokens}")
    return float(perplexity ** (tokens / new_tokens))


def _distribution(name: str, p: ArrayLike) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    if p.size == 0:
        raise ValueError(f"{name} is empty; a distribution needs at least one symbol")
    if np.isnan(p).any() or (p < 0).any():
        raise ValueError(f"{name} is no distribution: an entry is {'NaN' if np.isnan(p).any() else p.min()}")
    if abs(p.sum() - 1) > 1e-6:
        raise ValueError(f"{name} is no distribution: its entries sum to {p.sum():.9g} instead of 1")
    return p


def _log_probabilities(values: ArrayLike, base: float) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if not base > 1:
        raise ValueError(f"the base of the logarithms has to be above 1; got {base}")
    if values.size == 0:
        raise ValueError("there are no log-probabilities: a text has at least one predicted token, its </s>")
    if np.isnan(values).any():
        raise ValueError(f"log-probability number {int(np.flatnonzero(np.isnan(values.ravel()))[0])} is NaN")
    if values.max() > 1e-9:
        raise ValueError(
            f"a log-probability is {values.max():.6g}, above zero: these are no logarithms of probabilities"
        )
    return values
