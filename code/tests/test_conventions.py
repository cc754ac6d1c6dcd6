"""The page of other people's conventions: every row of its tables is computed both ways here."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from nltk.lm import MLE
from nltk.lm.preprocessing import padded_everygram_pipeline

from unrolled import bidirectional, metrics, padding
from unrolled.activations import softmax
from unrolled.deep import Stack, normalise
from unrolled.gated import join, separate
from unrolled.gradients import clip_by_global_norm
from unrolled.language_model import RecurrentModel, draw_dropout
from unrolled.losses import sigmoid_cross_entropy, softmax_cross_entropy
from unrolled.optimisers import Adam, Momentum
from unrolled.recurrence import Layer
from unrolled.rnn import layer_forward
from unrolled.torch_twins import layer_to_torch
from unrolled.vocabulary import Vocabulary
from unrolled.window import look_up

PAGE = Path(__file__).resolve().parents[2] / "book" / "conventions.md"

n_x, n_a, n_y, m, T_x = 5, 4, 3, 6, 7

ROWS: dict[str, Callable[[np.random.Generator], None]] = {}


def row(name: str) -> Callable:
    """Register the test of a row by the text of its first cell."""

    def register(test: Callable) -> Callable:
        ROWS[name] = test
        return test

    return register


def rows_of_page() -> list[str]:
    """The first cells of all rows of the page's tables."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [line.split("|")[1].strip() for line in lines]
    return [cell for cell in cells if cell and not set(cell) <= set("-: ")]


def equal(left: np.ndarray, right: np.ndarray) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-14)


def test_every_row_of_the_page_has_a_test_and_every_test_a_row() -> None:
    rows = rows_of_page()
    assert len(rows) >= 15
    assert sorted(rows) == sorted(ROWS)


@pytest.mark.parametrize("name", rows_of_page())
def test_row(name: str) -> None:
    ROWS[name](np.random.default_rng(7))


@row("linear layer")
@row("batch of inputs")
def linear_layer(rng: np.random.Generator) -> None:
    W, b, x = rng.normal(size=(n_y, n_x)), rng.normal(size=(n_y, 1)), rng.normal(size=(n_x, m))
    ours = W @ x + b
    theirs = torch.nn.functional.linear(torch.tensor(x.T), torch.tensor(W), torch.tensor(b[:, 0])).numpy()
    assert ours.shape == (n_y, m)
    assert theirs.shape == (m, n_y)
    equal(ours, theirs.T)
    equal(theirs, x.T @ W.T + b[:, 0])  # as written on the page for torch
    kernel = W.T  # d2l and Keras: X W + b, with b as a row
    equal(ours, (x.T @ kernel + b.T).T)


@row("weights of a layer")
def weights_of_a_layer(rng: np.random.Generator) -> None:
    W = rng.normal(size=(n_y, n_x))
    assert torch.nn.Linear(n_x, n_y).weight.shape == W.shape
    layer = torch.nn.Linear(n_x, n_y, bias=False, dtype=torch.float64)
    layer.weight.data = torch.tensor(W)
    x = rng.normal(size=(n_x, 1))
    equal(W @ x, layer(torch.tensor(x.T)).detach().numpy().T)


@row("embedding matrix")
def embedding_matrix(rng: np.random.Generator) -> None:
    V = 9
    E, ids = rng.normal(size=(n_x, V + 1)), rng.integers(0, V + 1, size=(1, m))
    theirs = torch.nn.functional.embedding(torch.tensor(ids[0]), torch.tensor(E.T)).numpy()
    equal(E[:, ids[0]], theirs.T)
    equal(look_up(E, ids), theirs.T)
    assert torch.nn.Embedding(V + 1, n_x).weight.shape == E.T.shape


@row("embedding as a product")
def embedding_as_a_product(rng: np.random.Generator) -> None:
    E = rng.normal(size=(n_x, 10))
    o = np.eye(10)[:, [3]]
    equal(E @ o, E[:, [3]])
    equal(o.T @ E.T, (E @ o).T)


@row("softmax")
def softmax_down_columns(rng: np.random.Generator) -> None:
    z = rng.normal(size=(n_y, m))
    equal(softmax(z), torch.softmax(torch.tensor(z.T), dim=1).numpy().T)
    equal(softmax(z).sum(axis=0), np.ones(m))
    last_axis = np.exp(z.T) / np.exp(z.T).sum(axis=-1, keepdims=True)  # d2l and Keras
    equal(softmax(z), last_axis.T)


