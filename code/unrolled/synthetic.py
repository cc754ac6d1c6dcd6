"""Two tasks made to measure memory: copying symbols over a delay, and adding two numbers far apart.

Adding comes from the paper that introduced the LSTM (Hochreiter & Schmidhuber 1997). Copying ten symbols is the task of
Arjovsky, Shah & Bengio (2016), after one of that paper in which a single symbol had to be kept. Nothing in them is
language. What they are good for is that the loss of a model without memory is known exactly, so that a measured loss
says at once whether anything was remembered.

    >>> task = copying(np.random.default_rng(0), T=5, m=2)
    >>> print(*task.x[:, 0])
    6 4 2 0 1 5 4 7 5 4 8 8 8 8 9 8 8 8 8 8 8 8 8 8 8
    >>> print(*task.targets[:, 0])
    8 8 8 8 8 8 8 8 8 8 8 8 8 8 8 6 4 2 0 1 5 4 7 5 4
"""

from typing import NamedTuple

import numpy as np

SYMBOLS = 8
"""The number of different symbols to copy, which are the ids 0 .. 7."""
LENGTH = 10
"""How many symbols are to be copied."""
BLANK = SYMBOLS
"""The id that says nothing."""
MARKER = SYMBOLS + 1
"""The id that asks for the copy."""
IDS = SYMBOLS + 2
"""n_x and n_y of the copy task, the symbols with blank and marker."""


class Copying(NamedTuple):
    """A batch of the copy task.

    Attributes:
        x: what is read, ids (T + 20, m): ten symbols, T - 1 blanks, the marker, ten blanks.
        targets: what is to be written, ids (T + 20, m): T + 10 blanks, then the ten symbols.
    """

    x: np.ndarray
    targets: np.ndarray


class Adding(NamedTuple):
    """A batch of the adding task.

    Attributes:
        x: floats (T, 2, m): row 0 holds numbers from [0, 1), row 1 is one at two steps and zero elsewhere.
        targets: floats (1, 1, m), the sum of the two marked numbers; it is asked for once, at the last step.
    """

    x: np.ndarray
    targets: np.ndarray


def copying(rng: np.random.Generator, T: int, m: int) -> Copying:
    """Draw m columns of the copy task with a delay of T steps.

    Between reading a symbol and writing it lie always T + 10 steps.

    Args:
        rng: draws the symbols.
        T: the delay, at least 1.
        m: the number of columns.

    Raises:
        ValueError: `T` or `m` is below 1.
    """
    _require_positive(T=T, m=m)
    symbols = rng.integers(SYMBOLS, size=(LENGTH, m))
    x = np.full((T + 2 * LENGTH, m), BLANK)
    x[:LENGTH] = symbols
    x[LENGTH + T - 1] = MARKER
    targets = np.full_like(x, BLANK)
    targets[-LENGTH:] = symbols
    return Copying(x, targets)


def copying_floor(T: int) -> float:
    """The least mean loss per step, in nats, of a model without memory: 10 ln 8 / (T + 20).

    Such a model knows where it stands in time and nothing of the symbols: it writes blanks with certainty and then
    guesses each symbol with probability 1/8.

    Raises:
        ValueError: `T` is below 1.
    """
    _require_positive(T=T)
    return float(LENGTH * np.log(SYMBOLS) / (T + 2 * LENGTH))


def copied(answers: np.ndarray, targets: np.ndarray) -> float:
    """The fraction of the symbols, over all columns, that were written correctly; 1/8 by chance.

    Args:
        answers: ids (T + 20, m), the most probable symbol at each step, say; only the last ten steps count.
        targets: as in `Copying`.

    Raises:
        ValueError: the shapes differ.
    """
    answers = np.asarray(answers)
    if answers.shape != targets.shape:
        raise ValueError(f"answers and targets have to have one shape; got {answers.shape} and {targets.shape}")
    return float(np.mean(answers[-LENGTH:] == targets[-LENGTH:]))


def adding(rng: np.random.Generator, T: int, m: int) -> Adding:
    """Draw m columns of the adding task of T steps.

    One number is marked in the first half (of T // 2 steps) and one in the second.

    Args:
        rng: draws the numbers and where the marks stand.
        T: the number of steps, at least 2.
        m: the number of columns.

    Raises:
        ValueError: `T` is below 2 or `m` below 1.
    """
    _require_positive(m=m)
    if T < 2:
        raise ValueError(f"T has to be at least 2, one step for each of the two numbers; got {T}")
    columns = np.arange(m)
    first = rng.integers(0, T // 2, size=m)
    second = rng.integers(T // 2, T, size=m)
    x = np.zeros((T, 2, m))
    x[:, 0] = rng.random((T, m))
    x[first, 1, columns] = 1.0
    x[second, 1, columns] = 1.0
    return Adding(x, (x[first, 0, columns] + x[second, 0, columns])[None, None])


def adding_floor() -> float:
    """The mean squared error of the best constant answer, 1: the variance 2 / 12 of a sum of two uniform numbers."""
    return 1 / 6


def _require_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} has to be at least 1; got {size}")
