"""What a recurrent unit is, and the simplest one.

A unit says how one step goes from the state before to the state after, and how gradients go back. It knows nothing of
loops, batches of text, masks or layers: those are in `unrolled.recurrence`, once for all units. The gated units are in
`unrolled.gated`.

Whatever the unit, its state is one column s^<t> of n_s numbers whose first n_a are a^<t>, the part that others see: the
layer above, the output. And whatever the unit, its parameters have the same names, with one block of n_a rows for each
of its G gates, one below the other:

    Waa (G n_a, n_a)    Wax (G n_a, n_x)    ba (G n_a, 1)

Inside, arrays are rows: a step of m sequences is (m, n_a), see `unrolled.columns`; and the parts of a state are apart,
a step of it is (P, m, n_a).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from unrolled.activations import ACTIVATIONS
from unrolled.columns import Parameters, product, product_of_steps, steps


class Pass(NamedTuple):
    """What a pass over time has in memory, as rows: gate by gate, so that each gate's step is one piece of memory.

    Attributes:
        s: the P parts of the states, (P, T + 1, m, n_a), the initial one included.
        z: (G, T, m, n_a): what the input contributes to each step's scores, and after the step the values of its gates.
            Units with a single gate keep nothing else than s; there z is s[:, 1:].
        kept: (K, T, m, n_a): what else the way back needs.
    """

    s: np.ndarray
    z: np.ndarray
    kept: np.ndarray


class Unit(NamedTuple):
    """One step forward, one step back.

    Attributes:
        name: what the field calls it.
        gates: the names of the G blocks of rows of Waa, Wax and ba, in their order.
        parts: what the state consists of, n_a numbers each: ("a",) or ("a", "c").
        kept: K, how many times n_a numbers of a step the way back needs besides the gates and the states.
        extra: the axes of parameters beyond Waa, Wax and ba.
        halved: how many of the gates, counted from the first, are sigmoids. Their scores arrive here divided by two,
            since sigmoid(z) = (1 + tanh(z / 2)) / 2 and one tanh can then do all gates together.
        forward: given parameters and a `Pass`, returns the function of t that does step t: it reads s[:, t] and
            z[:, t] and writes s[:, t + 1], z[:, t] and kept[:, t].
        backward: given parameters, a `Pass`, dz (T, m, G n_a) to write to and ds (P, m, n_a), returns the function of
            t that goes back through step t: ds, the gradient of s[:, t + 1], becomes that of s[:, t], in place; dz[t]
            is the gradient of the scores, those that Wax x^<t> + ba is a part of. T - 1 is the first t.
        recurrent_gradients: given parameters, a `Pass` and dz, the gradients of Waa and of the extra parameters.
    """

    name: str
    gates: tuple[str, ...]
    parts: tuple[str, ...]
    kept: int
    extra: dict[str, tuple[str, str]]
    halved: int
    forward: Callable[[Parameters, Pass], Callable[[int], None]]
    backward: Callable[[Parameters, Pass, np.ndarray, np.ndarray], Callable[[int], None]]
    recurrent_gradients: Callable[[Parameters, Pass, np.ndarray], Parameters]

    @property
    def shapes(self) -> dict[str, tuple[str, str]]:
        """The axes of each parameter; "G n_a" means one block of n_a rows for each gate."""
        return {"Waa": ("G n_a", "n_a"), "Wax": ("G n_a", "n_x"), "ba": ("G n_a", "1")} | self.extra


def elman(g1: str) -> Unit:
    """The unit of Elman (1990): a^<t> = g1(Waa a^<t-1> + Wax x^<t> + ba). Implements eq-rnn-state.

    Args:
        g1: a name of `unrolled.activations.ACTIVATIONS`.
    """
    activation = ACTIVATIONS[g1]

    # The steps are short: to pick a step's array out of a larger one, or to look up a function in a module, takes about
    # as long as to add two such arrays. So the arrays are picked out beforehand, and functions have names of their own.

    def forward(parameters: Parameters, run: Pass) -> Callable[[int], None]:
        a = steps(run.s[0])
        a_next = a[1:]  # and run.z[0] as well, since there is only this gate
        times_WaaT = _product(parameters["Waa"].T, run.s.shape[2])  # (column of a)^T Waa^T, a row of memory each
        scores, add, g1_of = np.empty_like(a[0]), np.add, activation.function

        def step(t: int) -> None:
            a_t = a_next[t]
            times_WaaT(a[t], scores)
            add(scores, a_t, scores)
            g1_of(scores, a_t)  # eq-rnn-state

        return step

    def backward(parameters: Parameters, run: Pass, dz: np.ndarray, ds: np.ndarray) -> Callable[[int], None]:
        times_Waa = _product(parameters["Waa"], dz.shape[1])
        activation.slope(run.s[0, 1:], out=dz)  # g1'(z^<t>), to be multiplied by da^<t>
        dz, (da,), multiply = steps(dz), steps(ds), np.multiply

        def step(t: int) -> None:
            dz_t = dz[t]
            multiply(dz_t, da, dz_t)  # eq-bptt-preactivation
            times_Waa(dz_t, da)  # the second term of eq-bptt-recursion

        return step

    def recurrent_gradients(parameters: Parameters, run: Pass, dz: np.ndarray) -> Parameters:
        n_a, a = run.s.shape[3], run.s[0]
        return {"Waa": product(dz.reshape(-1, n_a).T, a[:-1].reshape(-1, n_a))}  # eq-bptt-waa

    name = "rnn" if g1 == "tanh" else f"rnn-{g1}"
    return Unit(name, ("a",), ("a",), 0, {}, 0, forward, backward, recurrent_gradients)


def _product(W: np.ndarray, m: int) -> Callable[..., np.ndarray]:
    """A function of a step and out, step @ W; for one column a product with a vector, whatever the order of W."""
    return W.T.dot if m == 1 else product_of_steps(W, m)
