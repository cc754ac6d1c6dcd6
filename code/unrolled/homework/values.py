"""Plain values on a pipe: numbers, strings, lists, tuples, dictionaries and arrays, and nothing that could be code.

A value is written as JSON. What JSON has no word for is a dictionary with one key: {"array": [dtype, shape, base64]},
{"tuple": […]}, {"dict": [[key, value], …]}, {"complex": [real, imaginary]}, {"given": name}, {"kept": name}. No pickle
and no file format of NumPy's: what arrives from a student's process is bytes from a stranger.

This file also runs inside the sandbox, beside `worker`: it needs nothing but NumPy.
"""

import base64
import json
import math
from dataclasses import dataclass

import numpy as np

DTYPES = {"float64": 8, "float32": 4, "int64": 8, "int32": 4, "bool": 1, "complex128": 16}
MAX_DEPTH = 12
MAX_DIMENSIONS = 8
MAX_PARTS = 2_000_000  # of a message: 16 MiB of empty lists would be a gigabyte of objects


class ValueRefused(ValueError):
    """Something that is no plain value, or no value that was written by `dumps`."""


@dataclass(frozen=True)
class Given:
    """A name in the namespace of the notebook: how a function is handed to a function."""

    name: str


@dataclass(frozen=True)
class Kept:
    """A name under which an earlier answer was kept in the student's process."""

    name: str


def encode(value: object, depth: int = 0) -> object:
    """A plain value as what JSON can hold.

    Raises:
        ValueRefused: the value, or a part of it, is not plain; the message names its type.
    """
    if depth > MAX_DEPTH:
        raise ValueRefused(f"nested more than {MAX_DEPTH} deep")
    if value is None or type(value) in (bool, str, float):
        return value
    if type(value) is int:
        if abs(value) >= 2**63:
            raise ValueRefused("an integer of more than 63 bits")
        return value
    if type(value) is complex:
        return {"complex": [value.real, value.imag]}
    if isinstance(value, np.generic) and isinstance(value.item(), bool | int | float | complex | str):
        return encode(value.item(), depth)  # one of NumPy's numbers is a number, in a list too
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind == "U":
            return encode(array.tolist(), depth + 1)
        if array.dtype.name not in DTYPES:
            wider = {"f": np.float64, "i": np.int64, "u": np.int64, "c": np.complex128}.get(array.dtype.kind)
            if wider is None:
                raise ValueRefused(f"an array of {array.dtype}; plain arrays hold {', '.join(DTYPES)}")
            array = array.astype(wider)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)  # the wire knows one order of bytes
        body = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
        return {"array": [array.dtype.name, list(array.shape), body]}
    if isinstance(value, tuple):
        return {"tuple": [encode(item, depth + 1) for item in value]}
    if isinstance(value, list):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ValueRefused(f"a dictionary with the key {str(key)[:40]!r}; keys are strings")
        return {"dict": [[str(key), encode(item, depth + 1)] for key, item in value.items()]}
    if isinstance(value, Given):
        return {"given": value.name}
    if isinstance(value, Kept):
        return {"kept": value.name}
    raise ValueRefused(
        f"a value of type {type(value).__name__}; plain are numbers, strings, lists, tuples, dictionaries and arrays"
    )


def decode(value: object, depth: int = 0) -> object:
    """The value that `encode` wrote, trusting nothing.

    Raises:
        ValueRefused: the form is not one that `encode` writes.
    """
    if depth > MAX_DEPTH:
        raise ValueRefused(f"nested more than {MAX_DEPTH} deep")
    if value is None or type(value) in (bool, str, float):
        return value
    if type(value) is int:
        if abs(value) >= 2**63:
            raise ValueRefused("an integer of more than 63 bits")
        return value
    if type(value) is list:
        return [decode(item, depth + 1) for item in value]
    if type(value) is not dict or len(value) != 1:
        raise ValueRefused("no plain value")
    [(kind, body)] = value.items()
    if kind == "array":
        return _array(body)
    if kind in ("given", "kept") and type(body) is str:
        return Given(body) if kind == "given" else Kept(body)
    if type(body) is not list:
        raise ValueRefused("no plain value")
    if kind == "tuple":
        return tuple(decode(item, depth + 1) for item in body)
    if kind == "complex" and len(body) == 2 and all(type(part) in (int, float) for part in body):
        return complex(*body)
    if kind == "dict" and all(type(pair) is list and len(pair) == 2 and type(pair[0]) is str for pair in body):
        return {key: decode(item, depth + 1) for key, item in body}
    raise ValueRefused("no plain value")


def _array(body: object) -> np.ndarray:
    if type(body) is not list or len(body) != 3:
        raise ValueRefused("no array")
    name, shape, text = body
    if type(name) is not str or name not in DTYPES:
        raise ValueRefused(f"an array of another type than {', '.join(DTYPES)}")
    if type(shape) is not list or len(shape) > MAX_DIMENSIONS or type(text) is not str:
        raise ValueRefused("an array without a shape")
    if any(type(length) is not int or not 0 <= length < 2**40 for length in shape):
        raise ValueRefused("an array with an impossible shape")
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueRefused("an array whose bytes are no base64") from error
    if len(raw) != math.prod(shape) * DTYPES[name]:
        raise ValueRefused("an array whose bytes do not fill its shape")
    if name == "bool" and raw.strip(b"\x00\x01"):
        raise ValueRefused("an array of truth values that are neither true nor false")
    try:
        return np.frombuffer(raw, dtype=name).reshape(shape).copy()
    except ValueError as error:  # a length of 0 beside lengths whose product no array can have
        raise ValueRefused("an array with an impossible shape") from error


def dumps(message: dict[str, object]) -> bytes:
    """A message as one line of JSON; its values have been encoded."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def loads(line: bytes) -> dict[str, object]:
    """The message of one line.

    Raises:
        ValueRefused: the line is no JSON dictionary: broken, too deep, of too many parts, or with numbers of thousands
            of digits.
    """
    if line.count(b",") + line.count(b"[") + line.count(b"{") > MAX_PARTS:
        raise ValueRefused("more parts than a message has")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueRefused("no message") from error
    if type(message) is not dict:
        raise ValueRefused("no message")
    return message
