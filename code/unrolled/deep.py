"""Layers on top of each other, in both forms that go by the name of a deep recurrent network.

**A stack** (Schmidhuber 1992; El Hihi & Bengio 1995; Graves 2013): the outputs of one recurrent layer are the input of
the next, at every step; `Stack`.

    a^[l]<t>  from a^[l]<t-1> and a^[l-1]<t>,   with a^[0]<t> = x^<t>       (n^[l], m)    eq-deep-state

**Columns**: above the recurrent layers each step carries feed-forward layers of its own that have no connection from
one step to the next, though all steps share their weights; `Columns`, the "deep output" of Pascanu et al. (2014).

    h^[k]<t> = g(W^[k] h^[k-1]<t> + b^[k])                                  (n^[k], m)    eq-column

Both are layers as `unrolled.recurrence` has them, so that columns can be the top of a stack, and a layer of a stack can
run in both directions. Two remedies help gradients through many layers. *Residual* connections add what a layer reads
to what it says, a^[l-1] + f(a^[l-1]), wherever both have the same length (eq-residual; He et al. 2016). *Normalised*
stacks rescale every column that a layer is given to mean 0 and variance 1, and let it learn a scale and a shift
(eq-layer-norm; Ba, Kiros & Hinton 2016). Dropout belongs between the layers and never on the way from one step to the
next (Zaremba, Sutskever & Vinyals 2014).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from unrolled.activations import ACTIVATIONS
from unrolled.columns import (
    Parameters,
    are_ids,
    as_part,
    check_input,
    check_mask,
    check_numbers,
    check_shape,
    check_shapes,
    choice,
    columns,
    part,
    rows,
    sum_of_rows,
)
from unrolled.recurrence import LayerGradients, check_sizes

EPSILON = 1e-5
"""Added to a variance before its root is taken, as in PyTorch."""


class Normalised(NamedTuple):
    """A normalised input and what its way back needs: columns of mean 0, and one over their standard deviation."""

    centred: np.ndarray
    scale: np.ndarray


def normalise(x: np.ndarray, gain: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, Normalised]:
    """Each column to mean 0 and variance 1, then times `gain`, plus `shift`. Implements eq-layer-norm.

    Args:
        x: (T, n, m).
        gain: (n, 1).
        shift: (n, 1).

    Returns:
        (T, n, m), and what `normalise_backward` needs.
    """
    centred = x - x.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + EPSILON)  # (T, 1, m)
    centred *= scale
    return gain * centred + shift, Normalised(centred, scale)


def normalise_backward(dy: np.ndarray, gain: np.ndarray, kept: Normalised) -> tuple[np.ndarray, Parameters]:
    """The way back through `normalise`. Implements eq-layer-norm-backward.

    Args:
        dy: the gradient of what `normalise` returned, (T, n, m).
        gain: (n, 1).
        kept: what `normalise` returned besides.

    Returns:
        dx (T, n, m), and the gradients of "gain" and "shift".
    """
    unit = kept.centred
    d_unit = gain * dy
    along = (d_unit * unit).mean(axis=1, keepdims=True)  # what would only rescale the column
    dx = kept.scale * (d_unit - d_unit.mean(axis=1, keepdims=True) - unit * along)
    return dx, {"gain": (dy * unit).sum(axis=(0, 2))[:, None], "shift": dy.sum(axis=(0, 2))[:, None]}


class StackRun(NamedTuple):
    """What `Stack.forward` returns.

    Attributes:
        outputs: of the highest layer, (T, n_out, m).
        s_last: the last states of all layers, one below the other, (n_s, m).
        runs: one of each layer.
        normalised: what the way back through each layer's normalisation needs; None where there is none.
        dropped: what dropout has multiplied each layer's input with.
    """

    outputs: np.ndarray
    s_last: np.ndarray
    runs: tuple[Any, ...]
    normalised: tuple[Normalised | None, ...]
    dropped: tuple[np.ndarray | None, ...]


@dataclass(frozen=True)
class Stack:
    """Layers on top of each other; the parameters of the lowest are "1.Waa", ..., of the next "2.Waa", ...

    Attributes:
        layers: from the lowest to the highest; each reads what the one below says.
        residual: whether what a layer reads is added to what it says, where both have the same length. The lowest layer
            is left out when it reads ids.
        normalised: whether what the layers read is normalised first; not for the lowest, which reads the data.

    Raises:
        ValueError: there are no layers, or one does not read what the one below says.
    """

    layers: tuple[Any, ...]
    residual: bool = False
    normalised: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise ValueError("a stack needs at least one layer")
        for level, (below, above) in enumerate(zip(self.layers, self.layers[1:], strict=False), start=1):
            if below.n_out != above.n_x:
                raise ValueError(
                    f"layer {level + 1} reads columns of {above.n_x} numbers, but layer {level} says {below.n_out}"
                )

    @property
    def n_x(self) -> int:
        """The length of an input column, or the number of different ids."""
        return self.layers[0].n_x

    @property
    def n_out(self) -> int:
        """The length of an output column."""
        return self.layers[-1].n_out

    @property
    def n_s(self) -> int:
        """The length of all states together."""
        return sum(layer.n_s for layer in self.layers)

    def create(self, rng: np.random.Generator, dtype: type = np.float64) -> Parameters:
        """Parameters that have learned nothing yet, with gains of 1 and shifts of 0."""
        parameters = {}
        for level, layer in enumerate(self.layers, start=1):
            own = layer.create(rng, dtype)
            if self.normalised and level > 1:
                own |= {"gain": np.ones((layer.n_x, 1), dtype), "shift": np.zeros((layer.n_x, 1), dtype)}
            parameters |= as_part(own, str(level))
        return parameters

    def draw_dropout(
        self, rng: np.random.Generator, T: int, m: int, rate: float, dtype: type = np.float64
    ) -> tuple[np.ndarray, ...]:
        """What dropout multiplies the input of each layer but the lowest with. Implements eq-dropout.

        Args:
            rng: decides.
            T: steps.
            m: columns.
            rate: the probability of being dropped, at least 0 and below 1.
            dtype: of the parameters.

        Raises:
            ValueError: the rate is no such probability.
        """
        if not 0 <= rate < 1:
            raise ValueError(f"dropout is a probability, at least 0 and below 1; got {rate}")
        kept = np.dtype(dtype).type(1 / (1 - rate))
        return tuple((rng.random((T, layer.n_x, m)) >= rate) * kept for layer in self.layers[1:])

    def forward(
        self,
        parameters: Parameters,
        x: np.ndarray,
        s0: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        dropped: tuple[np.ndarray, ...] | None = None,
    ) -> StackRun:
        """One layer after the other, each over the whole sequence. Implements eq-deep-state.

        Args:
            parameters: "1.Waa", ...; complex ones are welcome.
            x: columns (T, n_x, m) of floats, or ids (T, m).
            s0: the initial states of all layers, one below the other, (n_s, m); zeros when it is not given.
            mask: booleans (T, m), for all layers.
            dropped: see `draw_dropout`; None drops nothing.

        Raises:
            ValueError, TypeError: as for `unrolled.recurrence.Layer.forward`.
        """
        h = np.asarray(x)
        starts = self._split("s0", s0, h.shape[-1])
        between = self._between(dropped, h.shape[0], h.shape[-1])
        runs, normalised = [], []
        for level, (layer, start, kept) in enumerate(zip(self.layers, starts, between, strict=True), start=1):
            own, read, memory = part(parameters, str(level)), h, None
            if self.normalised and level > 1:
                shapes = {"gain": ("n", "1"), "shift": ("n", "1")}
                found, _ = check_shapes(own, shapes, known={"n": layer.n_x})
                read, memory = normalise(read, found["gain"], found["shift"])
            if kept is not None:
                read = read * kept
            run = layer.forward(own, read, start, mask)
            runs.append(run)
            normalised.append(memory)
            h = h + run.outputs if self._adds(layer, h) else run.outputs  # eq-residual
        s_last = np.concatenate([run.s_last for run in runs])
        return StackRun(h, s_last, tuple(runs), tuple(normalised), between)

    def backward(
        self, parameters: Parameters, run: StackRun, d_outputs: np.ndarray, ds_last: np.ndarray | None = None
    ) -> LayerGradients:
        """From the highest layer to the lowest, in each from the last step to the first. Implements eq-deep-backward.

        Args:
            parameters: those of the run.
            run: what `forward` returned.
            d_outputs: what arrives at the outputs from outside, (T, n_out, m).
            ds_last: what arrives at s_last from outside, (n_s, m); nothing when it is not given.

        Raises:
            ValueError, TypeError: as for `unrolled.recurrence.Layer.backward`.
        """
        dh, gradients, ds0 = np.asarray(d_outputs), {}, []
        T, _, m = run.outputs.shape
        check_shape("d_outputs", dh, ("T", "n_out", "m"), (T, self.n_out, m))
        lasts = self._split("ds_last", ds_last, m)
        for level in range(len(self.layers), 0, -1):
            layer, own = self.layers[level - 1], part(parameters, str(level))
            back = layer.backward(own, run.runs[level - 1], dh, lasts[level - 1])
            found, d_read = back.gradients, back.dx
            if d_read is not None and run.dropped[level - 1] is not None:
                d_read = d_read * run.dropped[level - 1]
            if run.normalised[level - 1] is not None:
                d_read, of_norm = normalise_backward(d_read, own["gain"], run.normalised[level - 1])
                found |= of_norm
            dh = dh + d_read if d_read is not None and self._adds(layer, d_read) else d_read
            gradients |= as_part(found, str(level))
            ds0.append(back.ds0)
        return LayerGradients(gradients, dh, np.concatenate(ds0[::-1]))

    def _adds(self, layer: Any, read: np.ndarray) -> bool:
        """Whether a layer has a residual connection around it."""
        return self.residual and layer.n_out == layer.n_x and not are_ids(read)

    def _split(self, name: str, s: np.ndarray | None, m: int) -> list[np.ndarray | None]:
        """The states of the layers, out of those of the stack."""
        if s is None:
            return [None] * len(self.layers)
        s = np.asarray(s)
        check_shape(name, s, ("n_s", "m"), (self.n_s, m))
        return np.split(s, np.cumsum([layer.n_s for layer in self.layers])[:-1])

    def _between(self, dropped: tuple[np.ndarray, ...] | None, T: int, m: int) -> tuple[np.ndarray | None, ...]:
        """What multiplies the input of each layer, the lowest included."""
        if dropped is None:
            return (None,) * len(self.layers)
        if len(dropped) != len(self.layers) - 1:
            raise ValueError(
                f"{len(self.layers)} layers have {len(self.layers) - 1} inputs between them to be dropped "
                f"from; got {len(dropped)} arrays"
            )
        for level, (kept, layer) in enumerate(zip(dropped, self.layers[1:], strict=True), start=2):
            check_shape(f"dropped for layer {level}", np.asarray(kept), ("T", "n_x", "m"), (T, layer.n_x, m))
        return (None, *dropped)


class ColumnsRun(NamedTuple):
    """What `Columns.forward` returns: the input and every layer's values, as rows (T, m, n)."""

    h: tuple[np.ndarray, ...]
    mask: np.ndarray | None

    @property
    def outputs(self) -> np.ndarray:
        """(T, n_out, m)."""
        return columns(self.h[-1])

    @property
    def s_last(self) -> np.ndarray:
        """Columns have no state: (0, m)."""
        return np.empty((0, self.h[0].shape[1]), self.h[0].dtype)


