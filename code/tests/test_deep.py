"""Stacks and columns: against the complex step, layers by hand, and PyTorch; residual, normalised, dropped."""

import layers
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import bidirectional, deep, recurrence, torch_twins

UNITS = ("rnn", "gru", "gru-reset-after", "lstm")
sizes = {"seed": st.integers(0, 2**32), "T": st.integers(1, 5), "m": st.integers(1, 3)}


@st.composite
def stacks(draw):
    """Any layers on top of each other: units, sizes, directions, columns."""
    n, found = draw(st.integers(1, 4)), []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("one", "two", "columns"))) if found else draw(st.sampled_from(("one", "two")))
        size = draw(st.integers(1, 4))
        if kind == "columns":
            found.append(deep.Columns(n, (size, draw(st.integers(1, 3))), draw(st.sampled_from(("tanh", "sigmoid")))))
        else:
            layer = recurrence.Layer if kind == "one" else bidirectional.Layer
            found.append(layer(draw(st.sampled_from(UNITS)), n, size))
        n = found[-1].n_out
    return deep.Stack(tuple(found), draw(st.booleans()), draw(st.booleans()))


@settings(deadline=None, max_examples=50)
@given(stack=stacks(), **sizes, ids=st.booleans(), masked=st.booleans(), rate=st.sampled_from((0.0, 0.4)))
def test_gradients_against_the_complex_step(stack, seed, T, m, ids, masked, rate):
    task = layers.draw(stack, seed, T, m, ids, masked)
    dropped = stack.draw_dropout(np.random.default_rng(seed), T, m, rate) if rate else None
    layers.check_gradients(stack, task, dropped=dropped)


@settings(deadline=None, max_examples=25)
@given(inner=stacks(), **sizes, ids=st.booleans())
def test_a_stack_is_a_layer_and_goes_into_another(inner, seed, T, m, ids):
    stack = deep.Stack((inner, recurrence.Layer("rnn", inner.n_out, 2)))
    layers.check_gradients(stack, layers.draw(stack, seed, T, m, ids))


@settings(deadline=None)
@given(
    unit=st.sampled_from(("rnn", "rnn-relu", "gru-reset-after", "lstm")),
    depth=st.integers(1, 3),
    two=st.booleans(),
    **sizes,
    n_x=st.integers(1, 4),
    n_a=st.integers(1, 4),
    masked=st.booleans(),
    dtype=st.sampled_from((np.float64, np.float64, np.float32)),
)
def test_equals_pytorch(unit, depth, two, seed, T, m, n_x, n_a, masked, dtype):
    if unit == "rnn-relu":
        dtype = np.float64  # in float32 a score may be rounded to the other side of the kink
    one = bidirectional.Layer if two else recurrence.Layer
    each, n = [], n_x
    for _ in range(depth):
        each.append(one(unit, n, n_a))
        n = each[-1].n_out
    stack = deep.Stack(tuple(each))
    task = layers.draw(stack, seed, T, m, dtype=dtype)
    close = 1e-12 if dtype == np.float64 else 1e-4
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, T + 1, m) if masked else np.full(m, T)
    mask = np.arange(T)[:, None] < lengths
    upstream = task.d_outputs * mask[:, None, :]  # outputs behind the end are zero in PyTorch, and nobody asks for them
    task = task._replace(mask=mask, d_outputs=upstream)
    run = stack.forward(*task[:4])
    module = torch_twins.layer_to_torch(stack, task.parameters)
    x = torch.tensor(task.x).transpose(1, 2).requires_grad_()
    parts = 2 if unit == "lstm" else 1
    blocks = np.split(task.s0, depth * (1 + two))  # of each direction of each layer, [a; c] or a
    starts = [torch.tensor(np.stack([np.split(b, parts)[k].T for b in blocks])).requires_grad_() for k in range(parts)]
    start = tuple(starts) if parts == 2 else starts[0]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    outputs, last = module(packed, start)
    outputs = torch.nn.utils.rnn.pad_packed_sequence(outputs, total_length=T)[0]
    last = last if parts == 2 else (last,)
    theirs = np.concatenate([np.concatenate([part[k].detach().numpy().T for part in last]) for k in range(len(blocks))])
    here = mask[:, None, :]
    assert run.outputs.dtype == dtype
    layers.assert_close(
        {"outputs": run.outputs * here, "last": run.s_last},
        {"outputs": outputs.detach().numpy().swapaxes(1, 2), "last": theirs},
        close,
    )
    ds = [np.stack([np.split(b, parts)[k].T for b in np.split(task.ds_last, len(blocks))]) for k in range(parts)]
    total = (outputs * torch.tensor(upstream).transpose(1, 2)).sum()
    total = total + sum((part * torch.tensor(d)).sum() for part, d in zip(last, ds, strict=True))
    total.backward()
    expected = torch_twins.gradients_from_torch(module)
    if depth == 1:
        expected = {f"1.{name}": value for name, value in expected.items()}
    expected["x"] = x.grad.numpy().swapaxes(1, 2)
    expected["s0"] = np.concatenate([np.concatenate([s.grad[k].numpy().T for s in starts]) for k in range(len(blocks))])
    layers.assert_close(layers.gradients(stack, task), expected, close)


