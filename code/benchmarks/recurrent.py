"""One training step of a recurrent network, forward, loss and full backward pass, against PyTorch's own.

PyTorch has two ways to read symbols: one-hot columns into `nn.RNN`, which is our network number for number, or an
`nn.Embedding` of n_a entries in front of it, which is what one would use with many symbols. Whichever takes less
time in a round is the peer. The one-hot columns are made beforehand, at PyTorch's advantage. Gated units are compared
in the same way with `nn.GRU` (whose relevance gate acts behind the product; ours, as the book has it, before) and
`nn.LSTM`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.timing import Ratio, interleave
from unrolled import rnn
from unrolled.recurrence import Layer


class Size(NamedTuple):
    """T steps of m columns, a state of n_a numbers, V symbols that are read and predicted."""

    T: int
    m: int
    n_a: int
    V: int


MIDDLE, LARGE = Size(64, 32, 128, 65), Size(64, 32, 256, 65)
SIZES = {
    "rnn": (Size(25, 1, 100, 65), MIDDLE, LARGE, Size(35, 20, 200, 10_000)),
    "gru": (MIDDLE, LARGE),
    "lstm": (MIDDLE, LARGE),
}
"""What is measured of each unit."""


def run(rounds: int) -> Iterator[Ratio | str]:
    """Yield the lines of the report."""
    try:
        import torch
    except ImportError:
        yield "PyTorch is not installed; the recurrent network is compared with nothing"
        return
    torch.set_num_threads(1)
    yield "recurrent network, one training step"
    for unit, sizes in SIZES.items():
        for dtype in (np.float32, np.float64):
            for size in sizes:
                yield compare(unit, size, dtype, rounds)


def compare(unit: str, size: Size, dtype: type, rounds: int) -> Ratio:
    """The better of PyTorch's two ways over ours."""
    T, m, n_a, V = size
    rng = np.random.default_rng(0)
    layer = Layer(unit, V, n_a)
    output = {name: value for name, value in rnn.create(rng, V, n_a, V, dtype=dtype).items() if name in ("Wya", "by")}
    parameters = layer.create(rng, dtype) | output
    x, targets = rng.integers(0, V, (T, m)), rng.integers(0, V, (T, m))
    steps = {name: torch_step(unit, parameters, x, targets, name == "embedding") for name in ("one-hot", "embedding")}
    for step in steps.values():
        step()  # whatever is done once is done here
    ours = f"{unit} T={T} m={m} n_a={n_a} V={V:,} {np.dtype(dtype).name}"
    contenders = {ours: our_step(layer, parameters, x, targets), **steps}
    (ratio,) = interleave(contenders, {ours: tuple(steps)}, 5 * rounds, repeat=max(3, 2_000 // (T * m)))
    return Ratio(f"  torch / ours, {ours}", ratio.values)


def our_step(layer: Layer, parameters: rnn.Parameters, x: np.ndarray, targets: np.ndarray) -> Callable[[], object]:
    """A function that does one step of ours: `rnn.cost_and_gradients`, or the same put together of layer and output."""
    if layer.unit == "rnn":
        return lambda: rnn.cost_and_gradients(parameters, x, targets)

    def step() -> rnn.Parameters:
        run = layer.forward(parameters, x)
        _, gradients, da = rnn.output_losses_and_gradients(parameters, run.outputs, targets)
        return gradients | layer.backward(parameters, run, da).gradients

    return step


def torch_step(
    unit: str, parameters: rnn.Parameters, x: np.ndarray, targets: np.ndarray, embedded: bool
) -> Callable[[], None]:
    """A function that does one step in PyTorch, the gradients new each time as ours are.

    The parameters are ours where there is such a network in PyTorch: with one-hot columns and another unit than "gru".
    """
    import torch

    from unrolled import torch_twins

    V, n_a = parameters["Wya"].shape
    dtype = torch.from_numpy(parameters["Wya"]).dtype
    ids, right = torch.tensor(x), torch.tensor(targets).flatten()
    kind = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[unit]
    output = torch.nn.Linear(n_a, V, dtype=dtype)
    with torch.no_grad():
        output.weight.copy_(torch.from_numpy(parameters["Wya"]))
        output.bias.copy_(torch.from_numpy(parameters["by"][:, 0]))
    if embedded:
        layer = kind(n_a, n_a, dtype=dtype)
        modules = torch.nn.ModuleList([torch.nn.Embedding(V, n_a, dtype=dtype), layer, output])
    else:
        layer = kind(V, n_a, dtype=dtype)
        if unit != "gru":
            layer = torch_twins.layer_to_torch(Layer(unit, V, n_a), parameters)
        modules = torch.nn.ModuleList([layer, output])
        columns = torch.nn.functional.one_hot(ids, V).to(dtype)
    if unit != "gru":
        layer.bias_hh_l0.requires_grad_(False)

    def step() -> None:
        modules.zero_grad(set_to_none=True)
        states, _ = layer(modules[0](ids) if embedded else columns)
        loss = torch.nn.functional.cross_entropy(output(states).flatten(0, 1), right, reduction="sum")
        loss.backward()

    return step
