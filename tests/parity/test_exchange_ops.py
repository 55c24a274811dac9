"""Every op in a `.keras` file that goes from one library to the other, its values and its gradients there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from tests.parity.exchange import (
    assert_same_predictions,
    assert_same_states,
    assert_same_step,
    exchanged,
)
from tests.parity.test_op_configs import ARRAYS, IN_KERAS, UNREADABLE


def operands(k: Any) -> tuple[type, type]:
    """Return a layer that has an array as its weight, and one that returns a single number for all outputs."""

    @k.saving.register_keras_serializable("exchange")
    class Operand(k.layers.Layer):
        def __init__(self, size: Any, of: str, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.size, self.of = tuple(size), of

        def build(self, _: Any) -> None:
            self.array = self.add_weight(
                shape=self.size,
                dtype=self.of,
                initializer="zeros",
                trainable=self.of == "float32" and not self.name.endswith(NO_GRADIENTS),
                name="array",
            )

        def call(self, _: Any) -> Any:
            return k.ops.convert_to_tensor(self.array)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "size": self.size, "of": self.of}

    @k.saving.register_keras_serializable("exchange")
    class Total(k.layers.Layer):
        def call(self, outputs: Any) -> Any:
            finite = [k.ops.where(k.ops.isfinite(each), each, 0.0) for each in outputs]
            return k.ops.reshape(sum(k.ops.mean(k.ops.square(each)) for each in finite), (1, 1))

    return Operand, Total


OPERAND, TOTAL = operands(keras)
operands(peer)
# Keras fails where it runs them in a graph, its own as well; the last three only in compiled steps.
NOT_RUN = {"conv_transpose", "histogram", "rearrange", "rot90", "bincount"}
# JAX has none.
NO_GRADIENTS = ("segment_prod", "nextafter")
CASES = {
    case.name: case
    for case in reversed(IN_KERAS)
    if str(case) not in UNREADABLE and case.name not in NOT_RUN and hasattr(keras.ops, case.name)
}


# XLA's time grows faster than a program: the ops stand in this many models.
PARTS = 8


def model_of(names: list[str]) -> Any:
    """Return a model that calls ops on weights; its first output is a sum over all that have gradients."""
    anything = keras.Input(batch_shape=(1, 1))
    outputs, arrays = [], []
    for name in names:
        case = CASES[name]
        given = []
        for i, place in enumerate(case.places()):
            array = ARRAYS[place]
            layer = OPERAND(array.shape, str(array.dtype), name=f"operand_{i}_of_{name}")
            given.append(layer(anything))
            arrays.append((layer, array))
        made = getattr(keras.ops, name)(*case.arguments(given), **case.kwargs)
        leaves = jax.tree.leaves(made, is_leaf=lambda x: isinstance(x, keras.KerasTensor))
        outputs += [each for each in leaves if isinstance(each, keras.KerasTensor)]
    model = keras.Model(anything, [TOTAL()([x for x in outputs if x.dtype == "float32"]), *outputs])
    for layer, array in arrays:
        layer.array.assign(array)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_op_trains_on(part: int, tmp_path: Path) -> None:
    """Results are those of the writer; so are loss, weights and slots after one more step. There and back."""
    ours = model_of(list(CASES)[part::PARTS])
    x, y = np.ones((1, 1), "float32"), np.zeros((1, 1), "float32")
    others = [None] * (len(ours.outputs) - 1)
    y = [y, *others]
    ours.compile(keras.optimizers.SGD(1e-3, momentum=0.9, clipnorm=1.0), ["mae", *others])
    ours.train_on_batch(x, y)
    theirs = exchanged(ours, "to Keras", tmp_path / "ours.keras")
    assert_same_states(theirs, ours, exact=True)
    assert_same_predictions(theirs, ours, x)
    assert_same_step(theirs, ours, x, y)
    back = exchanged(theirs, "from Keras", tmp_path / "theirs.keras")
    assert_same_states(back, theirs, exact=True)
    assert_same_step(back, theirs, x, y)
