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

What makes it quick is that only a product with Waa has to wait for the step before. The products with Wax and Wya, and
the gradients of all three matrices, are one product each over all time steps (eq-bptt-one-product). For that the memory
holds each column of a state in one piece, step after step: an array (T, m, n), seen from outside as (T, n, m). Nothing
is kept between calls, and no argument is ever changed.
"""

from typing import NamedTuple

import numpy as np

from unrolled.activations import ACTIVATIONS, Activation, sigmoid, softmax
from unrolled.losses import LOSSES, apply_mask

Parameters = dict[str, np.ndarray]

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
        TypeError: an array has the wrong kind of numbers, or float32 meets float64.
    """
    activation = _activation(g1)
    parameters, x, a0, mask = _prepare(parameters, x, a0, mask)
    (T_x, m), n_a = (x.shape[0], x.shape[-1]), a0.shape[0]
    WaaT = np.ascontiguousarray(parameters["Waa"].T)
    a = np.empty((T_x + 1, m, n_a), a0.dtype)  # a[t] holds the columns of the state as rows
    a[0] = a0.T
    _input_scores(parameters["Wax"], parameters["ba"], x, out=a[1:])  # Wax x^<t> + ba, where a^<t> will stand
    z = np.empty_like(a[0])
    for t in range(T_x):
        np.matmul(a[t], WaaT, out=z)
        z += a[t + 1]
        activation.function(z, out=a[t + 1])  # eq-rnn-state
        if mask is not None:
            np.copyto(a[t + 1], a[t], where=~mask[t, :, None])
    return a.swapaxes(1, 2)


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
        da: for each of the states a[1:], what arrives at it directly from its own output, (T_x, n_a, m): the first term
            of eq-bptt-recursion. The second, from the next state, is added here.
        g1: as for `layer_forward`.
        mask: as for `layer_forward`.

    Returns:
        The gradients, dx and da0.

    Raises:
        ValueError, TypeError: as for `layer_forward`, or a or da does not fit.
    """
    activation = _activation(g1)
    parameters, x, a0, mask = _prepare(parameters, x, a[0], mask)
    (T_x, m), n_a = (x.shape[0], x.shape[-1]), a0.shape[0]
    if a.shape != (T_x + 1, n_a, m) or da.shape != (T_x, n_a, m):
        raise ValueError(
            f"a has to have the shape (T_x + 1, n_a, m) = {(T_x + 1, n_a, m)} and da the shape (T_x, n_a, m) = "
            f"{(T_x, n_a, m)}; got a {a.shape} and da {da.shape}"
        )
    Waa, a, direct = parameters["Waa"], _rows(a), _rows(da)
    dz = activation.slope(a[1:])  # g1'(z^<t>), soon times da^<t>
    if mask is not None:
        dz[~mask] = 0  # a state that was carried over has no z
    total = direct[-1].astype(dz.dtype)  # da^<t>: nothing follows the last state
    for t in reversed(range(T_x)):
        dz[t] *= total  # eq-bptt-preactivation
        carried = None if mask is None else np.where(mask[t, :, None], 0, total)
        np.matmul(dz[t], Waa, out=total)
        if carried is not None:
            total += carried
        if t:
            total += direct[t - 1]  # eq-bptt-recursion
    dz = dz.reshape(-1, n_a)  # (T_x m, n_a): all steps of all columns are one matrix
    gradients = {
        "Waa": dz.T @ a[:-1].reshape(-1, n_a),
        "Wax": _input_weights(x, dz, parameters["Wax"].shape[1]),
        "ba": dz.sum(axis=0)[:, None],
    }
    dx = None if _are_ids(x) else (dz @ parameters["Wax"]).reshape(T_x, m, -1).swapaxes(1, 2)
    return LayerGradients(gradients, dx, total.T)


def _are_ids(x: np.ndarray) -> bool:
    return x.dtype.kind in "iu"


def _rows(v: np.ndarray) -> np.ndarray:
    """(T, n, m) as (T, m, n), each column in one piece; free of cost for what this module has made."""
    return np.ascontiguousarray(v.swapaxes(1, 2))


def _input_scores(Wax: np.ndarray, ba: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Wax x^<t> + ba for all steps at once, into `out` (T_x, m, n_a)."""
    if _are_ids(x):
        table = np.add(Wax.T, ba.T, order="C")
        np.take(table, x, axis=0, out=out, mode="clip")  # eq-rnn-one-hot; the ids have been checked
    else:
        np.matmul(_rows(x).reshape(-1, x.shape[1]), Wax.T, out=out.reshape(-1, out.shape[2]))
        out += ba.T


def _input_weights(x: np.ndarray, dz: np.ndarray, n_x: int) -> np.ndarray:
    """dWax (n_a, n_x): one product over all steps, or each column of dz added to that of its id. eq-bptt-wax"""
    if not _are_ids(x):
        return dz.T @ _rows(x).reshape(-1, n_x)
    one_hot = np.zeros((x.size, n_x), dz.dtype)
    one_hot[np.arange(x.size), x.ravel()] = 1
    return dz.T @ one_hot


# The output: scores of all time steps, and back


