"""The equation ledger: every labelled equation of the book is compared with an independent computation.

A check takes both sides of an equation, computed along two routes that share no code, and prints one line that is the
same on every machine:

>>> check("eq-example", 2.0, 2.0 + 1e-12, rtol=1e-9, route="by hand")
✓ eq-example | by hand | rtol 1e-09

It fails loudly, with the worst element, its index and both values:

>>> check("eq-example", [1.0, 2.0], [1.0, 3.0], route="by hand")
Traceback (most recent call last):
...
unrolled.ledger.LedgerError: eq-example does not hold (by hand): at index (1,) the left side is 2.0 and the right side \
3.0; they differ by 1, and rtol 1e-09 allows 3e-09
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

LABEL = re.compile(r"eq-[a-z0-9]+(-[a-z0-9]+)*")
_LINE = re.compile(r"^✓ (?P<label>eq-[a-z0-9-]+) \| (?P<route>[^|\n]+) \| (?P<tolerance>[^|\n]+)$", re.MULTILINE)


class LedgerError(AssertionError):
    """Two sides of an equation differ by more than the check allows."""


class Held(NamedTuple):
    """What a line printed by `check` says: an equation held, along a route, within a tolerance."""

    label: str
    route: str
    tolerance: str


def check(
    label: str,
    left: object,
    right: object,
    *,
    rtol: float = 1e-9,
    atol: float = 0.0,
    relative_to: str = "element",
    route: str,
) -> None:
    """Compare the two sides of a labelled equation and print that it holds.

    The sides are numbers, arrays or dictionaries of arrays, real or complex. Their shapes have to be equal, for
    nothing is broadcast. An element passes when |left - right| <= atol + rtol * max(|left|, |right|); with
    `relative_to="largest"` the maximum is taken over the whole array, which is right for quantities whose error does
    not shrink with the element (a gradient by central differences).

    Args:
        label: the label of the equation, `eq-` and kebab-case.
        left: one side, as the chapter's code computes it.
        right: the other side, along a route that shares no code with the first.
        rtol: the relative tolerance; 0 asks for equality to the last bit.
        atol: the absolute tolerance, for values that may be zero on one side only.
        relative_to: "element" or "largest".
        route: how the other side was computed, in a few words, as the reader sees it.

    Raises:
        LedgerError: the sides differ, differ in shape or in their keys, or hold a NaN.
        ValueError: the check itself cannot mean anything: a label that is none, no route, both sides the same object or
            the same memory, nothing to compare, a tolerance so large that it accepts zero for the right side.
    """
    if not isinstance(label, str) or not LABEL.fullmatch(label):
        raise ValueError(f"a checked label is 'eq-' and words in kebab-case, such as 'eq-chain-rule'; got {label!r}")
    if not isinstance(route, str) or not route.strip() or "|" in route or "\n" in route:
        raise ValueError(f"{label}: route says in a few words how the other side was computed; got {route!r}")
    if relative_to not in ("element", "largest"):
        raise ValueError(f"{label}: relative_to is 'element' or 'largest'; got {relative_to!r}")
    if not (0 <= rtol < 1) or not (0 <= atol < np.inf):
        raise ValueError(f"{label}: rtol has to be in [0, 1) and atol finite and not negative; got {rtol} and {atol}")
    tolerance = _describe(rtol, atol, relative_to)
    if isinstance(left, Mapping) or isinstance(right, Mapping):
        _compare_mappings(label, left, right, rtol, atol, relative_to, route, tolerance)
    else:
        _compare(label, "", left, right, rtol, atol, relative_to, route, tolerance)
    print(f"✓ {label} | {route.strip()} | {tolerance}")


def read_lines(text: str) -> list[Held]:
    """The checks that a cell's stored output says have held, in their order."""
    return [Held(m["label"], m["route"], m["tolerance"]) for m in _LINE.finditer(text)]


def _describe(rtol: float, atol: float, relative_to: str) -> str:
    if rtol == 0 and atol == 0:
        return "exact"
    parts = [f"rtol {rtol:g}"] if rtol else []
    parts += [f"atol {atol:g}"] if atol else []
    return ", ".join(parts) + (" of the largest" if relative_to == "largest" and rtol else "")


