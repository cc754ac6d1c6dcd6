"""Search: from the probabilities of the next symbol to the most probable sequence.

A decoder gives each next symbol a probability, so all sequences form a tree: the root is the start symbol, each node
a prefix, each branch one more symbol with its probability, and a branch with the end symbol leads to a complete
sequence. Its log-probability is the sum along the path. The tree has V ** T leaves at depth T, and four ways down are
here, for any model:

* `greedy` follows the best branch at every node;
* `beam_search` keeps the best `width` of the prefixes of each length (Lowerre 1976; Graves 2012; Sutskever, Vinyals &
  Le 2014);
* `exact_search` opens the most promising prefix first, whatever its length, and stops when nothing left can be better
  (the A* of Hart, Nilsson & Raphael 1968, with the bound of eq-search-bound); exact, and sometimes slow;
* `exhaustive` visits every node: exact and slow, to test the others.

A model is a function `step(state, symbols)`. It is given the symbols that were read last, ids (B,), and what it
returned before: the state of B sequences side by side. It returns the log-probabilities of the next symbol, (V, B),
and the new state. A state is an array with B columns in its last axis, or a tuple, a list or a dictionary of such, so
that a search can choose columns; None is a state without content.

What a sequence is worth is its log-probability over a power of its length, the end symbol included
(def-length-normalised): `length_power=0` compares the probabilities themselves, 1 the means per symbol.
"""

import heapq
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

State = Any
Step = Callable[[State, np.ndarray], tuple[np.ndarray, State]]


class Hypothesis(NamedTuple):
    """A sequence that a search found.

    Attributes:
        symbols: its ids, without start and end.
        log_probability: the natural logarithm of its probability, with that of the end if it is complete.
        score: the log-probability over a power of the number of symbols, the end included.
        complete: whether the end symbol came; if not, the search ran into its limit of length.
    """

    symbols: tuple[int, ...]
    log_probability: float
    score: float
    complete: bool


class SearchError(RuntimeError):
    """An exact search opened as many prefixes as it was allowed, and had not yet proved that anything is best."""


def length_normalised(log_probability: np.ndarray | float, length: np.ndarray | int, length_power: float) -> np.ndarray:
    """What a sequence is worth: its log-probability over length ** length_power. Implements def-length-normalised.

    Args:
        log_probability: of the whole sequence, the end included.
        length: the number of symbols, the end included; at least 1.
        length_power: 0 leaves the log-probability as it is, 1 makes it the mean per symbol.
    """
    return np.asarray(log_probability) / np.asarray(length, dtype=np.float64) ** length_power


def choose(state: State, columns: np.ndarray) -> State:
    """The state of some of the sequences, in the order asked for; a column may be asked for more than once.

    Args:
        state: an array, or a tuple, list or dictionary of arrays, with the sequences in the last axis; or None.
        columns: which ones, ids (B,).

    Raises:
        TypeError: the state is, or holds, something else.
    """
    if state is None:
        return None
    if isinstance(state, np.ndarray):
        return state[..., columns]
    if isinstance(state, dict):
        return {name: choose(part, columns) for name, part in state.items()}
    if isinstance(state, tuple | list):
        parts = [choose(part, columns) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)  # a NamedTuple takes its fields
    raise TypeError(
        f"a state is an array with the sequences in its last axis, or a tuple, list or dictionary of such; "
        f"got {type(state).__name__}"
    )


