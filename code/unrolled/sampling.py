"""From probabilities to words: what to draw, and how boldly.

All functions take a distribution p over V symbols, (V,), or m of them side by side, (V, m), and leave it unchanged.
`temper`, `top_k` and `nucleus` return a new distribution of the same shape; `draw` draws from one. They can be chained:

    p = nucleus(temper(p, 0.8), 0.95)
    word = draw(p, rng)

Where two symbols have the same probability, the one with the smaller id comes first.
"""

import numpy as np


def temper(p: np.ndarray | None = None, temperature: float = 1.0, *, scores: np.ndarray | None = None) -> np.ndarray:
    """Sharper below a temperature of 1, flatter above it: p ** (1 / temperature), normalised. Implements
    eq-temperature.

    For p = softmax(z) this is softmax(z / temperature). At the temperature 0, the limit, all probability is shared by
    the largest entries.

    Args:
        p: probabilities (V,) or (V, m).
        temperature: not negative.
        scores: z instead of p, logarithms of probabilities up to a constant for each column; -inf for impossible.

    Raises:
        ValueError: not exactly one of p and scores is given, p is no distribution, a score is NaN or inf or all are
            -inf, or the temperature is negative or no number.
    """
    if not (np.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"the temperature has to be a number that is not negative; got {temperature}")
    if (p is None) == (scores is None):
        raise ValueError("temper needs either probabilities or scores")
    if scores is None:
        with np.errstate(divide="ignore"):  # ln 0 = -inf: what is impossible stays impossible
            z = np.log(_distribution(p))
    else:
        z = np.array(scores, dtype=np.float64)
        if z.ndim not in (1, 2) or z.size == 0 or not np.isfinite(z.max(axis=0)).all():
            raise ValueError(f"scores are (V,) or (V, m), with a finite largest one in each column; got {_shown(z)}")
    with np.errstate(over="ignore"):  # a gap beyond the largest float is -inf: its weight is 0 either way
        z -= z.max(axis=0)
        weight = np.exp(z / temperature) if temperature else (z == 0).astype(np.float64)
    return weight / weight.sum(axis=0)  # eq-temperature


def top_k(p: np.ndarray, k: int) -> np.ndarray:
    """The k most probable symbols keep their odds, all others get zero (Fan, Lewis & Dauphin 2018). Implements
    eq-top-k.

    Args:
        p: probabilities (V,) or (V, m).
        k: how many to keep, at least 1; V or more changes nothing.

    Raises:
        ValueError: p is no distribution, or k is below 1.
    """
    p = _distribution(p)
    if not (isinstance(k, int | np.integer) and k >= 1):
        raise ValueError(f"k has to be a whole number, at least 1; got {k}")
    if k >= p.shape[0]:
        return p
    ranked = np.argsort(-p, axis=0, kind="stable")
    np.put_along_axis(p, ranked[k:], 0.0, axis=0)
    return p / p.sum(axis=0)


def nucleus(p: np.ndarray, mass: float) -> np.ndarray:
    """The fewest most probable symbols that have at least a given mass together (Holtzman et al. 2020). Implements
    eq-nucleus.

    Args:
        p: probabilities (V,) or (V, m).
        mass: above 0 and at most 1; 1 changes nothing.

    Raises:
        ValueError: p is no distribution, or the mass is out of range.
    """
    p = _distribution(p)
    if not 0 < mass <= 1:
        raise ValueError(f"the mass of a nucleus has to be above 0 and at most 1; got {mass}")
    if mass == 1:
        return p
    ranked = np.argsort(-p, axis=0, kind="stable")
    sorted_p = np.take_along_axis(p, ranked, axis=0)
    before = np.cumsum(sorted_p, axis=0) - sorted_p  # the mass of all that rank higher
    sorted_p[before >= mass] = 0
    np.put_along_axis(p, ranked, sorted_p, axis=0)
    return p / p.sum(axis=0)


def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray | int:
    """One symbol of each distribution, by where a uniform number falls among the cumulated probabilities.

    Args:
        p: probabilities (V,) or (V, m).
        rng: gives one uniform number per column.

    Returns:
        The id for (V,), ids (m,) for (V, m). A symbol of probability zero is never drawn.

    Raises:
        ValueError: p is no distribution.
    """
    p = _distribution(p)
    columns = p.reshape(p.shape[0], -1)  # (V, m)
    cumulated = np.cumsum(columns, axis=0)
    point = rng.random(columns.shape[1]) * cumulated[-1]  # below the last sum, which is 1 but for rounding
    # Rounding can lift the product to the last sum itself; the last symbol that has any probability is meant then.
    point = np.minimum(point, np.nextafter(cumulated[-1], 0))
    ids = (cumulated <= point).sum(axis=0)
    return int(ids[0]) if p.ndim == 1 else ids


def _distribution(p: np.ndarray) -> np.ndarray:
    """A float64 copy of p, whose columns are distributions."""
    p = np.array(p, dtype=np.float64)
    if p.ndim not in (1, 2) or p.shape[0] == 0:
        raise ValueError(f"p has to be one distribution (V,) or several (V, m); got shape {p.shape}")
    if not (p >= 0).all():
        raise ValueError(f"p is no distribution: an entry is {'NaN' if np.isnan(p).any() else p.min()}")
    total = p.sum(axis=0)
    if not (abs(total - 1) <= 1e-5).all():
        worst = np.ravel(total)[np.argmax(abs(np.ravel(total) - 1))]
        raise ValueError(f"p is no distribution: a column sums to {worst:.9g} instead of 1")
    return p


def _shown(z: np.ndarray) -> str:
    return f"shape {z.shape}" + (", a NaN" if np.isnan(z).any() else "")