def _compare_mappings(label, left, right, rtol, atol, relative_to, route, tolerance) -> None:
    if not (isinstance(left, Mapping) and isinstance(right, Mapping)):
        raise LedgerError(f"{label}: one side is a dictionary and the other is not; compare like with like")
    if set(left) != set(right):
        raise LedgerError(
            f"{label} does not hold ({route}): the left side has the entries {sorted(map(str, left))}, "
            f"the right side {sorted(map(str, right))}"
        )
    if not left:
        raise ValueError(f"{label}: there is nothing to compare, both sides are empty")
    for key in left:
        _compare(label, f"[{key!r}]", left[key], right[key], rtol, atol, relative_to, route, tolerance)


def _compare(label, entry, left, right, rtol, atol, relative_to, route, tolerance) -> None:
    same = left is right and not np.isscalar(
        left
    )  # Python shares small numbers: two equal scalars are no sign of one source
    left, right = _numbers(label, entry, "left", left), _numbers(label, entry, "right", right)
    if same or (left.size and np.shares_memory(left, right)):
        raise ValueError(f"{label}{entry}: both sides are the same array, so that the check could not fail")
    if left.shape != right.shape:
        raise LedgerError(
            f"{label}{entry} does not hold ({route}): the left side has shape {left.shape}, "
            f"the right side {right.shape}"
        )
    if left.size == 0:
        raise ValueError(f"{label}{entry}: there is nothing to compare, both sides have shape {left.shape}")
    if atol > 0 and np.all(np.abs(right) <= atol) and np.any(right != 0):
        raise ValueError(
            f"{label}{entry}: atol {atol:g} is as large as every value on the right side (at most "
            f"{np.abs(right).max():.3g}), so that zeros would pass; make it smaller"
        )
    with np.errstate(invalid="ignore"):  # inf - inf is NaN; equal infinities pass below, all others fail
        difference = np.where(left == right, 0.0, np.abs(left - right))
        size = np.maximum(np.abs(left), np.abs(right))
        allowed = atol + rtol * (size.max() if relative_to == "largest" else size)
    allowed = np.broadcast_to(np.where(np.isfinite(allowed), allowed, 0.0), left.shape)
    failed = ~(difference <= allowed)  # a NaN compares as False, and so fails
    if not failed.any():
        return
    excess = np.where(np.isnan(difference), np.inf, difference - allowed)
    index = np.unravel_index(int(np.argmax(np.where(failed, excess, -np.inf))), left.shape)
    where = f" at index {tuple(int(i) for i in index)}" if left.shape else ""
    number = int(failed.sum())
    others = f"; {number} of {left.size} elements differ" if left.size > 1 and number > 1 else ""
    raise LedgerError(
        f"{label}{entry} does not hold ({route}):{where} the left side is {left[index].item()!r} and the right side "
        f"{right[index].item()!r}; they differ by {difference[index]:.6g}, "
        f"and {tolerance} allows {allowed[index]:.6g}{others}"
    )


def _numbers(label: str, entry: str, side: str, value: object) -> np.ndarray:
    if hasattr(value, "detach"):  # a torch tensor, without importing torch
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:  # a ragged list
        raise ValueError(f"{label}{entry}: the {side} side is no array: {error}") from None
    if array.dtype.kind not in "biufc":
        raise ValueError(f"{label}{entry}: the {side} side holds {array.dtype} values; numbers are needed")
    if array.dtype.kind in "biu":
        array = (
            array.astype(np.float64) if array.dtype.kind == "b" or array.itemsize < 8 else _exact(label, entry, array)
        )
    return array


def _exact(label: str, entry: str, array: np.ndarray) -> np.ndarray:
    if array.size and (int(array.max()) > 2**53 or int(array.min()) < -(2**53)):
        raise ValueError(f"{label}{entry}: whole numbers beyond 2**53 cannot be compared exactly as float64")
    return array.astype(np.float64)
