"""The recurrent network of the book: Elman's (1990), forward and backward through time, many columns at once.

    a^<t>     = g1(Waa a^<t-1> + Wax x^<t> + ba)        (n_a, m)     eq-rnn-state
    y_hat^<t> = g2(Wya a^<t> + by)                      (n_y, m)     eq-rnn-output

Parameters are a plain dictionary of arrays of one floating-point type:

    Waa (n_a, n_a)    Wax (n_a, n_x)    ba (n_a, 1)    Wya (n_y, n_a)    by (n_y, 1)

Time comes first and a batch of m sequences adds columns: x is (T_x, n_x, m), a is (T_x + 1, n_a, m) with the initial
state in a[0]. Code counts time from zero: step t reads a[t] and x[t] and writes a[t + 1]. Instead of vectors x may hold
ids, integers (T_x, m): each stands for a one-hot column, and Wax x^<t> is then the choice of a column of Wax. A mask,
booleans (T_x, m), says which steps are real; where it is False the state is carried over unchanged.

The network falls into two halves. The layer (`layer_forward`, `layer_backward`) is the recurrence; the loop over time
itself is that of `unrolled.recurrence`, which gated units share. The output (`output_scores`, `output_backward`) looks
at states from outside and treats all time steps as columns of one matrix. Everything else joins the two: `forward`,
`cost`, `cost_and_gradients`.

What makes it quick is that only the product with Waa has to wait for the step before. Those with Wax and Wya, and the
gradients of all three matrices, are one product each over all time steps (eq-bptt-one-product). For that, memory holds
every column in one piece, step after step, which is an array (T, m, n): the `rows` of what is seen from outside as
(T, n, m), see `unrolled.columns`. No argument is ever changed, and all results are new arrays.
"""

import math
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from unrolled.activations import ACTIVATIONS, sigmoid, softmax
from unrolled.columns import (
    Parameters,
    check_mask,
    check_numbers,
    check_shape,
    check_shapes,
    choice,
    columns,
    ones,
    product,
    rows,
    sum_of_rows,
)
from unrolled.losses import LOSSES, apply_mask, check_targets
from unrolled.recurrence import UNITS, Layer, check_layer, check_sizes, run_backward, run_forward
from unrolled.units import Pass, Unit

SHAPES = {"Waa": ("n_a", "n_a"), "Wax": ("n_a", "n_x"), "ba": ("n_a", "1"), "Wya": ("n_y", "n_a"), "by": ("n_y", "1")}
"""The axes of each parameter."""

OUTPUTS = {"softmax": lambda z: softmax(z, axis=-2), "sigmoid": sigmoid, "identity": lambda z: z}
"""The choices of g2, from scores (T, n_y, m) to y_hat."""


class LayerGradients(NamedTuple):
    """What `layer_backward` finds.

    Attributes:
        gradients: of Waa, Wax and ba, under these names.
        dx: the gradient of the input, (T_x, n_x, m); None when the input was ids.
        da0: the gradient of the initial state, (n_a, m).
    """

    gradients: Parameters
    dx: np.ndarray | None
    da0: np.ndarray


class Step(NamedTuple):
    """What `cost_and_gradients` finds.

    Attributes:
        J: the cost.
        gradients: of every parameter, under its name.
        da0: the gradient of the initial state, (n_a, m).
        dx: the gradient of the input, (T_x, n_x, m); None when the input was ids.
        a: the states, (T_x + 1, n_a, m); a[-1] is what a next piece of text starts from.
    """

    J: np.floating
    gradients: Parameters
    da0: np.ndarray
    dx: np.ndarray | None
    a: np.ndarray


# Parameters


def create(
    rng: np.random.Generator,
    n_x: int,
    n_a: int,
    n_y: int,
    recurrent: str = "uniform",
    gain: float = 1.0,
    dtype: type = np.float64,
) -> Parameters:
    """The parameters of a network that has learned nothing yet.

    All three matrices are uniform in +-1 / sqrt(n_a), as in PyTorch; biases are zero. `recurrent` changes Waa alone.

    Args:
        rng: draws the matrices.
        n_x: length of an input column, or the number of different ids.
        n_a: length of the state.
        n_y: number of outputs.
        recurrent: how Waa starts: "uniform"; "orthogonal", a random rotation (Saxe, McClelland & Ganguli 2014);
            "identity", for which g1 = "relu" is meant (Le, Jaitly & Hinton 2015).
        gain: Waa is multiplied by it.
        dtype: np.float64 or np.float32.

    Raises:
        ValueError: a size is below 1, or `recurrent` is none of the three.
    """
    check_sizes(n_x=n_x, n_a=n_a, n_y=n_y)
    layer = Layer("rnn", n_x, n_a).create(rng, dtype, recurrent, gain)
    bound = 1 / np.sqrt(n_a)
    Wya = rng.uniform(-bound, bound, (n_y, n_a)).astype(dtype)
    return layer | {"Wya": Wya, "by": np.zeros((n_y, 1), dtype)}


