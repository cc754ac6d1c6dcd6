"""The training loop: what it computes, how it stops, and how it goes on."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
from itertools import count, islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import optimisers, training
from unrolled.gradients import clip_by_global_norm
from unrolled.optimisers import Adagrad, Adam, GradientDescent, Momentum
from unrolled.training import CheckpointError, TrainingError, segments, streams, train


def parameters(dtype=np.float64):
    return {"W": np.array([[3.0, -2.0]], dtype=dtype), "b": np.array([[5.0]], dtype=dtype)}


def bowl(p, batch, state):
    """A quadratic cost around a point that the batch names; the state counts the steps."""
    cost = sum(((value - batch) ** 2).sum() for value in p.values()) / 2
    return cost, {name: value - batch for name, value in p.items()}, 1 if state is None else state + 1


def copy(p):
    return {name: value.copy() for name, value in p.items()}


def assert_same(one, other):
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def assert_same_history(one, other):
    for name in ("costs", "norms", "evaluated_at", "evaluations"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.stopped_early == other.stopped_early


# Streams and segments


def test_streams_by_hand():
    np.testing.assert_array_equal(streams(np.arange(11), 3), [[0, 3, 6], [1, 4, 7], [2, 5, 8]])


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 9))
def test_streams_and_segments_lose_nothing_but_a_rest(n, m, T):
    ids = np.arange(n)
    if m > n:
        with pytest.raises(ValueError, match="number of streams"):
            streams(ids, m)
        return
    x = streams(ids, m)
    assert x.shape == (n // m, m)
    np.testing.assert_array_equal(x.T.ravel(), ids[: n // m * m])
    pieces = segments(x, x + 1, T)
    assert all(len(a) == T for a, _ in pieces[:-1])
    np.testing.assert_array_equal(np.concatenate([a for a, _ in pieces]), x)
    np.testing.assert_array_equal(np.concatenate([b for _, b in pieces]), x + 1)


def test_streams_and_segments_refuse():
    with pytest.raises(ValueError, match="one sequence"):
        streams(np.zeros((2, 2)), 1)
    with pytest.raises(ValueError, match="number of streams"):
        streams(np.arange(3), 0)
    with pytest.raises(ValueError, match="same number of steps"):
        segments(np.arange(3), np.arange(4), 2)
    with pytest.raises(ValueError, match="same number of steps"):
        segments(np.arange(0), np.arange(0), 2)
    with pytest.raises(ValueError, match="at least 1 step"):
        segments(np.arange(3), np.arange(3), 0)


# What it computes


@pytest.mark.parametrize("grad_clip", [None, 1.0])
@pytest.mark.parametrize("schedule", [None, optimisers.linear, optimisers.warmup(optimisers.cosine, 0.3)])
def test_the_loop_against_a_plain_one(grad_clip, schedule):
    p, expected = parameters(), parameters()
    batches = [0.0, 1.0, -2.0]
    history = train(p, bowl, batches, Momentum(0.1), steps=20, grad_clip=grad_clip, schedule=schedule)
    optimiser, costs, norms = Momentum(0.1), [], []
    for k in range(20):
        cost, gradients, _ = bowl(expected, batches[k % 3], None)
        costs.append(cost)
        norms.append(np.sqrt(sum((g**2).sum() for g in gradients.values())))
        if grad_clip is not None:
            gradients, _ = clip_by_global_norm(gradients, grad_clip)
        optimiser.update(expected, gradients, 0.1 * (1 if schedule is None else schedule(k / 20)))
    assert_same(p, expected)
    np.testing.assert_array_equal(history.costs, costs)
    np.testing.assert_allclose(history.norms, norms, rtol=1e-14)
    assert history.best_step is None
    assert not history.stopped_early


def test_the_state_is_carried_over_and_forgotten_when_a_sequence_begins_anew():
    seen = []

    def step(p, batch, state):
        seen.append((batch, state))
        return bowl(p, batch, state)

    train(parameters(), step, [0.0, 1.0, 2.0], GradientDescent(0.1), steps=7)
    assert seen == [(0, None), (1, 1), (2, 2), (0, None), (1, 1), (2, 2), (0, None)]
    seen.clear()
    train(parameters(), step, lambda k: 10.0 * k, GradientDescent(0.1), steps=3)
    assert seen == [(0, None), (10, 1), (20, 2)]
    seen.clear()
    history = train(parameters(), step, iter([5.0, 6.0]), GradientDescent(0.1), steps=9)
    assert seen == [(5, None), (6, 1)]
    assert history.costs.shape == (2,)


def test_evaluations_and_patience():
    values = iter([5.0, 3.0, 4.0, 3.0, 2.0, 9.0, 8.0, 7.0, 1.0])
    p, kept = parameters(), []

    def evaluate(current):
        kept.append(copy(current))
        return next(values)

    history = train(p, bowl, [0.0], GradientDescent(0.01), steps=90, every=10, evaluate=evaluate, patience=3)
    np.testing.assert_array_equal(history.evaluations, [5, 3, 4, 3, 2, 9, 8, 7])
    np.testing.assert_array_equal(history.evaluated_at, np.arange(1, 9) * 10)
    assert history.stopped_early
    assert history.best_step == 50
    assert len(history.costs) == 80
    assert_same(p, kept[4])


def test_without_patience_the_last_parameters_stay():
    p, expected = parameters(), parameters()
    values = count()
    history = train(p, bowl, [0.0], Adam(0.1), steps=25, every=10, evaluate=lambda _: next(values))
    train(expected, bowl, [0.0], Adam(0.1), steps=25)
    assert_same(p, expected)
    np.testing.assert_array_equal(history.evaluated_at, [10, 20, 25])
    assert history.best_step == 10


def test_float32_stays_float32():
    p = parameters(np.float32)
    train(p, bowl, [np.float32(0)], Adam(0.1), steps=5, grad_clip=1.0)
    assert {value.dtype for value in p.values()} == {np.dtype(np.float32)}


# How it stops


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["cost", "dW"])
def test_what_is_not_finite_stops_it_and_the_last_good_parameters_stay(tmp_path, bad, where):
    p, good, seen = parameters(), parameters(), []

    def step(current, batch, state):
        cost, gradients, state = bowl(current, batch, state)
        seen.append(copy(current))
        if len(seen) == 8:
            if where == "cost":
                cost = bad
            else:
                gradients["W"][0, 1] = bad
        return cost, gradients, state

    path = tmp_path / "run.npz"
    with pytest.raises(TrainingError, match=f"step 7: {where} is not finite") as error:
        train(p, step, [0.0, 1.0], Adam(0.1), steps=20, grad_clip=1.0, every=5, checkpoint=path)
    assert error.value.step == 7
    assert error.value.names == (where,)
    assert len(error.value.history.costs) == 7
    assert_same(p, seen[6])  # the last whose cost and gradient were finite
    # The checkpoint is that of step 5, and the run goes on from there.
    again = parameters()
    seen.extend([None] * 8)  # no more accidents
    history = train(again, step, [0.0, 1.0], Adam(0.1), steps=20, grad_clip=1.0, every=5, checkpoint=path)
    train(good, step, [0.0, 1.0], Adam(0.1), steps=20, grad_clip=1.0)
    assert_same(again, good)
    assert len(history.costs) == 20


def test_an_update_that_overflows_is_found_at_the_next_step_or_at_the_end():
    def slope(p, batch, state):
        return p["b"].sum() ** 2, {name: np.full_like(value, 1e300) for name, value in p.items()}, state

    for steps, failing in ((10, "step 6: cost is"), (2, "step 2: W, b are")):
        p = parameters()
        with pytest.raises(TrainingError, match=failing):
            train(p, slope, [0], GradientDescent(1e10), steps=steps, schedule=lambda over: float(over >= 0.5))
        assert_same(p, parameters())


def test_a_task_that_refuses_spoiled_parameters():
    def picky(p, batch, state):
        if not all(np.isfinite(value).all() for value in p.values()):
            raise ValueError("what is this")
        return bowl(p, batch, state)

    p = parameters()
    with pytest.raises(TrainingError, match="step 1: W, b are not finite") as error:
        train(p, picky, [0.0], GradientDescent(1e308), steps=9, schedule=lambda over: 1.0)
    assert isinstance(error.value, TrainingError)
    assert_same(p, parameters())
    with pytest.raises(ValueError, match="my own"):
        train(parameters(), lambda p, b, s: int("my own"), [0.0], GradientDescent(1.0), steps=9)


def test_an_evaluation_that_is_nan():
    with pytest.raises(TrainingError, match="evaluation is not finite"):
        train(parameters(), bowl, [0.0], Adam(), steps=9, every=3, evaluate=lambda p: np.nan)
    history = train(parameters(), bowl, [0.0], Adam(), steps=3, every=3, evaluate=lambda p: np.inf)
    assert history.evaluations == [np.inf]


@pytest.mark.parametrize("place", ["step", "update", "evaluate"])
def test_an_interrupt_keeps_whole_parameters(monkeypatch, place):
    p, seen = parameters(), [parameters()]

    def step(current, batch, state):
        seen.append(copy(current))
        if place == "step" and len(seen) == 7:
            raise KeyboardInterrupt
        return bowl(current, batch, state)

    def evaluate(current):
        if place == "evaluate" and len(seen) > 6:
            raise KeyboardInterrupt
        return 0.0

    if place == "update":
        original = Adam._step

        def interrupted(self, rate, p, *arrays):
            if len(seen) == 7 and p.size == 1:  # W is changed already, b is not
                raise KeyboardInterrupt
            original(self, rate, p, *arrays)

        monkeypatch.setattr(Adam, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(p, step, [0.0], Adam(0.1), steps=20, every=3, evaluate=evaluate)
    assert any(all(np.array_equal(p[name], s[name]) for name in p) for s in seen[-2:])


def test_an_interrupt_at_any_line_keeps_whole_parameters():
    inside = (training.__file__, optimisers.__file__)

    def run(interrupt_at, p):
        lines = count()

        def trace(frame, event, argument):
            if frame.f_code.co_filename not in inside:
                return None
            if event == "line" and next(lines) == interrupt_at:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            train(p, bowl, [0.0, 1.0], Momentum(0.1), steps=4, grad_clip=1.0, every=2, evaluate=total, patience=9)
        finally:
            sys.settrace(before)
        return next(lines)

    def total(p):
        return -float(p["W"].sum())  # the first evaluation is the best

    whole, p = [parameters()], parameters()
    optimiser = Momentum(0.1)
    for k in range(4):
        optimiser.update(p, clip_by_global_norm(bowl(p, k % 2, None)[1], 1.0)[0])
        whole.append(copy(p))
    p = parameters()
    number = run(None, p)
    assert_same(p, whole[2])
    interrupted = 0
    for line in range(number):
        p = parameters()
        try:
            run(line, p)
        except KeyboardInterrupt:
            interrupted += 1
        assert any(all(np.array_equal(p[name], w[name]) for name in p) for w in whole), line
    assert interrupted > 50


def test_arguments_are_checked():
    for options, message in [
        ({"steps": 0}, "steps and every"),
        ({"every": 0}, "steps and every"),
        ({"grad_clip": 0}, "grad_clip"),
        ({"grad_clip": np.nan}, "grad_clip"),
        ({"patience": 0, "evaluate": len}, "patience has to be"),
        ({"patience": 2}, "patience needs"),
    ]:
        with pytest.raises(ValueError, match=message):
            train(parameters(), bowl, [0.0], Adam(), **{"steps": 3, **options})
    with pytest.raises(ValueError, match="no parameters"):
        train({}, bowl, [0.0], Adam(), steps=3)
    for nothing in ([], iter([])):
        with pytest.raises(ValueError, match="no batch"):
            train(parameters(), bowl, nothing, Adam(), steps=3)
    with pytest.raises(ValueError, match="b has no gradient"):
        train(parameters(), lambda p, b, s: (0.0, {"W": p["W"]}, s), [0.0], Adam(), steps=3)


# How it goes on


def noisy(rng):
    """A task with all there is to remember: chance, a state of several parts, batches."""

    def step(p, batch, state):
        moving, steps = ({"mean": np.zeros((1, 2), np.float32)}, 0) if state is None else state
        noise = rng.normal(size=(1, 2))
        gradients = {"W": p["W"] - batch + noise + moving["mean"], "b": p["b"] - batch}
        mean = (0.9 * moving["mean"] + 0.1 * noise).astype(np.float32)
        return float((p["W"] ** 2).sum()), gradients, ({"mean": mean}, steps + 1)

    return step


def batches_of(kind, rng):
    if kind == "sequence":
        return [1.0, 2.0, 3.0, 4.0]
    if kind == "function":
        return lambda k: np.random.default_rng([5, k]).normal()
    return (rng.normal() for _ in count())


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(["sequence", "function", "iterator"]),
    optimiser=st.sampled_from([GradientDescent, Momentum, Adagrad, Adam]),
    stop=st.integers(1, 29),
    every=st.integers(1, 9),
    patience=st.sampled_from([None, 2]),
)
def test_a_resumed_run_is_the_same_run(tmp_path_factory, kind, optimiser, stop, every, patience):
    path = tmp_path_factory.mktemp("run") / "checkpoint.npz"

    def run(checkpoint, until=None):
        rng = np.random.default_rng(8)
        step, p = noisy(rng), parameters()
        if until is not None:
            whole, seen = step, count()

            def step(*arguments):
                if next(seen) == until:
                    raise KeyboardInterrupt
                return whole(*arguments)

            step.__qualname__ = whole.__qualname__
        history = train(
            p,
            step,
            batches_of(kind, rng),
            optimiser(0.05),
            steps=30,
            grad_clip=2.0,
            schedule=optimisers.cosine,
            checkpoint=checkpoint,
            every=every,
            evaluate=lambda p: float(abs(p["W"]).sum()),
            patience=patience,
            rng=rng,
        )
        return p, history, rng.normal()

    straight = run(None)
    stop = min(stop, len(straight[1].costs) - 1)  # patience may have run out
    with pytest.raises(KeyboardInterrupt):
        run(path, stop)
    for _ in range(2):  # the second time, all that is left is to read the result
        resumed = run(path)
        assert_same(resumed[0], straight[0])
        assert_same_history(resumed[1], straight[1])
        assert resumed[2] == straight[2]


PROGRAM = """
import sys, time
import numpy as np
from unrolled import optimisers, training