@dataclass(frozen=True)
class Columns:
    """Feed-forward layers at every step, the same at all steps: "1.W" (n_1, n_x), "1.b" (n_1, 1), "2.W", ...

    Attributes:
        n_x: the length of an input column.
        sizes: the lengths of the layers' columns, from the lowest to the highest.
        activation: a name of `unrolled.activations.ACTIVATIONS`.

    Raises:
        ValueError: there are no layers, a size is below 1, or there is no such activation.
    """

    n_x: int
    sizes: tuple[int, ...]
    activation: str = "tanh"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if not self.sizes:
            raise ValueError("a column needs at least one layer")
        choice("activation", self.activation, ACTIVATIONS)
        check_sizes(n_x=self.n_x, **{f"sizes[{k}]": size for k, size in enumerate(self.sizes)})

    @property
    def n_out(self) -> int:
        """The length of an output column."""
        return self.sizes[-1]

    @property
    def n_s(self) -> int:
        """Nothing goes from one step to the next: 0."""
        return 0

    @property
    def shapes(self) -> dict[str, tuple[str, str]]:
        """The axes of each parameter."""
        return {
            name: axes
            for k in range(1, len(self.sizes) + 1)
            for name, axes in ((f"{k}.W", (f"n_{k}", f"n_{k - 1}")), (f"{k}.b", (f"n_{k}", "1")))
        }

    def create(self, rng: np.random.Generator, dtype: type = np.float64) -> Parameters:
        """Matrices uniform in +-sqrt(6 / (rows + columns)) (Glorot & Bengio 2010), biases zero."""
        parameters, below = {}, self.n_x
        for k, size in enumerate(self.sizes, start=1):
            bound = np.sqrt(6 / (size + below))
            parameters[f"{k}.W"] = rng.uniform(-bound, bound, (size, below)).astype(dtype)
            parameters[f"{k}.b"] = np.zeros((size, 1), dtype)
            below = size
        return parameters

    def forward(
        self,
        parameters: Parameters,
        x: np.ndarray,
        s0: np.ndarray | None = None,
        mask: np.ndarray | None = None,
    ) -> ColumnsRun:
        """Every step by itself, all of them at once. Implements eq-column.

        Args:
            parameters: "1.W", "1.b", ...; complex ones are welcome.
            x: columns (T, n_x, m) of floats.
            s0: None, or an empty state (0, m).
            mask: booleans (T, m); where False the outputs are zero, and x is not looked at.

        Raises:
            ValueError, TypeError: a shape does not fit, or a number is not finite; ids are no input.
        """
        x = np.asarray(x)
        if are_ids(x):
            raise TypeError("columns read floats (T, n_x, m), not ids")
        known = {f"n_{k}": size for k, size in enumerate((self.n_x, *self.sizes))}
        numbers, _ = check_shapes(parameters, self.shapes, known=known)
        check_input(x, self.n_x, "what the column reads")
        T, m = x.shape[0], x.shape[2]
        if s0 is not None:
            check_shape("s0", np.asarray(s0), ("0", "m"), (0, m))
        mask = check_mask(mask, T, m)
        if mask is not None:
            x = np.where(mask[:, None, :], x, x.dtype.type(0))
        _, numbers = check_numbers(numbers | {"x": x})
        g, h = ACTIVATIONS[self.activation].function, [rows(numbers["x"])]
        for k in range(1, len(self.sizes) + 1):
            z = h[-1].reshape(T * m, -1) @ numbers[f"{k}.W"].T
            z += numbers[f"{k}.b"].T
            h.append(g(z, out=z).reshape(T, m, -1))  # eq-column
        if mask is not None:
            h[-1][~mask] = 0
        return ColumnsRun(tuple(h), mask)

    def backward(
        self, parameters: Parameters, run: ColumnsRun, d_outputs: np.ndarray, ds_last: np.ndarray | None = None
    ) -> LayerGradients:
        """From the highest layer to the lowest; no time is involved.

        Args:
            parameters: those of the run.
            run: what `forward` returned.
            d_outputs: what arrives at the outputs, (T, n_out, m).
            ds_last: None, or an empty array (0, m).

        Raises:
            ValueError, TypeError: as for `forward`.
        """
        T, m, n_out = run.h[-1].shape
        d_outputs = np.asarray(d_outputs)
        check_shape("d_outputs", d_outputs, ("T", "n_out", "m"), (T, n_out, m))
        if ds_last is not None:
            check_shape("ds_last", np.asarray(ds_last), ("0", "m"), (0, m))
        numbers, _ = check_shapes(parameters, self.shapes)
        _, numbers = check_numbers(numbers | {"d_outputs": d_outputs})
        dh = rows(numbers["d_outputs"])
        if run.mask is not None:
            dh = dh * run.mask[:, :, None]
        dh, gradients = dh.reshape(T * m, -1), {}
        for k in range(len(self.sizes), 0, -1):
            dz = dh * ACTIVATIONS[self.activation].slope(run.h[k].reshape(T * m, -1))
            gradients |= {f"{k}.W": dz.T @ run.h[k - 1].reshape(T * m, -1), f"{k}.b": sum_of_rows(dz)}
            dh = dz @ numbers[f"{k}.W"]
        return LayerGradients(gradients, columns(dh.reshape(T, m, -1)), np.empty((0, m), dh.dtype))
