"""Losses together with their gradient at the scores, computed in one pass."""

from collections.abc import Callable

import numpy as np

from unrolled.activations import sigmoid

_LARGE = 2**15
"""From so many scores a step on, one step at a time is faster: it stays in the processor's cache."""


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
    if z.ndim not in (2, 3) or targets.shape != z.shape[:-2] + z.shape[-1:]:
        raise ValueError(
            f"z of shape (V, m) needs targets of shape (m,), z of shape (T, V, m) targets of shape (T, m); "
            f"got z {z.shape} and targets {targets.shape}"
        )
    check_targets(targets, z.shape[-2])
    _check_out(z, out)
    if z.ndim == 3 and z[0].size > _LARGE:
        dz = np.empty_like(z) if out is None else out
        return np.stack([_softmax_cross_entropy(*step)[0] for step in zip(z, targets, dz, strict=True)]), dz
    return _softmax_cross_entropy(z, targets, out)


def check_targets(targets: np.ndarray, size: int) -> None:
    """See that targets are rows of scores.

    Args:
        targets: the rows of the right answers, of any shape.
        size: V, how many rows there are.

    Raises:
        ValueError: a target is out of range.
        TypeError: targets are no integers.
    """
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets have to be integers, the rows of the right answers; got {targets.dtype}")
    if targets.size and (targets.min() < 0 or targets.max() >= size):
        wrong = targets.min() if targets.min() < 0 else targets.max()
        raise ValueError(f"target {wrong} is out of range: the scores have V = {size} rows, 0 .. {size - 1}")


def _softmax_cross_entropy(z: np.ndarray, targets: np.ndarray, out: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    dz = np.subtract(z, z.real.max(axis=-2, keepdims=True), out=out)  # the shift that keeps exp from overflowing
    columns = np.arange(targets.shape[-1])
    right = (targets, columns) if z.ndim == 2 else (np.arange(len(z))[:, None], targets, columns)  # the targets in dz
    losses = -dz[right]
    np.exp(dz, out=dz)
    total = dz.sum(axis=-2, keepdims=True)
    losses += np.log(total[..., 0, :])  # eq-softmax-cross-entropy
    dz /= total  # y_hat
    dz[right] -= 1  # eq-softmax-cross-entropy-gradient
    return losses, dz


def sigmoid_cross_entropy(z: np.ndarray, y: np.ndarray, out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The binary cross-entropy of independent sigmoids, added over the rows of a column, and its gradient.

    Implements eq-binary-cross-entropy, -y ln sigmoid(z) - (1 - y) ln(1 - sigmoid(z)), written as
    max(z, 0) - y z + ln(1 + exp(-|z|)) so that no score is too large for it, and eq-bptt-sigmoid, dz = y_hat - y.

    Args:
        z: scores (n_y, m), or (T, n_y, m); real or complex.
        y: what is right, numbers in [0, 1] of the shape of z.
        out: where to write dz; `z` itself may be given when it is not needed any more.

    Returns:
        The losses, (m,) or (T, m), in nats and in the data type of `z`; and dz, of the shape of `z`.

    Raises:
        ValueError: shapes do not match, or a target is outside [0, 1].
        TypeError: z is not floating-point, or targets are no real numbers.
    """
    z, y = np.asarray(z), np.asarray(y)
    if z.dtype.kind not in "fc":
        raise TypeError(f"the scores z have to be floating-point numbers; got {z.dtype}")
    if z.ndim not in (2, 3) or y.shape != z.shape:
        raise ValueError(
            f"targets need the shape of the scores z, (n_y, m) or (T, n_y, m); got z {z.shape}, y {y.shape}"
        )
    if y.dtype.kind not in "fiub":
        raise TypeError(f"targets of the sigmoid loss have to be real numbers in [0, 1]; got {y.dtype}")
    inside = (y >= 0) & (y <= 1)
    if not inside.all():
        raise ValueError(f"targets of the sigmoid loss have to be in [0, 1]; one is {y[~inside][0]}")
    _check_out(z, out)
    y = y.astype(z.real.dtype, copy=False)
    positive = z.real > 0
    size = np.where(positive, z, -z)  # |z|, with the imaginary part of the branch
    losses = (np.where(positive, z, 0) - y * z + np.log1p(np.exp(-size))).sum(axis=-2)
    dz = sigmoid(z, out=out)
    dz -= y  # eq-bptt-sigmoid
    return losses, dz


def apply_mask(losses: np.ndarray, dz: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Zeros in place of the losses and gradients of padding.

    Args:
        losses: (T, m), changed in place.
        dz: (T, n_y, m), changed in place.
        mask: booleans (T, m), False where there is only padding.

    Returns:
        The same two arrays.

    Raises:
        ValueError: the mask is not boolean or does not have the shape of the losses.
    """
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != losses.shape:
        raise ValueError(
            f"a mask has to be boolean and of the shape {losses.shape} of the losses; got {mask.dtype} {mask.shape}"
        )
    losses[~mask] = 0
    dz.swapaxes(-1, -2)[~mask] = 0
    return losses, dz


LOSSES: dict[str, Callable] = {"softmax": softmax_cross_entropy, "sigmoid": sigmoid_cross_entropy}
"""The losses by name; each takes scores, targets and `out`, and returns losses and dz."""


def _check_out(z: np.ndarray, out: np.ndarray | None) -> None:
    if out is not None and (out.shape != z.shape or out.dtype != z.dtype):
        raise ValueError(f"out has to have the shape {z.shape} and type {z.dtype} of z; got {out.shape}, {out.dtype}")
