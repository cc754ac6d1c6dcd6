"""The loop over time with every unit: against formulas gate by gate, the complex step, other arrangements."""

import layers
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import gated, recurrence, rnn
from unrolled.activations import ACTIVATIONS, sigmoid
from unrolled.columns import product_of_steps

units = st.sampled_from(sorted(recurrence.UNITS))
sizes = {"seed": st.integers(0, 2**32), "T": st.integers(1, 6), "m": st.integers(1, 4)}
lengths = {"n_x": st.integers(1, 5), "n_a": st.integers(1, 5)}


def one_step(unit, p, x, s):
    """The state after a step, by the formulas of the chapters; x (n_x, m), s (n_s, m)."""
    if unit not in gated.GATED:
        g1 = ACTIVATIONS["tanh" if unit == "rnn" else unit.removeprefix("rnn-")].function
        return g1(p["Waa"] @ s + p["Wax"] @ x + p["ba"])
    w = gated.separate(p, unit)
    n_a = len(w["bu"])
    a = s[:n_a]

    def gate(k):
        return sigmoid(w[f"W{k}a"] @ a + w[f"W{k}x"] @ x + w[f"b{k}"])

    if unit == "lstm":
        candidate = np.tanh(w["Wca"] @ a + w["Wcx"] @ x + w["bc"])
        c = gate("u") * candidate + gate("f") * s[n_a:]
        return np.concatenate([gate("o") * np.tanh(c), c])
    if unit == "gru":
        candidate = np.tanh(w["Wca"] @ (gate("r") * a) + w["Wcx"] @ x + w["bc"])
    else:
        candidate = np.tanh(gate("r") * (w["Wca"] @ a + w["bca"]) + w["Wcx"] @ x + w["bc"])
    return gate("u") * candidate + (1 - gate("u")) * a


@settings(deadline=None)
@given(unit=units, **sizes, **lengths, ids=st.booleans(), masked=st.booleans())
def test_states_are_those_of_the_formulas(unit, seed, T, m, n_x, n_a, ids, masked):
    layer = recurrence.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, ids, masked)
    run = layer.forward(task.parameters, task.x, task.s0, task.mask)
    s = task.s0
    for t in range(T):
        x = np.eye(n_x)[:, task.x[t]] if ids else task.x[t]
        after = one_step(unit, task.parameters, x, s)
        s = after if task.mask is None else np.where(task.mask[t], after, s)
        np.testing.assert_allclose(run.s[t + 1], s, rtol=1e-11, atol=1e-13)
        np.testing.assert_array_equal(run.outputs[t], run.s[t + 1, :n_a])
    np.testing.assert_array_equal(run.s[0], task.s0)
    np.testing.assert_array_equal(run.s_last, run.s[-1])


@settings(deadline=None, max_examples=60)
@given(unit=units, **sizes, **lengths, ids=st.booleans(), masked=st.booleans())
def test_gradients_against_the_complex_step(unit, seed, T, m, n_x, n_a, ids, masked):
    if unit == "rnn-relu":
        unit = "rnn-sigmoid"  # the kink is tested with a margin in test_rnn
    layer = recurrence.Layer(unit, n_x, n_a)
    layers.check_gradients(layer, layers.draw(layer, seed, T, m, ids, masked))


@settings(deadline=None)
@given(unit=units, **sizes, **lengths, cut=st.integers(1, 5))
def test_reading_in_pieces_is_reading_at_once(unit, seed, T, m, n_x, n_a, cut):
    T, layer = T + cut, recurrence.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m)
    first = layer.forward(task.parameters, task.x[:cut], task.s0)
    second = layer.forward(task.parameters, task.x[cut:], first.s_last)
    whole = layer.forward(task.parameters, task.x, task.s0)
    np.testing.assert_allclose(np.concatenate([first.outputs, second.outputs]), whole.outputs, rtol=1e-11, atol=1e-13)
    later = layer.backward(task.parameters, second, task.d_outputs[cut:], task.ds_last)
    earlier = layer.backward(task.parameters, first, task.d_outputs[:cut], later.ds0)
    both = {name: value + later.gradients[name] for name, value in earlier.gradients.items()}
    back = layer.backward(task.parameters, whole, task.d_outputs, task.ds_last)
    layers.assert_close(both | {"s0": earlier.ds0}, back.gradients | {"s0": back.ds0})


