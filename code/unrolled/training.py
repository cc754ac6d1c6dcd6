"""The training loop: any task, interrupted and resumed without losing a digit.

    history = train(parameters, step, batches, Adam(3e-3), steps=1000, grad_clip=1.0, schedule=optimisers.linear)

A task is a function `step(parameters, batch, state)` that returns its cost, the gradient of each parameter, and what
is to be carried over to the next step: the last hidden state of a recurrent network, or None. The loop clips,
updates, measures, stops early, writes checkpoints, and stops at once where a number is not finite.

Batches come in one of three forms:

* a sequence, such as the list that `segments` returns: it is read from front to back again and again, and each time it
  begins anew, what was carried over is forgotten (`state` is None);
* a function: `batches(k)` is the batch of step k, from 0. A random batch that depends on k alone is drawn from
  `np.random.default_rng([seed, k])`;
* an iterator, such as a generator: training ends when it does.

For a training that can be resumed to the digit, all chance has to come from a place that the checkpoint knows: from
k, or from the generator that is given to `train` as `rng` (for shuffling, or for dropout inside `step`). When a run
is resumed, a sequence or a function is asked for the next batch; an iterator is made anew by the program and moved to
its place by drawing the batches that are done already.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from unrolled.files import arrays_from, write_arrays
from unrolled.gradients import clip_by_global_norm, global_norm
from unrolled.optimisers import Optimiser, Schedule

Parameters = dict[str, np.ndarray]
Step = Callable[[Parameters, Any, Any], tuple[float, Parameters, Any]]
Batches = Sequence | Callable[[int], Any] | Iterable


class TrainingError(RuntimeError):
    """Training met a NaN or an infinity and stopped; the parameters are those of the last good step.

    Attributes:
        step: the step that failed, counted from 0; None if it is not known.
        names: what was not finite, such as "cost" or "dWaa".
        history: what was measured until then, or None.
    """

    def __init__(self, message: str, step: int | None = None, names: tuple[str, ...] = (), history: Any = None):
        super().__init__(message)
        self.step, self.names, self.history = step, names, history


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged, or belongs to another run. It stays as it is, and so do the parameters."""


@dataclass
class History:
    """What was measured while training.

    Attributes:
        costs: the cost of each step, before its update; (steps,).
        norms: the global norm of each step's gradients, before clipping; (steps,).
        evaluated_at: how many steps were done at each evaluation; (evaluations,).
        evaluations: what `evaluate` returned there; (evaluations,).
        best_step: how many steps were done at the best (lowest) evaluation; None without evaluations.
        stopped_early: whether patience ran out before all steps were done.
    """

    costs: np.ndarray = field(default_factory=lambda: np.empty(0))
    norms: np.ndarray = field(default_factory=lambda: np.empty(0))
    evaluated_at: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    evaluations: np.ndarray = field(default_factory=lambda: np.empty(0))
    stopped_early: bool = False

    @property
    def best_step(self) -> int | None:
        return int(self.evaluated_at[np.argmin(self.evaluations)]) if self.evaluations.size else None


def streams(ids: np.ndarray, m: int) -> np.ndarray:
    """A long sequence cut into m pieces of equal length that stand side by side: (N, m).

    Column j is the j-th piece, so that a network that reads row after row and carries its states over reads m places of
    the text at once. Fewer than m elements at the end are left out.

    Args:
        ids: one sequence (n,).
        m: the number of streams, 1 .. n.

    Raises:
        ValueError: `ids` is no vector, or m is out of range.
    """
    ids = np.asarray(ids)
    if ids.ndim != 1:
        raise ValueError(f"streams are cut from one sequence (n,); got shape {ids.shape}")
    if not 1 <= m <= ids.size:
        raise ValueError(f"the number of streams has to lie in 1 .. {ids.size}, the length of the sequence; got {m}")
    length = ids.size // m
    return np.ascontiguousarray(ids[: length * m].reshape(m, length).T)


