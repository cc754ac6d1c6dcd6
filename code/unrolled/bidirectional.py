"""Two layers that read the same sequence against each other (Schuster & Paliwal 1997).

    a-forward^<t>   from a-forward^<t-1> and x^<t>,    t = 1 .. T       (n_a, m)      eq-bidirectional-forward-state
    a-backward^<t>  from a-backward^<t+1> and x^<t>,   t = T .. 1       (n_a, m)      eq-bidirectional-backward-state
    output^<t>      [a-forward^<t>; a-backward^<t>]                     (2 n_a, m)    eq-bidirectional-output

The second is an ordinary layer that is handed the sequence with its time reversed, and whose outputs are reversed
again. Sequences of different lengths need no further care: with time reversed their padding comes first, and a masked
step carries the state over unchanged, so that reading begins at each sequence's own last step, from its own s0.

The two never see each other's states. They meet in what reads the outputs, so that the way back is two separate
backward passes (eq-bidirectional-forward-recursion, eq-bidirectional-backward-recursion) whose gradients add up only
at the input that both have read (eq-bidirectional-input).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from unrolled import recurrence
from unrolled.columns import Parameters, as_part, check_shape, part
from unrolled.recurrence import LayerGradients


class Run(NamedTuple):
    """What `Layer.forward` returns.

    Attributes:
        forward: the run of the layer that reads from the first step on.
        backward: the run of the other, which has seen time reversed.
    """

    forward: recurrence.Run
    backward: recurrence.Run

    @property
    def outputs(self) -> np.ndarray:
        """(T, 2 n_a, m): for each step what the one knows of all steps up to it, and the other of all from it on."""
        return np.concatenate([self.forward.outputs, self.backward.outputs[::-1]], axis=1)

    @property
    def s_last(self) -> np.ndarray:
        """Both states where each has stopped, (n_s, m): after the last step, and after the first."""
        return np.concatenate([self.forward.s_last, self.backward.s_last])


@dataclass(frozen=True)
class Layer:
    """One unit in both directions, each with parameters of its own: "forward.Waa", "backward.Waa", and so on.

    Attributes:
        unit: a name of `unrolled.recurrence.UNITS`.
        n_x: the length of an input column, or the number of different ids.
        n_a: how many numbers each direction contributes to an output.

    Raises:
        ValueError: there is no such unit, or a size is below 1.
    """

    unit: str
    n_x: int
    n_a: int

    def __post_init__(self) -> None:
        _ = self.direction

    @property
    def direction(self) -> recurrence.Layer:
        """The layer that both directions are."""
        return recurrence.Layer(self.unit, self.n_x, self.n_a)

    @property
    def n_out(self) -> int:
        """The length of an output column, 2 n_a."""
        return 2 * self.n_a

    @property
    def n_s(self) -> int:
        """The length of both states together."""
        return 2 * self.direction.n_s

    def create(self, rng: np.random.Generator, dtype: type = np.float64) -> Parameters:
        """Parameters that have learned nothing yet; see `unrolled.recurrence.Layer.create`."""
        forward, backward = self.direction.create(rng, dtype), self.direction.create(rng, dtype)
        return as_part(forward, "forward") | as_part(backward, "backward")

    def forward(
        self,
        parameters: Parameters,
        x: np.ndarray,
        s0: np.ndarray | None = None,
        mask: np.ndarray | None = None,
    ) -> Run:
        """Both directions over the whole sequence.

        Args:
            parameters: "forward.Waa", ..., "backward.Waa", ...; complex ones are welcome.
            x: columns (T, n_x, m) of floats, or ids (T, m).
            s0: the states that the two begin with, (n_s, m): before the first step, and after the last. Zeros when it
                is not given.
            mask: booleans (T, m); where False, states are carried over unchanged and x is not looked at.

        Raises:
            ValueError, TypeError: as for `unrolled.recurrence.Layer.forward`.
        """
        x, layer = np.asarray(x), self.direction
        first = second = None
        if s0 is not None:
            s0 = np.asarray(s0)
            check_shape("s0", s0, ("n_s", "m"), (self.n_s, x.shape[-1]))
            first, second = np.split(s0, 2)
        flipped = None if mask is None else np.asarray(mask)[::-1]
        return Run(
            layer.forward(part(parameters, "forward"), x, first, mask),
            layer.forward(part(parameters, "backward"), x[::-1], second, flipped),
        )

    def backward(
        self, parameters: Parameters, run: Run, d_outputs: np.ndarray, ds_last: np.ndarray | None = None
    ) -> LayerGradients:
        """Two backward passes, one for each direction; at the input their gradients add, eq-bidirectional-input.

        Args:
            parameters: those of the run.
            run: what `forward` returned.
            d_outputs: what arrives at the outputs from outside, (T, 2 n_a, m).
            ds_last: what arrives at s_last from outside, (n_s, m); nothing when it is not given.

        Raises:
            ValueError, TypeError: as for `unrolled.recurrence.Layer.backward`.
        """
        d_outputs, layer = np.asarray(d_outputs), self.direction
        T, _, m = run.forward.outputs.shape
        check_shape("d_outputs", d_outputs, ("T", "2 n_a", "m"), (T, 2 * self.n_a, m))
        last = (None, None)
        if ds_last is not None:
            check_shape("ds_last", np.asarray(ds_last), ("n_s", "m"), (self.n_s, m))
            last = np.split(np.asarray(ds_last), 2)
        d_forward, d_backward = np.split(d_outputs, 2, axis=1)
        forward = layer.backward(part(parameters, "forward"), run.forward, d_forward, last[0])
        backward = layer.backward(part(parameters, "backward"), run.backward, d_backward[::-1], last[1])
        return LayerGradients(
            as_part(forward.gradients, "forward") | as_part(backward.gradients, "backward"),
            None if forward.dx is None else forward.dx + backward.dx[::-1],
            np.concatenate([forward.ds0, backward.ds0]),
        )