@settings(deadline=None)
@given(**sizes, n=st.integers(1, 6))
def test_normalising_against_pytorch(seed, T, m, n):
    rng = np.random.default_rng(seed)
    x, gain, shift = rng.normal(size=(T, n, m)), rng.normal(size=(n, 1)), rng.normal(size=(n, 1))
    theirs = torch.nn.functional.layer_norm(
        torch.tensor(x).transpose(1, 2), (n,), torch.tensor(gain[:, 0]), torch.tensor(shift[:, 0]), deep.EPSILON
    )
    np.testing.assert_allclose(deep.normalise(x, gain, shift)[0], theirs.numpy().swapaxes(1, 2), rtol=1e-10, atol=1e-10)


def test_residual_connections_add_what_is_read():
    stack = deep.Stack((recurrence.Layer("gru", 3, 4), recurrence.Layer("lstm", 4, 4)), residual=True)
    task = layers.draw(stack, 0, 5, 2)
    first = stack.layers[0].forward({k[2:]: v for k, v in task.parameters.items() if k[0] == "1"}, task.x, task.s0[:4])
    second = stack.layers[1].forward(
        {k[2:]: v for k, v in task.parameters.items() if k[0] == "2"}, first.outputs, task.s0[4:]
    )
    np.testing.assert_array_equal(stack.forward(*task[:3]).outputs, first.outputs + second.outputs)


def test_columns_are_the_same_network_at_every_step():
    columns = deep.Columns(3, (5, 2), "relu")
    task = layers.draw(columns, 0, 4, 3)
    p, outputs = task.parameters, columns.forward(task.parameters, task.x).outputs
    for t in range(4):
        h = np.maximum(p["1.W"] @ task.x[t] + p["1.b"], 0)
        np.testing.assert_allclose(outputs[t], np.maximum(p["2.W"] @ h + p["2.b"], 0), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept(dtype):
    inner = (recurrence.Layer("lstm", 3, 4), deep.Columns(4, (4,)), bidirectional.Layer("gru", 4, 2))
    stack = deep.Stack(inner, residual=True, normalised=True)
    task = layers.draw(stack, 0, 5, 2, dtype=dtype)
    dropped = stack.draw_dropout(np.random.default_rng(0), 5, 2, 0.5, dtype)
    assert all(value.dtype == dtype for value in layers.gradients(stack, task, dropped=dropped).values())
    assert stack.forward(*task[:3], dropped=dropped).outputs.dtype == dtype
    assert all(value.dtype == dtype for value in stack.create(np.random.default_rng(0), dtype).values())


def test_dropout_drops_its_share_and_keeps_the_mean():
    stack = deep.Stack((recurrence.Layer("rnn", 3, 50), recurrence.Layer("rnn", 50, 4)))
    (kept,) = stack.draw_dropout(np.random.default_rng(0), 200, 10, 0.25)
    assert set(np.unique(kept)) == {0.0, 1 / 0.75}
    assert abs((kept == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / kept.size)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: deep.Stack(()), "at least one layer"),
        (
            lambda: deep.Stack((recurrence.Layer("rnn", 2, 3), recurrence.Layer("rnn", 4, 3))),
            "layer 2 reads columns of 4",
        ),
        (lambda: deep.Columns(2, ()), "at least one layer"),
        (lambda: deep.Columns(2, (0,)), r"sizes\[0\] has to be at least 1"),
        (lambda: deep.Columns(2, (1,), "softplus"), "activation is one of"),
    ],
)
def test_what_does_not_fit_together_is_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_bad_input_is_named():
    stack = deep.Stack((recurrence.Layer("rnn", 2, 3), deep.Columns(3, (4,))), normalised=True)
    task = layers.draw(stack, 0, 3, 2)
    with pytest.raises(ValueError, match=r"s0 has the shape \(2, 2\); it has to be \(n_s, m\) = \(3, 2\)"):
        stack.forward(task.parameters, task.x, np.zeros((2, 2)))
    with pytest.raises(ValueError, match="2 layers have 1 inputs between them"):
        stack.forward(task.parameters, task.x, dropped=())
    with pytest.raises(ValueError, match="dropped for layer 2 has the shape"):
        stack.forward(task.parameters, task.x, dropped=(np.ones((3, 2, 2)),))
    with pytest.raises(ValueError, match="the parameter gain is missing"):
        stack.forward({k: v for k, v in task.parameters.items() if k != "2.gain"}, task.x)
    run = stack.forward(task.parameters, task.x)
    with pytest.raises(ValueError, match="d_outputs has the shape"):
        stack.backward(task.parameters, run, np.zeros((3, 3, 2)))
    with pytest.raises(TypeError, match="columns read floats"):
        stack.layers[1].forward({}, np.zeros((3, 2), int))
    with pytest.raises(ValueError, match="dropout is a probability"):
        stack.draw_dropout(np.random.default_rng(0), 3, 2, 1.0)
