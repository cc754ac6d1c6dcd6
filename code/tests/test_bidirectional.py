"""Both directions at once: against each column read alone, PyTorch, the complex step, and their own mirror image."""

import layers
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import bidirectional, padding, recurrence, torch_twins

UNITS = ("rnn", "rnn-sigmoid", "gru", "gru-reset-after", "lstm")
sizes = {"seed": st.integers(0, 2**32), "T": st.integers(1, 6), "m": st.integers(1, 4)}
widths = {"n_x": st.integers(1, 5), "n_a": st.integers(1, 5)}


def of(parameters, direction):
    """The parameters of one direction, under their plain names."""
    return {name.partition(".")[2]: value for name, value in parameters.items() if name.startswith(direction)}


def exchanged(parameters):
    """Each direction with the parameters of the other."""
    other = {"forward": "backward", "backward": "forward"}
    return {f"{other[name.partition('.')[0]]}.{name.partition('.')[2]}": value for name, value in parameters.items()}


def swap_halves(v, axis):
    """The two halves of an array along an axis, the second first."""
    return np.roll(v, v.shape[axis] // 2, axis=axis)


def twin_run(layer, task, lengths):
    """Outputs, last states and all gradients from PyTorch with packed sequences, in our shapes and under our names."""
    dtype, T = task.parameters["forward.Waa"].dtype, len(task.x)
    module = torch_twins.layer_to_torch(layer, task.parameters)
    x = torch.tensor(task.x).transpose(1, 2).requires_grad_()
    parts = 2 if layer.unit == "lstm" else 1
    blocks = [np.split(block, parts) for block in np.split(task.s0, 2)]  # of each direction, [a; c] or a
    starts = [torch.tensor(np.stack([block[k].T for block in blocks])).requires_grad_() for k in range(parts)]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    outputs, last = module(packed, tuple(starts) if parts == 2 else starts[0])
    outputs = torch.nn.utils.rnn.pad_packed_sequence(outputs, total_length=T)[0]
    last = last if parts == 2 else (last,)

    def joined(tensors):
        """(2, m, n_a) of each part of the state, as (n_s, m)."""
        arrays = [tensor.detach().numpy().swapaxes(1, 2) for tensor in tensors]
        return np.concatenate([np.concatenate([array[d] for array in arrays]) for d in range(2)])

    ends = [np.split(block, parts) for block in np.split(task.ds_last, 2)]
    total = (outputs * torch.tensor(task.d_outputs.swapaxes(1, 2).copy())).sum()
    for k in range(parts):
        total = total + (last[k] * torch.tensor(np.stack([end[k].T for end in ends]))).sum()
    total.backward()
    gradients = torch_twins.gradients_from_torch(module)
    gradients |= {"s0": joined([start.grad for start in starts]), "x": x.grad.numpy().swapaxes(1, 2)}
    assert all(value.dtype == dtype for value in gradients.values())
    return outputs.detach().numpy().swapaxes(1, 2), joined(last), gradients


@settings(deadline=None)
@given(
    unit=st.sampled_from(("rnn", "gru-reset-after", "lstm")),
    **sizes,
    **widths,
    full=st.booleans(),
    dtype=st.sampled_from((np.float64, np.float32)),
)
def test_equals_pytorch_with_packed_sequences(unit, seed, T, m, n_x, n_a, full, dtype):
    layer = bidirectional.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, dtype=dtype)
    lengths = np.full(m, T) if full else np.random.default_rng(seed).integers(1, T + 1, m)
    mask = padding.mask(lengths, T)
    task = task._replace(mask=mask, d_outputs=task.d_outputs * mask[:, None])  # PyTorch's outputs end with a sequence
    outputs, last, expected = twin_run(layer, task, lengths)
    run = layer.forward(*task[:4])
    rtol = 1e-12 if dtype == np.float64 else 2e-5
    found = {"outputs": run.outputs * mask[:, None], "last": run.s_last}
    layers.assert_close(found, {"outputs": outputs, "last": last}, rtol)
    layers.assert_close(layers.gradients(layer, task), expected, rtol)


@settings(deadline=None, max_examples=60)
@given(unit=st.sampled_from(UNITS), **sizes, **widths, ids=st.booleans(), masked=st.booleans())
def test_gradients_against_the_complex_step(unit, seed, T, m, n_x, n_a, ids, masked):
    layer = bidirectional.Layer(unit, n_x, n_a)
    layers.check_gradients(layer, layers.draw(layer, seed, T, m, ids, masked))


