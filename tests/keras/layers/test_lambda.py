"""Functions as layers, and what is written of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

X = np.arange(6, dtype="float32").reshape(2, 3)


@keras.saving.register_keras_serializable("tests")
def scaled(x, factor=2.0):
    return factor * x


def unregistered(x):
    return x


def test_arguments_mask_and_training_are_handed_on():
    seen = {}

    def spy(x, mask=None, training=None, factor=1.0):
        seen.update(mask=mask, training=training)
        return factor * x

    y = layers.Lambda(spy, arguments={"factor": 3.0})(X, mask=X > 1, training=True)
    np.testing.assert_array_equal(y, 3 * X)
    assert seen["training"] is True and seen["mask"].shape == (2, 3)


def test_symbolic_shape_is_traced():
    assert layers.Lambda(lambda x: x[:, :2])(keras.Input((3,))).shape == (None, 2)


def test_mask_argument():
    class Masked(layers.Layer):
        def call(self, inputs):
            return inputs

        def compute_mask(self, inputs, previous_mask=None):
            return keras.ops.ones((2, 3), "bool")

    x = Masked()(np.ones((2, 3, 4), "float32"))
    assert layers.Lambda(lambda x: x, mask=lambda inputs, mask: mask)(x)._keras_mask is not None
    assert layers.Lambda(lambda x: x[:, 0])(x)._keras_mask is None


def test_registered_function_is_written_by_name():
    layer = layers.Lambda(scaled, arguments={"factor": 5.0}, name="times")
    config = json.loads(json.dumps(layers.serialize(layer)))
    assert config["config"]["function"]["config"] == "tests>scaled"
    np.testing.assert_array_equal(layers.deserialize(config)(X), 5 * X)


def test_known_function_is_written_by_name():
    layer = layers.Lambda(keras.activations.relu)
    np.testing.assert_array_equal(
        layers.deserialize(layers.serialize(layer))(X - 3), np.maximum(X - 3, 0)
    )


def test_unregistered_function_needs_custom_objects():
    config = layers.serialize(layers.Lambda(unregistered))
    with pytest.raises(ValueError, match=r"Unknown function: 'unregistered'.*custom_objects"):
        layers.deserialize(config)
    layer = layers.deserialize(config, custom_objects={"unregistered": unregistered})
    assert layer.function is unregistered


def test_a_lambda_is_cloned_but_not_written():
    """A clone is of this process, which has the function; a configuration as text has nothing of it."""
    layer = layers.Lambda(lambda x: x + 2, name="plus", dtype="mixed_bfloat16", trainable=False)
    clone = layers.Lambda.from_config(layer.get_config())
    assert clone.function is layer.function
    assert (clone.name, clone.dtype_policy.name, clone.trainable) == (
        "plus",
        "mixed_bfloat16",
        False,
    )
    written = json.loads(json.dumps(layers.serialize(layer)))
    assert written["config"]["function"] == {"class_name": "__lambda__", "config": {}}
    with pytest.raises(
        ValueError, match=r"'plus' has no name by which.*custom_objects=.'plus': fun"
    ):
        layers.deserialize(written)


@pytest.mark.parametrize("safe_mode", [None, True, False])
def test_code_in_a_file_is_never_run(safe_mode):
    # What Keras writes for `Lambda(lambda x: x)`, with bytecode that does not matter: it is not even decoded.
    function = {
        "class_name": "__lambda__",
        "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
    }
    with pytest.raises(ValueError, match="was saved as byte code; code in files is never run"):
        layers.Lambda.from_config({"name": "evil", "function": function}, safe_mode=safe_mode)
    with pytest.raises(ValueError, match="was saved as byte code"):
        layers.deserialize(
            {"class_name": "Lambda", "config": {"name": "evil", "function": function}}
        )
