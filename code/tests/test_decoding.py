"""Searches: each against enumeration of every sequence, greedy against a beam of one, and what has to be refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import decoding
from unrolled.decoding import Hypothesis

END = 0


class Tree:
    """A random model: the probabilities after a prefix depend on all of it. The state holds the prefixes as numbers."""

    def __init__(self, V, seed, m=1, sharp=1.5):
        self.V, self.seed, self.m, self.sharp = V, seed, m, sharp

    def start(self):
        return {"code": np.arange(1, self.m + 1)[None], "unused": (np.zeros((2, 3, self.m)), None)}

    def __call__(self, state, symbols):
        code = state["code"][0] * (self.V + 2) + symbols + 1
        columns = [self.column(int(c)) for c in code]
        return np.stack(columns, axis=1), state | {"code": code[None] % 2**40}

    def column(self, code):
        z = self.sharp * np.random.default_rng([self.seed, code]).normal(size=self.V)
        return z - np.log(np.exp(z).sum())


def log_probability(tree, start, sequence, i=0):
    """Of one sequence, by itself, symbol by symbol."""
    state = decoding.choose(tree.start(), np.array([i]))
    total, read = 0.0, start
    for symbol in sequence:
        logs, state = tree(state, np.array([read]))
        total, read = total + logs[symbol, 0], symbol
    return total


def everything(tree, start, longest, i=0):
    """Every complete sequence by itertools, without any search."""
    found = []
    for length in range(longest):
        for symbols in itertools.product(range(1, tree.V), repeat=length):
            found.append((symbols, log_probability(tree, start, [*symbols, END], i)))
    return found


small = {"V": st.integers(2, 4), "longest": st.integers(1, 4), "seed": st.integers(0, 10**6)}
POWERS = st.sampled_from([0.0, 0.6, 1.0, 2.0])


@settings(deadline=None, max_examples=25)
@given(**small)
def test_exhaustive_visits_every_sequence_once_and_all_probability(V, longest, seed):
    tree = Tree(V, seed)
    found = decoding.exhaustive(tree, tree.start(), V, END, longest)
    complete = {h.symbols: h.log_probability for h in found if h.complete}
    assert complete.keys() == dict(everything(tree, V, longest)).keys()
    for symbols, value in everything(tree, V, longest):
        assert np.isclose(complete[symbols], value, rtol=1e-12)
    assert len(found) - len(complete) == (V - 1) ** longest  # those that did not end
    assert np.isclose(sum(np.exp(h.log_probability) for h in found), 1, rtol=1e-12)
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)


@settings(deadline=None, max_examples=40)
@given(**small, power=POWERS)
def test_a_beam_wide_enough_is_exhaustive_search(V, longest, seed, power):
    tree = Tree(V, seed, m=2)
    width = V**longest
    beams = decoding.beam_search(tree, tree.start(), 2, V, END, longest, width, power, best=width)
    for i, beam in enumerate(beams):
        expected = sorted(
            ((value / (len(symbols) + 1) ** power, symbols) for symbols, value in everything(tree, V, longest, i)),
            reverse=True,
        )
        assert [h.symbols for h in beam] == [symbols for _, symbols in expected]
        assert np.allclose([h.score for h in beam], [score for score, _ in expected], rtol=1e-12)


@settings(deadline=None, max_examples=40)
@given(**small, power=POWERS)
def test_exact_search_finds_the_best_of_all(V, longest, seed, power):
    tree = Tree(V, seed)
    score, symbols = max((v / (len(s) + 1) ** power, s) for s, v in everything(tree, V, longest))
    winner, opened = decoding.exact_search(tree, tree.start(), V, END, longest, power)
    assert winner.symbols == symbols
    assert np.isclose(winner.score, score, rtol=1e-12)
    assert winner.complete
    assert 0 < opened <= (V ** (longest + 1) - 1) // (V - 1)
    again, fewer = decoding.exact_search(tree, tree.start(), V, END, longest, power, at_least=score - 1e-9)
    assert again == winner
    assert fewer <= opened
    none, _ = decoding.exact_search(tree, tree.start(), V, END, longest, power, at_least=score + 1e-9)
    assert none is None


@settings(deadline=None, max_examples=40)
@given(V=st.integers(2, 6), longest=st.integers(1, 8), seed=st.integers(0, 10**6), m=st.integers(1, 4))
def test_a_beam_of_one_is_greedy(V, longest, seed, m):
    tree = Tree(V, seed, m)
    greedy = decoding.greedy(tree, tree.start(), m, V, END, longest)
    beam = decoding.beam_search(tree, tree.start(), m, V, END, longest, width=1)
    assert [best for best, *_ in beam] == greedy
    for i, hypothesis in enumerate(greedy):
        ends = [END] if hypothesis.complete else []
        value = log_probability(tree, V, [*hypothesis.symbols, *ends], i)
        assert np.isclose(hypothesis.log_probability, value, rtol=1e-12)
        assert len(hypothesis.symbols) + len(ends) <= longest
        assert hypothesis.complete or len(hypothesis.symbols) == longest


@settings(deadline=None, max_examples=30)
@given(
    V=st.integers(2, 5),
    longest=st.integers(1, 6),
    seed=st.integers(0, 10**6),
    m=st.integers(1, 4),
    width=st.integers(1, 5),
    power=POWERS,
    data=st.data(),
)
def test_side_by_side_is_one_by_one_and_slow_is_fast(V, longest, seed, m, width, power, data):
    tree = Tree(V, seed, m)
    best = data.draw(st.integers(1, width))
    together = decoding.beam_search(tree, tree.start(), m, V, END, longest, width, power, best)
    assert len(together) == m
    for i in range(m):
        state = decoding.choose(tree.start(), np.array([i]))
        (alone,) = decoding.beam_search(tree, state, 1, V, END, longest, width, power, best)
        assert [h.symbols for h in alone] == [h.symbols for h in together[i]]
        slow = slow_beam(tree, V, longest, width, power, i)[:best]
        assert [h.symbols for h in slow] == [h.symbols for h in together[i]]
        assert np.allclose([h.score for h in slow], [h.score for h in together[i]], rtol=1e-12)
        assert [h.complete for h in slow] == [h.complete for h in together[i]]


def slow_beam(tree, start, longest, width, power, i):
    """Beam search from its description, without stopping early, each prefix scored from its beginning."""
    alive, complete = [()], []
    for length in range(1, longest + 1):
        longer = [(log_probability(tree, start, [*p, s], i), (*p, s)) for p in alive for s in range(tree.V)]
        kept = sorted(longer, key=lambda pair: -pair[0])[:width]
        complete += [Hypothesis(p[:-1], v, v / length**power, True) for v, p in kept if p[-1] == END]
        alive = [p for _, p in kept if p[-1] != END]
    if not complete:
        complete = [Hypothesis(p, v, v / longest**power, False) for v, p in kept if p[-1] != END]
    return sorted(complete, key=lambda h: -h.score)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_no_prefix_promises_too_little(power):
    tree, longest = Tree(3, 5), 4
    for symbols, value in everything(tree, 3, longest):
        for cut in range(len(symbols) + 1):
            promise = log_probability(tree, 3, symbols[:cut]) / longest**power
            assert value / (len(symbols) + 1) ** power <= promise + 1e-12


def known(columns):
    """A model whose probabilities depend on the last symbol alone."""
    logs = np.log(np.array(columns, dtype=float).T)

    def step(state, symbols):
        return logs[:, symbols], None

    return step


def test_greedy_can_miss_what_a_beam_of_two_finds():
    # after <s>: end .0, A .6, B .4; after A: .4, .3, .3; after B: .9, .05, .05
    step = known([[0.4, 0.3, 0.3], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05], [1e-9, 0.6 - 5e-10, 0.4 - 5e-10]])
    (greedy,) = decoding.greedy(step, None, 1, 3, END, 5)
    assert greedy.symbols == (1,)
    ((best, second),) = decoding.beam_search(step, None, 1, 3, END, 5, width=2, best=2)
    assert (best.symbols, second.symbols) == ((2,), (1,))
    assert np.isclose(best.log_probability, np.log(0.36), rtol=1e-6)


def test_what_is_impossible_is_never_kept():
    with np.errstate(divide="ignore"):
        step = known([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0]])
    (beam,) = decoding.beam_search(step, None, 1, 3, END, 5, width=4, best=4)
    assert beam == [Hypothesis((1,), 0.0, 0.0, True)]
    assert decoding.exact_search(step, None, 3, END, 5)[0] == beam[0]
    assert decoding.exhaustive(step, None, 3, END, 5) == beam


def test_equal_probabilities_are_ordered_by_id():
    step = known(np.full((5, 4), 0.25))
    (beam,) = decoding.beam_search(step, None, 1, 4, END, 2, width=3, best=3)
    assert [h.symbols for h in beam] == [(), (1,)]
    (beam,) = decoding.beam_search(step, None, 1, 4, END, 2, width=16, best=16)
    assert [h.symbols for h in beam] == [(), (1,), (2,), (3,)]


def test_a_search_that_never_ends_says_so():
    step = known([[1e-12, 1 - 1e-12]] * 3)
    (greedy,) = decoding.greedy(step, None, 1, 2, END, 3)
    assert (greedy.symbols, greedy.complete) == ((1, 1, 1), False)
    ((beam,),) = decoding.beam_search(step, None, 1, 2, END, 3, width=1)
    assert beam == greedy
    ((beam,),) = decoding.beam_search(step, None, 1, 2, END, 3, width=2)
    assert beam.complete  # among the two best of each length is one that ended
    with pytest.raises(decoding.SearchError, match="2 prefixes"):
        decoding.exact_search(step, None, 2, END, 50, most=2)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"number": 0}, "at least 1 sequence"),
        ({"longest": 0}, "at least 1"),
        ({"width": 0}, "width of a beam"),
        ({"best": 3}, r"1 .. 2"),
        ({"best": 0}, r"1 .. 2"),
        ({"length_power": -1.0}, "not negative"),
        ({"length_power": np.nan}, "not negative"),
        ({"end": 7}, "none of the V = 3"),
    ],
)
def test_arguments_out_of_range(settings_, message):
    right = {"number": 1, "start": 3, "end": END, "longest": 4, "width": 2}
    with pytest.raises(ValueError, match=message):
        decoding.beam_search(known(np.full((4, 3), 1 / 3)), None, **right | settings_)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros(3), r"\(V, B\)"),
        (np.zeros((3, 2)), "B = 1"),
        (np.zeros((3, 1), dtype=int), "int"),
        (np.full((3, 1), np.nan), "NaN"),
        (np.full((3, 1), 0.5), "above zero"),
        (np.full((3, 1), -np.inf), "no symbol is possible"),
    ],
)
def test_wrong_answers_of_a_model(answer, message):
    for search in (
        lambda step: decoding.greedy(step, None, 1, 3, END, 4),
        lambda step: decoding.beam_search(step, None, 1, 3, END, 4, 2),
        lambda step: decoding.exact_search(step, None, 3, END, 4),
        lambda step: decoding.exhaustive(step, None, 3, END, 4),
    ):
        with pytest.raises(ValueError, match=message):
            search(lambda state, symbols: (answer, state))


def test_states_of_every_kind():
    from typing import NamedTuple

    class Both(NamedTuple):
        s: np.ndarray
        rest: list

    a = np.arange(6.0).reshape(2, 3)
    chosen = decoding.choose(Both(a, [a[None], {"x": a, "nothing": None}]), np.array([2, 0, 0, 1]))
    assert isinstance(chosen, Both)
    assert np.array_equal(chosen.s, a[:, [2, 0, 0, 1]])
    assert np.array_equal(chosen.rest[0], a[None][..., [2, 0, 0, 1]])
    assert chosen.rest[1]["nothing"] is None
    with pytest.raises(TypeError, match="last axis"):
        decoding.choose("state", np.array([0]))