@settings(deadline=None)
@given(unit=units, **sizes, **lengths, ids=st.booleans())
def test_padding_changes_nothing(unit, seed, T, m, n_x, n_a, ids):
    layer = recurrence.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, ids)
    rng = np.random.default_rng(seed)
    before, behind = rng.integers(0, 3, 2)

    def padded(v, fill):
        return np.concatenate(
            [np.full((before, *v.shape[1:]), fill, v.dtype), v, np.full((behind, *v.shape[1:]), fill, v.dtype)]
        )

    mask = padded(np.ones((T, m), bool), False)
    longer = task._replace(x=padded(task.x, 0 if ids else np.nan), mask=mask, d_outputs=padded(task.d_outputs, 0.0))
    found, expected = layers.gradients(layer, longer), layers.gradients(layer, task)
    if not ids:
        assert not found["x"][~mask[:, 0]].any()
        found["x"] = found["x"][before : before + T]
    layers.assert_close(found, expected)
    run, plain = layer.forward(*longer[:4]), layer.forward(*task[:4])
    np.testing.assert_allclose(run.s_last, plain.s_last, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("unit", sorted(recurrence.UNITS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept_and_nothing_is_changed(unit, dtype):
    layer = recurrence.Layer(unit, 3, 4)
    task = layers.draw(layer, 1, 5, 2, dtype=dtype)
    copies = {name: value.copy() for name, value in task.parameters.items()}
    x, s0 = task.x.copy(), task.s0.copy()
    first = layers.gradients(layer, task)
    run = layer.forward(task.parameters, task.x, task.s0)
    layer.backward(task.parameters, run, task.d_outputs + 1, task.ds_last)  # another way back in between
    again = layer.backward(task.parameters, run, task.d_outputs, task.ds_last)
    for name, value in again.gradients.items():
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, first[name])
        np.testing.assert_array_equal(task.parameters[name], copies[name])
    assert run.outputs.dtype == again.dx.dtype == again.ds0.dtype == dtype
    np.testing.assert_array_equal(task.x, x)
    np.testing.assert_array_equal(task.s0, s0)
    assert all(value.dtype == dtype for value in layer.create(np.random.default_rng(0), dtype).values())


@settings(deadline=None)
@given(**sizes, **lengths, ids=st.booleans(), masked=st.booleans(), g1=st.sampled_from(sorted(ACTIVATIONS)))
def test_the_simple_unit_is_the_layer_of_rnn(seed, T, m, n_x, n_a, ids, masked, g1):
    layer = recurrence.Layer("rnn" if g1 == "tanh" else f"rnn-{g1}", n_x, n_a)
    task = layers.draw(layer, seed, T, m, ids, masked)
    run = layer.forward(task.parameters, task.x, task.s0, task.mask)
    np.testing.assert_array_equal(run.s, rnn.layer_forward(task.parameters, task.x, task.s0, g1, task.mask))
    ours = layer.backward(task.parameters, run, task.d_outputs)
    theirs = rnn.layer_backward(task.parameters, task.x, run.s, task.d_outputs, g1, task.mask)
    for name, value in theirs.gradients.items():
        np.testing.assert_array_equal(ours.gradients[name], value)
    np.testing.assert_array_equal(ours.ds0, theirs.da0)


@pytest.mark.parametrize("unit", sorted(gated.GATED))
def test_gate_by_gate_and_back(unit):
    layer = recurrence.Layer(unit, 3, 4)
    parameters = layer.create(np.random.default_rng(0))
    by_gate = gated.separate(parameters, unit)
    assert by_gate["Wua"].shape == (4, 4)
    assert by_gate["Wux"].shape == (4, 3)
    assert by_gate["bu"].shape == (4, 1)
    joined = gated.join(by_gate, unit)
    assert list(joined) == list(parameters)
    for name, value in parameters.items():
        np.testing.assert_array_equal(joined[name], value)
        assert not np.shares_memory(joined[name], value)


def test_a_forget_gate_begins_open():
    parameters = recurrence.Layer("lstm", 2, 3).create(np.random.default_rng(0))
    np.testing.assert_array_equal(gated.separate(parameters, "lstm")["bf"], np.ones((3, 1)))
    assert not any(gated.separate(parameters, "lstm")[f"b{k}"].any() for k in "uoc")
    other = recurrence.Layer("lstm", 2, 3).create(np.random.default_rng(0), forget_bias=-2.0)
    np.testing.assert_array_equal(gated.separate(other, "lstm")["bf"], np.full((3, 1), -2.0))


def bad(layer, **changes):
    task = layers.draw(layer, 0, 3, 2)
    parameters = task.parameters | changes.pop("parameters", {})
    arguments = {"x": task.x, "s0": task.s0, "mask": None} | changes
    return layer.forward({k: v for k, v in parameters.items() if v is not None}, **arguments)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"parameters": {"Waa": None}}, ValueError, "the parameter Waa is missing"),
        ({"parameters": {"Waa": np.zeros((9, 3))}}, ValueError, r"Waa has the shape \(9, 3\); .*\(12, 3\)"),
        ({"parameters": {"Wax": np.zeros((12, 3))}}, ValueError, r"Wax has the shape \(12, 3\); .*\(12, 2\)"),
        ({"parameters": {"ba": np.zeros((3, 1))}}, ValueError, r"ba has the shape \(3, 1\); .*\(12, 1\)"),
        ({"parameters": {"ba": np.full((12, 1), np.nan)}}, ValueError, r"ba is not finite: ba\[0, 0\] is nan"),
        ({"parameters": {"ba": np.zeros((12, 1), np.float32)}}, TypeError, "float32 and float64 are mixed"),
        ({"x": np.zeros((3, 4, 2))}, ValueError, r"x has the shape \(3, 4, 2\); floats have to be .*n_x = 2"),
        ({"x": np.full((3, 2), 2)}, ValueError, "the id 2 in x is out of range"),
        ({"x": np.zeros((0, 2, 2))}, ValueError, "x is empty"),
        ({"s0": np.zeros((3, 2))}, ValueError, r"s0 has the shape \(3, 2\); it has to be \(n_s, m\) = \(6, 2\)"),
        ({"mask": np.ones((3, 2))}, TypeError, "a mask has to be boolean"),
        ({"mask": np.ones((2, 2), bool)}, ValueError, r"mask has the shape \(2, 2\)"),
    ],
)
def test_bad_input_is_named(changes, error, message):
    with pytest.raises(error, match=message):
        bad(recurrence.Layer("lstm", 2, 3), **changes)


