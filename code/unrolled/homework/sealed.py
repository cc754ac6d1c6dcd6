"""Sealed cases: what a student's own machine can check without the answers.

A sealed case holds the arguments and, for every array of the answer, its shape and a salted SHA-256 of a few random
projections, each rounded to a grid as wide as the tolerance. The grid is shifted so that the right answer lies in the
middle of its cell: rounding errors do not fall over an edge. From the digest nobody gets back to the array, for the
projections of an array with several floats have far too many possible values. What could be guessed (a single number,
a short list of integers) is not sealed: it counts in official runs only.
"""

import hashlib
import json
import os
import secrets
from pathlib import Path

import numpy as np

from unrolled.files import write_whole
from unrolled.homework import values
from unrolled.homework.cases import Case, Reference, generator, kind_of
from unrolled.homework.notebooks import NotebookError, read_file

PROJECTIONS = 3
LARGEST = 16 << 20
FORMAT = 1


def leaves(value: object, path: str = "") -> list[tuple[str, np.ndarray]] | None:
    """The arrays of an answer with their places, in a fixed order; None if it holds something else than numbers."""
    if isinstance(value, dict):
        parts = [(f"{path}[{key!r}]" if path else key, value[key]) for key in sorted(value)]
    elif isinstance(value, tuple | list) and not all(isinstance(item, int | float) for item in value):
        parts = [(f"{path}[{n}]" if path else f"value {n + 1}", item) for n, item in enumerate(value)]
    else:
        try:
            array = np.asarray(value)
        except ValueError:
            return None
        return [(path, array)] if array.dtype.kind in "fiubc" else None
    found = []
    for name, part in parts:
        below = leaves(part, name)
        if below is None:
            return None
        found += below
    return found


def _projected(array: np.ndarray, salt: bytes, number: int) -> np.ndarray:
    """A few random projections of an array, its numbers divided by the root of their count."""
    flat = array.astype(complex if array.dtype.kind == "c" else float).ravel()
    rng = np.random.default_rng(np.frombuffer(hashlib.sha256(salt + number.to_bytes(4, "big")).digest(), np.uint32))
    directions = rng.uniform(0.5, 1.0, (PROJECTIONS, flat.size)) * rng.choice([-1.0, 1.0], (PROJECTIONS, flat.size))
    found = directions @ flat / max(flat.size, 1) ** 0.5
    return np.concatenate([found.real, found.imag]) if array.dtype.kind == "c" else found


def _digest(cells: np.ndarray, salt: bytes, number: int) -> str:
    return hashlib.sha256(salt + number.to_bytes(4, "big") + cells.astype(">i8").tobytes()).hexdigest()


def _sealable(parts: list[tuple[str, np.ndarray]] | None) -> bool:
    if not parts:
        return False
    if not all(np.isfinite(array).all() for _, array in parts):
        return False
    floats = [array for _, array in parts if array.dtype.kind in "fc"]
    return all(array.size == 0 or np.unique(array).size >= 2 for array in floats) and sum(a.size for a in floats) >= 2


def seal_case(case: Case, expected: object, tolerance: float) -> dict[str, object] | None:
    """A case without its answer, as JSON can hold it; None if the answer could be guessed."""
    form = {"function": case.function, "label": case.label, "arguments": values.encode(case.arguments)}
    if case.judged:
        return form | {"thresholds": list(case.thresholds)}
    expected = values.decode(values.encode(expected))  # as it would come out of a student's process
    parts = leaves(expected)
    if not _sealable(parts):
        return None
    salt = secrets.token_bytes(16)
    sealed = []
    for number, (path, array) in enumerate(parts):
        scale = float(np.abs(array).max(initial=0.0)) or 1.0
        width = 2.0 ** np.ceil(
            np.log2(max(4.0 * tolerance, 1e-12) * scale)
        )  # a power of two tells least about the scale
        found = _projected(array, salt, number)
        shift = found / width - np.floor(found / width) - 0.5  # puts the right answer into the middle of its cell
        sealed.append(
            {
                "place": path,
                "shape": list(array.shape),
                "kind": array.dtype.kind,
                "width": float(width),
                "shift": [float(number) for number in np.round(shift, 6)],
                "digest": _digest(np.floor(found / width - np.round(shift, 6)), salt, number),
            }
        )
    return form | {"salt": salt.hex(), "leaves": sealed}


def opened_case(form: dict[str, object]) -> Case:
    """The case of a sealed form: its comparison knows digests only."""
    arguments = values.decode(form["arguments"])
    if form["function"].startswith("judge:"):
        return Case(form["function"], arguments, form["label"], thresholds=tuple(form["thresholds"]))
    salt = bytes.fromhex(form["salt"])
    return Case(form["function"], arguments, form["label"], lambda answer: _difference(answer, form["leaves"], salt))


def _difference(answer: object, sealed: list[dict], salt: bytes) -> str | None:
    parts = leaves(answer)
    if parts is None:
        return f"{kind_of(answer)} instead of numbers"
    places = [leaf["place"] for leaf in sealed]
    found = [path for path, _ in parts]
    if found != places:
        missing = [place for place in places if place not in found]
        more = [path for path in found if path not in places]
        return f"{kind_of(answer)}: " + (f"no {missing[0] or 'single array'}" if missing else f"{more[:1]} too many")
    for number, ((path, array), leaf) in enumerate(zip(parts, sealed, strict=True)):
        place = f"{path}: " if path else ""
        if array.shape != tuple(leaf["shape"]):
            return f"{place}shape {array.shape} instead of {tuple(leaf['shape'])}"
        if (array.dtype.kind == "b") != (leaf["kind"] == "b") or (array.dtype.kind == "c" and leaf["kind"] != "c"):
            return f"{place}another type of numbers"
        if not np.isfinite(array).all():
            return f"{place}contains NaN or infinity"
        width = leaf["width"]
        with np.errstate(all="ignore"):
            cells = np.floor(_projected(array, salt, number) / width - np.array(leaf["shift"]))
        if not np.abs(cells).max(initial=0) <= 2**62 or _digest(cells, salt, number) != leaf["digest"]:
            return f"{place}wrong value"
    return None


def seal(reference: Reference, path: str | os.PathLike[str], seed: str = "public") -> tuple[int, int]:
    """Write the sealed cases of a homework; return how many were sealed, and how many were drawn."""
    exercises, count, drawn = {}, 0, 0
    for exercise in reference.homework.exercises:
        forms = []
        for case, expected, tolerance in reference.draw(
            exercise.name, generator(seed, reference.homework.name, exercise.name)
        ):
            form = seal_case(case, expected, tolerance)
            drawn += 1
            if form is not None:
                forms.append(form)
        count += len(forms)
        exercises[exercise.name] = forms
    with write_whole(path) as part, open(part, "w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "homework": reference.homework.name, "exercises": exercises}, file, indent=0)
        file.write("\n")
    return count, drawn


def read_sealed(path: str | os.PathLike[str]) -> dict[str, list[Case]]:
    """The sealed cases of a homework, by exercise.

    Raises:
        NotebookError: the file is not there, or is no file of sealed cases.
    """
    name = Path(path).name
    try:
        book = json.loads(read_file(path, LARGEST))
        if book["format"] != FORMAT:
            raise NotebookError(f"{name} was written for another version of this program")
        return {exercise: [opened_case(form) for form in forms] for exercise, forms in book["exercises"].items()}
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        if isinstance(error, NotebookError):
            raise
        raise NotebookError(f"{name} holds no sealed cases ({type(error).__name__})") from error