@row("loss of one prediction")
def loss_of_one_prediction(rng: np.random.Generator) -> None:
    z, targets = rng.normal(size=(n_y, m)), rng.integers(0, n_y, size=m)
    ours = softmax_cross_entropy(z, targets)[0]
    theirs = torch.nn.functional.cross_entropy(torch.tensor(z.T), torch.tensor(targets), reduction="none").numpy()
    equal(ours, theirs)
    equal(ours, -np.log(softmax(z)[targets, np.arange(m)]))
    of_probabilities = torch.nn.functional.cross_entropy(torch.tensor(softmax(z).T), torch.tensor(targets)).item()
    assert abs(of_probabilities - ours.mean()) > 1e-3  # giving it y_hat instead of z is another function


@row("cost as a mean")
def cost_as_a_mean(rng: np.random.Generator) -> None:
    z, targets = rng.normal(size=(n_y, m)), rng.integers(0, n_y, size=m)
    default = torch.nn.functional.cross_entropy(torch.tensor(z.T), torch.tensor(targets)).item()
    named = torch.nn.functional.cross_entropy(torch.tensor(z.T), torch.tensor(targets), reduction="mean").item()
    equal(softmax_cross_entropy(z, targets)[0].mean(), default)
    assert default == named


@row("cost as a sum")
def cost_as_a_sum(rng: np.random.Generator) -> None:
    z, targets = rng.normal(size=(T_x, n_y, 1)), rng.integers(0, n_y, size=(T_x, 1))
    J = softmax_cross_entropy(z, targets)[0].sum()
    scores, right = torch.tensor(z[:, :, 0]), torch.tensor(targets[:, 0])
    equal(J, torch.nn.functional.cross_entropy(scores, right, reduction="sum").item())
    mean_over_time = sum(-np.log(softmax(z[t])[targets[t, 0], 0]) for t in range(T_x)) / T_x  # CS224n
    equal(J, T_x * mean_over_time)


@row("perplexity")
def perplexity(rng: np.random.Generator) -> None:
    z, targets = rng.normal(size=(n_y, m)), rng.integers(0, n_y, size=m)
    losses = softmax_cross_entropy(z, targets)[0]
    loss = torch.nn.functional.cross_entropy(torch.tensor(z.T), torch.tensor(targets))
    equal(metrics.perplexity(-losses), torch.exp(loss).item())
    equal(metrics.perplexity(-losses), 2 ** (losses / np.log(2)).mean())


def recurrent_network(rng: np.random.Generator) -> tuple[torch.nn.RNN, np.ndarray, np.ndarray]:
    """A torch network, our input, and our hidden states computed from its parameters with the book's formula."""
    torch.manual_seed(int(rng.integers(1 << 30)))
    theirs = torch.nn.RNN(n_x, n_a, dtype=torch.float64)
    Waa, Wax = theirs.weight_hh_l0.detach().numpy(), theirs.weight_ih_l0.detach().numpy()
    ba = (theirs.bias_ih_l0 + theirs.bias_hh_l0).detach().numpy()[:, None]
    x = rng.normal(size=(T_x, n_x, m))
    a = np.zeros((T_x + 1, n_a, m))
    for t in range(T_x):
        a[t + 1] = np.tanh(Waa @ a[t] + Wax @ x[t] + ba)
    return theirs, x, a


@row("hidden state")
@row("weights from state to state")
@row("weights from input to state")
def hidden_state(rng: np.random.Generator) -> None:
    theirs, x, a = recurrent_network(rng)
    h, last = theirs(torch.tensor(x).transpose(1, 2))
    equal(a[1:], h.detach().numpy().transpose(0, 2, 1))
    equal(a[-1], last[0].detach().numpy().T)
    assert theirs.nonlinearity == "tanh"
    # the same in rows, with transposed weights, as d2l and Keras write it
    W_hh, W_xh = theirs.weight_hh_l0.detach().numpy().T, theirs.weight_ih_l0.detach().numpy().T
    b_h = (theirs.bias_ih_l0 + theirs.bias_hh_l0).detach().numpy()
    H = np.zeros((m, n_a))
    for t in range(T_x):
        H = np.tanh(x[t].T @ W_xh + H @ W_hh + b_h)
    equal(a[-1], H.T)
    # CS224n, with its sigmoid, against torch's cell computed by hand
    W, sigma = theirs.weight_hh_l0.detach(), torch.sigmoid
    by_torch = sigma(W @ torch.tensor(a[1]) + theirs.weight_ih_l0.detach() @ torch.tensor(x[1])).numpy()
    equal(1 / (1 + np.exp(-(W_hh.T @ a[1] + W_xh.T @ x[1]))), by_torch)


