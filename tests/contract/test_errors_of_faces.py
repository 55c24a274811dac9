"""An error of a function of `tf` names that function, as users write it, and the arguments that they gave it."""

from typing import Any

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras, ops
from tests.contract.test_door_of_faces import PLAIN, ROWS

# These take anything that NumPy gives a shape.
OF_ANYTHING = {"rank", "shape", "size"}
IMAGES = np.ones((2, 8, 8, 3), "float32")
KERNEL = np.ones((3, 3, 4, 6), "float32")


def error_of(function: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises((TypeError, ValueError)) as caught:
        function(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize("inputs", PLAIN)
def test_the_name_that_was_called(inputs: str) -> None:
    names = {word.partition(":")[0] for word in PLAIN[inputs].split()} - OF_ANYTHING
    wrong = ["abc"] * len(inputs.split())
    errors = {name: error_of(ROWS[name][1], *wrong) for name in names}
    assert len(errors) > 0
    assert {name: text for name, text in errors.items() if f"`tf.{name}`" not in text} == {}


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (
            lambda: tf.nn.conv2d(IMAGES, KERNEL, 1, "SAME"),
            "`tf.nn.conv2d` can't divide 3 input channels",
        ),
        (
            lambda: tf.nn.conv2d(IMAGES[0], KERNEL, 1, "SAME"),
            "`tf.nn.conv2d` takes an input of 4 axes",
        ),
        (
            lambda: tf.nn.max_pool2d(IMAGES[0], 2, 2, "SAME"),
            "`tf.nn.max_pool2d` takes an input of 4 axes",
        ),
        (
            lambda: tf.nn.max_pool2d(IMAGES, 9, 2, "VALID"),
            "`tf.nn.max_pool2d`: ",
        ),
        (lambda: tf.nn.avg_pool([1.0, 2.0], 2, 2, "SAME"), "`tf.nn.avg_pool` takes an input of 3"),
        (
            lambda: tf.add([1.0, 2.0], y=np.ones(3, "float32")),
            "`tf.add`: the shapes don't broadcast; compared from the last axis, sizes must be equal or 1. "
            "Received x: [1.0, 2.0], y: float32 of shape (3,).",
        ),
        (
            lambda: tf.reduce_sum(IMAGES, 7),
            "`tf.reduce_sum`: there is no axis 7 in a tensor of 4 axes. "
            "Received input_tensor: float32 of shape (2, 8, 8, 3), axis: 7.",
        ),
        (
            lambda: tf.add(keras.Input((3,)), keras.Input((4,))),
            "`tf.add`: the shapes don't broadcast",
        ),
        (lambda: ops.add([1.0, 2.0], np.ones(3, "float32")), "`add`: the shapes"),
        (
            lambda: tf.experimental.numpy.add([1.0, 2.0], np.ones(3, "float32")),
            "`tf.experimental.numpy.add`: the shapes",
        ),
        (
            lambda: tf.experimental.numpy.reshape(np.ones(3, "float32"), (2, 2)),
            "`tf.experimental.numpy.reshape`: ",
        ),
        (lambda: keras.ops.conv(IMAGES, KERNEL), "`conv` can't divide 3 input channels"),
    ],
)
def test_what_was_given(act: Any, text: str) -> None:
    assert error_of(act).startswith(text)


def test_functions_of_users_are_not_named() -> None:
    def conv2d(x: Any) -> Any:
        return ops.conv(x, KERNEL)

    assert error_of(conv2d, IMAGES).startswith("`conv` can't divide")
