"""The recurrent network of the book: Elman's (1990), forward and backward through time, many columns at once.

    a^<t>     = g1(Waa a^<t-1> + Wax x^<t> + ba)        (n_a, m)     eq-rnn-state
    y_hat^<t> = g2(Wya a^<t> + by)                      (n_y, m)     eq-rnn-output

Parameters are a plain dictionary of arrays of one floating-point type:

    Waa (n_a, n_a)    Wax (n_a, n_x)    ba (n_a, 1)    Wya (n_y, n_a)    by (n_y, 1)

Time comes first and a batch of m sequences adds columns: x is (T_x, n_x, m), a is (T_x + 1, n_a, m) with the initial
state in a[0]. Code counts time from zero: step t reads a[t] and x[t] and writes a[t + 1]. Instead of vectors x may hold
ids, integers (T_x, m): each stands for a one-hot column, and Wax x^<t> is then the choice of a column of Wax. A mask,
booleans (T_x, m), says which steps are real; where it is False the state is carried over unchanged.

The network falls into two halves. The layer (`layer_forward`, `layer_backward`) is the recurrence and the only place
with a loop over time; another unit would bring its own pair of such functions. The output (`output_scores`,
`output_backward`) looks at states from outside and treats all time steps as columns of one matrix. Everything else
joins the two: `forward`, `cost`, `cost_and_gradients`.

What makes it quick is that only the product with Waa has to wait for the step before. Those with Wax and Wya, and the
gradients of all three matrices, are one product each over all time steps (eq-bptt-one-product). For that, memory holds
every column in one piece, step after step, which is an array (T, m, n): `_rows` of what is seen from outside as
(T, n, m). No argument is ever changed, and all results are new arrays.
"""

import math
from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from unrolled.activations import ACTIVATIONS, Activation, sigmoid, softmax
from unrolled.buffers import Buffers
from unrolled.losses import LOSSES, apply_mask

Parameters = dict[str, np.ndarray]

SHAPES = {"Waa": ("n_a", "n_a"), "Wax": ("n_a", "n_x"), "ba": ("n_a", "1"), "Wya": ("n_y", "n_a"), "by": ("n_y", "1")}
"""The axes of each parameter."""

OUTPUTS = {"softmax": lambda z: softmax(z, axis=-2), "sigmoid": sigmoid, "identity": lambda z: z}
"""The choices of g2, from scores (T, n_y, m) to y_hat."""

_BUFFERS = Buffers()


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
    for name, size in {"n_x": n_x, "n_a": n_a, "n_y": n_y}.items():
        if size < 1:
            raise ValueError(f"{name} has to be at least 1; got {size}")
    bound = 1 / np.sqrt(n_a)
    if recurrent == "uniform":
        Waa = rng.uniform(-bound, bound, (n_a, n_a))
    elif recurrent == "orthogonal":
        Q, R = np.linalg.qr(rng.normal(size=(n_a, n_a)))
        Waa = Q * np.sign(np.diag(R))  # without the signs some rotations would come more often than others
    elif recurrent == "identity":
        Waa = np.eye(n_a)
    else:
        raise ValueError(f'recurrent is "uniform", "orthogonal" or "identity"; got {recurrent!r}')
    parameters = {
        "Waa": gain * Waa,
        "Wax": rng.uniform(-bound, bound, (n_a, n_x)),
        "ba": np.zeros((n_a, 1)),
        "Wya": rng.uniform(-bound, bound, (n_y, n_a)),
        "by": np.zeros((n_y, 1)),
    }
    return {name: value.astype(dtype) for name, value in parameters.items()}


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
    sizes, found = {"1": 1}, {}
    for name in names:
        if name not in parameters:
            raise ValueError(f"the parameter {name} is missing; there are only {', '.join(parameters) or 'none'}")
        found[name] = value = np.asarray(parameters[name])
        axes, known = SHAPES[name], dict(sizes)
        if value.ndim != 2 or any(sizes.setdefault(axis, n) != n for axis, n in zip(axes, value.shape, strict=True)):
            right = ", ".join(str(known.get(axis, axis)) for axis in axes)
            raise ValueError(f"{name} has the shape {value.shape}; it has to be ({', '.join(axes)}) = ({right})")
        if 0 in value.shape:
            raise ValueError(f"{name} is empty: its shape is {value.shape}")
    return found, sizes


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
    activation = _activation(g1)
    return _columns(_layer_forward(*_check_layer(parameters, x, a0, mask), activation))