def greedy(step: Step, state: State, number: int, start: int, end: int, longest: int) -> list[Hypothesis]:
    """The most probable symbol, again and again. Implements def-greedy.

    Args:
        step: the model, see the module's text.
        state: of `number` sequences, before anything is read.
        number: how many sequences.
        start: the id that is read first.
        end: the id that ends a sequence.
        longest: the largest number of symbols, the end included.

    Returns:
        One hypothesis for each sequence, its score the log-probability.

    Raises:
        ValueError: a number is out of range, or the model's answer is: a wrong shape, a NaN, a positive logarithm,
            nothing possible, or an end that is no symbol.
    """
    _check(number, longest)
    alive = np.arange(number)
    read = np.full(number, start)
    totals = np.zeros(number)
    complete = np.zeros(number, dtype=bool)
    written: list[list[int]] = [[] for _ in range(number)]
    for _ in range(longest):
        log_probabilities, state = _ask(step, state, read, end)
        read = log_probabilities.argmax(axis=0)  # def-greedy; the smallest id of several
        totals[alive] += log_probabilities[read, np.arange(alive.size)]
        going_on = read != end
        complete[alive[~going_on]] = True
        alive, read = alive[going_on], read[going_on]
        for i, symbol in zip(alive.tolist(), read.tolist(), strict=True):
            written[i].append(symbol)
        if not alive.size:
            break
        if not going_on.all():
            state = choose(state, np.flatnonzero(going_on))
    pairs = zip(written, totals.tolist(), complete.tolist(), strict=True)
    return [Hypothesis(tuple(symbols), total, total, done) for symbols, total, done in pairs]


def beam_search(
    step: Step,
    state: State,
    number: int,
    start: int,
    end: int,
    longest: int,
    width: int,
    length_power: float = 0.0,
    best: int = 1,
) -> list[list[Hypothesis]]:
    """The best `width` prefixes of each length. Implements eq-beam.

    All continuations, by one symbol, of the prefixes that are alive compete, by probability: they have one length. The
    best `width` stay. Those of them that end are complete and set aside; the others are alive in the next round. A
    sequence is done when nothing is alive, or when nothing that is alive can become one of its `best` any more
    (eq-search-bound), so that to stop early changes nothing. With a width of 1 this is `greedy`; with a width that
    leaves nothing out it is exact.

    Args:
        step: the model, see the module's text.
        state: of `number` sequences, before anything is read.
        number: how many sequences; they are searched side by side.
        start: the id that is read first.
        end: the id that ends a sequence.
        longest: the largest number of symbols, the end included.
        width: how many prefixes are kept, at least 1.
        length_power: of the score by which complete sequences are compared, see def-length-normalised; not negative.
        best: how many hypotheses are wanted of each sequence, 1 .. width.

    Returns:
        For each sequence at most `best` hypotheses, the best first. If not one was complete, the best of those that
        were alive at the end.

    Raises:
        ValueError: as for `greedy`, or width, length_power or best is out of range.
    """
    _check(number, longest, length_power)
    if width < 1:
        raise ValueError(f"the width of a beam is at least 1; got {width}")
    if not 1 <= best <= width:
        raise ValueError(f"best has to lie in 1 .. {width}, the width of the beam; got {best}")
    owner = np.arange(number)  # which sequence each prefix belongs to; those of one stand together, the best first
    read = np.full(number, start)
    totals = np.zeros(number)
    prefixes: list[tuple[int, ...]] = [()] * number
    found: list[list[Hypothesis]] = [[] for _ in range(number)]
    for length in range(1, longest + 1):
        log_probabilities, state = _ask(step, state, read, end)
        parent, symbol, value = _best_continuations(totals + log_probabilities, owner, width)  # eq-beam
        last = symbol == end
        for i in np.flatnonzero(last).tolist():
            score = float(length_normalised(value[i], length, length_power))
            found[owner[parent[i]]].append(Hypothesis(prefixes[parent[i]], float(value[i]), score, True))
        parent, symbol, totals = parent[~last], symbol[~last], value[~last]
        if length < longest:
            hopeful = _hopeful(found, owner[parent], totals, longest, length_power, best)
            parent, symbol, totals = parent[hopeful], symbol[hopeful], totals[hopeful]
        if not parent.size:
            break
        pairs = zip(parent.tolist(), symbol.tolist(), strict=True)
        prefixes = [(*prefixes[i], next_symbol) for i, next_symbol in pairs]
        owner, read, state = owner[parent], symbol, choose(state, parent)
    else:
        for i, prefix, total in zip(owner.tolist(), prefixes, totals.tolist(), strict=True):
            if not any(hypothesis.complete for hypothesis in found[i]):
                score = float(length_normalised(total, longest, length_power))
                found[i].append(Hypothesis(prefix, total, score, False))
    return [sorted(hypotheses, key=lambda h: -h.score)[:best] for hypotheses in found]