rng = np.random.default_rng(1)
parameters = {"W": rng.normal(size=(40, 40)), "b": np.zeros((40, 1))}

def step(p, batch, state):
    state = np.zeros((40, 3)) if state is None else state
    a = np.tanh(p["W"] @ state + p["b"] + batch + rng.normal(size=(40, 3)) * 0.1)
    time.sleep(float(sys.argv[2]))
    return float((a**2).sum()), {"W": a @ state.T, "b": a.sum(axis=1, keepdims=True)}, a

training.train(parameters, step, [0.1, 0.2, 0.3, 0.4, 0.5], optimisers.Adam(1e-2), steps=300, grad_clip=1.0,
               schedule=optimisers.linear, checkpoint=sys.argv[1], every=2, rng=rng)
np.savez(sys.argv[3], **parameters, last=rng.normal())
"""


def test_a_killed_run_goes_on_to_the_identical_digit(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def start(checkpoint, pause, result):
        arguments = [sys.executable, str(program), str(tmp_path / checkpoint), str(pause), str(tmp_path / result)]
        return subprocess.Popen(arguments, env=environment)

    assert start("straight", 0, "straight.npz").wait(120) == 0
    kills = 0
    while kills < 3:
        before = (tmp_path / "killed").stat().st_mtime_ns if kills else None
        process = start("killed", 0.002, "killed.npz")
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:  # until it has written something new
            if (tmp_path / "killed").exists() and (tmp_path / "killed").stat().st_mtime_ns != before:
                break
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
        with np.load(tmp_path / "killed") as checkpoint:
            assert 0 < checkpoint["history/costs"].size < 300  # killed on its way
        kills += 1
    assert start("killed", 0, "killed.npz").wait(120) == 0
    with np.load(tmp_path / "straight.npz") as straight, np.load(tmp_path / "killed.npz") as killed:
        assert_same(dict(straight), dict(killed))


def checkpointed(path, **options):
    p = options.pop("parameters", None) or parameters()
    defaults = {"step": bowl, "batches": [0.0, 1.0], "optimiser": Adam(0.1), "steps": 10, "grad_clip": 1.0}
    options = defaults | options
    arguments = [options.pop(name) for name in ("step", "batches", "optimiser")]
    train(p, *arguments, checkpoint=path, **options)
    return p


def other_step(p, batch, state):
    return bowl(p, batch, state)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": {"W": np.zeros((2, 2)), "b": np.zeros((1, 1))}}, r"its set of parameters is .*1, 2.* 2, 2"),
        ({"parameters": {"W": np.zeros((1, 2))}}, "set of parameters"),
        ({"parameters": parameters(np.float32)}, "float32"),
        ({"optimiser": Momentum(0.1)}, "its optimiser is .Adam.* here it is .Momentum"),
        ({"optimiser": Adam(0.2)}, "rate: 0.2"),
        ({"step": other_step}, "its step function is bowl, and here it is other_step"),
        ({"grad_clip": None}, "its grad_clip is 1.0, and here it is null"),
        ({"batches": [0.0, 1.0, 2.0]}, "its number of batches is 2, and here it is 3"),
        ({"description": "another"}, "its description is training, and here it is another"),
        ({"rng": np.random.default_rng(0)}, "without an rng"),
        ({"steps": 9}, "done 10 steps, more than steps = 9"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, options, message):
    path = tmp_path / "run.npz"
    checkpointed(path)
    before, given_parameters = path.read_bytes(), options.get("parameters", parameters())
    mine = copy(given_parameters)
    with pytest.raises(CheckpointError, match=message) as error:
        checkpointed(path, **{**options, "parameters": mine})
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before
    assert_same(mine, given_parameters)


def test_another_kind_of_generator_is_refused_and_its_own_is_kept(tmp_path):
    path = tmp_path / "run.npz"
    checkpointed(path, rng=np.random.default_rng(0))
    mine = np.random.Generator(np.random.MT19937(3))
    with pytest.raises(CheckpointError, match="another run"):
        checkpointed(path, rng=mine)
    assert mine.normal() == np.random.Generator(np.random.MT19937(3)).normal()


def test_a_mersenne_twister_can_be_kept(tmp_path):
    results = []
    for path in (None, tmp_path / "run.npz", tmp_path / "run.npz"):
        rng = np.random.Generator(np.random.MT19937(3))
        step = noisy(rng)
        train(parameters(), step, [1.0], Adam(), steps=7, checkpoint=path, rng=rng)
        results.append(rng.normal())
    assert results[0] == results[1] == results[2]


def test_partials_and_objects_have_names(tmp_path):
    def scaled(factor, p, batch, state):
        cost, gradients, state = bowl(p, batch, state)
        return cost * factor, {name: g * factor for name, g in gradients.items()}, state

    class Task:
        def __call__(self, p, batch, state):
            return bowl(p, batch, state)

    one, other = tmp_path / "one.npz", tmp_path / "other.npz"
    checkpointed(one, step=functools.partial(scaled, 2.0))
    checkpointed(one, step=functools.partial(scaled, 2.0))
    checkpointed(other, step=Task())
    with pytest.raises(CheckpointError, match="Task"):
        checkpointed(other, step=bowl)


def test_a_longer_run_goes_on_where_the_shorter_stopped(tmp_path):
    path = tmp_path / "run.npz"
    checkpointed(path, steps=10)
    longer, straight = checkpointed(path, steps=25), parameters()
    train(straight, bowl, [0.0, 1.0], Adam(0.1), steps=25, grad_clip=1.0)
    assert_same(longer, straight)


def test_an_iterator_that_is_too_short_for_its_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    checkpointed(path, batches=iter([1.0] * 8))
    with pytest.raises(CheckpointError, match="done 8 steps, and there are not so many batches"):
        checkpointed(path, batches=iter([1.0] * 7))


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_damaged_checkpoint_is_refused_or_read_rightly(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "run.npz"
    checkpointed(path, steps=10)
    whole = path.read_bytes()
    if data.draw(st.booleans(), label="cut"):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1), label="length")]
    else:
        place = data.draw(st.integers(0, len(whole) - 1), label="place")
        damaged = (
            whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255), label="flip")]) + whole[place + 1 :]
        )
    path.write_bytes(damaged)
    mine, expected = parameters(), parameters()
    train(expected, bowl, [0.0, 1.0], Adam(0.1), steps=10, grad_clip=1.0)
    refused = ""
    try:
        checkpointed(path, parameters=mine, steps=10)
    except CheckpointError as error:
        refused = str(error)
    assert_same(mine, parameters() if refused else expected)
    assert "\n" not in refused
    assert path.read_bytes() == damaged or not refused


def test_files_that_are_no_checkpoints(tmp_path):
    path = tmp_path / "run.npz"
    path.write_text("not a checkpoint")
    with pytest.raises(CheckpointError, match="no checkpoint of a training"):
        checkpointed(path)
    np.savez(path, W=np.zeros(3))
    with pytest.raises(CheckpointError, match="no checkpoint of a training"):
        checkpointed(path)
    with pytest.raises(IsADirectoryError):
        checkpointed(tmp_path)
    with pytest.raises(FileNotFoundError, match="folder"):
        checkpointed(tmp_path / "nowhere" / "run.npz")


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, full_disk):
    path = tmp_path / "run.npz"
    checkpointed(path, steps=10)
    before = path.read_bytes()
    full_disk()
    with pytest.raises(OSError, match="no space"):
        checkpointed(path, steps=20)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_state_that_cannot_be_kept_is_named(tmp_path):
    def step(p, batch, state):
        return (*bowl(p, batch, None)[:2], {1, 2})

    with pytest.raises(TypeError, match="got set"):
        checkpointed(tmp_path / "run.npz", step=step)


def test_states_of_many_shapes_are_kept():
    state = (None, True, 3, 0.1, "a", np.float32(2), [np.arange(3), ()], {"x": (np.eye(2), {"y": None})})
    arrays = {}
    again = training._put_together(training._take_apart(state, arrays), arrays)
    assert repr(again) == repr((*state[:5], np.asarray(np.float32(2)), *state[6:]))


def test_the_progress_bar_is_quiet_away_from_a_terminal(capsys):
    train(parameters(), bowl, islice(count(), 5), Adam(), steps=5)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
