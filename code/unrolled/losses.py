"""Losses together with their gradient at the scores, computed in one pass."""

import numpy as np


def softmax_cross_entropy(
    z: np.ndarray, targets: np.ndarray, out: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Minus the log-probability of each target under a softmax, and its gradient, one column per prediction.

    Implements eq-softmax-cross-entropy, -ln softmax(z)[target] = ln sum exp(z) - z[target], and
    eq-softmax-cross-entropy-gradient, dz = y_hat - y. The one-hot y is never built: 1 is subtracted in the row of the
    target. Both come from one array of exponentials.

    The gradient is that of the SUM of the losses; whoever wants the mean, or a masked or weighted sum, scales the
    columns of dz.

    Args:
        z: scores (V, m), or (T, V, m) for T steps of m sequences; real or complex (the complex step needs the losses of
            complex scores).
        targets: the row of the right answer in each column, integers (m,) or (T, m), each in 0 .. V - 1.
        out: where to write dz; `z` itself may be given when it is not needed any more.

    Returns:
        The losses, of the shape of `targets`, in nats and in the data type of `z`; and dz, of the shape of `z`.

    Raises:
        ValueError: shapes do not match, or a target is out of range.
        TypeError: targets are no integers, or z is not floating-point.
    """
    z, targets = np.asarray(z), np.asarray(targets)
    if z.dtype.kind not in "fc":
        raise TypeError(f"the scores z have to be floating-point numbers; got {z.dtype}")
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets have to be integers, the rows of the right answers; got {targets.dtype}")
    if z.ndim < 2 or targets.shape != z.shape[:-2] + z.shape[-1:]:
        raise ValueError(
            f"z of shape (V, m) needs targets of shape (m,), z of shape (T, V, m) targets of shape (T, m); "
            f"got z {z.shape} and targets {targets.shape}"
        )
    size = z.shape[-2]
    if targets.size and (targets.min() < 0 or targets.max() >= size):
        wrong = targets.min() if targets.min() < 0 else targets.max()
        raise ValueError(f"target {wrong} is out of range: the scores have V = {size} rows, 0 .. {size - 1}")
    if out is not None and (out.shape != z.shape or out.dtype != z.dtype):
        raise ValueError(f"out has to have the shape {z.shape} and type {z.dtype} of z; got {out.shape}, {out.dtype}")
    row = np.expand_dims(targets, -2)  # (..., 1, m)
    dz = np.subtract(z, z.real.max(axis=-2, keepdims=True), out=out)  # the shift that keeps exp from overflowing
    losses = -np.take_along_axis(dz, row, axis=-2)
    np.exp(dz, out=dz)
    total = dz.sum(axis=-2, keepdims=True)
    losses += np.log(total)  # eq-softmax-cross-entropy
    dz /= total  # y_hat
    np.put_along_axis(dz, row, np.take_along_axis(dz, row, axis=-2) - 1, axis=-2)  # eq-softmax-cross-entropy-gradient
    return np.squeeze(losses, -2), dz
