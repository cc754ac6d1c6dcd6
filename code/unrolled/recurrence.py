"""The loop over time, forward and backward, once for every unit; and the layer, the piece that networks are built of.

A *layer* turns a sequence of columns into a sequence of columns. Here it is one unit (see `unrolled.units`) carried
along the sequence; `unrolled.bidirectional` runs two of them against each other, `unrolled.deep` puts layers on top of
each other, and each of these is a layer again, so that any arrangement fits into any other. What a layer offers:

    layer.n_x, layer.n_out, layer.n_s          the sizes of an input, an output, a state
    layer.create(rng)                          parameters that have learned nothing yet
    layer.forward(parameters, x, s0, mask)     a run: its outputs, its last state, and what the way back needs
    layer.backward(parameters, run, d_outputs, ds_last)     gradients of the parameters, the input, the first state

A layer only describes; it holds no numbers. Parameters are flat dictionaries of arrays, which optimisers, clipping and
checkpoints take as they are.

Time comes first and a batch of m sequences adds columns: x is (T, n_x, m), or ids (T, m), and the outputs are
(T, n_out, m). A mask, booleans (T, m), says which steps are real; where it is False the state is carried over
unchanged and x is not looked at, and on the way back its gradient is handed through. So a sequence that ends early has
its last state in the last place, and padding in front of a sequence leaves its first state alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unrolled.activations import ACTIVATIONS
from unrolled.buffers import empty
from unrolled.columns import (
    Parameters,
    are_ids,
    check_ids,
    check_input,
    check_mask,
    check_numbers,
    check_shape,
    check_shapes,
    choice,
    columns,
    input_scores,
    input_weights,
    product,
    rows,
    sum_of_rows,
)
from unrolled.gated import GATED
from unrolled.units import Pass, Unit, elman

UNITS: dict[str, Unit] = {unit.name: unit for unit in map(elman, ACTIVATIONS)} | GATED
"""The units by name: "rnn" (with tanh), "rnn-relu" and others like it, "gru", "gru-reset-after", "lstm"."""


class LayerGradients(NamedTuple):
    """What a layer finds on the way back.

    Attributes:
        gradients: of the parameters, under their names.
        dx: the gradient of the input, (T, n_x, m); None when the input was ids.
        ds0: the gradient of the initial state, (n_s, m).
    """

    gradients: Parameters
    dx: np.ndarray | None
    ds0: np.ndarray


class Run(NamedTuple):
    """What `Layer.forward` returns.

    Attributes:
        x: the input, without what the mask hides.
        mask: booleans (T, m); None when nothing is hidden.
        memory: what the way back needs.
    """

    x: np.ndarray
    mask: np.ndarray | None
    memory: Pass

    @property
    def s(self) -> np.ndarray:
        """The states, (T + 1, n_s, m), the initial one included."""
        parts = [columns(part) for part in self.memory.s]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    @property
    def outputs(self) -> np.ndarray:
        """a^<1> .. a^<T>, (T, n_a, m): what others see."""
        return columns(self.memory.s[0, 1:])

    @property
    def s_last(self) -> np.ndarray:
        """The state after the last step, (n_s, m)."""
        return _state(self.memory.s[:, -1])


@dataclass(frozen=True)
class Layer:
    """A unit carried along a sequence.

    Attributes:
        unit: a name of `UNITS`.
        n_x: the length of an input column, or the number of different ids.
        n_a: how many numbers of the state others see.

    Raises:
        ValueError: there is no such unit, or a size is below 1.
    """

    unit: str
    n_x: int
    n_a: int

    def __post_init__(self) -> None:
        choice("unit", self.unit, UNITS)
        check_sizes(n_x=self.n_x, n_a=self.n_a)

    @property
    def n_out(self) -> int:
        """The length of an output column."""
        return self.n_a

    @property
    def n_s(self) -> int:
        """The length of the state: n_a, and n_a more for the cell of an LSTM."""
        return self.n_a * len(UNITS[self.unit].parts)

    def create(
        self,
        rng: np.random.Generator,
        dtype: type = np.float64,
        recurrent: str = "uniform",
        gain: float = 1.0,
        forget_bias: float = 1.0,
    ) -> Parameters:
        """Parameters that have learned nothing yet.

        Matrices are uniform in +-1 / sqrt(n_a), as in PyTorch; biases are zero, but for that of forget gates.
        `recurrent` changes Waa alone, each gate's block by itself.

        Args:
            rng: draws the matrices.
            dtype: np.float64 or np.float32.
            recurrent: how Waa starts: "uniform"; "orthogonal", random rotations (Saxe, McClelland & Ganguli 2014);
                "identity", for which the unit "rnn-relu" is meant (Le, Jaitly & Hinton 2015).
            gain: Waa is multiplied by it.
            forget_bias: what the bias of a forget gate starts from. At 1 (Gers, Schmidhuber & Cummins 2000;
                Jozefowicz, Zaremba & Sutskever 2015) a cell begins by keeping most of what it holds.

        Raises:
            ValueError: `recurrent` is none of the three.
        """
        unit = UNITS[self.unit]
        G, n_a, bound = len(unit.gates), self.n_a, 1 / np.sqrt(self.n_a)
        if recurrent == "uniform":
            Waa = rng.uniform(-bound, bound, (G * n_a, n_a))
        elif recurrent == "orthogonal":
            Waa = np.concatenate([_rotation(rng, n_a) for _ in range(G)])
        elif recurrent == "identity":
            Waa = np.tile(np.eye(n_a), (G, 1))
        else:
            raise ValueError(f'recurrent is "uniform", "orthogonal" or "identity"; got {recurrent!r}')
        parameters = {
            "Waa": gain * Waa,
            "Wax": rng.uniform(-bound, bound, (G * n_a, self.n_x)),
            "ba": np.zeros((G * n_a, 1)),
        }
        parameters |= {name: np.zeros((n_a, 1)) for name in unit.extra}
        if "f" in unit.gates:
            first = n_a * unit.gates.index("f")
            parameters["ba"][first : first + n_a] = forget_bias
        return {name: value.astype(dtype) for name, value in parameters.items()}

    def forward(
        self,
        parameters: Parameters,
        x: np.ndarray,
        s0: np.ndarray | None = None,
        mask: np.ndarray | None = None,
    ) -> Run:
        """The states, one step after the other.

        Args:
            parameters: Waa (G n_a, n_a), Wax (G n_a, n_x), ba (G n_a, 1) and, for "gru-reset-after", bca (n_a, 1);
                others are left alone. Complex ones are welcome.
            x: columns (T, n_x, m) of floats, or ids (T, m).
            s0: the initial state (n_s, m); zeros when it is not given.
            mask: booleans (T, m); where False, the state is carried over unchanged and x is not looked at.

        Raises:
            ValueError: a shape does not fit, an id has no column in Wax, or a number is not finite.
            TypeError: an array holds the wrong kind of numbers, or float32 meets float64.
        """
        unit, known = UNITS[self.unit], {"n_a": self.n_a, "n_x": self.n_x}
        parameters, x, s0, mask = check_layer(unit, parameters, x, s0, mask, known)
        memory = run_forward(unit, parameters, x, s0, mask)
        return Run(x, mask, memory)

    def backward(
        self, parameters: Parameters, run: Run, d_outputs: np.ndarray, ds_last: np.ndarray | None = None
    ) -> LayerGradients:
        """The gradients of the layer, the last step first.

        Args:
            parameters: those of the run.
            run: what `forward` returned.
            d_outputs: what arrives at each output from outside, (T, n_a, m). What arrives through the next state is
                added here.
            ds_last: what arrives at the last state from outside besides, (n_s, m); nothing when it is not given.

        Raises:
            ValueError, TypeError: as for `forward`, or d_outputs or ds_last does not fit.
        """
        unit = UNITS[self.unit]
        parameters, _ = check_shapes(parameters, unit.shapes, len(unit.gates), {"n_a": self.n_a, "n_x": self.n_x})
        T, _, m = run.outputs.shape
        arrays = parameters | {"d_outputs": np.asarray(d_outputs)}
        check_shape("d_outputs", arrays["d_outputs"], ("T", "n_a", "m"), (T, self.n_a, m))
        if ds_last is not None:
            arrays["ds_last"] = np.asarray(ds_last)
            check_shape("ds_last", arrays["ds_last"], ("n_s", "m"), (self.n_s, m))
        _, arrays = check_numbers(arrays)
        last = None if ds_last is None else _parts(arrays["ds_last"], self.n_a)
        return run_backward(unit, arrays, run.x, run.memory, rows(arrays["d_outputs"]), run.mask, last)


def _rotation(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random rotation, perhaps with a reflection, (n, n)."""
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    return Q * np.sign(np.diag(R))  # without the signs some rotations would come more often than others