@row("bias of the state")
def bias_of_the_state(rng: np.random.Generator) -> None:
    theirs, x, a = recurrent_network(rng)
    with torch.no_grad():
        theirs.bias_ih_l0 += theirs.bias_hh_l0
        theirs.bias_hh_l0.zero_()
    h, _ = theirs(torch.tensor(x).transpose(1, 2))
    equal(a[1:], h.detach().numpy().transpose(0, 2, 1))


@row("sequence of inputs")
def sequence_of_inputs(rng: np.random.Generator) -> None:
    theirs, x, a = recurrent_network(rng)
    first = torch.nn.RNN(n_x, n_a, batch_first=True, dtype=torch.float64)
    first.load_state_dict(theirs.state_dict())
    assert x.shape == (T_x, n_x, m)
    time_first = theirs(torch.tensor(x.transpose(0, 2, 1)))[0].detach().numpy()
    batch_first = first(torch.tensor(x.transpose(2, 0, 1)))[0].detach().numpy()
    equal(a[1:], time_first.transpose(0, 2, 1))
    equal(a[1:], batch_first.transpose(1, 2, 0))


@row("training two biases")
def training_two_biases(rng: np.random.Generator) -> None:
    theirs, x, _ = recurrent_network(rng)
    before = (theirs.bias_ih_l0 + theirs.bias_hh_l0).detach().numpy().copy()
    optimiser = torch.optim.SGD(theirs.parameters(), lr=0.1)
    theirs(torch.tensor(x).transpose(1, 2))[0].square().sum().backward()
    equal(theirs.bias_ih_l0.grad.numpy(), theirs.bias_hh_l0.grad.numpy())
    dba = theirs.bias_ih_l0.grad.numpy().copy()
    assert np.abs(dba).max() > 1e-3
    optimiser.step()
    moved = (theirs.bias_ih_l0 + theirs.bias_hh_l0).detach().numpy() - before
    equal(moved, -2 * 0.1 * dba)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def gated_layer(unit: str, rng: np.random.Generator) -> tuple[Layer, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """A layer, its parameters with no number like another, an input, and its states."""
    layer = Layer(unit, n_x, n_a)
    parameters = {name: rng.normal(size=value.shape) for name, value in layer.create(rng).items()}
    x = rng.normal(size=(T_x, n_x, m))
    return layer, parameters, x, layer.forward(parameters, x).s


def torch_outputs(theirs: torch.nn.RNNBase, x: np.ndarray) -> np.ndarray:
    return theirs(torch.tensor(x).transpose(1, 2))[0].detach().numpy().transpose(0, 2, 1)


def fill(theirs: torch.nn.RNNBase, hh: list, ih: list, b_ih: list, b_hh: list) -> torch.nn.RNNBase:
    """Blocks of gates put into torch's parameters, in the order given."""
    with torch.no_grad():
        theirs.weight_hh_l0[:] = torch.tensor(np.concatenate(hh))
        theirs.weight_ih_l0[:] = torch.tensor(np.concatenate(ih))
        theirs.bias_ih_l0[:] = torch.tensor(np.concatenate(b_ih)[:, 0])
        theirs.bias_hh_l0[:] = torch.tensor(np.concatenate(b_hh)[:, 0])
    return theirs


def torch_gru(g: dict[str, np.ndarray]) -> torch.nn.GRU:
    """r, z, n, with z = 1 - Gamma_u."""
    return fill(
        torch.nn.GRU(n_x, n_a, dtype=torch.float64),
        [g["Wra"], -g["Wua"], g["Wca"]],
        [g["Wrx"], -g["Wux"], g["Wcx"]],
        [g["br"], -g["bu"], g["bc"]],
        [0 * g["br"], 0 * g["bu"], g["bca"]],
    )


def keras_gru(g: dict[str, np.ndarray], x: np.ndarray, reset_after: bool) -> np.ndarray:
    """The last state in rows, as Keras documents it: gates z, r, h; z keeps; bias (2, 3 n_a) with reset_after."""
    kernel = np.hstack([-g["Wux"].T, g["Wrx"].T, g["Wcx"].T])
    recurrent_kernel = np.hstack([-g["Wua"].T, g["Wra"].T, g["Wca"].T])
    bias = np.zeros((2, 3 * n_a))
    bias[0] = np.concatenate([-g["bu"], g["br"], g["bc"]])[:, 0]
    if reset_after:
        bias[1, 2 * n_a :] = g["bca"][:, 0]
    h = np.zeros((m, n_a))
    for x_t in x:
        x_z, x_r, x_h = np.split(x_t.T @ kernel + bias[0], 3, axis=1)
        if reset_after:
            h_z, h_r, h_h = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
            z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
            hh = np.tanh(x_h + r * h_h)
        else:
            U_z, U_r, U_h = np.split(recurrent_kernel, 3, axis=1)
            z, r = sigmoid(x_z + h @ U_z), sigmoid(x_r + h @ U_r)
            hh = np.tanh(x_h + (r * h) @ U_h)
        h = z * h + (1 - z) * hh
    return h


@row("where the relevance gate acts")
@row("update gate of the GRU")
@row("order of the GRU's gates")
def forms_of_the_gru(rng: np.random.Generator) -> None:
    layer, parameters, x, a = gated_layer("gru-reset-after", rng)
    g = separate(parameters, "gru-reset-after")
    equal(a[1:], torch_outputs(torch_gru(g), x))
    equal(a[-1], keras_gru(g, x, reset_after=True).T)
    ng = Layer("gru", n_x, n_a).forward(join(g, "gru"), x).s
    equal(ng[-1], keras_gru(g, x, reset_after=False).T)
    assert np.abs(ng - a).max() > 0.1  # two functions, not two notations
    # CS224n: z keeps, and no bias inside the gate
    g["bca"] = 0 * g["bca"]
    h = np.zeros((n_a, m))
    for x_t in x:
        z = sigmoid(-(g["Wux"] @ x_t + g["Wua"] @ h + g["bu"]))
        r = sigmoid(g["Wrx"] @ x_t + g["Wra"] @ h + g["br"])
        h = (1 - z) * np.tanh(r * (g["Wca"] @ h) + g["Wcx"] @ x_t + g["bc"]) + z * h
    equal(layer.forward(join(g, "gru-reset-after"), x).s[-1], h)


@row("biases of the GRU")
def biases_of_the_gru(rng: np.random.Generator) -> None:
    _, parameters, x, a = gated_layer("gru-reset-after", rng)
    theirs = torch_gru(separate(parameters, "gru-reset-after"))
    assert theirs.bias_ih_l0.shape == theirs.bias_hh_l0.shape == (3 * n_a,)
    moved = torch.tensor(rng.normal(size=3 * n_a))
    with torch.no_grad():  # from one vector to the other: nothing changes for r and z
        theirs.bias_ih_l0[: 2 * n_a] += moved[: 2 * n_a]
        theirs.bias_hh_l0[: 2 * n_a] -= moved[: 2 * n_a]
    equal(a[1:], torch_outputs(theirs, x))
    with torch.no_grad():  # but for n
        theirs.bias_ih_l0[2 * n_a :] += moved[2 * n_a :]
        theirs.bias_hh_l0[2 * n_a :] -= moved[2 * n_a :]
    assert np.abs(a[1:] - torch_outputs(theirs, x)).max() > 0.01


def lstm_blocks(g: dict[str, np.ndarray], order: str) -> list[list[np.ndarray]]:
    names = ("Wfa", "Wfx", "bf")
    return [[g[name.replace("f", gate)] for gate in order] for name in names]


@row("order of the LSTM's gates")
@row("state of an LSTM")
def order_of_the_lstm(rng: np.random.Generator) -> None:
    layer, parameters, x, s = gated_layer("lstm", rng)
    assert s.shape == (T_x + 1, 2 * n_a, m)
    g = separate(parameters, "lstm")
    hh, ih, b = lstm_blocks(g, "ufco")
    theirs = fill(torch.nn.LSTM(n_x, n_a, dtype=torch.float64), hh, ih, b, [0 * block for block in b])
    outputs, (h, c) = theirs(torch.tensor(x).transpose(1, 2))
    equal(s[1:, :n_a], outputs.detach().numpy().transpose(0, 2, 1))
    assert h.shape == c.shape == (1, m, n_a)
    equal(s[-1], torch.cat([h[0], c[0]], 1).detach().numpy().T)
    # as Keras documents it, in rows: i, f, c, o
    kernel, recurrent_kernel, bias = np.vstack(ih).T, np.vstack(hh).T, np.vstack(b).T
    state = [np.zeros((m, n_a)), np.zeros((m, n_a))]
    for x_t in x:
        i, f, c_new, o = np.split(x_t.T @ kernel + state[0] @ recurrent_kernel + bias, 4, axis=1)
        cell = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(c_new)
        state = [sigmoid(o) * np.tanh(cell), cell]
    equal(s[-1], np.hstack(state).T)
    assert layer.n_s == 2 * n_a


@row("weights of a gate")
def weights_of_a_gate(rng: np.random.Generator) -> None:
    _, parameters, x, s = gated_layer("lstm", rng)
    g = separate(parameters, "lstm")
    a, c = s[3, :n_a], s[3, n_a:]
    both = np.vstack([a, x[3]])  # Ng: a over x
    W = {gate: np.hstack([g[f"W{gate}a"], g[f"W{gate}x"]]) for gate in "fuoc"}
    z = {gate: W[gate] @ both + g[f"b{gate}"] for gate in "fuoc"}
    cell = sigmoid(z["u"]) * np.tanh(z["c"]) + sigmoid(z["f"]) * c
    equal(s[4], np.vstack([sigmoid(z["o"]) * np.tanh(cell), cell]))


@row("bias of the forget gate at the start")
def bias_of_the_forget_gate(rng: np.random.Generator) -> None:
    g = separate(Layer("lstm", n_x, 50).create(rng), "lstm")
    assert (g["bf"] == 1).all()
    assert not any(g[name].any() for name in ("bu", "bo", "bc"))
    torch.manual_seed(0)
    theirs = torch.nn.LSTM(n_x, 50)
    for bias in (theirs.bias_ih_l0, theirs.bias_hh_l0):
        forget = bias[50:100].detach().numpy()  # i, f, g, o
        assert np.abs(forget).max() <= 1 / np.sqrt(50)
        assert abs(forget.mean()) < 0.1


@row("loss of yes-or-no outputs")
def loss_of_yes_or_no_outputs(rng: np.random.Generator) -> None:
    z, y = rng.normal(size=(T_x, n_y, m)), rng.integers(0, 2, size=(T_x, n_y, m)).astype(np.float64)
    losses = sigmoid_cross_entropy(z, y)[0]
    assert losses.shape == (T_x, m)
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor(z), torch.tensor(y), reduction="none")
    equal(losses, theirs.numpy().sum(axis=1))
    mean = torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor(z), torch.tensor(y)).item()
    equal(losses.sum() / z.size, mean)
    by_keras = (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).mean(axis=1)  # as it documents it
    equal(losses / n_y, by_keras)


