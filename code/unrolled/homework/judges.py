"""Judges of trained models: they ask for predictions on hidden inputs and compute the score here.

What a student's process says about its own quality is never believed. A text that is to be predicted goes in one step
at a time, after the prediction for that step has come out.
"""

from collections.abc import Callable, Sequence

import numpy as np

from unrolled.homework.session import Session
from unrolled.homework.values import Kept


def verdict(session: Session, judge: str, arguments: dict, thresholds: Sequence[float]) -> tuple[float, str]:
    """The credit between 0 and 1 that a judge gives, and its remark.

    Raises:
        KeyError: no judge has this name.
    """
    return JUDGES[judge](session, arguments, thresholds)


def perplexity(session: Session, arguments: dict, thresholds: Sequence[float]) -> tuple[float, str]:
    """Train a language model, then let it predict a hidden text step by step.

    The student's functions: `train(ids, V, seed) -> model`; `start(model, m) -> state`; `predict(model, state, x) ->
    (log_p, state)` with `x` (m,) the ids of a step and `log_p` (V, m) the natural logarithms of the distribution of the
    next ones.

    Args:
        session: the student's notebook.
        arguments: "train" ids (N,), "V", "hidden" ids (T, m), "seed", "seconds".
        thresholds: perplexities; the credit is the share of those that are reached.
    """
    hidden, V = np.asarray(arguments["hidden"]), int(arguments["V"])
    steps, m = hidden.shape
    seconds = float(arguments.get("seconds", 60))
    trained = session.call("train", (arguments["train"], V, int(arguments["seed"])), seconds, keep=("model",))
    if trained.problem:
        return 0.0, f"train: {trained.problem}"
    started = session.call("start", (Kept("model"), m), keep=("state",))
    if started.problem:
        return 0.0, f"start: {started.problem}"
    total = 0.0
    for t in range(steps - 1):
        said = session.call("predict", (Kept("model"), Kept("state"), hidden[t]), keep=("", "state"))
        if said.problem:
            return 0.0, f"predict, step {t}: {said.problem}"
        log_p = said.value[0] if isinstance(said.value, tuple) and len(said.value) == 1 else None
        if not isinstance(log_p, np.ndarray) or log_p.shape != (V, m) or log_p.dtype.kind != "f":
            return 0.0, f"predict, step {t}: log_p is an array of floats of shape ({V}, {m})"
        log_p = log_p.astype(float)
        if np.isnan(log_p).any() or (log_p > 1e-6).any():
            return 0.0, f"predict, step {t}: log_p holds logarithms of probabilities, none above 0 and none NaN"
        with np.errstate(under="ignore"):
            sums = np.exp(log_p).sum(axis=0)
        if np.abs(sums - 1).max() > 1e-6:
            return 0.0, f"predict, step {t}: the probabilities of a column do not sum to 1"
        total -= log_p[hidden[t + 1], np.arange(m)].sum()
    reached = float(np.exp(min(total / ((steps - 1) * m), 700.0)))
    return _credit(
        [reached <= limit for limit in thresholds]
    ), f"perplexity {reached:.2f} (limits {_listed(thresholds)})"


def exact_match(session: Session, arguments: dict, thresholds: Sequence[float]) -> tuple[float, str]:
    """Train a translation model, then let it translate sources that it has never seen.

    The student's functions: `train(sources, targets, seed) -> model`; `translate(model, sources) -> list of strings`.

    Args:
        session: the student's notebook.
        arguments: "sources" and "targets" to learn from, "hidden" sources, "answers", "seed", "seconds".
        thresholds: shares of exact matches; the credit is the share of those that are reached.
    """
    seconds = float(arguments.get("seconds", 60))
    what = (list(arguments["sources"]), list(arguments["targets"]), int(arguments["seed"]))
    trained = session.call("train", what, seconds, keep=("model",))
    if trained.problem:
        return 0.0, f"train: {trained.problem}"
    hidden, answers = list(arguments["hidden"]), list(arguments["answers"])
    said = session.call("translate", (Kept("model"), hidden), seconds)
    if said.problem:
        return 0.0, f"translate: {said.problem}"
    if not isinstance(said.value, list | tuple) or len(said.value) != len(answers):
        return 0.0, f"translate: a list of {len(answers)} strings is asked for"
    share = sum(type(one) is str and one == right for one, right in zip(said.value, answers, strict=True)) / len(
        answers
    )
    return _credit([share >= limit for limit in thresholds]), f"{share:.1%} exact (limits {_listed(thresholds)})"


def _credit(reached: Sequence[bool]) -> float:
    return sum(reached) / len(reached)


def _listed(thresholds: Sequence[float]) -> str:
    return ", ".join(f"{limit:g}" for limit in thresholds)


JUDGES: dict[str, Callable[[Session, dict, Sequence[float]], tuple[float, str]]] = {
    "perplexity": perplexity,
    "exact-match": exact_match,
}
