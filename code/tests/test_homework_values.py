"""Plain values on a pipe, and how answers are compared with the reference's, sealed or not."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from unrolled.homework import sealed, values
from unrolled.homework.cases import Case, difference, generator
from unrolled.homework.values import Given, Kept, ValueRefused, decode, dumps, encode, loads

ARRAY = arrays.arrays(
    dtype=st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.bool_, np.complex128]),
    shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(),
    st.text(max_size=8),
    st.complex_numbers(),
    ARRAY,
    st.builds(Given, st.text(max_size=5)),
    st.builds(Kept, st.text(max_size=5)),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=4), inner, max_size=3),
    ),
    max_leaves=8,
)


def same(one: object, other: object) -> bool:
    """Whether two plain values are the same, NaN and types included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return repr(one) == repr(other)


@given(VALUE)
def test_plain_values_cross_the_pipe_unchanged(value):
    assert same(decode(loads(dumps({"value": encode(value)}))["value"]), value)


@pytest.mark.parametrize(
    "value",
    [object(), {1: 2}, lambda: 0, {1, 2}, b"bytes", np.array([object()]), 2**70, np.array(["2020"], "M8[D]"), type],
)
def test_what_is_not_plain_is_refused_by_name(value):
    with pytest.raises(ValueRefused, match=r"type|key|array|integer"):
        encode(value)


def test_nesting_ends():
    deep = []
    for _ in range(50):
        deep = [deep]
    with pytest.raises(ValueRefused, match="deep"):
        encode(deep)
    with pytest.raises(ValueRefused, match="deep"):
        decode(deep)


def test_wider_and_narrower_arrays_become_plain_ones():
    assert decode(encode(np.arange(3, dtype=np.uint8))).dtype == np.int64
    assert decode(encode(np.ones(2, dtype=np.float16))).dtype == np.float64
    assert decode(encode(np.array(["a", "b"]))) == ["a", "b"]
    assert decode(encode(np.float64(0.1))) == 0.1
    assert decode(encode([np.float64(0.5), np.int32(2), np.bool_(True)])) == [0.5, 2, True]


@settings(max_examples=200)
@given(
    st.recursive(
        st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=4)),
        lambda s: st.one_of(
            st.lists(s, max_size=3),
            st.dictionaries(st.sampled_from(["array", "tuple", "dict", "complex", "given", "x"]), s, max_size=2),
        ),
        max_leaves=6,
    )
)
def test_whatever_arrives_is_a_value_or_refused(form):
    try:
        decode(form)
    except ValueRefused:
        return


@pytest.mark.parametrize(
    "form",
    [
        {"array": ["object", [1], "AAAAAAAAAAA="]},
        {"array": ["float64", [2], "AAAAAAAAAAA="]},
        {"array": ["float64", [-1], ""]},
        {"array": ["float64", [2**50, 2**50], ""]},
        {"array": ["float64", [True], "AAAAAAAAAAA="]},
        {"array": ["bool", [1], "Ag=="]},
        {"array": ["float64", [1] * 20, "AAAAAAAAAAA="]},
        {"array": ["float64", [1], "not base64!"]},
        {"array": 3},
        {"dict": [["a", 1, 2]]},
        {"dict": [[1, 2]]},
        {"complex": ["1", "2"]},
        {"given": 3},
        {"tuple": "abc"},
        {"a": 1, "b": 2},
        2**70,
    ],
)
def test_forged_forms_are_refused(form):
    with pytest.raises(ValueRefused):
        decode(form)


@pytest.mark.parametrize("line", [b"", b"3", b"[]", b"{", b"[" * 100_000, b"9" * 10_000, b"\xff\xfe", b'{"a":1'])
def test_lines_that_are_no_messages_are_refused(line):
    with pytest.raises(ValueRefused):
        loads(line)


# --- comparison ---------------------------------------------------------------------------------------------------

X = np.array([[1.0, -2.0], [0.5, 4.0]])


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (X, X + 3e-9),
        (X, X.tolist()),
        (X.astype(np.float32), X),
        ({"a": X, "b": 1.0}, {"b": 1.0, "a": X}),
        ((X, 2), [X, 2]),
        ([1, 2, 3], np.array([1, 2, 3])),
        (0.25, np.float64(0.25)),
        (3, 3.0),
        ("abc", "abc"),
        (None, None),
        (np.array([np.inf, 1.0]), np.array([np.inf, 1.0])),
        (np.zeros(3), np.full(3, 1e-10)),
        (np.array([True, False]), [True, False]),
        (np.zeros((0, 2)), np.zeros((0, 2))),
    ],
)
def test_right_answers_pass(expected, answer):
    assert difference(expected, answer, 1e-9) is None