def _parts(s: np.ndarray, n_a: int) -> np.ndarray:
    """A state (n_s, m) as memory has it: part by part, each with its columns as rows, (P, m, n_a)."""
    return s.reshape(-1, n_a, s.shape[1]).swapaxes(1, 2)


def _state(parts: np.ndarray) -> np.ndarray:
    """The reverse, (P, m, n_a) to (n_s, m); nothing is copied of a state of one part."""
    return parts.swapaxes(1, 2).reshape(-1, parts.shape[1])


def check_sizes(**sizes: int) -> None:
    """Raise a ValueError that names the first size below 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} has to be at least 1; got {size}")


def check_layer(
    unit: Unit,
    parameters: Parameters,
    x: np.ndarray,
    s0: np.ndarray | None,
    mask: np.ndarray | None,
    known: dict[str, int] | None = None,
    shapes: dict[str, tuple[str, str]] | None = None,
    state: str = "s0",
) -> tuple[Parameters, np.ndarray, np.ndarray, np.ndarray | None]:
    """See that everything that goes into a layer fits.

    Args:
        unit: the unit.
        parameters: its parameters.
        x: columns (T, n_x, m), or ids (T, m).
        s0: the initial state (n_s, m), or None for zeros.
        mask: booleans (T, m), or None.
        known: sizes that are settled beforehand.
        shapes: the axes of the parameters that have to be there, if these are more than the unit's own.
        state: the caller's name for s0.

    Returns:
        Parameters (and what else was checked with them) and s0 in their common type, x without what the mask hides;
        None for a mask that hides nothing.

    Raises:
        ValueError, TypeError: as for `Layer.forward`.
    """
    numbers, sizes = check_shapes(parameters, shapes or unit.shapes, len(unit.gates), known)
    x, n_s = np.asarray(x), sizes["n_a"] * len(unit.parts)
    check_input(x, sizes["n_x"])
    T, m = x.shape[0], x.shape[-1]
    mask = check_mask(mask, T, m)
    if mask is not None:
        x = np.where(mask if are_ids(x) else mask[:, None, :], x, x.dtype.type(0))
    if are_ids(x):
        check_ids(x, sizes["n_x"])
    else:
        numbers["x"] = x
    if s0 is not None:
        numbers[state] = s0 = np.asarray(s0)
        check_shape(state, s0, ("n_s" if len(unit.parts) > 1 else "n_a", "m"), (n_s, m))
    dtype, numbers = check_numbers(numbers)
    s0 = np.zeros((n_s, m), dtype) if s0 is None else numbers[state]
    return numbers, numbers.get("x", x), s0, mask


def run_forward(unit: Unit, parameters: Parameters, x: np.ndarray, s0: np.ndarray, mask: np.ndarray | None) -> Pass:
    """The loop over time; everything has been checked.

    Args:
        unit: the unit.
        parameters: its parameters.
        x: columns (T, n_x, m), or ids (T, m).
        s0: the initial state (n_s, m).
        mask: booleans (T, m), or None.

    Returns:
        What is in memory, as rows.
    """
    (n_s, m), T, G, P = s0.shape, len(x), len(unit.gates), len(unit.parts)
    n_a = n_s // P
    s = empty((P, T + 1, m, n_a), s0.dtype)
    s[:, 0] = _parts(s0, n_a)
    z = s[:, 1:] if G == 1 else empty((G, T, m, n_a), s.dtype)
    run = Pass(s, z, empty((unit.kept, T, m, n_a), s.dtype))
    Wax, ba = parameters["Wax"].reshape(G, n_a, -1), parameters["ba"].reshape(G, n_a, 1)
    for k in range(G):
        input_scores(Wax[k], ba[k], x, z[k], halved=k < unit.halved)
    step = unit.forward(parameters, run)
    for t in range(T):
        step(t)
        if mask is not None:
            np.copyto(s[:, t + 1], s[:, t], where=~mask[t, :, None])
    return run


def run_backward(
    unit: Unit,
    parameters: Parameters,
    x: np.ndarray,
    run: Pass,
    direct: np.ndarray,
    mask: np.ndarray | None,
    ds_last: np.ndarray | None = None,
) -> LayerGradients:
    """The loop back through time; everything has been checked.

    Args:
        unit: the unit.
        parameters: its parameters.
        x: what `run_forward` was given.
        run: what it returned.
        direct: what arrives at each a^<t> from outside, as rows (T, m, n_a).
        mask: what `run_forward` was given.
        ds_last: what arrives at the last state from outside, part by part as rows (P, m, n_a); None for nothing.
    """
    T, m, n_a = direct.shape
    dz = empty((T, m, len(unit.gates) * n_a), run.s.dtype)
    ds = np.zeros((len(unit.parts), m, n_a), run.s.dtype)
    if ds_last is not None:
        ds[:] = ds_last
    da, add, arriving = ds[0], np.add, list(direct)
    step = unit.backward(parameters, run, dz, ds)
    for t in range(T - 1, -1, -1):
        add(da, arriving[t], da)  # eq-bptt-recursion
        if mask is None:
            step(t)
            continue
        carried = ~mask[t]
        held = ds[:, carried]
        step(t)
        ds[:, carried] = held  # a state that was carried over hands on what it was given
        dz[t, carried] = 0
    flat = dz.reshape(T * m, -1)  # all steps of all columns are one matrix
    gradients = unit.recurrent_gradients(parameters, run, dz)
    gradients["Wax"] = input_weights(x, flat, parameters["Wax"].shape[1])
    gradients["ba"] = sum_of_rows(flat)
    dx = None if are_ids(x) else columns(product(flat, parameters["Wax"]).reshape(T, m, -1))
    return LayerGradients(gradients, dx, _state(ds))