@row("state behind the end of a sequence")
def state_behind_the_end(rng: np.random.Generator) -> None:
    theirs, x, _ = recurrent_network(rng)
    lengths = rng.integers(1, T_x + 1, size=m)
    lengths[0] = T_x
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x.transpose(0, 2, 1)), torch.tensor(lengths), enforce_sorted=False
    )
    outputs, last = theirs(packed)
    outputs = torch.nn.utils.rnn.pad_packed_sequence(outputs)[0].detach().numpy().transpose(0, 2, 1)
    ba = (theirs.bias_ih_l0 + theirs.bias_hh_l0).detach().numpy()[:, None]
    parameters = {"Waa": theirs.weight_hh_l0.detach().numpy(), "Wax": theirs.weight_ih_l0.detach().numpy(), "ba": ba}
    a = layer_forward(parameters, x, mask=padding.mask(lengths, T_x))
    equal(a[-1], last[0].detach().numpy().T)
    for i, length in enumerate(lengths):
        equal(a[1 : length + 1, :, i], outputs[:length, :, i])
        assert not outputs[length:, :, i].any()
        assert (a[length + 1 :, :, i] == a[length, :, i]).all()


def both_directions(
    rng: np.random.Generator,
) -> tuple[torch.nn.RNN, bidirectional.Layer, dict[str, np.ndarray], np.ndarray]:
    """A torch layer in both directions, ours with the same numbers, and columns for both."""
    layer = bidirectional.Layer("rnn", n_x, n_a)
    parameters = {name: rng.normal(0, 0.5, value.shape) for name, value in layer.create(rng).items()}
    return layer_to_torch(layer, parameters), layer, parameters, rng.normal(size=(T_x, n_x, m))