@settings(deadline=None)
@given(unit=st.sampled_from(UNITS), **sizes, **widths, ids=st.booleans(), masked=st.booleans())
def test_each_column_alone_turned_round_by_hand(unit, seed, T, m, n_x, n_a, ids, masked):
    """No mask on the other side: the real steps of a column are picked out, and turned round within their number."""
    layer, one = bidirectional.Layer(unit, n_x, n_a), recurrence.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, ids, masked)
    run = layer.forward(*task[:4])
    mask = np.ones((T, m), bool) if task.mask is None else task.mask
    for i in range(m):
        steps = np.flatnonzero(mask[:, i])
        start = np.split(task.s0[:, [i]], 2)
        ends = list(start)
        if steps.size:
            read = task.x[steps][..., [i]]
            right = one.forward(of(task.parameters, "forward"), read, start[0])
            left = one.forward(of(task.parameters, "backward"), read[::-1].copy(), start[1])
            both = np.concatenate([right.outputs, left.outputs[::-1]], axis=1)[..., 0]
            np.testing.assert_allclose(run.outputs[steps, :, i], both, rtol=1e-11, atol=1e-13)
            ends = [right.s_last, left.s_last]
        np.testing.assert_allclose(run.s_last[:, [i]], np.concatenate(ends), rtol=1e-11, atol=1e-13)


@settings(deadline=None)
@given(unit=st.sampled_from(UNITS), **sizes, **widths, ids=st.booleans())
def test_padding_changes_nothing(unit, seed, T, m, n_x, n_a, ids):
    """Neither behind the sequences nor in front of them, whatever stands there."""
    layer = bidirectional.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, ids)
    before, behind = np.random.default_rng(seed).integers(0, 4, 2)

    def padded(v, fill):
        ends = [np.full((number, *v.shape[1:]), fill, v.dtype) for number in (before, behind)]
        return np.concatenate([ends[0], v, ends[1]])

    filler = n_x - 1 if ids else np.nan
    longer = task._replace(
        x=padded(task.x, filler), mask=padded(np.ones((T, m), bool), False), d_outputs=padded(task.d_outputs, 0.0)
    )
    found, expected = layers.gradients(layer, longer), layers.gradients(layer, task)
    if not ids:
        assert not np.delete(found["x"], np.arange(before, before + T), axis=0).any()
        found["x"] = found["x"][before : before + T]
    layers.assert_close(found, expected)
    run, plain = layer.forward(*longer[:4]), layer.forward(*task[:4])
    np.testing.assert_allclose(run.outputs[before : before + T], plain.outputs, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(run.s_last, plain.s_last, rtol=1e-12, atol=1e-14)


@settings(deadline=None)
@given(unit=st.sampled_from(UNITS), **sizes, **widths, masked=st.booleans())
def test_what_the_padding_holds_plays_no_part_to_the_last_bit(unit, seed, T, m, n_x, n_a, masked):
    layer = bidirectional.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, masked=masked)
    mask = np.ones((T, m), bool) if task.mask is None else task.mask
    other = task._replace(x=np.where(mask[:, None], task.x, 1e3))
    np.testing.assert_array_equal(layer.forward(*task[:4]).outputs, layer.forward(*other[:4]).outputs)
    first, second = layers.gradients(layer, task), layers.gradients(layer, other)
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


@settings(deadline=None)
@given(unit=st.sampled_from(UNITS), **sizes, **widths, masked=st.booleans())
def test_mirror_image(unit, seed, T, m, n_x, n_a, masked):
    """The directions exchanged and time turned round: everything comes out turned round, its halves exchanged."""
    layer = bidirectional.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, masked=masked)
    mirrored = task._replace(
        parameters=exchanged(task.parameters),
        x=task.x[::-1],
        s0=swap_halves(task.s0, 0),
        mask=None if task.mask is None else task.mask[::-1],
        d_outputs=swap_halves(task.d_outputs[::-1], 1),
        ds_last=swap_halves(task.ds_last, 0),
    )
    run, other = layer.forward(*task[:4]), layer.forward(*mirrored[:4])
    np.testing.assert_array_equal(swap_halves(other.outputs[::-1], 1), run.outputs)
    np.testing.assert_array_equal(swap_halves(other.s_last, 0), run.s_last)
    found, expected = layers.gradients(layer, mirrored), layers.gradients(layer, task)
    back = exchanged({name: value for name, value in found.items() if "." in name})
    back |= {"s0": swap_halves(found["s0"], 0), "x": found["x"][::-1]}
    layers.assert_close(back, expected, rtol=1e-13)


