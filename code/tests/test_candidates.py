"""Choice tasks: the right sentence is real, its rivals differ as they should, and accuracy is counted fairly."""

from collections import Counter

import numpy as np
import pytest

from unrolled import candidates, corpora


@pytest.fixture(scope="module")
def sentences():
    corpus = corpora.shakespeare()
    return corpus.words("valid") + corpus.words("test")


@pytest.mark.parametrize("make", [candidates.adjacent_swaps, candidates.homophones, candidates.orders])
def test_the_right_one_is_in_the_text_and_rivals_differ(make, sentences):
    tasks = make(sentences, np.random.default_rng(1), number=200)
    real = {tuple(s) for s in sentences}
    assert len(tasks) == 200
    for task in tasks:
        right = task.candidates[task.right]
        assert tuple(right) in real
        assert len({tuple(c) for c in task.candidates}) == len(task.candidates) >= 2
        assert all(len(c) == len(right) for c in task.candidates)
    again = make(sentences, np.random.default_rng(1), number=200)
    assert again == tasks
    assert make(sentences, np.random.default_rng(2), number=200) != tasks
    places = Counter(task.right for task in tasks)
    assert len(places) > 1  # the right one is not always in the same place


def test_swaps_change_two_neighbours(sentences):
    for task in candidates.adjacent_swaps(sentences, np.random.default_rng(3), number=100):
        right, rival = task.candidates[task.right], task.candidates[1 - task.right]
        changed = [i for i, (a, b) in enumerate(zip(right, rival, strict=True)) if a != b]
        assert len(changed) == 2
        assert changed[1] == changed[0] + 1
        assert Counter(right) == Counter(rival)


def test_homophones_change_one_word_and_are_written_somewhere(sentences):
    written = {w for s in sentences for w in s}
    groups = [set(g) for g in candidates.HOMOPHONES]
    for task in candidates.homophones(sentences, np.random.default_rng(3), number=100):
        right = task.candidates[task.right]
        for rival in task.candidates:
            changed = [(a, b) for a, b in zip(right, rival, strict=True) if a != b]
            assert len(changed) == (rival != right)
            assert all(b in written and any({a, b} <= g for g in groups) for a, b in changed)


def test_every_homophone_stands_in_one_set_only():
    counts = Counter(word for group in candidates.HOMOPHONES for word in group)
    assert max(counts.values()) == 1


def test_orders_are_all_orders(sentences):
    for task in candidates.orders(sentences, np.random.default_rng(3), number=20):
        assert len(task.candidates) == 24
        assert len({tuple(sorted(c)) for c in task.candidates}) == 1
    assert len(candidates.orders(sentences, np.random.default_rng(3), number=5, length=3)[0].candidates) == 6


def choice(right, *words):
    return candidates.Choice([[word] for word in words], right)


def test_accuracy_by_hand():
    tasks = [choice(0, "a", "b"), choice(1, "a", "b"), choice(0, "b", "b"), choice(2, "b", "a", "b", "a")]
    values = {"a": 1.0, "b": 0.0}
    won = [1, 0, 0.5, 0]
    mean, error = candidates.accuracy(tasks, lambda s: np.array([values[words[0]] for words in s]))
    assert mean == np.mean(won)
    assert error == pytest.approx(np.std(won, ddof=1) / 2, rel=1e-14)
    assert candidates.chance(tasks) == pytest.approx((0.5 + 0.5 + 0.5 + 0.25) / 4)


def test_equal_scores_are_worth_chance():
    tasks = [choice(0, "a", "b"), choice(2, "a", "b", "c")]
    assert candidates.accuracy(tasks, lambda s: np.zeros(len(s)))[0] == candidates.chance(tasks)
    assert candidates.accuracy(tasks, lambda s: np.full(len(s), -np.inf))[0] == candidates.chance(tasks)


def test_bad_input(sentences):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="ask for fewer"):
        candidates.orders(sentences, rng, number=10_000)
    with pytest.raises(ValueError, match="at least 1"):
        candidates.adjacent_swaps(sentences, rng, number=0)
    with pytest.raises(ValueError, match="between 2 and 6"):
        candidates.orders(sentences, rng, length=7)
    with pytest.raises(ValueError, match="no tasks"):
        candidates.accuracy([], len)
    with pytest.raises(ValueError, match="no tasks"):
        candidates.chance([])
    tasks = [choice(0, "a", "b")]
    with pytest.raises(ValueError, match="one number per sentence"):
        candidates.accuracy(tasks, lambda s: np.zeros(1))
    with pytest.raises(ValueError, match="NaN for the sentence b"):
        candidates.accuracy(tasks, lambda s: np.array([0.0, np.nan]))
