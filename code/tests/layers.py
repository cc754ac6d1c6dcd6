"""What every layer has to do, whatever it is made of: its gradients against the complex step, with random upstreams."""

from typing import NamedTuple

import numpy as np

from unrolled.gradients import complex_step


class Task(NamedTuple):
    """A layer's random parameters and input, and what arrives from outside on the way back."""

    parameters: dict
    x: np.ndarray
    s0: np.ndarray
    mask: np.ndarray | None
    d_outputs: np.ndarray
    ds_last: np.ndarray


def draw(layer, seed, T, m, ids=False, masked=False, dtype=np.float64):
    """A task; with masked=True each sequence ends somewhere, and some have holes."""
    rng = np.random.default_rng(seed)
    parameters = {
        name: (value + rng.normal(0, 0.5, value.shape)).astype(dtype) for name, value in layer.create(rng).items()
    }
    x = rng.integers(0, layer.n_x, (T, m)) if ids else rng.normal(size=(T, layer.n_x, m)).astype(dtype)
    mask = None
    if masked:
        mask = np.arange(T)[:, None] < rng.integers(1, T + 1, m)
        mask &= rng.random((T, m)) < 0.8
    normal = {"s0": (layer.n_s, m), "d_outputs": (T, layer.n_out, m), "ds_last": (layer.n_s, m)}
    arrays = {name: rng.normal(size=shape).astype(dtype) for name, shape in normal.items()}
    return Task(parameters, x, arrays["s0"], mask, arrays["d_outputs"], arrays["ds_last"])


def objective(layer, task, at, **options):
    """A number whose gradients are those of the backward pass: outputs and last state, each times what arrives."""
    parameters = {name: at[name] for name in task.parameters}
    run = layer.forward(parameters, at.get("x", task.x), at["s0"], task.mask, **options)
    return (run.outputs * task.d_outputs).sum() + (run.s_last * task.ds_last).sum()


def gradients(layer, task, **options):
    """All gradients by the layer's backward pass, in one dictionary."""
    run = layer.forward(task.parameters, task.x, task.s0, task.mask, **options)
    back = layer.backward(task.parameters, run, task.d_outputs, task.ds_last)
    assert set(back.gradients) == set(task.parameters)
    return back.gradients | {"s0": back.ds0} | ({} if back.dx is None else {"x": back.dx})


def assert_close(found, expected, rtol=1e-12):
    """Equal within rtol of the largest number of all: what is summed up to a small one may have been large."""
    assert set(found) == set(expected)
    largest = max([1.0, *(float(np.abs(value).max()) for value in expected.values() if value.size)])
    for name, value in expected.items():
        assert found[name].shape == value.shape, name
        np.testing.assert_allclose(found[name], value, rtol=rtol, atol=rtol * largest, err_msg=name)


def check_gradients(layer, task, **options):
    """Every gradient against the complex step."""
    at = task.parameters | {"s0": task.s0} | ({} if task.x.dtype.kind in "iu" else {"x": task.x})
    at = {name: value for name, value in at.items() if value.size}
    found = {name: value for name, value in gradients(layer, task, **options).items() if value.size}
    full = {"s0": task.s0}
    assert_close(found, complex_step(lambda point: objective(layer, task, full | point, **options), at))
