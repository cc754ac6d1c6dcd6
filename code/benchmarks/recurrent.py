"""One training step of a recurrent network, forward, loss and full backward pass, against PyTorch's own.

PyTorch has two ways to read symbols: one-hot columns into `nn.RNN`, which is our network number for number, or an
`nn.Embedding` of n_a entries in front of it, which is what one would use with many symbols. Whichever takes less
time in a round is the peer. The one-hot columns are made beforehand, at PyTorch's advantage.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.timing import Ratio, interleave
from unrolled import rnn


class Size(NamedTuple):
    """T steps of m columns, a state of n_a numbers, V symbols that are read and predicted."""

    T: int
    m: int
    n_a: int
    V: int


SIZES = (Size(25, 1, 100, 65), Size(64, 32, 128, 65), Size(64, 32, 256, 65), Size(35, 20, 200, 10_000))


def run(rounds: int) -> Iterator[Ratio | str]:
    """Yield the lines of the report."""
    try:
        import torch
    except ImportError:
        yield "PyTorch is not installed; the recurrent network is compared with nothing"
        return
    torch.set_num_threads(1)
    yield "recurrent network, one training step"
    for dtype in (np.float32, np.float64):
        for size in SIZES:
            yield compare(size, dtype, rounds)


def compare(size: Size, dtype: type, rounds: int) -> Ratio:
    """The better of PyTorch's two ways over ours."""
    T, m, n_a, V = size
    rng = np.random.default_rng(0)
    parameters = rnn.create(rng, V, n_a, V, dtype=dtype)
    x, targets = rng.integers(0, V, (T, m)), rng.integers(0, V, (T, m))
    steps = {name: torch_step(parameters, x, targets, name == "embedding") for name in ("one-hot", "embedding")}
    for step in steps.values():
        step()  # whatever is done once is done here
    ours = f"T={T} m={m} n_a={n_a} V={V:,} {np.dtype(dtype).name}"
    contenders = {ours: lambda: rnn.cost_and_gradients(parameters, x, targets), **steps}
    (ratio,) = interleave(contenders, {ours: tuple(steps)}, 5 * rounds, repeat=max(3, 2_000 // (T * m)))
    return Ratio(f"  torch / ours, {ours}", ratio.values)


def torch_step(parameters: rnn.Parameters, x: np.ndarray, targets: np.ndarray, embedded: bool) -> Callable[[], None]:
    """A function that does one step in PyTorch with our parameters, the gradients new each time as ours are."""
    import torch

    from unrolled import torch_twins

    layer, output = torch_twins.to_torch(parameters)
    n_a, V = parameters["Wax"].shape
    ids, right = torch.tensor(x), torch.tensor(targets).flatten()
    modules = torch.nn.ModuleList([layer, output])
    if embedded:
        dtype = output.weight.dtype
        layer = torch.nn.RNN(n_a, n_a, dtype=dtype)
        layer.bias_hh_l0.requires_grad_(False)
        modules = torch.nn.ModuleList([torch.nn.Embedding(V, n_a, dtype=dtype), layer, output])
    else:
        columns = torch.nn.functional.one_hot(ids, V).to(output.weight.dtype)

    def step() -> None:
        modules.zero_grad(set_to_none=True)
        states, _ = layer(modules[0](ids) if embedded else columns)
        loss = torch.nn.functional.cross_entropy(output(states).flatten(0, 1), right, reduction="sum")
        loss.backward()

    return step
