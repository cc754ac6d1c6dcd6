"""The ledger: a check passes when two sides agree, and otherwise says where and by how much they differ."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.ledger import Held, LedgerError, check, read_lines


def test_one_stable_line(capsys):
    check("eq-chain-rule", np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-12]), route="enumeration")
    assert capsys.readouterr().out == "✓ eq-chain-rule | enumeration | rtol 1e-09\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "rtol 1e-09"),
        ({"rtol": 0}, "exact"),
        ({"rtol": 1e-12, "atol": 1e-14}, "rtol 1e-12, atol 1e-14"),
        ({"rtol": 0, "atol": 1e-14}, "atol 1e-14"),
        ({"rtol": 1e-7, "relative_to": "largest"}, "rtol 1e-07 of the largest"),
    ],
)
def test_the_line_is_read_back(capsys, arguments, said):
    check("eq-some-label", 2.0, 2.0, route="by hand, twice", **arguments)
    assert read_lines("before\n" + capsys.readouterr().out + "after") == [Held("eq-some-label", "by hand, twice", said)]


def test_names_the_worst_element_its_index_and_both_values():
    left = np.zeros((2, 3))
    right = left.copy()
    right[0, 1], right[1, 2] = 0.25, 0.5
    with pytest.raises(LedgerError, match=r"eq-x .*\(brute force\).*index \(1, 2\).*is 0\.0.*0\.5.*2 of 6") as raised:
        check("eq-x", left, right, route="brute force")
    assert isinstance(raised.value, AssertionError)


def test_dictionaries_name_the_entry():
    left = {"Waa": np.ones(2), "Wax": np.ones(2)}
    check("eq-x", left, {"Wax": np.ones(2), "Waa": np.ones(2)}, route="torch")
    with pytest.raises(LedgerError, match=r"eq-x\['Wax'\]"):
        check("eq-x", left, {"Waa": np.ones(2), "Wax": np.ones(2) * 2}, route="torch")
    with pytest.raises(LedgerError, match="entries"):
        check("eq-x", left, {"Waa": np.ones(2)}, route="torch")
    with pytest.raises(LedgerError, match="dictionary"):
        check("eq-x", left, np.ones(2), route="torch")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.nan, np.nan),
        (np.nan, 1.0),
        (1.0, np.nan),
        (np.inf, 1.0),
        (np.inf, -np.inf),
        (np.ones(3), np.ones((3, 1))),
        (np.ones(3), 1.0),
        (0.0, 1e-300),
        (1.0, -1.0),
        (1.0, 1.0 + 1e-8),
        (1.0, 1.0 + 1e-8j),
        ([1, 2], [1, 3]),
    ],
)
def test_fails(left, right):
    with pytest.raises(LedgerError):
        check("eq-x", left, right, route="by hand")


@pytest.mark.parametrize(
    ("left", "right"), [(np.inf, np.inf), (True, 1), (3, 3.0), (np.float32(0.5), 0.5), (1j, 1j), ([1, 2], (1, 2))]
)
def test_passes(left, right, capsys):
    check("eq-x", left, right, route="by hand")
    assert read_lines(capsys.readouterr().out)


def test_takes_torch_tensors(capsys):
    check("eq-x", np.ones(3), torch.ones(3, dtype=torch.float64, requires_grad=True), route="torch autograd")
    assert "torch autograd" in capsys.readouterr().out


def test_a_check_that_cannot_fail_is_refused():
    a = np.ones(3)
    for right in (a, a[:], a.reshape(3)):
        with pytest.raises(ValueError, match="could not fail"):
            check("eq-x", a, right, route="itself")
    with pytest.raises(ValueError, match="nothing to compare"):
        check("eq-x", [], [], route="nothing")
    with pytest.raises(ValueError, match="nothing to compare"):
        check("eq-x", {}, {}, route="nothing")
    with pytest.raises(ValueError, match="zeros would pass"):
        check("eq-x", np.zeros(2), np.full(2, 1e-7), atol=1e-6, route="too loose")
    with pytest.raises(ValueError, match="rtol"):
        check("eq-x", 1.0, 2.0, rtol=1.0, route="too loose")
    with pytest.raises(ValueError, match="rtol"):
        check("eq-x", 1.0, 2.0, rtol=np.nan, route="too loose")
    with pytest.raises(ValueError, match="atol"):
        check("eq-x", 1.0, 2.0, atol=np.inf, route="too loose")


@pytest.mark.parametrize("label", ["chain-rule", "eq-", "eq-Chain", "eq-a--b", "eq-a_b", "def-a", "", None])
def test_bad_labels(label):
    with pytest.raises(ValueError, match="kebab-case"):
        check(label, 1.0, 1.0, route="by hand")


@pytest.mark.parametrize("route", ["", "  ", "a | b", "a\nb", None])
def test_bad_routes(route):
    with pytest.raises(ValueError, match="route"):
        check("eq-x", 1.0, 1.0, route=route)


def test_other_bad_sides():
    with pytest.raises(ValueError, match="relative_to"):
        check("eq-x", 1.0, 1.0, route="r", relative_to="norm")
    with pytest.raises(ValueError, match="numbers are needed"):
        check("eq-x", "one", "one", route="r")
    with pytest.raises(ValueError, match=r"2\*\*53"):
        check("eq-x", 2**53 + 1, 2**53, route="r")
    with pytest.raises(ValueError, match="no array"):
        check("eq-x", [[1.0], [1.0, 2.0]], 1.0, route="r")


numbers = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-1e3, 1e3))


@given(numbers, st.data())
def test_any_single_wrong_element_is_found(array, data):
    index = tuple(data.draw(st.integers(0, n - 1)) for n in array.shape)
    wrong = array.copy()
    wrong[index] += 1e-6 * max(1.0, abs(wrong[index]))
    with pytest.raises(LedgerError) as raised:
        check("eq-x", array, wrong, route="one element nudged")
    assert f"index {index}" in str(raised.value)


@given(numbers, st.floats(-0.9e-9, 0.9e-9))
def test_small_relative_differences_pass(array, nudge):
    check("eq-x", array, array * (1 + nudge), route="nudged")


def test_relative_to_largest():
    right = np.array([1e3, 1.0])
    check("eq-x", right + np.array([0, 5e-7]), right, rtol=1e-9, relative_to="largest", route="r")
    with pytest.raises(LedgerError):
        check("eq-x", right + np.array([0, 5e-7]), right, rtol=1e-9, route="r")
    with pytest.raises(LedgerError):
        check("eq-x", right + np.array([0, 5e-6]), right, rtol=1e-9, relative_to="largest", route="r")
