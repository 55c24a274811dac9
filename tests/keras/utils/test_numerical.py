"""to_categorical and normalize against real Keras, and where they differ from it on purpose."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras as peer
import numpy as np
import pytest

from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.keras import utils
from tests.tolerances import assert_close


@pytest.mark.parametrize(
    ("labels", "num_classes"),
    [
        ([0, 1, 2, 3], 4),
        ([0, 1, 2, 3], None),
        ([0, 1], 0),
        (np.array([5, 0, 4, 1, 9], np.uint8), 10),
        (np.array([[0], [1], [2]]), 3),
        (np.array([[0], [1], [2]]), None),
        (np.zeros((3, 1, 1)), 3),
        (np.zeros((1, 1)), 3),
        (np.zeros(1), 3),
        (np.array([[0, 1], [2, 1]]), None),
        (2, 3),
        (np.int32(2), np.int64(3)),
        ([0.0, 1.7], 3),
        ([True, False], None),
        (np.array([1], np.uint64), 3),
        ([], 3),
        (np.zeros((0, 1)), 3),
    ],
)
def test_to_categorical_is_that_of_keras(labels, num_classes):
    actual = utils.to_categorical(labels, num_classes)
    expected = peer.utils.to_categorical(labels, num_classes)
    assert type(actual) is np.ndarray and actual.dtype == expected.dtype == np.float64
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(actual, expected)
    assert repr(actual) == repr(expected)


def test_rows_print_as_the_notes_show():
    rows = utils.to_categorical(np.array([5, 0], np.uint8), num_classes=10)
    assert str(rows[0]) == "[0. 0. 0. 0. 0. 1. 0. 0. 0. 0.]"


@pytest.mark.parametrize("labels", [[0, 2, 1], [[0], [2], [1]]])
def test_tensors_give_tensors_of_float32(labels):
    for given in (convert_to_tensor(labels), jnp.array(labels)):
        actual = utils.to_categorical(given, 3)
        assert isinstance(actual, Tensor) and actual.dtype == "float32"
        np.testing.assert_array_equal(actual.numpy(), np.eye(3)[[0, 2, 1]])
    assert utils.to_categorical(convert_to_tensor(labels)).shape == (3, 3)


def test_labels_of_a_compiled_program():
    rows = jax.jit(
        lambda x: (
            utils.to_categorical(x, 3).numpy if False else jnp.asarray(utils.to_categorical(x, 3))
        )
    )
    np.testing.assert_array_equal(rows(jnp.array([1, 7])), [[0, 1, 0], [0, 0, 0]])
    with pytest.raises(ValueError, match="needs num_classes"):
        jax.eval_shape(utils.to_categorical, jax.ShapeDtypeStruct((2,), "int32"))


@pytest.mark.parametrize(
    ("labels", "num_classes", "text"),
    [
        ([0, 5, 6], 3, r"from 0 to 2 \(num_classes=3\), got 5; 2 of 3 .* Raise num_classes"),
        ([1, 2, 10], 10, "from 0 to 9 .* got 10; 1 of 3"),
        ([-1, 1], 2, "got -1; 1 of 2 labels are outside. Start the labels at 0"),
        ([-1, 1], None, "from 0 to 1 .* got -1"),
    ],
)
def test_labels_out_of_range(labels, num_classes, text):
    for given in (labels, convert_to_tensor(labels)):
        with pytest.raises(IndexError, match=text):
            utils.to_categorical(given, num_classes)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (["cat", "dog"], "whole numbers .*'cat'.* numpy.unique"),
        ([0.0, np.nan], "a NaN or an infinity"),
        ([[0], [1, 2]], "without gaps"),
        (None, "whole numbers"),
    ],
)
def test_labels_that_are_no_numbers(labels, text):
    with pytest.raises(ValueError, match=text):
        utils.to_categorical(labels, 3)


def test_no_labels_need_the_number_of_classes():
    with pytest.raises(ValueError, match="there are no labels; give num_classes"):
        utils.to_categorical([])
    with pytest.raises(TypeError, match="float"):
        utils.to_categorical([0], 3.0)


X = np.array([[3.0, -4.0], [6.0, 8.0], [0.0, 0.0]])


@pytest.mark.parametrize("order", [0, 1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_normalize_is_that_of_keras(axis, order, dtype):
    actual = utils.normalize(X.astype(dtype), axis=axis, order=order)
    expected = peer.utils.normalize(X.astype(dtype), axis=axis, order=order)
    assert type(actual) is np.ndarray and actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


def test_normalize_along_the_first_axis():
    """Keras 3.15.1 divides by the norms of the wrong columns here, and fails unless x is square."""
    np.testing.assert_array_equal(utils.normalize(X, axis=0), utils.normalize(X.T).T)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
def test_normalize_of_tensors(order):
    actual = utils.normalize(convert_to_tensor(X.astype("float32")), order=order)
    assert isinstance(actual, Tensor)
    assert_close(actual, peer.utils.normalize(X.astype("float32"), order=order))
    whole = utils.normalize(jnp.array([[3, 4]]))
    assert_close(whole, np.array([[0.6, 0.8]], "float32"))


def test_normalize_takes_lists_and_numbers():
    assert utils.normalize([3, 4]).tolist() == [0.6, 0.8]
    assert utils.normalize(np.float32(3)).tolist() == [1.0]


def test_the_gradient_of_normalize_is_finite_at_zero():
    gradient = jax.grad(lambda x: jnp.asarray(utils.normalize(x)).sum())(jnp.zeros((2, 3)))
    assert np.isfinite(gradient).all()