@settings(deadline=None)
@given(unit=st.sampled_from(UNITS), **sizes, **widths, cut=st.integers(0, 5))
def test_neither_direction_knows_what_the_other_has_read(unit, seed, T, m, n_x, n_a, cut):
    cut = min(cut, T - 1)
    layer = bidirectional.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m)
    run = layer.forward(*task[:4])
    later, earlier = task.x.copy(), task.x.copy()
    later[cut + 1 :] += 1
    earlier[:cut] += 1
    changed = layer.forward(task.parameters, later, task.s0).outputs
    np.testing.assert_array_equal(changed[: cut + 1, :n_a], run.outputs[: cut + 1, :n_a])
    changed = layer.forward(task.parameters, earlier, task.s0).outputs
    np.testing.assert_array_equal(changed[cut:, n_a:], run.outputs[cut:, n_a:])


@settings(deadline=None)
@given(unit=st.sampled_from(UNITS), **sizes, **widths, masked=st.booleans())
def test_ids_stand_for_one_hot_columns(unit, seed, T, m, n_x, n_a, masked):
    layer = bidirectional.Layer(unit, n_x, n_a)
    task = layers.draw(layer, seed, T, m, ids=True, masked=masked)
    columns = task._replace(x=np.eye(n_x)[task.x].swapaxes(1, 2).copy())
    found, expected = layers.gradients(layer, task), layers.gradients(layer, columns)
    assert "x" not in found
    del expected["x"]
    layers.assert_close(found, expected)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept_and_nothing_is_changed(unit, dtype):
    layer = bidirectional.Layer(unit, 3, 4)
    task = layers.draw(layer, 1, 5, 2, masked=True, dtype=dtype)
    before = {name: value.copy() for name, value in task.parameters.items()}
    others = [v.copy() for v in (task.x, task.s0, task.d_outputs, task.ds_last)]
    run = layer.forward(*task[:4])
    back = layer.backward(task.parameters, run, task.d_outputs, task.ds_last)
    again = layer.backward(task.parameters, run, task.d_outputs, task.ds_last)
    assert run.outputs.dtype == run.s_last.dtype == back.dx.dtype == back.ds0.dtype == dtype
    for name, value in back.gradients.items():
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, again.gradients[name])
        np.testing.assert_array_equal(task.parameters[name], before[name])
    for old, v in zip(others, (task.x, task.s0, task.d_outputs, task.ds_last), strict=True):
        np.testing.assert_array_equal(old, v)


def test_sizes_and_names():
    layer = bidirectional.Layer("lstm", 3, 4)
    assert (layer.n_out, layer.n_s) == (8, 16)
    parameters = layer.create(np.random.default_rng(0))
    names = {f"{direction}.{name}" for direction in ("forward", "backward") for name in ("Waa", "Wax", "ba")}
    assert set(parameters) == names
    assert not np.array_equal(parameters["forward.Waa"], parameters["backward.Waa"])
    x, mask = np.zeros((5, 3, 2)), padding.mask([5, 2])
    run = layer.forward(parameters, x, mask=mask)
    assert run.outputs.shape == (5, 8, 2)
    assert run.s_last.shape == (16, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t._replace(s0=t.s0[:-1]), r"s0 has the shape \(15, 2\); it has to be \(n_s, m\) = \(16, 2\)"),
        (lambda t: t._replace(d_outputs=t.d_outputs[:, :4]), r"d_outputs has the shape \(5, 4, 2\)"),
        (lambda t: t._replace(ds_last=t.ds_last[:8]), r"ds_last has the shape \(8, 2\)"),
        (lambda t: t._replace(mask=np.ones((4, 2), bool)), "mask has the shape"),
        (lambda t: t._replace(x=t.x[:, :2]), "x has the shape"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    layer = bidirectional.Layer("lstm", 3, 4)
    task = change(layers.draw(layer, 1, 5, 2))
    with pytest.raises(ValueError, match=message):
        layers.gradients(layer, task)


@pytest.mark.parametrize("missing", ["forward.Wax", "backward.ba"])
def test_a_missing_parameter_is_named(missing):
    layer = bidirectional.Layer("gru", 3, 4)
    task = layers.draw(layer, 1, 5, 2)
    del task.parameters[missing]
    with pytest.raises(ValueError, match=missing.partition(".")[2]):
        layer.forward(*task[:4])


def test_an_unknown_unit_and_an_empty_size():
    with pytest.raises(ValueError, match="unit"):
        bidirectional.Layer("gnu", 3, 4)
    with pytest.raises(ValueError, match="n_a has to be at least 1; got 0"):
        bidirectional.Layer("gru", 3, 0)