def number_of_parameters(parameters: Parameters) -> int:
    """How many numbers the network learns. Implements eq-rnn-parameters."""
    return sum(value.size for value in parameters.values())


def check_parameters(
    parameters: Parameters, names: Collection[str] = tuple(SHAPES)
) -> tuple[Parameters, dict[str, int]]:
    """See that parameters are there and fit together.

    Args:
        parameters: by name; others than `names` are not looked at.
        names: which are needed, all five when not given.

    Returns:
        The parameters of these names, and the sizes that their shapes agree on, under "n_a", and under "n_x" and "n_y"
        where these occur.

    Raises:
        ValueError: a parameter is missing, empty, or of a shape that does not fit; the message says what would.
    """
    return check_shapes(parameters, {name: SHAPES[name] for name in names})


# The layer: the recurrence, forward and backward through time


def layer_forward(
    parameters: Parameters,
    x: np.ndarray,
    a0: np.ndarray | None = None,
    g1: str = "tanh",
    mask: np.ndarray | None = None,
) -> np.ndarray:
    """The states, one step after the other. Implements eq-rnn-state, for ids with eq-rnn-one-hot.

    Args:
        parameters: Waa (n_a, n_a), Wax (n_a, n_x), ba (n_a, 1); others are left alone. Complex ones are welcome.
        x: columns (T_x, n_x, m) of floats, or ids (T_x, m).
        a0: the initial state (n_a, m); zeros when it is not given.
        g1: the activation: "tanh", "relu", "sigmoid" or "identity".
        mask: booleans (T_x, m); where False, the state is carried over unchanged and x is not looked at.

    Returns:
        a (T_x + 1, n_a, m), the initial state included.

    Raises:
        ValueError: a shape does not fit, an id has no column in Wax, or a number is not finite.
        TypeError: an array holds the wrong kind of numbers, or float32 meets float64.
    """
    unit = _unit(g1)
    return columns(run_forward(unit, *check_layer(unit, parameters, x, a0, mask, state="a0")).s[0])


def layer_backward(
    parameters: Parameters,
    x: np.ndarray,
    a: np.ndarray,
    da: np.ndarray,
    g1: str = "tanh",
    mask: np.ndarray | None = None,
) -> LayerGradients:
    """The gradients of the layer, the last step first.

    Implements eq-bptt-recursion, eq-bptt-preactivation, eq-bptt-waa, eq-bptt-wax, eq-bptt-ba, eq-bptt-x and eq-bptt-a0.

    Args:
        parameters: as for `layer_forward`.
        x: as for `layer_forward`.
        a: what `layer_forward` returned, (T_x + 1, n_a, m).
        da: what arrives at each of the states a[1:] directly, from the output of its own step, (T_x, n_a, m): the first
            term of eq-bptt-recursion. The second, through the next state, is added here.
        g1: as for `layer_forward`.
        mask: as for `layer_forward`.

    Returns:
        The gradients, dx and da0.

    Raises:
        ValueError, TypeError: as for `layer_forward`, or a or da does not fit.
    """
    unit = _unit(g1)
    parameters, x, a0, mask = check_layer(unit, parameters, x, None, mask)
    (n_a, m), T_x = a0.shape, x.shape[0]
    a, da = np.asarray(a), np.asarray(da)
    check_shape("a", a, ("T_x + 1", "n_a", "m"), (T_x + 1, n_a, m))
    check_shape("da", da, ("T_x", "n_a", "m"), (T_x, n_a, m))
    _, arrays = check_numbers(parameters | {"a": a, "da": da})
    return LayerGradients(*run_backward(unit, arrays, x, _pass(rows(arrays["a"])), rows(arrays["da"]), mask))


def _unit(g1: str) -> Unit:
    """The simple unit with this activation."""
    choice("g1", g1, ACTIVATIONS)
    return UNITS["rnn" if g1 == "tanh" else f"rnn-{g1}"]