def _layer_forward(
    parameters: Parameters, x: np.ndarray, a0: np.ndarray, mask: np.ndarray | None, activation: Activation
) -> np.ndarray:
    """The states as rows, (T_x + 1, m, n_a)."""
    WaaT = np.ascontiguousarray(parameters["Waa"].T)  # (column of a)^T Waa^T, a row of memory at a time
    a = np.empty((x.shape[0] + 1, *a0.T.shape), a0.dtype)
    a[0] = a0.T
    _input_scores(parameters["Wax"], parameters["ba"], x, out=a[1:])  # Wax x^<t> + ba, where a^<t> is going to stand
    z = np.empty_like(a[0])
    for t, (before, after) in enumerate(pairwise(a)):
        np.dot(before, WaaT, out=z)
        z += after
        activation.function(z, out=after)  # eq-rnn-state
        if mask is not None:
            np.copyto(after, before, where=~mask[t, :, None])
    return a


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
    activation = _activation(g1)
    parameters, x, a0, mask = _check_layer(parameters, x, None, mask)
    (n_a, m), T_x = a0.shape, x.shape[0]
    a, da = np.asarray(a), np.asarray(da)
    _check_shape("a", a, ("T_x + 1", "n_a", "m"), (T_x + 1, n_a, m))
    _check_shape("da", da, ("T_x", "n_a", "m"), (T_x, n_a, m))
    _, arrays = _check_numbers(parameters | {"a": a, "da": da})
    return _layer_backward(arrays, x, _rows(arrays["a"]), _rows(arrays["da"]), mask, activation)


def _layer_backward(
    parameters: Parameters,
    x: np.ndarray,
    a: np.ndarray,
    da: np.ndarray,
    mask: np.ndarray | None,
    activation: Activation,
) -> LayerGradients:
    """The same with a (T_x + 1, m, n_a) and da (T_x, m, n_a) as rows."""
    Waa = np.ascontiguousarray(parameters["Waa"])
    T_x, m, n_a = da.shape
    dz = activation.slope(a[1:], out=_BUFFERS.empty("dz", da.shape, a.dtype))  # g1'(z^<t>), to be multiplied by da^<t>
    if mask is not None:
        dz[~mask] = 0  # a state that was carried over has no z
    through_next = np.zeros((m, n_a), a.dtype)  # no state follows the last one
    total = np.empty_like(through_next)
    for t, (dz_t, direct) in enumerate(zip(dz[::-1], da[::-1], strict=True), start=1):
        np.add(direct, through_next, out=total)  # eq-bptt-recursion
        dz_t *= total  # eq-bptt-preactivation
        np.dot(dz_t, Waa, out=through_next)
        if mask is not None:
            np.add(through_next, total, out=through_next, where=~mask[-t, :, None])
    dz = dz.reshape(-1, n_a)  # (T_x m, n_a): all steps of all columns are one matrix
    gradients = {
        "Waa": dz.T @ a[:-1].reshape(-1, n_a),
        "Wax": _input_weights(x, dz, parameters["Wax"].shape[1]),
        "ba": _sum(dz),
    }
    dx = None if _are_ids(x) else _columns((dz @ parameters["Wax"]).reshape(T_x, m, -1))
    return LayerGradients(gradients, dx, through_next.T)


