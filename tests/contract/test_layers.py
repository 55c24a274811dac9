"""What every exported layer keeps; the table of layers is layer_cases.py."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.deferred import deferred_values
from hornbeam.keras import layers
from tests.contract.layer_cases import CASES, NOT_CALLED, SEQUENCE
from tests.tolerances import assert_close

EXPORTED = {
    getattr(layers, name).__name__
    for name in layers.__all__
    if inspect.isclass(getattr(layers, name))
}
CALLED = sorted(EXPORTED - NOT_CALLED - {"InputSpec"})
every_layer = pytest.mark.parametrize("name", CALLED)


def arguments_of(name: str) -> dict[str, Any]:
    """The arguments that the case says."""
    assert name in CASES, f"{name} has no entry in tests/contract/layer_cases.py"
    arguments = CASES[name].arguments
    return arguments() if callable(arguments) else arguments


def make(class_name: str, **more: Any) -> Any:
    """A layer of the class, as its case says."""
    return getattr(layers, class_name)(**{**arguments_of(class_name), **more})


def data(name: str, batch: int = 2) -> Any:
    """Inputs for the class."""
    shape, highest = CASES[name].shape, CASES[name].highest
    rng = np.random.default_rng(0)

    def draw(each: tuple[int, ...]) -> np.ndarray:
        size = (batch, *each[1:])
        return (
            rng.normal(size=size).astype("float32")
            if highest is None
            else rng.integers(0, highest, size)
        )

    return [draw(each) for each in shape] if isinstance(shape, list) else draw(shape)


def given(name: str, inputs: Any) -> tuple[Any, ...]:
    """The arguments of a call on `inputs`, or on their shapes."""
    return tuple(inputs) if CASES[name].apart else (inputs,)


def built(class_name: str, **more: Any) -> Any:
    """A built layer."""
    layer = make(class_name, **more)
    layer.build(*given(class_name, jax.tree.map(lambda x: x.shape, data(class_name))))
    return layer


def values(variables: Any) -> list[jax.Array]:
    """The raw values of variables."""
    return [jnp.asarray(v.numpy()) for v in variables]


def symbols(name: str) -> Any:
    """Symbolic inputs for the class, of unknown batch size."""
    return jax.tree.map(lambda x: keras.Input(x.shape[1:], dtype=x.dtype), data(name))


@every_layer
def test_config_makes_the_same_layer(name: str):
    layer = built(name)
    described = json.loads(json.dumps(layers.serialize(layer)))
    assert (described["module"], described["class_name"]) == (
        "keras.layers",
        CASES[name].written or name,
    )
    twin = layers.deserialize(described)
    assert type(twin) is type(layer) and twin.name == layer.name
    assert json.loads(json.dumps(layers.serialize(twin))) == described
    assert [(w.path, w.shape, w.dtype) for w in twin.weights] == [
        (w.path, w.shape, w.dtype) for w in layer.weights
    ]


@every_layer
def test_unknown_batch(name: str):
    with deferred_values() as made_variables:
        layer = make(name)
        outputs = layer(*given(name, symbols(name)))
    # A configuration in a file may ask for any size: until values are read, weights cost nothing.
    assert [v.path for v in made_variables if v.is_drawn] == []
    shape = tuple(outputs.shape)
    assert shape[0] is None and None not in shape[1:]
    shapes = given(name, jax.tree.map(lambda x: tuple(x.shape), symbols(name)))
    assert tuple(layer.compute_output_shape(*shapes)) == shape
    for batch in (1, 3):
        made = jax.eval_shape(lambda x: layer(*given(name, x)), data(name, batch))
        assert made.shape == (batch, *shape[1:])


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Iterator[keras.DTypePolicy]:
    """The policy that new layers take during the test."""
    keras.mixed_precision.set_global_policy(request.param)
    yield keras.DTypePolicy(request.param)
    keras.mixed_precision.set_global_policy("float32")


@every_layer
@pytest.mark.parametrize("policy", ["float32", "bfloat16", "mixed_bfloat16"], indirect=True)
def test_dtype_policies(name: str, policy: keras.DTypePolicy):
    layer = built(name)
    state = values(layer.trainable_variables), values(layer.non_trainable_variables)
    outputs, _ = jax.eval_shape(
        lambda x: layer.stateless_call(*state, *given(name, x), **training(layer)), data(name)
    )
    assert outputs.dtype == policy.compute_dtype
    assert {w.dtype for w in layer.weights} <= {policy.variable_dtype}
    assert layer(*given(name, symbols(name))).dtype == outputs.dtype


@every_layer
def test_compiled_as_called(name: str):
    layer = built(name)
    inputs = data(name)
    state = values(layer.trainable_variables), values(layer.non_trainable_variables)
    compiled, _ = jax.jit(lambda x: layer.stateless_call(*state, *given(name, x)))(inputs)
    assert_close(compiled, layer(*given(name, inputs)))


@every_layer
def test_gradients_are_finite(name: str):
    layer = built(name)
    others = values(layer.non_trainable_variables)
    inputs = jax.tree.map(jnp.asarray, data(name))
    floats = all(x.dtype == jnp.float32 for x in jax.tree.leaves(inputs))

    def loss(trainable: Any, inputs: Any) -> Any:
        outputs, _, losses = layer.stateless_call(
            trainable, others, *given(name, inputs), return_losses=True, **training(layer)
        )
        return jnp.sum(jnp.square(outputs._value)) + sum(x._value for x in losses)

    wanted = (0, 1) if floats else (0,)
    value, gradients = jax.jit(jax.value_and_grad(loss, wanted))(
        values(layer.trainable_variables), inputs
    )
    assert np.isfinite(value)
    for gradient in jax.tree.leaves(gradients):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", [name for name in CALLED if "seed" in arguments_of(name)])
def test_seeds(name: str):
    def first(layer: Any) -> np.ndarray:
        return layer(inputs, training=True).numpy()

    inputs = np.ones(CASES[name].shape, "float32")
    layer = make(name)
    one = first(layer)
    assert (first(layer) != one).any()
    np.testing.assert_array_equal(first(make(name)), one)
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        runs.append(first(make(name, seed=None)))
    np.testing.assert_array_equal(*runs)
    assert (first(make(name, seed=None)) != runs[0]).any()
    np.testing.assert_array_equal(layer(inputs, training=False), inputs)


@pytest.mark.parametrize(
    "name", [name for name in CALLED if CASES[name].shape == SEQUENCE and name != "Softmax"]
)
def test_masks_go_on_or_end_as_in_keras(name: str):
    class Masked(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return keras.ops.ones(inputs.shape[:2], "bool")

    layer = make(name)
    outputs = layer(Masked()(data(name)))
    mask = outputs._keras_mask
    found = None if mask is None else (mask.dtype, tuple(mask.shape))
    assert found == (None if CASES[name].ends_mask else ("bool", tuple(outputs.shape[:2])))


@every_layer
def test_repr(name: str):
    layer = make(name, name="mine")
    assert repr(layer) == f"<{name} name=mine, built={layer.built}>"


def training(layer: Any) -> dict[str, Any]:
    """The argument `training=True`, where the layer takes it."""
    return {"training": True} if "training" in inspect.signature(layer.call).parameters else {}