def _best_continuations(values: np.ndarray, owner: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `width` largest of each owner's values (V, B), the possible ones: their columns, their rows, and they.

    They come owner by owner, each owner's largest first; of equal ones first the one whose prefix was better, then the
    smaller id.
    """
    V = len(values)
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])  # where the prefixes of each owner begin
    place = np.arange(owner.size) - np.repeat(first, np.diff(np.r_[first, owner.size]))
    table = np.full((first.size, place.max() + 1, V), -np.inf)
    row = np.repeat(np.arange(first.size), np.diff(np.r_[first, owner.size]))
    table[row, place] = values.T
    table = table.reshape(first.size, -1)
    threshold = -np.inf
    if table.shape[1] > width:
        threshold = np.partition(table, -width, axis=1)[:, [-width]]  # the width-th largest
    rows, flat = np.nonzero((table >= threshold) & (table > -np.inf))
    kept = table[rows, flat]
    order = np.lexsort((flat, -kept, rows))
    rank = np.arange(rows.size) - np.searchsorted(rows[order], rows[order])
    order = order[rank < width]  # ties at the threshold may be more than there is room for
    place, symbol = np.divmod(flat[order], V)
    return first[rows[order]] + place, symbol, kept[order]


def _hopeful(
    found: list[list[Hypothesis]],
    owner: np.ndarray,
    totals: np.ndarray,
    longest: int,
    length_power: float,
    best: int,
) -> np.ndarray:
    """Which prefixes belong to a sequence one of whose living ones may still become one of the best."""
    bound = length_normalised(totals, longest, length_power)  # eq-search-bound
    to_beat = {}
    for i in np.unique(owner).tolist():
        scores = sorted((hypothesis.score for hypothesis in found[i]), reverse=True)
        to_beat[i] = scores[best - 1] if len(scores) >= best else -np.inf
    hoping = {i for i, own in zip(owner.tolist(), bound.tolist(), strict=True) if own > to_beat[i]}
    return np.array([i in hoping for i in owner.tolist()], dtype=bool)


def exact_search(
    step: Step,
    state: State,
    start: int,
    end: int,
    longest: int,
    length_power: float = 0.0,
    at_least: float = -np.inf,
    most: int = 100_000,
) -> tuple[Hypothesis | None, int]:
    """The best of all sequences: the most promising prefix is opened first, until none is promising enough.

    Implements def-translation.

    A prefix promises no more than eq-search-bound says. As soon as a complete sequence is worth as much as all the
    open prefixes promise, nothing better is left.

    Args:
        step: the model, see the module's text.
        state: of ONE sequence, before anything is read.
        start: the id that is read first.
        end: the id that ends a sequence.
        longest: the largest number of symbols, the end included.
        length_power: of the score, see def-length-normalised; not negative.
        at_least: prefixes that do not promise more than this are not kept, which saves memory when the score of a good
            sequence is known; one that is better is then found, if there is one.
        most: how many prefixes are opened at most.

    Returns:
        The best complete sequence, None if there is none (that is better than `at_least`); and how many prefixes were
        opened.

    Raises:
        SearchError: the search was not over after `most` prefixes.
        ValueError: as for `greedy`, or length_power is negative.
    """
    _check(1, longest, length_power)
    ticket = itertools.count()  # of two equal promises the older one comes first, and states are never compared
    waiting: list[tuple[float, int, tuple[int, ...], float, int, State]] = [(0.0, next(ticket), (), 0.0, start, state)]
    winner: Hypothesis | None = None
    opened = 0
    while waiting:
        promise, _, prefix, total, read, state = heapq.heappop(waiting)
        if -promise <= at_least:
            break
        if opened == most:
            raise SearchError(f"{most:,} prefixes were opened, and the best sequence is not known yet")
        opened += 1
        log_probabilities, state = _ask(step, state, np.array([read]), end)
        values = total + log_probabilities[:, 0]
        score = float(length_normalised(values[end], len(prefix) + 1, length_power))
        if score > at_least:
            winner, at_least = Hypothesis(prefix, float(values[end]), score, True), score
        if len(prefix) + 1 == longest:
            continue
        promises = length_normalised(values, longest, length_power)  # eq-search-bound
        for symbol in np.flatnonzero(promises > at_least).tolist():
            if symbol != end:
                longer = (*prefix, symbol)
                item = (-float(promises[symbol]), next(ticket), longer, float(values[symbol]), symbol, state)
                heapq.heappush(waiting, item)
    return winner, opened


def exhaustive(step: Step, state: State, start: int, end: int, longest: int) -> list[Hypothesis]:
    """Every sequence of at most `longest` symbols, the end included; those that did not end have `longest` symbols.

    Args:
        step: the model, see the module's text.
        state: of ONE sequence, before anything is read.
        start: the id that is read first.
        end: the id that ends a sequence.
        longest: the largest number of symbols, the end included.

    Returns:
        All possible hypotheses, the most probable first; the score is the log-probability.

    Raises:
        ValueError: as for `greedy`.
    """
    _check(1, longest)
    everything: list[Hypothesis] = []

    def visit(state: State, prefix: tuple[int, ...], total: float, read: int) -> None:
        log_probabilities, state = _ask(step, state, np.array([read]), end)
        for symbol, value in enumerate((total + log_probabilities[:, 0]).tolist()):
            if value == -np.inf:
                continue
            if symbol == end:
                everything.append(Hypothesis(prefix, value, value, True))
            elif len(prefix) + 1 == longest:
                everything.append(Hypothesis((*prefix, symbol), value, value, False))
            else:
                visit(state, (*prefix, symbol), value, symbol)

    visit(state, (), 0.0, start)
    return sorted(everything, key=lambda h: -h.score)


def _check(number: int, longest: int, length_power: float = 0.0) -> None:
    if number < 1:
        raise ValueError(f"there has to be at least 1 sequence; got number = {number}")
    if longest < 1:
        raise ValueError(f"the largest length counts the end symbol, so it is at least 1; got {longest}")
    if not (np.isfinite(length_power) and length_power >= 0):
        raise ValueError(f"length_power has to be a number that is not negative; got {length_power}")


def _ask(step: Step, state: State, read: np.ndarray, end: int) -> tuple[np.ndarray, State]:
    """One step of the model, its answer checked."""
    log_probabilities, state = step(state, read)
    log_probabilities = np.asarray(log_probabilities)
    if log_probabilities.ndim != 2 or log_probabilities.shape[1] != read.size or log_probabilities.dtype.kind != "f":
        raise ValueError(
            f"step has to return log-probabilities (V, B), B = {read.size}; got {log_probabilities.dtype} of shape "
            f"{log_probabilities.shape}"
        )
    if not 0 <= end < len(log_probabilities):
        raise ValueError(f"the end symbol {end} is none of the V = {len(log_probabilities)} symbols of the model")
    largest = log_probabilities.max(axis=0)
    if np.isnan(largest).any():
        raise ValueError("a log-probability is NaN")
    if largest.max() > 1e-9:
        raise ValueError(f"a log-probability is {largest.max():.6g}, above zero: step has to return logarithms")
    if largest.min() == -np.inf:
        raise ValueError("after some prefix no symbol is possible: all its log-probabilities are -inf")
    return log_probabilities, state
