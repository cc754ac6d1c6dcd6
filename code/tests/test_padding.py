"""Padding and masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled import padding

sequences = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=5)


@given(sequences, st.integers(-3, 3))
def test_pad_against_a_plain_loop(sequences, value):
    ids, lengths = padding.pad(sequences, value)
    T = max(len(sequence) for sequence in sequences)
    assert ids.shape == (T, len(sequences))
    assert ids.dtype == np.int64
    assert lengths.tolist() == [len(sequence) for sequence in sequences]
    for i, sequence in enumerate(sequences):
        assert ids[:, i].tolist() == sequence + [value] * (T - len(sequence))


@given(sequences, st.integers(0, 3))
def test_mask_tells_steps_from_padding(sequences, extra):
    ids, lengths = padding.pad(sequences, -1)
    np.testing.assert_array_equal(padding.mask(lengths), ids >= 0)
    longer = padding.mask(lengths, len(ids) + extra)
    assert longer.shape == (len(ids) + extra, len(sequences))
    assert longer.dtype == bool
    assert longer.sum(axis=0).tolist() == lengths.tolist()


def test_columns_and_types():
    first, second = np.ones((2, 3), np.float32), np.full((4, 3), 2, np.float32)
    x, lengths = padding.pad([first, second], value=-1)
    assert x.shape == (4, 3, 2)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x[:2, :, 0], first)
    np.testing.assert_array_equal(x[..., 1], second)
    assert (x[2:, :, 0] == -1).all()
    assert lengths.tolist() == [2, 4]
    assert padding.pad([np.array([3], np.int32), np.array([1, 2], np.int32)])[0].dtype == np.int32


def test_a_length_of_zero_is_all_padding():
    assert padding.mask([0, 2]).tolist() == [[False, True], [False, True]]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="no sequences"):
        padding.pad([])
    with pytest.raises(ValueError, match="sequence 1 is empty"):
        padding.pad([[1], [], [2]])
    with pytest.raises(ValueError, match=r"sequence 0 has the shape \(2, 3\), sequence 1 \(2, 4\)"):
        padding.pad([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match=r"\(T_i,\)"):
        padding.pad([3, 4])
    with pytest.raises(TypeError, match="numbers; got <U1"):
        padding.pad([["a"], ["b"]])
    with pytest.raises(TypeError, match=r"integers; the value 0\.5"):
        padding.pad([[1], [2, 3]], value=0.5)
    with pytest.raises(ValueError, match="a length of 3 does not fit into T = 2 steps"):
        padding.mask([1, 3], 2)
    with pytest.raises(ValueError, match="a length of -1"):
        padding.mask([1, -1])
    with pytest.raises(ValueError, match=r"integers \(m,\)"):
        padding.mask([1.0, 2.0])
    with pytest.raises(ValueError, match=r"integers \(m,\)"):
        padding.mask([])