def test_bad_gradients_and_sizes_are_named():
    layer = recurrence.Layer("gru", 2, 3)
    task = layers.draw(layer, 0, 4, 2)
    run = layer.forward(task.parameters, task.x)
    with pytest.raises(ValueError, match=r"d_outputs has the shape \(4, 2, 2\); it has to be \(T, n_a, m\)"):
        layer.backward(task.parameters, run, np.zeros((4, 2, 2)))
    with pytest.raises(ValueError, match="ds_last has the shape"):
        layer.backward(task.parameters, run, task.d_outputs, np.zeros((2, 2)))
    task.d_outputs[1, 0, 1] = np.inf
    with pytest.raises(ValueError, match=r"d_outputs is not finite: d_outputs\[1, 0, 1\] is inf"):
        layer.backward(task.parameters, run, task.d_outputs)
    with pytest.raises(ValueError, match=r"unit is one of .*; got 'lstmm'"):
        recurrence.Layer("lstmm", 2, 3)
    with pytest.raises(ValueError, match="n_a has to be at least 1; got 0"):
        recurrence.Layer("rnn", 2, 0)
    with pytest.raises(ValueError, match="the parameter Wra is missing"):
        gated.join({"Wua": np.zeros((1, 1))}, "gru")
    with pytest.raises(ValueError, match=r"Waa has the shape \(4, 2\); its rows have to be 3 blocks"):
        gated.separate({"Waa": np.zeros((4, 2)), "Wax": np.zeros((3, 1)), "ba": np.zeros((3, 1))}, "gru")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    ("several", "m", "K", "N"),
    [
        ((), 1, 3, 5),
        ((), 32, 256, 256),  # blocks of 64 columns, since 32 * 256 * 128 is more than a million
        ((), 32, 256, 250),  # 250 columns fall into no blocks of a multiple of 16
        ((), 400, 1_000, 32),  # not even blocks of 16 would be small
        ((4,), 2, 3, 5),
        ((4,), 32, 256, 256),
    ],
)
def test_the_product_of_steps(several, m, K, N, transposed, dtype):
    rng = np.random.default_rng(0)
    W = rng.normal(size=(*several, K, N)).astype(dtype)
    if transposed:
        W = np.ascontiguousarray(W.swapaxes(-1, -2)).swapaxes(-1, -2)
    wide = rng.normal(size=(m, 2 * K)).astype(dtype)
    times_W, out = product_of_steps(W, m), np.empty((*several, m, N), dtype)
    for a in (wide[:, K:], wide[:, :K].copy()):
        times_W(a, out)
        expected = a.astype(np.clongdouble) @ W.astype(np.clongdouble)
        size = np.abs(a) @ np.abs(W)  # of the terms that are summed
        assert (np.abs(out - expected) <= 4 * np.sqrt(K) * np.finfo(dtype).eps * size).all()