@pytest.mark.parametrize(
    ("expected", "answer", "said"),
    [
        (X, X + 1e-6, "wrong value"),
        (X, X.T, "wrong value"),
        (X, X[None], r"shape \(1, 2, 2\) instead of \(2, 2\)"),
        (X, X * np.nan, "NaN"),
        (X, X + np.inf, "wrong value"),
        (X, None, "None instead of an array"),
        (X, "right", "a string instead"),
        (X, X + 0j, "complex"),
        (X, X > 0, "truth values"),
        (X, {"a": X}, "a dictionary instead"),
        ({"a": X}, X, "instead of a dictionary"),
        ({"a": X, "b": X}, {"a": X}, "no entry 'b'"),
        ({"a": X}, {"a": X, "c": X}, "too many"),
        ({"dW": X}, {"dW": 2 * X}, "^dW: wrong value"),
        ((X, X), (X,), "1 values instead of 2"),
        ((X, "a"), (X, "b"), "^value 2: wrong value"),
        ([1, 2], [1, 3], "wrong value"),
        (3, 3.5, "wrong value"),
        ("abc", 3, "instead of a string"),
        (None, 0, "instead of None"),
        (np.array([np.inf, 1.0]), np.array([1e308, 1.0]), "infinite"),
        (np.array([np.inf, 1.0]), np.array([np.inf, 2.0]), "wrong value"),
        (np.zeros(2), np.ones(2), "wrong value"),
        (X, [[1.0], [1.0, 2.0]], "instead|lengths"),
        (1.0, True, "truth values"),
        (np.array([True]), np.array([1]), "truth values"),
    ],
)
def test_wrong_answers_are_told_without_the_right_one(expected, answer, said):
    problem = difference(expected, answer, 1e-9)
    assert problem is not None
    assert re.search(said, problem)
    assert "-2.0" not in problem


@given(ARRAY.filter(lambda a: a.dtype.kind == "f" and a.size > 0 and np.isfinite(a).all()), st.integers(0, 10**6))
def test_a_change_beyond_the_tolerance_is_seen_wherever_it_is(array, place):
    array = array.astype(float)
    if not (1e-200 < np.abs(array).max() < 1e200):
        return
    other = array.copy()
    other.flat[place % array.size] += 1e-5 * np.abs(array).max()
    assert difference(array, array, 1e-9) is None
    assert difference(array, other, 1e-9) == "wrong value"


def test_cases_depend_on_the_secret_and_the_names_and_nothing_else():
    draw = lambda *names: generator(*names).integers(2**60)  # noqa: E731  three letters would say no more
    assert draw("secret", "hw01", "a") == draw("secret", "hw01", "a")
    assert len({draw("secret", "hw01", "a"), draw("secret", "hw01", "b"), draw("other", "hw01", "a")}) == 3
    assert draw("ab", "c") != draw("a", "bc")


# --- sealed -------------------------------------------------------------------------------------------------------


def opened(expected: object, tolerance: float = 1e-9) -> Case:
    """The case of an answer after it was sealed, written, and read."""
    form = sealed.seal_case(Case("f", (1,), "a label"), expected, tolerance)
    return sealed.opened_case(json.loads(json.dumps(form)))


FLOATS = arrays.arrays(
    np.float64, arrays.array_shapes(max_dims=3, max_side=5), elements=st.floats(-1e6, 1e6, allow_subnormal=False)
).filter(lambda a: np.unique(a).size >= 2)


@given(FLOATS, st.integers(0, 10**6))
def test_sealed_cases_let_rounding_errors_pass_and_mistakes_not(array, seed):
    case = opened(array)
    rng = np.random.default_rng(seed)
    assert case.compare(array) is None
    assert case.compare(array * (1 + 1e-13 * rng.uniform(-1, 1, array.shape))) is None
    other = array.copy()
    other.flat[seed % array.size] += 1e-4 * np.abs(array).max()
    assert case.compare(other) == "wrong value"
    assert "shape" in case.compare(array[None])
    assert "NaN" in case.compare(array * np.nan)


def test_a_sealed_dictionary_names_what_is_wrong():
    case = opened({"dW": X, "db": np.array([1.0, 2.0]), "n": np.array([3, 4])})
    right = {"dW": X, "db": np.array([1.0, 2.0]), "n": np.array([3, 4])}
    assert case.compare(right) is None
    assert case.compare(right | {"db": np.array([1.0, 2.5])}) == "db: wrong value"
    assert case.compare(right | {"n": np.array([3, 5])}) == "n: wrong value"
    assert "no dW" in case.compare({"db": right["db"], "n": right["n"]})
    assert case.compare("words") == "a string instead of numbers"
    assert case.compare(X) is not None


@pytest.mark.parametrize(
    "answer", [3, 0.5, "abc", [1, 2, 3], np.array([1, 2, 3]), np.zeros(5), np.inf, {"a": np.ones(3)}, None]
)
def test_what_could_be_guessed_is_not_sealed(answer):
    assert sealed.seal_case(Case("f", (), "label"), answer, 1e-9) is None


def test_a_seal_holds_no_answer():
    form = json.dumps(sealed.seal_case(Case("f", (1,), "a label"), {"dW": X}, 1e-9))
    for number in X.ravel():
        assert values.encode(X)["array"][2] not in form
        assert f" {number}," not in form
    again = json.dumps(sealed.seal_case(Case("f", (1,), "a label"), {"dW": X}, 1e-9))
    assert form != again  # every seal has a salt of its own
