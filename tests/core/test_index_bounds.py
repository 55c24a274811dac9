"""Indices beyond an axis are errors wherever they are known."""

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core.index_bounds import check_indices, check_key, check_places, known_indices
from hornbeam.core.tensor import convert_to_tensor

SHAPE = (2, 3, 4)


@pytest.mark.parametrize(
    "key",
    [
        *(1, -2, (1, 2, 3), (..., -4), (0, ..., 3), (None, 1), (slice(9), 2), (1, None, 2)),
        *(
            np.int64(1),
            np.array([1, 0]),
            (0, np.array([[2]])),
            slice(5, 9),
            ...,
            None,
            True,
            (1, 1, 1, 9),
        ),
        *(np.ones((2, 3), bool), (np.ones((2, 3), bool), 3), [1, 0], [True, False], range(2)),
    ],
)
def test_indices_within_the_axes(key):
    check_key(SHAPE, key)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (2, "index 2 of dimension 0"),
        (-3, "index -3 of dimension 0"),
        ((0, 3), "index 3 of dimension 1"),
        ((..., 4), "index 4 of dimension 2"),
        ((0, ..., 4), "index 4 of dimension 2"),
        ((slice(None), None, 3), "index 3 of dimension 1"),
        ((np.ones((2, 3), bool), 4), "index 4 of dimension 2"),
        (np.int64(2), "index 2 of dimension 0"),
        (np.array([1, 2]), "index 2 of dimension 0"),
        ([0, -3], "index -3 of dimension 0"),
        ((0, np.array([[5]])), "index 5 of dimension 1"),
    ],
)
def test_indices_beyond_an_axis(key, text):
    with pytest.raises(IndexError, match=text) as caught:
        check_key(SHAPE, key)
    assert isinstance(caught.value, tf.errors.InvalidArgumentError)


def test_sizes_that_are_not_known_allow_any_index():
    check_key((None, 3), (9, 2))
    with pytest.raises(IndexError, match="dimension 1"):
        check_key((None, 3), (9, 3))


def test_tensors_are_keys():
    check_key((2,), convert_to_tensor(1))
    with pytest.raises(IndexError):
        check_key((2,), convert_to_tensor(2))


def test_what_is_known():
    assert known_indices([1, 2]).tolist() == [1, 2]
    assert known_indices(convert_to_tensor([3])).tolist() == [3]
    assert known_indices([1.5]) is None and known_indices("a") is None
    assert known_indices(np.zeros(1_000_001, int)) is None
    seen = []
    jax.eval_shape(lambda x: seen.append(known_indices(x)), np.array([1]))
    assert seen == [None]


@pytest.mark.parametrize("indices", [5, -1, [0, 5], [[1], [5]]])
def test_indices_of_one_axis(indices):
    check_indices(np.clip(indices, 0, 4), 5, "GatherV2")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"is not in \[0, 5\) \[Op:GatherV2\]"):
        check_indices(indices, 5, "GatherV2")


def test_the_place_of_the_first_wrong_index_is_named():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[1,0\] = 5 is not"):
        check_indices([[1], [5]], 5, "GatherV2")


def test_places():
    check_places([[0, 2], [1, 0]], SHAPE, "GatherNd")
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"indices\[1\] = \[1, 3\] does not index"
    ):
        check_places([[0, 2], [1, 3]], SHAPE, "GatherNd")
    check_places([[2], [0]], SHAPE, "GatherNd", batch_dims=1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        check_places([[3], [0]], SHAPE, "GatherNd", batch_dims=1)


def test_a_compiled_program_clips():
    """Where indices are not known."""
    picked = jax.jit(lambda t, i: t[i]._value)(convert_to_tensor([1, 2]), convert_to_tensor(5))
    assert int(picked) == 2
