"""A training step as it is compiled: which native kernels it calls, how often, and in which type."""

import re
from collections import Counter

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.kernels import native

layers = keras.layers
LAYERS = {
    "conv": ((8, 8, 8), lambda x: layers.Conv2D(8, 3)(x)),
    "dense": ((256,), lambda x: layers.Dense(256)(x)),
    "lstm": ((6, 16), lambda x: layers.LSTM(8)(x)),
    "gru": ((6, 16), lambda x: layers.GRU(8)(x)),
    "attention": ((32, 64), lambda x: layers.MultiHeadAttention(2, 32)(x, x)),
}


@pytest.fixture(params=["float32", "mixed_bfloat16"])
def policy(request):
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    keras.mixed_precision.set_global_policy("float32")


def step(model, x, y):
    """The text of the program that trains on one batch, after it has run once."""
    model.compile("adam", "mse")
    model.train_on_batch(x, y)
    program = model._programs["train", False]
    data = None, (x, y)
    lowered = program.with_state(lambda *state: program._run.lower(*state, *data), data)
    return lowered.compile().as_text() or ""


@pytest.mark.parametrize("kind", LAYERS)
def test_one_call_each_way_in_the_type_of_the_policy(kind, policy):
    shape, layer = LAYERS[kind]
    inputs = keras.Input(shape)
    model = keras.Model(inputs, layer(inputs))
    x = np.random.default_rng(0).normal(size=(8, *shape)).astype("float32")
    text = step(model, x, np.zeros((8, *model.output.shape[1:]), "float32"))

    stored = [*model.weights, *model.optimizer.variables]
    kept = {v.dtype.name for v in stored if v is not model.optimizer.iterations}
    assert kept == {"float32"}

    computed = "f32" if policy == "float32" else "bf16"
    natively = native.available() and (computed == "f32" or "avx512" in native.info()["cpu"])
    # The name of each call, and the type of what goes into it.
    calls = re.findall(r'"hornbeam_(\w+)", operand_layout_constraints=\{(\w+)\[', text)
    back = "weight_gradient" if kind in ("conv", "dense") else "backward"
    expected = {(f"{kind}_{way}", computed): 1 for way in ("forward", back)} if natively else {}
    assert Counter(call for call in calls if call[0].startswith(kind)) == expected
    assert (" while(" in text) == (kind in ("lstm", "gru") and not natively)
