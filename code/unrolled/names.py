"""Who is a person? Names of characters in lower-cased dialogue: one label for each word.

Nobody labelled these plays. The labels are distant: they come from what is printed beside the speeches. A word of a
play is called a name when it is a part of the name of somebody who speaks in that play, is no title ("lord", "first",
"of"), and begins with a capital letter nearly every time the play has it; then every occurrence of it in that play gets
the label 1. So Page is a name in *The Merry Wives of Windsor*, and a page is none elsewhere. What that gets wrong:
people who are talked about and never speak have the label 0, as have nicknames; dukes who are called by their dukedom
(York, France) have the label 1 also where the place is meant.

The capital letters, which would give the names away, serve to make the labels and are gone from the words.

The split is the book's, by play. A play brings its own cast, so that of the names in the held-out plays more than half
are names nowhere in the training plays: a list of names does not get far, and what stands beside a name has to tell.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from unrolled import corpora
from unrolled.vocabulary import UNKNOWN

CAPITALISED = 0.9
"""The share of its occurrences in a play in which a name begins with a capital letter, at least."""

NO_NAMES = frozenset((
    "king", "kings", "queen", "prince", "princess", "princes", "duke", "dukes", "duchess", "earl", "lord", "lords",
    "lady", "ladies", "sir", "knight", "knights", "count", "countess", "marquess", "marquis", "emperor", "empress",
    "dauphin", "sheriff", "mayor", "justice", "master", "mistress", "dame", "don", "signior", "saint", "bishop",
    "archbishop", "cardinal", "abbot", "abbess", "prior", "friar", "priest", "father", "mother", "brother",
    "sister", "son", "daughter", "nurse", "doctor", "captain", "lieutenant", "ancient", "corporal", "sergeant",
    "admiral", "constable", "general", "chorus", "prologue", "epilogue", "porter", "gardener", "huntsman", "first",
    "second", "third", "fourth", "fifth", "sixth", "seventh", "young", "old", "other", "others", "another", "some",
    "poor", "both", "all", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "a", "and", "as", "de", "de'", "in",
    "le", "of", "the", "to", "english", "french", "frenchman", "frenchmen", "roman", "romans", "scottish", "welsh",
    "irish", "egyptian", "athenian", "tyrian", "goth", "goths", "myrmidons",
))  # fmt: skip
"""Words in the list of speakers that name nobody."""

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")


class Sentence(NamedTuple):
    """A sentence and its labels.

    Attributes:
        words: lower-case words and punctuation marks, as everywhere in the book.
        labels: for each word 1 if it is a name (also in the possessive, "romeo's"), else 0.
    """

    words: list[str]
    labels: list[int]


class Score(NamedTuple):
    """How well spans were found.

    Attributes:
        precision: the fraction of the spans found that are right.
        recall: the fraction of the right spans that were found.
        f1: the harmonic mean of both.
    """

    precision: float
    recall: float
    f1: float


@lru_cache(maxsize=1)
def load() -> dict[str, list[Sentence]]:
    """All sentences with their labels, under "train", "valid" and "test"; kept for the life of the process.

    Raises:
        DataError: the archive of the plays is missing or is not the pinned one.
    """
    corpus = corpora.shakespeare()
    return {split: [s for play in corpus.plays(split) for s in label(play)] for split in corpora.SPLITS}


def label(play: corpora.Play) -> list[Sentence]:
    """The sentences of one play with their labels.

    >>> speech = corpora.Speech("SIR TOBY", ("What, Toby?", "Sir, Toby's man is the man."))
    >>> label(corpora.Play("x", "X", "comedies", (speech,)))[1].labels
    [0, 0, 1, 0, 0, 0, 0, 0]
    """
    names = cast(play)
    return [
        Sentence(words, [int(_base(word) in names) for word in words])
        for speech in play.speeches
        for words in corpora.sentences(speech.text)
    ]


def cast(play: corpora.Play) -> frozenset[str]:
    """The words that are names in a play, lower-cased."""
    candidates = {word for speech in play.speeches for word in _WORD.findall(speech.speaker.lower())} - NO_NAMES
    seen, capitalised = Counter(), Counter()
    for speech in play.speeches:
        for word in _printed_words(speech.text):
            base = _base(word.lower())
            if base in candidates:
                seen[base] += 1
                capitalised[base] += word[0].isupper()
    return frozenset(word for word in seen if capitalised[word] >= CAPITALISED * seen[word])


def mask(sentences: Iterable[Sentence], rng: np.random.Generator, probability: float = 0.5) -> list[Sentence]:
    """Replace names by `<unk>`, each occurrence by itself, so that a model has to look at what stands beside them.

    Of the names in a new play a model knows hardly any: they are `<unk>` to its vocabulary. Trained on names that it
    knows, it would learn a list. The labels stay as they are.

    Args:
        sentences: training sentences.
        rng: decides which occurrences.
        probability: of being replaced.

    Raises:
        ValueError: `probability` is outside [0, 1].
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"the probability has to be between 0 and 1; got {probability}")
    masked = []
    for words, labels in sentences:
        if any(labels):
            hidden = rng.random(len(words)) < probability
            words = [UNKNOWN if y and h else word for word, y, h in zip(words, labels, hidden, strict=True)]
        masked.append(Sentence(words, labels))
    return masked