def _pass(a: np.ndarray) -> Pass:
    """What the simple unit has in memory: its states, as rows, and nothing else."""
    return Pass(a[None], a[None, 1:], a[None, :0])


# The output: scores of all time steps, and back


def output_scores(parameters: Parameters, a: np.ndarray) -> np.ndarray:
    """z_y = Wya a + by for all steps in one product; the linear part of eq-rnn-output.

    Args:
        parameters: Wya (n_y, n_a) and by (n_y, 1).
        a: states (T, n_a, m): a[1:] for an output at each step, a[-1:] for one at the end.

    Returns:
        z_y (T, n_y, m).

    Raises:
        ValueError: a shape does not fit, or a number is not finite.
        TypeError: an array holds the wrong kind of numbers, or float32 meets float64.
    """
    parameters, a = _check_output(parameters, a)
    return columns(_output_scores(parameters, rows(a)))


def _output_scores(parameters: Parameters, a: np.ndarray) -> np.ndarray:
    """The scores as rows (T, m, n_y), from states as rows."""
    z_y = product(a.reshape(-1, a.shape[2]), parameters["Wya"].T)
    z_y += parameters["by"].T
    return z_y.reshape(*a.shape[:2], -1)


def output_backward(parameters: Parameters, a: np.ndarray, dz_y: np.ndarray) -> tuple[Parameters, np.ndarray]:
    """The gradients of the output. Implements eq-bptt-wya, eq-bptt-by and the direct term of eq-bptt-recursion.

    Args:
        parameters: Wya (n_y, n_a) and by (n_y, 1).
        a: the states that `output_scores` was given, (T, n_a, m).
        dz_y: the gradient of the scores, (T, n_y, m).

    Returns:
        The gradients of Wya and by under these names, and da (T, n_a, m).

    Raises:
        ValueError, TypeError: as for `output_scores`, or dz_y does not fit.
    """
    parameters, a = _check_output(parameters, a)
    dz_y = np.asarray(dz_y)
    check_shape("dz_y", dz_y, ("T", "n_y", "m"), (len(a), len(parameters["Wya"]), a.shape[2]))
    _, arrays = check_numbers(parameters | {"a": a, "dz_y": dz_y})
    gradients, da = _output_backward(arrays, rows(arrays["a"]), rows(arrays["dz_y"]))
    return gradients, columns(da)


def _output_backward(
    parameters: Parameters, a: np.ndarray, dz_y: np.ndarray, scale: float = 1.0
) -> tuple[Parameters, np.ndarray]:
    """The same with rows. The gradient of the scores is `scale` dz_y: two thin arrays are scaled instead of it."""
    T, m, n_a = a.shape
    a, dz_y = a.reshape(-1, n_a), dz_y.reshape(T * m, -1)
    da = product(dz_y, parameters["Wya"])
    if scale != 1:
        da *= scale
        a = a * a.dtype.type(scale)
    return {"Wya": product(dz_y.T, a), "by": sum_of_rows(dz_y, scale)}, da.reshape(T, m, n_a)


# The output and its softmax loss in one


def output_losses_and_gradients(
    parameters: Parameters,
    a: np.ndarray,
    targets: np.ndarray,
    mask: np.ndarray | None = None,
    scale: float = 1.0,
) -> tuple[np.ndarray, Parameters, np.ndarray]:
    """What `output_scores`, `softmax_cross_entropy` and `output_backward` do one after the other, in less time.

    Args:
        parameters: Wya (V, n_a) and by (V, 1).
        a: states (T, n_a, m).
        targets: ids (T, m).
        mask: booleans (T, m); where False there is no loss.
        scale: the gradients are those of the sum of the losses times this.

    Returns:
        The losses (T, m), the gradients of Wya and by under these names, and da (T, n_a, m).

    Raises:
        ValueError: a shape does not fit, a target is out of range, or a number is not finite.
        TypeError: an array holds the wrong kind of numbers, or float32 meets float64.
    """
    parameters, a = _check_output(parameters, a)
    targets = np.asarray(targets)
    T, m = len(a), a.shape[2]
    check_shape("targets", targets, ("T", "m"), (T, m))
    mask = check_mask(mask, T, m)
    targets = targets if mask is None else np.where(mask, targets, 0)
    losses, gradients, da = _losses_and_gradients(parameters, rows(a), targets, "softmax", mask, scale)
    return losses, gradients, columns(da)