def keras_bidirectional(parameters: dict[str, np.ndarray], x: np.ndarray, merge_mode: str) -> np.ndarray:
    """As Keras documents it, (m, T_x, n): one layer goes backwards, its outputs are turned round; merged."""
    batch, outputs = x.transpose(2, 0, 1), []
    for direction, time in (("forward", range(T_x)), ("backward", reversed(range(T_x)))):
        kernel, recurrent = parameters[f"{direction}.Wax"].T, parameters[f"{direction}.Waa"].T
        h, each = np.zeros((m, n_a)), []
        for t in time:
            h = np.tanh(batch[:, t] @ kernel + h @ recurrent + parameters[f"{direction}.ba"].T)
            each.append(h)
        outputs.append(np.stack(each, axis=1))
    right, left = outputs[0], outputs[1][:, ::-1]
    return np.concatenate([right, left], axis=-1) if merge_mode == "concat" else right + left


@row("both directions in one output")
def both_directions_in_one_output(rng: np.random.Generator) -> None:
    theirs, layer, parameters, x = both_directions(rng)
    outputs = theirs(torch.tensor(x.transpose(0, 2, 1)))[0].detach().numpy()
    assert outputs.shape == (T_x, m, 2 * n_a)
    ours = layer.forward(parameters, x).outputs
    equal(ours, outputs.transpose(0, 2, 1))
    plain = {name: parameters[f"forward.{name}"] for name in ("Waa", "Wax", "ba")}
    equal(ours[:, :n_a], layer_forward(plain, x)[1:])  # to the right on top
    equal(ours, keras_bidirectional(parameters, x, "concat").transpose(1, 2, 0))


