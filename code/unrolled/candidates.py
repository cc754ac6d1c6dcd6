"""Choosing among candidate sentences: what a language model is for, measured on real held-out text.

A translator (or a speech recogniser) proposes several sentences and a language model picks the most probable one.
Here the right sentence is a real one and its rivals are made from it, in three ways that differ in what a model has
to know: two neighbouring words swapped, a word replaced by one that sounds the same, and every order of a few words.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

HOMOPHONES: tuple[tuple[str, ...], ...] = (
    ("to", "too", "two"), ("there", "their"), ("hear", "here"), ("know", "no"), ("knew", "new"), ("knows", "nose"),
    ("sea", "see"), ("son", "sun"), ("right", "write"), ("would", "wood"), ("one", "won"), ("our", "hour"),
    ("by", "buy"), ("for", "four"), ("be", "bee"), ("heart", "hart"), ("dear", "deer"),
    ("night", "knight"), ("nights", "knights"), ("whole", "hole"), ("eye", "ay", "i"), ("made", "maid"),
    ("meet", "meat"), ("peace", "piece"), ("great", "grate"), ("hair", "heir", "air"), ("fair", "fare"),
    ("well", "we'll"), ("your", "you're"), ("him", "hymn"), ("soul", "sole"), ("tale", "tail"), ("way", "weigh"),
    ("week", "weak"), ("wait", "weight"), ("which", "witch"), ("steel", "steal"), ("rain", "reign"), ("read", "red"),
    ("prey", "pray"), ("pale", "pail"), ("main", "mane"), ("knot", "not"), ("hall", "haul"), ("grown", "groan"),
    ("flower", "flour"), ("feet", "feat"), ("done", "dun"), ("die", "dye"), ("deed", "dead"), ("course", "coarse"),
    ("brake", "break"), ("bare", "bear"), ("aloud", "allowed"), ("sight", "cite"), ("scene", "seen"), ("sore", "soar"),
    ("thrown", "throne"), ("through", "threw"), ("toe", "tow"), ("vain", "vein"), ("waste", "waist"),
)  # fmt: skip
"""Sets of words that sound alike, as far as they serve."""


class Choice(NamedTuple):
    """One task: several candidate sentences, of which the one at index `right` stands in the text."""

    candidates: list[list[str]]
    right: int


def adjacent_swaps(sentences: Iterable[Sequence[str]], rng: np.random.Generator, number: int = 500) -> list[Choice]:
    """Tasks with two candidates: a sentence, and the same with two neighbouring words swapped.

    Only words change places, no punctuation marks, and only two different words.

    Args:
        sentences: held-out sentences, lists of words.
        rng: decides which sentences, which pair in each, and which candidate comes first.
        number: how many tasks are wanted.

    Raises:
        ValueError: there are fewer sentences that allow such a swap than `number`.
    """
    usable = []
    for sentence in sentences:
        pairs = [
            i
            for i in range(len(sentence) - 1)
            if _is_word(sentence[i]) and _is_word(sentence[i + 1]) and sentence[i] != sentence[i + 1]
        ]
        if pairs:
            usable.append((list(sentence), pairs))
    tasks = []
    for sentence, pairs in _draw(usable, rng, number, "with two different neighbouring words"):
        i = int(rng.choice(pairs))
        rival = [*sentence[:i], sentence[i + 1], sentence[i], *sentence[i + 2 :]]
        tasks.append(_shuffle(sentence, [rival], rng))
    return tasks


def homophones(sentences: Iterable[Sequence[str]], rng: np.random.Generator, number: int = 500) -> list[Choice]:
    """Tasks whose candidates differ in one word, replaced by those that sound the same.

    A rival word has to occur somewhere in `sentences`, so that no candidate can be ruled out because nobody ever
    writes it.

    Args and errors as for `adjacent_swaps`.
    """
    sentences = [list(sentence) for sentence in sentences]
    written = {word for sentence in sentences for word in sentence}
    sounds_like = {}
    for group in HOMOPHONES:
        group = [word for word in group if word in written]
        sounds_like |= {word: [other for other in group if other != word] for word in group if len(group) > 1}
    usable = []
    for sentence in sentences:
        places = [i for i, word in enumerate(sentence) if word in sounds_like]
        if places:
            usable.append((sentence, places))
    tasks = []
    for sentence, places in _draw(usable, rng, number, "with a word that has a homophone"):
        i = int(rng.choice(places))
        rivals = [[*sentence[:i], other, *sentence[i + 1 :]] for other in sounds_like[sentence[i]]]
        tasks.append(_shuffle(sentence, rivals, rng))
    return tasks


def orders(
    sentences: Iterable[Sequence[str]], rng: np.random.Generator, number: int = 450, length: int = 4
) -> list[Choice]:
    """Tasks with `length`! candidates: every order of the words of a short sentence.

    A sentence serves when it has exactly `length` different words and, at most, one punctuation mark at its end, which
    stays where it is. The valid and test plays together have 451 such sentences of four words.

    Args:
        sentences: held-out sentences.
        rng: decides which sentences and the order of the candidates.
        number: how many tasks are wanted.
        length: the number of words; 4 gives 24 candidates.

    Raises:
        ValueError: `length` is below 2 or above 6, or too few sentences serve.
    """
    if not 2 <= length <= 6:
        raise ValueError(f"length has to be between 2 and 6 (6 words have 720 orders); got {length}")
    usable, seen = [], set()
    for sentence in sentences:
        words = list(sentence)
        mark = [words.pop()] if words and not _is_word(words[-1]) else []
        if len(words) == length == len(set(words)) and all(map(_is_word, words)) and tuple(words) not in seen:
            seen.add(tuple(words))
            usable.append((words, mark))
    tasks = []
    for words, mark in _draw(usable, rng, number, f"of {length} different words"):
        rivals = [[*order, *mark] for order in permutations(words) if list(order) != words]
        tasks.append(_shuffle([*words, *mark], rivals, rng))
    return tasks


def accuracy(tasks: Sequence[Choice], score: Callable[[list[list[str]]], np.ndarray]) -> tuple[float, float]:
    """How often the right candidate has the highest score, and the standard error of that fraction.

    When several candidates share the highest score and the right one is among them, it counts one over their number:
    what a choice at random among them would win on average.

    Args:
        tasks: the choices.
        score: takes a list of sentences and returns one number each; called once, with all candidates of all tasks.

    Returns:
        The fraction in [0, 1] and its standard error, sqrt of the sample variance over the number of tasks.

    Raises:
        ValueError: there are no tasks, or `score` returns a wrong number of values or a NaN.
    """
    if not tasks:
        raise ValueError("there are no tasks to score")
    everything = [candidate for task in tasks for candidate in task.candidates]
    scores = np.asarray(score(everything), dtype=np.float64)
    if scores.shape != (len(everything),):
        raise ValueError(f"score has to return one number per sentence, {len(everything)}; got shape {scores.shape}")
    if np.isnan(scores).any():
        raise ValueError(
            "score returned a NaN for the sentence " + " ".join(everything[int(np.isnan(scores).argmax())])
        )
    won = np.empty(len(tasks))
    start = 0
    for i, task in enumerate(tasks):
        mine = scores[start : start + len(task.candidates)]
        start += len(task.candidates)
        best = mine == mine.max()
        won[i] = best[task.right] / best.sum()
    spread = won.std(ddof=1) / np.sqrt(len(tasks)) if len(tasks) > 1 else np.nan
    return float(won.mean()), float(spread)


def chance(tasks: Sequence[Choice]) -> float:
    """The accuracy of choosing at random: the mean of one over the number of candidates."""
    if not tasks:
        raise ValueError("there are no tasks")
    return float(np.mean([1 / len(task.candidates) for task in tasks]))


def _is_word(token: str) -> bool:
    return token[:1].isalpha()


def _draw(usable: list, rng: np.random.Generator, number: int, kind: str) -> list:
    if number < 1:
        raise ValueError(f"the number of tasks has to be at least 1; got {number}")
    if len(usable) < number:
        raise ValueError(f"{number} sentences {kind} are needed and there are {len(usable)}; ask for fewer tasks")
    return [usable[i] for i in rng.choice(len(usable), size=number, replace=False)]


def _shuffle(sentence: list[str], rivals: list[list[str]], rng: np.random.Generator) -> Choice:
    candidates = [sentence, *rivals]
    order = rng.permutation(len(candidates))
    return Choice([candidates[i] for i in order], int(np.flatnonzero(order == 0)[0]))