def spans(labels: Sequence[int]) -> list[tuple[int, int]]:
    """Where the names stand: (first, behind the last) of each run of ones.

    >>> spans([0, 1, 1, 0, 1])
    [(1, 3), (4, 5)]
    """
    found, start = [], None
    for i, y in enumerate([*labels, 0]):
        if y and start is None:
            start = i
        elif not y and start is not None:
            found.append((start, i))
            start = None
    return found


def span_score(predicted: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]) -> Score:
    """Precision, recall and F1 of spans; a span counts as found only when both of its ends are right.

    Args:
        predicted: one sequence of 0 and 1 for each sentence.
        labels: the right ones, of the same lengths.

    Returns:
        The three numbers; a fraction of nothing is 0.

    Raises:
        ValueError: the numbers of sentences, or the lengths of two sequences, differ.
    """
    if len(predicted) != len(labels):
        raise ValueError(f"there are {len(predicted)} predicted sequences for {len(labels)} sentences")
    found = right = both = 0
    for i, (guess, truth) in enumerate(zip(predicted, labels, strict=True)):
        if len(guess) != len(truth):
            raise ValueError(f"sentence {i} has {len(truth)} words and {len(guess)} predicted labels")
        guessed, true = set(spans(guess)), set(spans(truth))
        found += len(guessed)
        right += len(true)
        both += len(guessed & true)
    precision = both / found if found else 0.0
    recall = both / right if right else 0.0
    return Score(precision, recall, 2 * both / (found + right) if both else 0.0)


class Dictionary:
    """The baseline: a list of names, and the rule for words that are new.

    Args:
        names: the words that are called names.
        known: all words that were seen in training.
    """

    def __init__(self, names: Iterable[str], known: Iterable[str]):
        self.names, self.known = frozenset(names), frozenset(known)

    @classmethod
    def fit(cls, sentences: Iterable[Sentence]) -> "Dictionary":
        """List the words that are names in more than half of their occurrences."""
        seen, named = Counter(), Counter()
        for words, labels in sentences:
            seen.update(words)
            named.update(word for word, y in zip(words, labels, strict=True) if y)
        return cls((word for word, count in named.items() if 2 * count > seen[word]), seen)

    def label(self, words: Sequence[str], unknown: int = 0) -> list[int]:
        """Label a sentence; words that were never seen get `unknown`.

        >>> Dictionary(["romeo"], ["romeo", "and"]).label(["romeo", "and", "juliet"], unknown=1)
        [1, 0, 1]
        """
        return [int(word in self.names) if word in self.known else unknown for word in words]


def _base(word: str) -> str:
    """A word without the ending of the possessive."""
    return word.removesuffix("'s")


def _printed_words(text: str) -> Iterator[str]:
    """The words that `corpora.sentences` finds, with the capital letters as printed."""
    lower, position = text.lower(), 0
    for sentence in corpora.sentences(text):
        for word in sentence:
            start = lower.index(word, position)
            position = start + len(word)
            yield text[start:position]