@row("states of both directions added")
def states_of_both_directions_added(rng: np.random.Generator) -> None:
    _, layer, parameters, x = both_directions(rng)
    V = rng.normal(size=(n_y, n_a))
    ours = np.tile(V, 2) @ layer.forward(parameters, x).outputs
    equal(ours, (keras_bidirectional(parameters, x, "sum") @ V.T).transpose(1, 2, 0))


@row("last states of both directions")
def last_states_of_both_directions(rng: np.random.Generator) -> None:
    theirs, layer, parameters, x = both_directions(rng)
    outputs, h_n = (v.detach().numpy() for v in theirs(torch.tensor(x.transpose(0, 2, 1))))
    assert h_n.shape == (2, m, n_a)
    ours = layer.forward(parameters, x).s_last
    equal(ours, np.concatenate([h_n[0].T, h_n[1].T]))
    equal(h_n[1], outputs[0, :, n_a:])  # the first output's half, and not the last one's
    assert np.abs(h_n[1] - outputs[-1, :, n_a:]).max() > 1e-2
    of_keras = keras_bidirectional(parameters, x, "concat")
    equal(ours, np.concatenate([of_keras[:, -1, :n_a].T, of_keras[:, 0, n_a:].T]))


@row("parameters of the direction to the left")
def parameters_of_the_direction_to_the_left(rng: np.random.Generator) -> None:
    theirs, _, parameters, x = both_directions(rng)
    equal(parameters["backward.Waa"], theirs.weight_hh_l0_reverse.detach().numpy())
    equal(parameters["backward.Wax"], theirs.weight_ih_l0_reverse.detach().numpy())
    biases = theirs.bias_ih_l0_reverse + theirs.bias_hh_l0_reverse
    equal(parameters["backward.ba"][:, 0], biases.detach().numpy())
    plain = {name: parameters[f"backward.{name}"] for name in ("Waa", "Wax", "ba")}
    to_the_left = layer_forward(plain, x[::-1])[1:][::-1]  # go_backwards, and turned round again
    equal(to_the_left, keras_bidirectional(parameters, x, "concat").transpose(1, 2, 0)[:, n_a:])


@row("reading to the left in a padded batch")
def reading_to_the_left_in_a_padded_batch(rng: np.random.Generator) -> None:
    theirs, layer, parameters, x = both_directions(rng)
    lengths = rng.integers(1, T_x, size=m)
    lengths[0] = T_x
    mask = padding.mask(lengths, T_x)
    columns = torch.tensor(x.transpose(0, 2, 1))
    packed = torch.nn.utils.rnn.pack_padded_sequence(columns, torch.tensor(lengths), enforce_sorted=False)
    outputs, h_n = theirs(packed)
    outputs = torch.nn.utils.rnn.pad_packed_sequence(outputs)[0].detach().numpy().transpose(0, 2, 1)
    run = layer.forward(parameters, x, mask=mask)
    equal(np.where(mask[:, None], run.outputs, 0), outputs)
    equal(run.s_last, np.concatenate([h_n[0].detach().numpy().T, h_n[1].detach().numpy().T]))
    unpacked = theirs(columns)[0].detach().numpy().transpose(0, 2, 1)
    equal(layer.forward(parameters, x).outputs, unpacked)  # both read the padding
    assert np.abs(unpacked - outputs)[:, n_a:][np.broadcast_to(mask[:, None], (T_x, n_a, m))].max() > 1e-2
    h = np.zeros((m, n_a))  # Keras: masked steps keep the state of the step before, here that of the step behind
    for t in reversed(range(T_x)):
        z = x[t].T @ parameters["backward.Wax"].T + h @ parameters["backward.Waa"].T + parameters["backward.ba"].T
        h = np.where(mask[t][:, None], np.tanh(z), h)
    equal(run.s_last[n_a:], h.T)


