"""Looking activations up, and the ones with arguments of their own. Values are compared in tests/parity."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import activations
from tests.tolerances import assert_close


@pytest.mark.parametrize(
    "name", sorted(set(activations.__all__) - {"get", "serialize", "deserialize"})
)
def test_names_lead_to_functions_and_back(name: str):
    fn = getattr(activations, name)
    assert activations.get(name) is fn
    assert activations.get(activations.serialize(fn)) is fn


def test_get():
    layer = keras.layers.ReLU()
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    assert activations.get(layer) is layer
    config = {
        "module": "builtins",
        "class_name": "function",
        "config": "relu",
        "registered_name": "relu",
    }
    assert activations.get(config) is activations.relu


def test_unknown_names():
    with pytest.raises(ValueError, match=r"Unknown activation: 'rellu'\. Did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="Could not interpret 3 as a activation"):
        activations.get(3)


def test_relu_keeps_integers_and_shapes_negative_values():
    assert activations.relu([-1, 2]).dtype == "int32"
    x = np.float32([-2, 0.5, 3, 9])
    assert_close(
        activations.relu(x, negative_slope=0.1, max_value=6, threshold=1),
        np.float32([-0.3, -0.05, 3, 6]),
    )
    assert activations.relu(np.int32([-1, 2]), negative_slope=0.5).numpy().tolist() == [-0.5, 2]


def test_relu_and_gelu_in_a_graph_are_the_ops():
    x = keras.Input((3,))
    assert activations.relu(x).node.operation.fn is keras.ops.relu
    assert activations.gelu(x).node.operation.fn is keras.ops.gelu