def segments(x: np.ndarray, y: np.ndarray, T: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Streams cut into pieces of T steps, in the order of time: the batches of truncated backpropagation.

    Args:
        x: what is read, (N, m) or any array with time first.
        y: what has to be predicted, with as many steps.
        T: steps in a piece, at least 1; the last piece has what is left.

    Returns:
        A list of pairs of views.

    Raises:
        ValueError: x and y differ in length or are empty, or T is below 1.
    """
    if len(x) != len(y) or not len(x):
        raise ValueError(f"x and y have to have the same number of steps, at least 1; got {len(x)} and {len(y)}")
    if T < 1:
        raise ValueError(f"a segment has at least 1 step; got T = {T}")
    return [(x[start : start + T], y[start : start + T]) for start in range(0, len(x), T)]


def train(
    parameters: Parameters,
    step: Step,
    batches: Batches,
    optimiser: Optimiser,
    *,
    steps: int,
    grad_clip: float | None = None,
    schedule: Schedule | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int = 100,
    evaluate: Callable[[Parameters], float] | None = None,
    patience: int | None = None,
    rng: np.random.Generator | None = None,
    description: str = "training",
) -> History:
    """Change parameters in place until a task is learned.

    However training ends, `parameters` holds whole and finite numbers. After an interrupt (Ctrl-C) or any error,
    these are the values of the last step whose cost and gradients were finite, and the checkpoint is the last that
    was written.

    Args:
        parameters: arrays of floating-point numbers by name.
        step: the task: `step(parameters, batch, state)` returns the cost, a dictionary with the gradient of each
            parameter, and the state for the next step. It leaves the parameters alone.
        batches: a sequence, a function of the number of the step, or an iterator; see the module's text.
        optimiser: makes updates of gradients; see `unrolled.optimisers`.
        steps: the number of updates, counted from the beginning of the run, also when it is resumed.
        grad_clip: the largest global norm a gradient may have; longer ones are shortened to it. None never clips.
        schedule: a factor of the optimiser's rate, as a function of the fraction of training that is over.
        checkpoint: a file. If it is there, the run goes on where it stopped; it is written, whole or not at all, every
            `every` steps and at the end.
        every: steps from one evaluation, and one checkpoint, to the next.
        evaluate: measures the parameters, the lower the better: the loss on other text, for instance. Called every
            `every` steps and after the last one.
        patience: stop after so many evaluations in a row without a new best one, and put the best parameters back in
            the end, whether it stopped early or not. None goes on to the end and keeps the last parameters.
        rng: the generator that `step`, `batches` or `evaluate` draw from, if they do; the checkpoint keeps its state.
        description: shown by the progress bar, and part of what makes a checkpoint belong to this run.

    Returns:
        The history of the whole run, what went before a resumption included.

    Raises:
        TrainingError: a cost, gradient, parameter or evaluation is NaN, or infinite; the message says what and when.
        CheckpointError: the checkpoint is damaged or of another run: other parameters, another optimiser, clipping,
            step function, number of batches or description, or more steps than `steps`.
        ValueError: an argument is out of range, there is no batch, or the gradients do not fit the parameters.
    """
    _check_arguments(parameters, steps, grad_clip, every, evaluate, patience)
    run = _Run(parameters, optimiser, rng, _identity(parameters, step, batches, optimiser, grad_clip, description))
    if checkpoint is not None and os.path.exists(checkpoint):
        run.read(checkpoint, steps)
    source = _source(batches, run)
    with tqdm(total=steps, initial=run.done, desc=description, unit="step", disable=None) as bar:
        try:
            while run.done < steps and not run.stopped_early:
                state, batch = source()
                if batch is _NO_MORE:
                    break
                run.take_step(step, batch, state, grad_clip, 1.0 if schedule is None else schedule(run.done / steps))
                bar.update()
                if run.done % every == 0 or run.done == steps:
                    run.look(evaluate, patience, checkpoint)
            if run.done == 0:
                raise ValueError("there is no batch to train with")
            if run.looked_at < run.done:  # an iterator has ended
                run.look(evaluate, patience, checkpoint)
            if patience is not None:
                run.back_to_the_best()
        except TrainingError as error:
            run.back_to_the_last_good()
            error.history = run.history()
            raise
        except BaseException:
            run.back_to_the_last_good()
            raise
    return run.history()


_NO_MORE = object()


class _Run:
    """What changes while training goes on."""

    def __init__(self, parameters: Parameters, optimiser: Optimiser, rng: np.random.Generator | None, identity: dict):
        self.parameters, self.optimiser, self.rng, self.identity = parameters, optimiser, rng, identity
        self.state: Any = None
        self.done = self.looked_at = 0
        self.costs: list[float] = []
        self.norms: list[float] = []
        self.evaluated_at: list[int] = []
        self.evaluations: list[float] = []
        self.best: Parameters | None = None
        self.stopped_early = False
        # Two sets take turns, so that an interrupt in the middle of copying finds one of them whole.
        self.last_good = {name: value.copy() for name, value in parameters.items()}
        self.spare = {name: value.copy() for name, value in parameters.items()}

    def take_step(self, step: Step, batch: Any, state: Any, grad_clip: float | None, factor: float) -> None:
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found and named here
                cost, gradients, state = step(self.parameters, batch, state)
        except (ValueError, ArithmeticError):
            self.stop_unless_finite(
                self.parameters
            )  # a task may have refused to calculate with what the last step left
            raise
        try:
            if grad_clip is None:
                norm = global_norm(gradients)
            else:
                gradients, norm = clip_by_global_norm(gradients, grad_clip)
        except ValueError:  # only here is it worth the time to look at each
            self.stop_unless_finite({"cost": cost, **{f"d{name}": g for name, g in gradients.items()}})
            raise
        self.stop_unless_finite({"cost": cost})
        for name, value in self.parameters.items():
            self.spare[name][...] = value
        self.last_good, self.spare = self.spare, self.last_good
        with np.errstate(over="ignore", invalid="ignore"):  # and here by the next step
            self.optimiser.update(self.parameters, gradients, self.optimiser.rate * factor)
        self.state = state
        self.costs.append(float(cost))
        self.norms.append(norm)
        self.done += 1

    def look(
        self,
        evaluate: Callable[[Parameters], float] | None,
        patience: int | None,
        checkpoint: str | os.PathLike[str] | None,
    ) -> None:
        """Make sure that the parameters are worth keeping, measure them, and keep them."""
        self.stop_unless_finite(self.parameters)
        if evaluate is not None:
            value = float(evaluate(self.parameters))
            if np.isnan(value):
                self.stop_unless_finite({"evaluation": value})
            self.evaluated_at.append(self.done)
            self.evaluations.append(value)
        if patience is not None:
            since_best = len(self.evaluations) - 1 - int(np.argmin(self.evaluations))
            if since_best == 0 or self.best is None:
                self.best = {name: array.copy() for name, array in self.parameters.items()}
            self.stopped_early = since_best >= patience
        self.looked_at = self.done
        if checkpoint is not None:
            self.write(checkpoint)

    def stop_unless_finite(self, values: dict[str, Any]) -> None:
        spoiled = tuple(name for name, value in values.items() if not np.isfinite(value).all())
        if spoiled:
            raise TrainingError(
                f"step {self.done}: {', '.join(spoiled)} {'is' if len(spoiled) == 1 else 'are'} not finite; training "
                "stopped and the parameters are those of the last good step. A smaller learning rate or clipping may "
                "help",
                self.done,
                spoiled,
            )

    def back_to_the_last_good(self) -> None:
        for name, value in self.last_good.items():
            self.parameters[name][...] = value

    def back_to_the_best(self) -> None:
        if self.best is not None:
            for name, value in self.best.items():
                self.parameters[name][...] = value

    def history(self) -> History:
        return History(
            np.array(self.costs),
            np.array(self.norms),
            np.array(self.evaluated_at, dtype=np.int64),
            np.array(self.evaluations, dtype=np.float64),
            self.stopped_early,
        )

    def write(self, path: str | os.PathLike[str]) -> None:
        arrays: Parameters = {}
        run = {
            "format": _FORMAT,
            "identity": self.identity,
            "done": self.done,
            "stopped_early": self.stopped_early,
            "state": _take_apart(self.state, arrays),
            "rng": None if self.rng is None else self.rng.bit_generator.state,
        }
        arrays |= {f"parameters/{name}": value for name, value in self.parameters.items()}
        arrays |= {f"optimiser/{name}": value for name, value in self.optimiser.state().items()}
        arrays |= {f"best/{name}": value for name, value in (self.best or {}).items()}
        for name in _MEASURED:
            arrays[f"history/{name}"] = getattr(self.history(), name)
        write_arrays(path, run, arrays, default=np.ndarray.tolist)

    def read(self, path: str | os.PathLike[str], steps: int) -> None:
        """Take over what a checkpoint says, all of it or nothing."""
        with arrays_from(path, "checkpoint of a training", CheckpointError) as (run, arrays):
            if run["format"] != _FORMAT:
                raise ValueError(f"its format is {run['format']}, and this is {_FORMAT}")
            identity, done, state = run["identity"], int(run["done"]), _put_together(run["state"], arrays)
            measured = {name: arrays[f"history/{name}"].tolist() for name in _MEASURED}
            groups: dict[str, Parameters] = {"parameters": {}, "optimiser": {}, "best": {}}
            for name, value in arrays.items():
                group, _, rest = name.partition("/")
                if group in groups:
                    groups[group][rest] = value
            shapes = {name: [value.dtype.name, *value.shape] for name, value in groups["parameters"].items()}
            if shapes != identity["set of parameters"] or any(len(measured[n]) != done for n in ("costs", "norms")):
                raise ValueError("its parts do not fit together")
        for what, ours in self.identity.items():
            if identity.get(what) != ours:
                raise CheckpointError(
                    f"{path} is the checkpoint of another run: its {what} is {_brief(identity.get(what))}, and "
                    f"here it is {_brief(ours)}; name another file, or delete this one to start anew"
                )
        if done > steps:
            raise CheckpointError(
                f"{path} is the checkpoint of a run that has done {done} steps, more than steps = {steps}"
            )
        if (run["rng"] is None) != (self.rng is None):
            raise CheckpointError(f"{path} is the checkpoint of a run {'without' if self.rng else 'with'} an rng")
        try:
            if self.rng is not None:
                before = self.rng.bit_generator.state
                self.rng.bit_generator.state = run["rng"]  # refuses the state of another kind of generator
                self.rng.bit_generator.state = before
            self.optimiser.restore(groups["optimiser"], self.parameters)
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{path} is the checkpoint of another run: {error}") from None
        for name, value in self.parameters.items():
            value[...] = groups["parameters"][name]
            self.last_good[name][...] = value
        self.best = groups["best"] or None
        self.state, self.done, self.looked_at = state, done, done
        self.stopped_early = bool(run["stopped_early"])
        self.rng_state = run["rng"]
        for name in _MEASURED:
            setattr(self, name, measured[name])


_FORMAT = 2
_MEASURED = ("costs", "norms", "evaluated_at", "evaluations")


def _check_arguments(
    parameters: Parameters,
    steps: int,
    grad_clip: float | None,
    every: int,
    evaluate: Callable | None,
    patience: int | None,
) -> None:
    if not parameters:
        raise ValueError("there are no parameters to train")
    if steps < 1 or every < 1:
        raise ValueError(f"steps and every have to be at least 1; got {steps} and {every}")
    if grad_clip is not None and not grad_clip > 0:
        raise ValueError(f"grad_clip has to be positive, or None; got {grad_clip}")
    if patience is not None and (patience < 1 or evaluate is None):
        raise ValueError(
            f"patience has to be at least 1; got {patience}" if evaluate else "patience needs a function to evaluate"
        )


def _identity(
    parameters: Parameters,
    step: Step,
    batches: Batches,
    optimiser: Optimiser,
    grad_clip: float | None,
    description: str,
) -> dict[str, Any]:
    """What has to be the same for a run to be the same run; of JSON's types."""
    named = step
    while hasattr(named, "func"):  # functools.partial
        named = named.func
    name = getattr(named, "__qualname__", type(named).__qualname__)
    return {
        "description": description,
        "step function": name,
        "set of parameters": {key: [value.dtype.name, *value.shape] for key, value in sorted(parameters.items())},
        "optimiser": [type(optimiser).__name__, optimiser.settings],
        "grad_clip": None if grad_clip is None else float(grad_clip),
        "number of batches": len(batches) if isinstance(batches, Sequence) else None,
    }


def _brief(value: Any) -> str:
    text = json.dumps(value).replace('"', "")
    return text if len(text) <= 200 else text[:200] + " ..."


def _source(batches: Batches, run: _Run) -> Callable[[], tuple[Any, Any]]:
    """A function that returns what was carried over and the next batch, at the place where the run is."""
    if isinstance(batches, Sequence):
        if not len(batches):
            raise ValueError("there is no batch to train with")

        def following() -> tuple[Any, Any]:
            place = run.done % len(batches)
            return (None if place == 0 else run.state), batches[place]

    elif callable(batches):

        def following() -> tuple[Any, Any]:
            return run.state, batches(run.done)

    else:
        iterator: Iterator = iter(batches)
        for _ in range(run.done):
            if next(iterator, _NO_MORE) is _NO_MORE:
                raise CheckpointError(f"the checkpoint has done {run.done} steps, and there are not so many batches")

        def following() -> tuple[Any, Any]:
            return run.state, next(iterator, _NO_MORE)

    if run.rng is not None and run.done:
        run.rng.bit_generator.state = run.rng_state  # only now: an iterator may have drawn from it
    return following


def _take_apart(state: Any, arrays: Parameters) -> Any:
    """A description of a state in JSON's types; its arrays are put among `arrays`."""
    if state is None or isinstance(state, bool | int | float | str):
        return {"value": state}
    if isinstance(state, np.ndarray | np.generic):
        key = f"state/{len(arrays)}"
        arrays[key] = np.asarray(state)
        return {"array": key}
    if isinstance(state, list | tuple):
        return {
            type(state).__name__ if type(state) in (list, tuple) else "tuple": [_take_apart(s, arrays) for s in state]
        }
    if isinstance(state, dict) and all(isinstance(key, str) for key in state):
        return {"dict": {key: _take_apart(s, arrays) for key, s in state.items()}}
    raise TypeError(
        "a checkpoint can keep a state made of arrays, numbers, strings and None, and of lists, tuples and "
        f"dictionaries of them; got {type(state).__name__}"
    )


def _put_together(described: dict[str, Any], arrays: Parameters) -> Any:
    [(kind, value)] = described.items()
    if kind == "value":
        return value
    if kind == "array":
        return arrays[value]
    if kind == "dict":
        return {key: _put_together(s, arrays) for key, s in value.items()}
    return {"list": list, "tuple": tuple}[kind](_put_together(s, arrays) for s in value)