def gradients_in_turn(rng: np.random.Generator, steps: int = 8) -> list[np.ndarray]:
    return [rng.normal(size=(n_a, n_x)) for _ in range(steps)]


def by_torch(optimiser: Callable, start: np.ndarray, gradients: list[np.ndarray]) -> np.ndarray:
    """Where one of torch's optimisers ends that is given these gradients one after the other."""
    w = torch.tensor(start.copy(), requires_grad=True)
    steps = optimiser([w])
    for g in gradients:
        w.grad = torch.tensor(g)
        steps.step()
    return w.detach().numpy()


def a_stack(rng: np.random.Generator) -> tuple[Stack, dict[str, np.ndarray], torch.nn.RNNBase]:
    """Three layers, their parameters, and the twin."""
    stack = Stack((Layer("rnn", n_x, n_a), Layer("rnn", n_a, n_a), Layer("rnn", n_a, n_a)))
    parameters = {name: value + rng.normal(size=value.shape) for name, value in stack.create(rng).items()}
    return stack, parameters, layer_to_torch(stack, parameters)


@row("number of a layer")
def number_of_a_layer(rng: np.random.Generator) -> None:
    _, parameters, module = a_stack(rng)
    for level in (1, 2, 3):
        equal(getattr(module, f"weight_hh_l{level - 1}").detach().numpy(), parameters[f"{level}.Waa"])
        equal(getattr(module, f"weight_ih_l{level - 1}").detach().numpy(), parameters[f"{level}.Wax"])


@row("states of a stack")
def states_of_a_stack(rng: np.random.Generator) -> None:
    stack, parameters, module = a_stack(rng)
    x = rng.normal(size=(T_x, n_x, m))
    _, h_n = module(torch.tensor(x).transpose(1, 2))
    assert h_n.shape == (3, m, n_a)
    equal(stack.forward(parameters, x).s_last, np.concatenate([state.T for state in h_n.detach().numpy()]))


@row("dropout in a stack")
def dropout_in_a_stack(rng: np.random.Generator) -> None:
    stack, parameters, module = a_stack(rng)
    x = rng.normal(size=(T_x, n_x, m))
    # Everything dropped: PyTorch's highest layer then reads zeros, and so does ours; what the highest says is kept.
    module.dropout = 1.0
    theirs, h_n = module(torch.tensor(x).transpose(1, 2))
    nothing = tuple(np.zeros((T_x, n_a, m)) for _ in range(2))
    run = stack.forward(parameters, x, dropped=nothing)
    equal(run.outputs, theirs.detach().numpy().swapaxes(1, 2))
    equal(run.s_last[:n_a], h_n[0].detach().numpy().T)  # the lowest layer has read x undisturbed
    assert np.abs(run.outputs).min() > 0
    assert [kept.shape for kept in stack.draw_dropout(rng, T_x, m, 0.5)] == [(T_x, n_a, m)] * 2


