"""Networks on their way to PyTorch and back."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import rnn, torch_twins


def network(seed, n_x=4, n_a=5, n_y=3, dtype=np.float64):
    rng = np.random.default_rng(seed)
    created = rnn.create(rng, n_x, n_a, n_y)
    return {name: (value + rng.normal(0, 0.3, value.shape)).astype(dtype) for name, value in created.items()}


@settings(deadline=None)
@given(st.integers(0, 2**32), *[st.integers(1, 6)] * 5, st.sampled_from(["tanh", "relu"]))
def test_both_networks_compute_the_same(seed, T, n_x, n_a, n_y, m, g1):
    rng, p = np.random.default_rng(seed), network(seed, n_x, n_a, n_y)
    x, targets, a0 = rng.normal(size=(T, n_x, m)), rng.integers(0, n_y, (T, m)), rng.normal(size=(n_a, m))
    ours = rnn.cost_and_gradients(p, x, targets, a0, g1)
    layer, output = torch_twins.to_torch(p, g1)
    columns = torch.tensor(x).transpose(1, 2).requires_grad_()
    start = torch.tensor(a0.T[None]).requires_grad_()
    states, _ = layer(columns, start)
    z_y = output(states)
    J = torch.nn.functional.cross_entropy(z_y.flatten(0, 1), torch.tensor(targets).flatten(), reduction="sum")
    J.backward()
    np.testing.assert_allclose(ours.J, J.item(), rtol=1e-13)
    np.testing.assert_allclose(ours.a[1:], states.detach().numpy().swapaxes(1, 2), rtol=1e-13, atol=1e-14)
    theirs = {
        "Waa": layer.weight_hh_l0.grad,
        "Wax": layer.weight_ih_l0.grad,
        "ba": layer.bias_ih_l0.grad[:, None],
        "Wya": output.weight.grad,
        "by": output.bias.grad[:, None],
    }
    # A small gradient may be what is left of large terms that cancel: the largest of all gradients tells their size.
    scale = max(1.0, *(float(gradient.abs().max()) for gradient in theirs.values()))
    for name, gradient in theirs.items():
        np.testing.assert_allclose(ours.gradients[name], gradient.numpy(), rtol=1e-13, atol=1e-13 * scale, err_msg=name)
    np.testing.assert_allclose(ours.dx, columns.grad.numpy().swapaxes(1, 2), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(ours.da0, start.grad[0].numpy().T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("g1", ["tanh", "relu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_there_and_back(g1, dtype):
    p = network(1, dtype=dtype)
    layer, output = torch_twins.to_torch(p, g1)
    assert layer.nonlinearity == g1
    back = torch_twins.from_torch(layer, output)
    assert list(back) == list(p)
    for name in p:
        assert back[name].dtype == dtype
        np.testing.assert_array_equal(back[name], p[name])
        assert not np.shares_memory(back[name], p[name])


def test_the_twin_and_its_copy_do_not_share_memory():
    p = network(2)
    layer, output = torch_twins.to_torch(p)
    back = torch_twins.from_torch(layer, output)
    before = p["Waa"].copy()
    with torch.no_grad():
        layer.weight_hh_l0 += 1
    np.testing.assert_array_equal(p["Waa"], before)
    np.testing.assert_array_equal(back["Waa"], before)


@pytest.mark.parametrize("g1", ["tanh", "relu"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_network_made_by_torch_with_both_of_its_biases(g1, bias):
    torch.manual_seed(0)
    layer = torch.nn.RNN(4, 5, nonlinearity=g1, bias=bias, dtype=torch.float64)
    output = torch.nn.Linear(5, 3, bias=bias, dtype=torch.float64)
    x = np.random.default_rng(0).normal(size=(6, 4, 2))
    states, _ = layer(torch.tensor(x).transpose(1, 2))
    p = torch_twins.from_torch(layer, output)
    a, z_y = rnn.forward(p, x, g1=g1, g2="identity")
    np.testing.assert_allclose(a[1:], states.detach().numpy().swapaxes(1, 2), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(z_y, output(states).detach().numpy().swapaxes(1, 2), rtol=1e-13, atol=1e-14)


def test_a_step_of_gradient_descent_moves_both_alike():
    p, rng = network(3), np.random.default_rng(3)
    x, targets = rng.normal(size=(6, 4, 2)), rng.integers(0, 3, (6, 2))
    layer, output = torch_twins.to_torch(p)
    modules = torch.nn.ModuleList([layer, output])
    assert sum(v.numel() for v in modules.parameters() if v.requires_grad) == rnn.number_of_parameters(p)
    optimiser = torch.optim.SGD([v for v in modules.parameters() if v.requires_grad], lr=0.1)
    for _ in range(20):
        gradients = rnn.cost_and_gradients(p, x, targets).gradients
        p = {name: value - 0.1 * gradients[name] for name, value in p.items()}
        optimiser.zero_grad()
        z_y = output(layer(torch.tensor(x).transpose(1, 2))[0])
        torch.nn.functional.cross_entropy(
            z_y.flatten(0, 1), torch.tensor(targets).flatten(), reduction="sum"
        ).backward()
        optimiser.step()
    for name, value in torch_twins.from_torch(layer, output).items():
        np.testing.assert_allclose(p[name], value, rtol=1e-11, atol=1e-13, err_msg=name)


def test_bad_input_is_named():
    p = network(4)
    with pytest.raises(ValueError, match='knows "tanh" and "relu"; got \'sigmoid\''):
        torch_twins.to_torch(p, "sigmoid")
    with pytest.raises(ValueError, match="the parameter by is missing"):
        torch_twins.to_torch({name: value for name, value in p.items() if name != "by"})
    with pytest.raises(ValueError, match=r"ba has the shape \(5,\)"):
        torch_twins.to_torch(p | {"ba": np.zeros(5)})
    layer, output = torch_twins.to_torch(p)
    for wrong in (torch.nn.RNN(4, 5, 2), torch.nn.RNN(4, 5, bidirectional=True), torch.nn.LSTM(4, 5)):
        with pytest.raises(ValueError, match="one layer and one direction"):
            torch_twins.from_torch(wrong, output)
    with pytest.raises(ValueError, match="reads states of 6 numbers, the layer gives 5"):
        torch_twins.from_torch(layer, torch.nn.Linear(6, 3))
