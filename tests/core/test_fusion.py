"""Kernels fused with what follows them: in every kind of model, with the same results, and never where it would cost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import fusion, scope
from hornbeam.kernels import native
from tests.marks import native_only
from tests.tolerances import assert_close

layers = keras.layers
X = np.random.default_rng(0).normal(size=(4, 16, 16, 8)).astype("float32")


def parts(separate):
    """Convolution, relu and pooling, twice; the second time the last row and column of the first are not read."""
    made = []
    for filters in (16, 32):
        made.append(layers.Conv2D(filters, 3, activation=None if separate else "relu"))
        made += [layers.ReLU()] if separate else []
        made.append(layers.MaxPooling2D())
    return made


def sequential(separate):
    return keras.Sequential(
        [
            keras.Input(X.shape[1:]),
            *parts(separate),
            layers.Flatten(),
            layers.Dense(256, "relu"),
        ]
    )


def functional(separate):
    x = inputs = keras.Input(X.shape[1:])
    for layer in [*parts(separate), layers.Flatten()]:
        x = layer(x)
    return keras.Model(inputs, layers.Dense(256, "relu")(x))


class Subclassed(keras.Model):
    def __init__(self, separate):
        super().__init__()
        self.steps = [*parts(separate), layers.Flatten()]
        self.dense = layers.Dense(256, "relu")

    def call(self, x):
        for layer in self.steps:
            x = layer(x)
        return self.dense(x)


def program(model):
    """The value and gradients of a model as a compiled program's text."""
    model(X)
    variables = model.trainable_variables

    def run(values, x):
        pairs = zip(variables, values, strict=True)
        with scope.StateScope(pairs):
            loss = lambda: (keras.ops.sum(model(x) ** 2), None)  # noqa: E731
            (value, _), gradients = scope.value_and_grad(loss, variables)()
        return value, gradients

    arguments = [v.value._value for v in variables], jnp.asarray(X)
    return jax.jit(run).lower(*arguments).compile().as_text()


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("make", [sequential, functional, Subclassed])
def test_conv_relu_and_pooling_are_one_kernel(make, separate):
    text = program(make(separate))
    assert ("hornbeam_conv_pool_forward" in text) == native.available()
    assert 'custom_call_target="hornbeam_conv_forward"' not in text
    assert "hornbeam_max_pool_forward" not in text


@native_only
def test_windows_that_nobody_reads_are_not_computed():
    """Of the 7 x 7 windows of the first pooling the second reads 6 x 6."""
    text = program(sequential(False))
    assert "f32[4,6,6,16]" in text and "f32[4,7,7,16]" not in text


@pytest.mark.parametrize("make", [sequential, functional, Subclassed])
def test_results_are_those_of_the_separate_kernels(make):
    model = make(False)
    eager = model(X).numpy()  # outside of programs nothing is fused
    assert_close(model.predict(X, verbose=0), eager)


def test_no_offers_outside_of_programs():
    x = jnp.ones((64, 256))
    fusion.offer(x, fusion.Relu(lambda: x))
    assert fusion.offered(x, fusion.Relu) is None

    def eager(x):
        y = fusion.offer(x * 2, fusion.Relu(lambda: x))
        assert fusion.offered(y, fusion.Relu) is None
        return y.sum()

    jax.grad(eager)(x)


def test_offers_end_with_their_value():
    def run(x):
        y = fusion.offer(x * 2, fusion.Relu(lambda: x))
        offered = fusion.offered(y, fusion.Relu)
        assert offered is not None and offered.compute() is x
        assert fusion.offered(y, fusion.MaxPool) is None
        assert fusion.offered(x, fusion.Relu) is None
        return y

    jax.jit(run)(jnp.ones(3))
    assert not len(fusion._offers)


@pytest.mark.parametrize(
    "pooling",
    [
        layers.MaxPooling2D(2, strides=1),
        layers.MaxPooling2D(3),
        layers.MaxPooling2D((2, 1)),
        layers.MaxPooling2D(2, padding="same"),
    ],
    ids=["strides", "window", "one axis", "padding"],
)
def test_other_poolings_are_not_fused(pooling):
    conv = layers.Conv2D(16, 4, activation="relu")  # images of 13 x 13
    model = keras.Sequential([keras.Input(X.shape[1:]), conv, pooling])
    assert_close(model.predict(X, verbose=0), model(X))