@row("$\\varepsilon$ of layer normalisation")
def epsilon_of_layer_normalisation(rng: np.random.Generator) -> None:
    x = 1e-3 * rng.normal(size=(T_x, n_x, m))  # so small that epsilon matters
    gain, shift = rng.normal(size=(n_x, 1)), rng.normal(size=(n_x, 1))
    module = torch.nn.LayerNorm(n_x, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(torch.tensor(gain[:, 0]))
        module.bias.copy_(torch.tensor(shift[:, 0]))
    ours, _ = normalise(x, gain, shift)
    equal(ours, module(torch.tensor(x).transpose(1, 2)).detach().numpy().swapaxes(1, 2))
    keras = gain * (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-3) + shift
    assert np.abs(ours - keras).max() > 0.01


@row("clipping by the global norm")
def clipping_by_the_global_norm(rng: np.random.Generator) -> None:
    g = {"W": rng.normal(size=(n_a, n_x)), "b": rng.normal(size=(n_a, 1))}
    norm = np.sqrt(sum((v**2).sum() for v in g.values()))
    for threshold in (0.1 * norm, 2 * norm):
        clipped, before = clip_by_global_norm(g, threshold)
        equal(before, norm)
        tensors = [torch.zeros(v.shape, dtype=torch.float64, requires_grad=True) for v in g.values()]
        for tensor, v in zip(tensors, g.values(), strict=True):
            tensor.grad = torch.tensor(v)
        torch.nn.utils.clip_grad_norm_(tensors, threshold)
        for tensor, name in zip(tensors, g, strict=True):
            equal(tensor.grad.numpy(), g[name] * min(1.0, threshold / (norm + 1e-6)))
            equal(clipped[name], g[name] * min(1.0, threshold / norm))
            by_d2l = g[name] * threshold / norm if norm > threshold else g[name]
            equal(clipped[name], by_d2l)


@row("momentum")
def momentum(rng: np.random.Generator) -> None:
    mu, rate = 0.8, 0.05
    start, gradients = rng.normal(size=(n_a, n_x)), gradients_in_turn(rng)
    ours, optimiser = {"W": start.copy()}, Momentum(rate, mu)
    v, of_ng = np.zeros_like(start), start.copy()
    for g in gradients:
        optimiser.update(ours, {"W": g})
        v = mu * v + (1 - mu) * g
        of_ng -= rate / (1 - mu) * v
    equal(ours["W"], by_torch(lambda w: torch.optim.SGD(w, lr=rate, momentum=mu), start, gradients))
    equal(ours["W"], of_ng)


@row("Adam's $\\epsilon$")
def epsilon_of_adam(rng: np.random.Generator) -> None:
    rate, epsilon = 0.05, 0.3  # large, so that its place matters
    start, gradients = rng.normal(size=(n_a, n_x)), gradients_in_turn(rng)
    ours, optimiser = {"W": start.copy()}, Adam(rate, epsilon=epsilon)
    m_, v, of_keras = np.zeros_like(start), np.zeros_like(start), start.copy()
    effective, as_ours = [], start.copy()
    for t, g in enumerate(gradients, start=1):
        optimiser.update(ours, {"W": g})
        m_, v = 0.9 * m_ + 0.1 * g, 0.999 * v + 0.001 * g**2
        corrected = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        of_keras -= corrected * m_ / (np.sqrt(v) + epsilon)
        effective.append(epsilon / np.sqrt(1 - 0.999**t))  # Keras's epsilon in our place
        as_ours -= rate * (m_ / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + effective[-1])
    equal(ours["W"], by_torch(lambda w: torch.optim.Adam(w, lr=rate, eps=epsilon), start, gradients))
    equal(of_keras, as_ours)
    assert min(effective) > epsilon
    assert np.abs(of_keras - ours["W"]).max() > 1e-3


@row("dropout's number")
def number_of_dropout(rng: np.random.Generator) -> None:
    parameters = RecurrentModel.create(rng, Vocabulary(list("abc")), hidden=50).parameters
    p = 0.3
    dropped = draw_dropout(rng, parameters, 40, 50, p)
    ours = np.concatenate([v.ravel() for v in dropped if v is not None])
    assert set(np.unique(ours)) == {0.0, 1 / (1 - p)}
    torch.manual_seed(0)
    theirs = torch.nn.Dropout(p)(torch.ones(10_000, dtype=torch.float64)).numpy()
    equal(np.unique(theirs), np.unique(ours))
    for values in (ours, theirs):
        share = np.mean(values == 0)
        assert abs(share - p) < 6 * np.sqrt(p * (1 - p) / values.size)


SENTENCES = [["to", "be"], ["or", "not", "to", "be"]]


@row("beginning of a sentence")
def beginning_of_a_sentence(_rng: np.random.Generator) -> None:
    for order in (2, 3, 4):
        _, padded = padded_everygram_pipeline(order, SENTENCES[:1])
        assert list(padded) == ["<s>"] * (order - 1) + ["to", "be"] + ["</s>"] * (order - 1)
    vocabulary = Vocabulary.from_sentences(SENTENCES)
    assert vocabulary.decode(vocabulary.encode_sentences(SENTENCES[:1])) == ["<s>", "to", "be", "</s>"]


@row("size of the vocabulary")
def size_of_the_vocabulary(_rng: np.random.Generator) -> None:
    train, padded = padded_everygram_pipeline(2, SENTENCES)
    theirs = MLE(2)
    theirs.fit(train, padded)
    ours = Vocabulary.from_sentences(SENTENCES)
    assert "<s>" in theirs.vocab
    assert set(theirs.vocab) == {"to", "be", "or", "not", "<s>", "</s>", "<UNK>"}
    assert ours.size == len(theirs.vocab) - 1


@row("logarithm of a probability")
def logarithm_of_a_probability(_rng: np.random.Generator) -> None:
    train, padded = padded_everygram_pipeline(2, SENTENCES)
    theirs = MLE(2)
    theirs.fit(train, padded)
    assert theirs.score("or", ["<s>"]) == 0.5
    assert theirs.logscore("or", ["<s>"]) == -1.0  # base 2
    assert metrics.perplexity(np.array([np.log(0.5)])) == pytest.approx(2.0)  # natural


def test_the_page_is_read_as_meant() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(re.findall(r"^\|---", text, re.MULTILINE)) == 9