def _losses(
    parameters: Parameters, a: np.ndarray, targets: np.ndarray, loss: str, mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The losses (T, m) and the gradient of their sum at the scores, as rows; from states as rows."""
    z_y = columns(_output_scores(parameters, a))
    losses, dz_y = LOSSES[loss](z_y, targets, out=z_y)
    if mask is not None:
        apply_mask(losses, dz_y, mask)
    return losses, rows(dz_y)


def _losses_and_gradients(
    parameters: Parameters, a: np.ndarray, targets: np.ndarray, loss: str, mask: np.ndarray | None, scale: float
) -> tuple[np.ndarray, Parameters, np.ndarray]:
    """The losses (T, m), the gradients of the output's parameters, and da as rows; from states as rows."""
    if loss == "softmax" and a.dtype.kind == "f":
        found = _softmax_of_moderate_scores(parameters, a, targets, mask, scale)
        if found is not None:
            return found
    losses, dz_y = _losses(parameters, a, targets, loss, mask)
    return losses, *_output_backward(parameters, a, dz_y, scale)


def _softmax_of_moderate_scores(
    parameters: Parameters, a: np.ndarray, targets: np.ndarray, mask: np.ndarray | None, scale: float
) -> tuple[np.ndarray, Parameters, np.ndarray] | None:
    """As `_losses_and_gradients`, for the softmax; None if a score is so large or so small that it needs care.

    The exponentials e = exp(z_y) are not shifted by the largest score of their column, which saves a pass to find it
    and one to subtract it. With them, and with their sum over the rows of a column,

        J = ln(sum / e[target])        y_hat - y = (e - sum y) / sum

    Two numbers of each column, which are needed anyway, say afterwards whether this was right: only if the sum is not
    too large, and e[target] not too small, for their ratio to be known to the last digit.
    """
    Wya, by = parameters["Wya"], parameters["by"]
    (T, m, n_a), V = a.shape, len(Wya)
    check_targets(targets, V)
    a = a.reshape(T * m, n_a)
    e = product(a, Wya.T)
    e += by.T
    right = np.arange(0, T * m * V, V) + targets.ravel().astype(np.intp, copy=False)  # in e as one row, e_flat
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        np.exp(e, out=e)
        total = e.dot(ones(V, e.dtype))
        e_flat = e.ravel()
        of_right = e_flat[right]
        # A sum of squares is finite only if each square is: one product instead of a search for the largest.
        inverse = np.reciprocal(of_right)
        if not (math.isfinite(total.dot(total)) and math.isfinite(inverse.dot(inverse))):
            return None
    losses = np.log(total / of_right).reshape(T, m)  # eq-softmax-cross-entropy
    e_flat[right] = of_right - total
    share = scale / total
    if mask is not None:
        losses[~mask] = 0
        share[~mask.ravel()] = 0
    e *= share[:, None]  # eq-softmax-cross-entropy-gradient
    gradients = {"Wya": product(e.T, a), "by": sum_of_rows(e)}
    return losses, gradients, product(e, Wya).reshape(T, m, n_a)


# Both together


def forward(
    parameters: Parameters,
    x: np.ndarray,
    a0: np.ndarray | None = None,
    g1: str = "tanh",
    g2: str = "softmax",
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """States and outputs. Implements eq-rnn-state and eq-rnn-output.

    Args:
        parameters: all five.
        x: columns (T_x, n_x, m), or ids (T_x, m).
        a0: the initial state (n_a, m); zeros when it is not given.
        g1: the activation of the state.
        g2: that of the output: "softmax", "sigmoid" or "identity".
        mask: as for `layer_forward`.

    Returns:
        a (T_x + 1, n_a, m) and y_hat (T_x, n_y, m).

    Raises:
        ValueError, TypeError: as for `layer_forward`.
    """
    unit, output = _unit(g1), choice("g2", g2, OUTPUTS)
    parameters, x, a0, mask = check_layer(unit, parameters, x, a0, mask, shapes=SHAPES, state="a0")
    a = run_forward(unit, parameters, x, a0, mask).s[0]
    return columns(a), output(columns(_output_scores(parameters, a[1:])))  # eq-rnn-output


def cost(
    parameters: Parameters,
    x: np.ndarray,
    targets: np.ndarray,
    a0: np.ndarray | None = None,
    g1: str = "tanh",
    loss: str = "softmax",
    mask: np.ndarray | None = None,
    reduction: str = "sum",
) -> np.floating | np.complexfloating:
    """J alone. Implements eq-rnn-cost; parameters, x and a0 may be complex, for the complex step.

    Arguments and errors as for `cost_and_gradients`.
    """
    unit, parameters, x, targets, a0, mask, share = _check_cost(parameters, x, targets, a0, g1, loss, mask, reduction)
    a = run_forward(unit, parameters, x, a0, mask).s[0]
    return _cost(_losses(parameters, a[1:], targets, loss, mask)[0], share)


def cost_and_gradients(
    parameters: Parameters,
    x: np.ndarray,
    targets: np.ndarray,
    a0: np.ndarray | None = None,
    g1: str = "tanh",
    loss: str = "softmax",
    mask: np.ndarray | None = None,
    reduction: str = "sum",
) -> Step:
    """J and the gradient of everything it depends on: one step forward and backward through all of time.

    Implements eq-rnn-cost and all of backpropagation through time (eq-bptt-scores to eq-bptt-x). The state that comes
    in as a0 is a number like others: nothing flows back to what computed it (eq-truncated-bptt).

    Args:
        parameters: all five.
        x: columns (T_x, n_x, m), or ids (T_x, m).
        targets: for "softmax" ids (T_x, m), for "sigmoid" numbers (T_x, n_y, m) in [0, 1].
        a0: the initial state (n_a, m); zeros when it is not given.
        g1: the activation of the state.
        loss: "softmax" or "sigmoid", see `unrolled.losses.LOSSES`.
        mask: booleans (T_x, m); where False the state is carried over, and the output costs nothing. What x and targets
            hold there plays no part.
        reduction: "sum" over time and columns, the book's J; or "mean" over the predictions, without those that are
            masked out. With the sigmoid loss one prediction is a whole column.

    Raises:
        ValueError: a shape does not fit, an id is out of range, a number is not finite, or a mean is taken of nothing.
        TypeError: an array holds the wrong kind of numbers, or float32 meets float64.
    """
    unit, parameters, x, targets, a0, mask, share = _check_cost(parameters, x, targets, a0, g1, loss, mask, reduction)
    run = run_forward(unit, parameters, x, a0, mask)
    a = run.s[0]
    losses, of_output, da = _losses_and_gradients(parameters, a[1:], targets, loss, mask, share)
    layer = run_backward(unit, parameters, x, run, da, mask)
    return Step(_cost(losses, share), layer.gradients | of_output, layer.ds0, layer.dx, columns(a))


def _cost(losses: np.ndarray, share: float) -> np.floating | np.complexfloating:
    """J from the losses (T, m). Implements eq-rnn-cost."""
    return losses.sum() * losses.dtype.type(share)


def _check_cost(
    parameters: Parameters,
    x: np.ndarray,
    targets: np.ndarray,
    a0: np.ndarray | None,
    g1: str,
    loss: str,
    mask: np.ndarray | None,
    reduction: str,
) -> tuple[Unit, Parameters, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None, float]:
    """The unit; parameters, x, targets, a0 and mask when all is well; and the factor from the sum of losses to J."""
    unit = _unit(g1)
    choice("loss", loss, LOSSES)
    choice("reduction", reduction, ("sum", "mean"))
    parameters, x, a0, mask = check_layer(unit, parameters, x, a0, mask, shapes=SHAPES, state="a0")
    T_x, m, n_y = x.shape[0], x.shape[-1], len(parameters["by"])
    targets = np.asarray(targets)
    axes, shape = (("T_x", "m"), (T_x, m)) if loss == "softmax" else (("T_x", "n_y", "m"), (T_x, n_y, m))
    check_shape("targets", targets, axes, shape)
    number = T_x * m
    if mask is not None:
        targets = np.where(mask if loss == "softmax" else mask[:, None, :], targets, 0)
        number = np.count_nonzero(mask)
    if reduction == "mean" and number == 0:
        raise ValueError("there is no mean over no predictions: the mask is False everywhere")
    return unit, parameters, x, targets, a0, mask, 1.0 if reduction == "sum" else 1 / number


def _check_output(parameters: Parameters, a: np.ndarray) -> tuple[Parameters, np.ndarray]:
    numbers, sizes = check_parameters(parameters, ("Wya", "by"))
    names = tuple(numbers)
    a = np.asarray(a)
    if a.ndim != 3 or a.shape[1] != sizes["n_a"] or 0 in a.shape:
        raise ValueError(
            f"a has the shape {a.shape}; it has to be (T, n_a, m) with n_a = {sizes['n_a']}, none of them 0"
        )
    _, numbers = check_numbers(numbers | {"a": a})
    return {name: numbers[name] for name in names}, numbers["a"]