def _input_scores(Wax: np.ndarray, ba: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Wax x^<t> + ba for all steps at once, into `out` (T_x, m, n_a)."""
    if not _are_ids(x):
        np.matmul(_rows(x).reshape(-1, x.shape[1]), Wax.T, out=out.reshape(-1, out.shape[2]))
        out += ba.T
        return
    if Wax.shape[1] > x.size:
        np.add(Wax.T[x], ba.T, out=out)  # eq-rnn-one-hot
        return
    table = np.add(Wax.T, ba.T, order="C")  # each column in one piece, once, since most are needed more than once
    np.take(table, x, axis=0, out=out, mode="clip")  # the ids have been checked; this mode spares a copy


def _input_weights(x: np.ndarray, dz: np.ndarray, n_x: int) -> np.ndarray:
    """dWax (n_a, n_x), from dz as rows (T_x m, n_a). Implements eq-bptt-wax."""
    if not _are_ids(x):
        return dz.T @ _rows(x).reshape(-1, n_x)
    ids = x.ravel()
    if n_x <= 128:  # a product with one-hot rows is faster than sorting
        one_hot = np.zeros((ids.size, n_x), dz.dtype)
        one_hot[np.arange(ids.size), ids] = 1
        return dz.T @ one_hot
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])  # where the run of each id begins
    dWax = np.zeros((dz.shape[1], n_x), dz.dtype)
    dWax[:, ids[first]] = np.add.reduceat(dz[order], first, axis=0).T
    return dWax


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
    return _columns(_output_scores(parameters, _rows(a)))


def _output_scores(parameters: Parameters, a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The scores as rows (T, m, n_y), from states as rows."""
    Wya = parameters["Wya"]
    z_y = np.matmul(a.reshape(-1, a.shape[2]), Wya.T, out=None if out is None else out.reshape(-1, len(Wya)))
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
    _check_shape("dz_y", dz_y, ("T", "n_y", "m"), (len(a), len(parameters["Wya"]), a.shape[2]))
    _, arrays = _check_numbers(parameters | {"dz_y": dz_y})
    gradients, da = _output_backward(arrays, _rows(arrays["a"]), _rows(arrays["dz_y"]))
    return gradients, _columns(da)


def _output_backward(
    parameters: Parameters, a: np.ndarray, dz_y: np.ndarray, scale: float = 1.0, out: np.ndarray | None = None
) -> tuple[Parameters, np.ndarray]:
    """The same with rows. The gradient of the scores is `scale` dz_y: two thin arrays are scaled instead of it."""
    T, m, n_a = a.shape
    a, dz_y = a.reshape(-1, n_a), dz_y.reshape(T * m, -1)
    da = np.matmul(dz_y, parameters["Wya"], out=None if out is None else out.reshape(-1, n_a))
    if scale != 1:
        da *= scale
        a = a * a.dtype.type(scale)
    return {"Wya": dz_y.T @ a, "by": _sum(dz_y, scale)}, da.reshape(T, m, n_a)


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
    activation, output = _activation(g1), _choice("g2", g2, OUTPUTS)
    parameters, x, a0, mask = _check_layer(parameters, x, a0, mask, tuple(SHAPES))
    a = _layer_forward(parameters, x, a0, mask, activation)
    return _columns(a), output(_columns(_output_scores(parameters, a[1:])))  # eq-rnn-output


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
    return _forward_to_cost(parameters, x, targets, a0, g1, loss, mask, reduction).J


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
    run = _forward_to_cost(parameters, x, targets, a0, g1, loss, mask, reduction)
    parameters, x, mask, activation, a, dz_y, share, J = run
    output_gradients, da = _output_backward(
        parameters, a[1:], dz_y, share, out=_BUFFERS.empty("da", a[1:].shape, a.dtype)
    )
    layer = _layer_backward(parameters, x, a, da, mask, activation)
    return Step(J, layer.gradients | output_gradients, layer.da0, layer.dx, _columns(a))


class _Run(NamedTuple):
    """A forward pass and all that the way back needs; a and dz_y are rows."""

    parameters: Parameters
    x: np.ndarray
    mask: np.ndarray | None
    activation: Activation
    a: np.ndarray
    dz_y: np.ndarray
    share: float
    J: np.floating


def _forward_to_cost(
    parameters: Parameters,
    x: np.ndarray,
    targets: np.ndarray,
    a0: np.ndarray | None,
    g1: str,
    loss: str,
    mask: np.ndarray | None,
    reduction: str,
) -> _Run:
    """J, and the gradient of the sum of the losses at the scores; `share` is the factor from the sum to J."""
    activation = _activation(g1)
    loss_and_gradient = _choice("loss", loss, LOSSES)
    _choice("reduction", reduction, ("sum", "mean"))
    parameters, x, a0, mask = _check_layer(parameters, x, a0, mask, tuple(SHAPES))
    T_x, m, n_y = x.shape[0], x.shape[-1], len(parameters["by"])
    targets = np.asarray(targets)
    axes, shape = (("T_x", "m"), (T_x, m)) if loss == "softmax" else (("T_x", "n_y", "m"), (T_x, n_y, m))
    _check_shape("targets", targets, axes, shape)
    number = T_x * m
    if mask is not None:
        targets = np.where(mask if loss == "softmax" else mask[:, None, :], targets, 0)
        number = np.count_nonzero(mask)
    if reduction == "mean" and number == 0:
        raise ValueError("there is no mean over no predictions: the mask is False everywhere")
    a = _layer_forward(parameters, x, a0, mask, activation)
    z_y = _output_scores(parameters, a[1:], out=_BUFFERS.empty("z_y", (T_x, m, n_y), a.dtype))
    losses, dz_y = loss_and_gradient(_columns(z_y), targets, out=_columns(z_y))
    if mask is not None:
        apply_mask(losses, dz_y, mask)
    share = 1.0 if reduction == "sum" else 1 / number
    J = losses.sum() * losses.dtype.type(share)  # eq-rnn-cost
    return _Run(parameters, x, mask, activation, a, _rows(dz_y), share, J)


# Columns as rows of memory


def _rows(v: np.ndarray) -> np.ndarray:
    """(T, n, m) as (T, m, n), each column in one piece; nothing is copied of what this module has made."""
    return np.ascontiguousarray(v.swapaxes(1, 2))


def _columns(v: np.ndarray) -> np.ndarray:
    """(T, m, n) as (T, n, m), without a copy."""
    return v.swapaxes(1, 2)


def _sum(rows: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """The sum of all rows, (N, n) to (n, 1); a product with ones takes a third of the time of rows.sum(axis=0)."""
    return (np.full(len(rows), scale, rows.dtype) @ rows)[:, None]


def _are_ids(x: np.ndarray) -> bool:
    return x.dtype.kind in "iu"


# Checks


_PRECISION = {np.dtype(name): bits for name, bits in {"f4": 32, "f8": 64, "c8": 32, "c16": 64}.items()}


def _choice(name: str, value: str, choices: Collection[str]) -> object:
    """What stands under `value` in a table, or `value` itself in a list."""
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}; got {value!r}")
    return choices[value] if isinstance(choices, dict) else value


def _activation(g1: str) -> Activation:
    return _choice("g1", g1, ACTIVATIONS)


def _check_shape(name: str, array: np.ndarray, axes: tuple[str, ...], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}; it has to be ({', '.join(axes)}) = {shape}")


def _check_numbers(arrays: dict[str, np.ndarray]) -> tuple[np.dtype, dict[str, np.ndarray]]:
    """The common type of some arrays, and the arrays in it: all have to be finite and of one precision."""
    types = {value.dtype for value in arrays.values()}
    for name, value in arrays.items():
        if value.dtype not in _PRECISION:
            raise TypeError(f"{name} holds {value.dtype}; float64 or float32 is needed")
        # One pass decides: the sum of squares is finite. If not, the numbers may yet be finite and only large.
        flat = value.ravel(order="K")  # as it lies in memory: columns that are kept as rows need no copy
        if not math.isfinite(np.vdot(flat, flat).real) and not (finite := np.isfinite(value)).all():
            where = np.unravel_index(np.argmin(finite), value.shape)
            raise ValueError(f"{name} is not finite: {name}[{', '.join(map(str, where))}] is {value[where]}")
    if len({_PRECISION[dtype] for dtype in types}) > 1:
        listed = ", ".join(f"{name} {value.dtype}" for name, value in arrays.items())
        raise TypeError(f"float32 and float64 are mixed ({listed}); make them one with astype")
    dtype = np.result_type(*types)
    return dtype, {name: value.astype(dtype, copy=False) for name, value in arrays.items()}


def _check_layer(
    parameters: Parameters,
    x: np.ndarray,
    a0: np.ndarray | None,
    mask: np.ndarray | None,
    names: Collection[str] = ("Waa", "Wax", "ba"),
) -> tuple[Parameters, np.ndarray, np.ndarray, np.ndarray | None]:
    """Parameters and a0 in their common type, x without what the mask hides; None for a mask that hides nothing."""
    numbers, sizes = check_parameters(parameters, names)
    x, n_a = np.asarray(x), sizes["n_a"]
    _check_input(x, sizes["n_x"])
    T_x, m = x.shape[0], x.shape[-1]
    if mask is not None:
        mask = np.asarray(mask)
        if mask.dtype != bool:
            raise TypeError(f"a mask has to be boolean; got {mask.dtype}")
        _check_shape("mask", mask, ("T_x", "m"), (T_x, m))
        mask = None if mask.all() else mask
    if mask is not None:
        x = np.where(mask if _are_ids(x) else mask[:, None, :], x, x.dtype.type(0))
    if _are_ids(x):
        if x.min() < 0 or x.max() >= sizes["n_x"]:
            wrong = x.min() if x.min() < 0 else x.max()
            last = sizes["n_x"] - 1
            raise ValueError(f"the id {wrong} in x is out of range: Wax has columns for the ids 0 .. {last}")
    else:
        numbers["x"] = x
    if a0 is not None:
        numbers["a0"] = a0 = np.asarray(a0)
        _check_shape("a0", a0, ("n_a", "m"), (n_a, m))
    dtype, numbers = _check_numbers(numbers)
    a0 = np.zeros((n_a, m), dtype) if a0 is None else numbers["a0"]
    return numbers, numbers.get("x", x), a0, mask


def _check_input(x: np.ndarray, n_x: int) -> None:
    if _are_ids(x):
        if x.ndim != 2:
            hint = "; numbers instead of ids have to be floats" if x.ndim == 3 else ""
            hint = "; one sequence is one column, x[:, None]" if x.ndim == 1 else hint
            raise ValueError(f"integers x are ids and have to be of shape (T_x, m); got {x.shape}{hint}")
    elif x.dtype.kind not in "fc":
        raise TypeError(f"x has to hold floats (T_x, n_x, m) or integer ids (T_x, m); got {x.dtype} {x.shape}")
    elif x.ndim != 3 or x.shape[1] != n_x:
        hint = "; one sequence is one column, x[:, :, None]" if x.ndim == 2 else ""
        raise ValueError(
            f"x has the shape {x.shape}; floats have to be (T_x, n_x, m) with n_x = {n_x}, the columns of Wax{hint}"
        )
    if 0 in x.shape:
        raise ValueError(
            f"x is empty, with the shape {x.shape}: a sequence needs at least one step, a batch one column"
        )


def _check_output(parameters: Parameters, a: np.ndarray) -> tuple[Parameters, np.ndarray]:
    numbers, sizes = check_parameters(parameters, ("Wya", "by"))
    a = np.asarray(a)
    if a.ndim != 3 or a.shape[1] != sizes["n_a"] or 0 in a.shape:
        raise ValueError(
            f"a has the shape {a.shape}; it has to be (T, n_a, m) with n_a = {sizes['n_a']}, none of them 0"
        )
    numbers["a"] = a
    _, numbers = _check_numbers(numbers)
    return numbers, numbers["a"]