def output_scores(parameters: Parameters, a: np.ndarray) -> np.ndarray:
    """z_y = Wya a + by for all steps in one product; the linear part of eq-rnn-output.

    Args:
        parameters: Wya (n_y, n_a) and by (n_y, 1).
        a: states (T, n_a, m): a[1:] for an output at each step, a[-1:] for one at the end.

    Returns:
        z_y (T, n_y, m).
    """
    Wya, by = parameters["Wya"], parameters["by"]
    T, n_a, m = a.shape
    z_y = _rows(a).reshape(-1, n_a) @ Wya.T
    z_y = np.add(z_y, by.T, out=z_y if np.result_type(z_y, by) == z_y.dtype else None)
    return z_y.reshape(T, m, -1).swapaxes(1, 2)


def output_backward(parameters: Parameters, a: np.ndarray, dz_y: np.ndarray) -> tuple[Parameters, np.ndarray]:
    """The gradients of the output. Implements eq-bptt-wya, eq-bptt-by and the direct term of eq-bptt-recursion.

    Args:
        parameters: Wya (n_y, n_a) and by (n_y, 1).
        a: the states that `output_scores` was given, (T, n_a, m).
        dz_y: the gradient of the scores, (T, n_y, m).

    Returns:
        The gradients of Wya and by under these names, and da (T, n_a, m).
    """
    T, n_a, m = a.shape
    rows, dz_y = _rows(a).reshape(-1, n_a), _rows(dz_y).reshape(T * m, -1)
    gradients = {"Wya": dz_y.T @ rows, "by": dz_y.sum(axis=0)[:, None]}
    return gradients, (dz_y @ parameters["Wya"]).reshape(T, m, n_a).swapaxes(1, 2)


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
    if g2 not in OUTPUTS:
        raise ValueError(f"g2 is one of {', '.join(OUTPUTS)}; got {g2!r}")
    a = layer_forward(parameters, x, a0, g1, mask)
    return a, OUTPUTS[g2](output_scores(parameters, a[1:]))


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
    """J alone. Implements eq-rnn-cost; takes complex parameters, x and a0 for the complex step.

    Arguments and errors as for `cost_and_gradients`.
    """
    return _forward_and_losses(parameters, x, targets, a0, g1, loss, mask, reduction)[0]


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
        targets: for "softmax" ids (T_x, m), for "sigmoid" floats (T_x, n_y, m) in [0, 1].
        a0: the initial state (n_a, m); zeros when it is not given.
        g1: the activation of the state.
        loss: "softmax" or "sigmoid", see `unrolled.losses.LOSSES`.
        mask: booleans (T_x, m); where False the state is carried over, and the output costs nothing. What x and targets
            hold there plays no part.
        reduction: "sum" over time and columns, the book's J, or "mean" over the predictions, those under the mask left
            out.

    Raises:
        ValueError: a shape does not fit, an id is out of range, or a number is not finite.
        TypeError: an array has the wrong kind of numbers, or float32 meets float64.
    """
    J, a, dz_y, share = _forward_and_losses(parameters, x, targets, a0, g1, loss, mask, reduction)
    dz_y *= share
    output_gradients, da = output_backward(parameters, a[1:], dz_y)
    layer = layer_backward(parameters, x, a, da, g1, mask)
    return Step(J, layer.gradients | output_gradients, layer.da0, layer.dx, a)


def _forward_and_losses(parameters, x, targets, a0, g1, loss, mask, reduction):
    if loss not in LOSSES:
        raise ValueError(f"loss is one of {', '.join(LOSSES)}; got {loss!r}")
    if reduction not in ("sum", "mean"):
        raise ValueError(f'reduction is "sum" or "mean"; got {reduction!r}')
    a = layer_forward(parameters, x, a0, g1, mask)
    z_y = output_scores(parameters, a[1:])
    targets = np.asarray(targets)
    if mask is not None:
        where = mask if targets.ndim == 2 else mask[:, None, :]
        targets = np.where(where, targets, 0)
    losses, dz_y = LOSSES[loss](z_y, targets, out=z_y)
    number = losses.size
    if mask is not None:
        losses, dz_y = apply_mask(losses, dz_y, mask)
        number = np.count_nonzero(mask)
    share = 1.0 if reduction == "sum" else 1 / number
    return losses.sum() * share, a, dz_y, share


def _activation(g1: str) -> Activation:
    if g1 not in ACTIVATIONS:
        raise ValueError(f"g1 is one of {', '.join(ACTIVATIONS)}; got {g1!r}")
    return ACTIVATIONS[g1]


def _prepare(parameters, x, a0, mask):
    x = np.asarray(x)
    n_a, n_x = parameters["Wax"].shape
    m = x.shape[-1]
    if _are_ids(x):
        if mask is not None:
            x = np.where(mask, x, 0)
        if x.ndim != 2:
            raise ValueError(f"ids have the shape (T_x, m); got {x.shape}")
        if x.min() < 0 or x.max() >= n_x:
            raise ValueError(f"an id is out of range: Wax has {n_x} columns, for the ids 0 .. {n_x - 1}")
        dtype = np.result_type(*parameters.values())
    else:
        if x.ndim != 3 or x.shape[1] != n_x:
            raise ValueError(f"x has the shape (T_x, n_x, m) with n_x = {n_x}; got {x.shape}")
        if mask is not None:
            x = np.where(mask[:, None, :], x, 0).astype(x.dtype)
        dtype = np.result_type(x, *parameters.values())
    if a0 is None:
        a0 = np.zeros((n_a, m), dtype)
    dtype = np.result_type(dtype, a0)
    return {name: np.asarray(value, dtype) for name, value in parameters.items()}, x, np.asarray(a0, dtype), mask
