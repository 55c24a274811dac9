"""Chains of `tf.nn` reach the kernels that layers reach: the same calls in the compiled program, none more."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import scope
from hornbeam.kernels import native

draw = np.random.default_rng(0)
X = draw.normal(size=(4, 16, 16, 8)).astype("float32")
IDS = draw.integers(0, 500, (16, 40)).astype("int32")


def kernel_calls(fn, *arguments):
    """The native kernels of a function and its gradients, by name, in order of the alphabet."""
    gradients = jax.jit(jax.value_and_grad(fn, argnums=(0, 1)))
    text = gradients.lower(*arguments).compile().as_text()
    return sorted(re.findall(r'custom_call_target="(hornbeam_[a-z_]+)"', text))


def of_layers(*layers):
    """The sum of squares of what layers return, as a function of the weights of the first and of x."""
    variables = layers[0].trainable_variables

    def run(*arguments):
        *weights, x = arguments
        with scope.StateScope(zip(variables, weights, strict=True)):
            for layer in layers:
                x = layer(x)
        return jnp.sum(jnp.square(tf.convert_to_tensor(x)._value))

    return run


@pytest.mark.parametrize(
    "add",
    [tf.nn.bias_add, lambda y, bias: y + bias, lambda y, bias: bias + y],
    ids=["bias_add", "y + bias", "bias + y"],
)
def test_convolution_bias_relu_and_pooling_are_one_kernel(add):
    conv = keras.layers.Conv2D(16, 3, activation="relu")
    conv.build(X.shape)

    def chain(kernel, bias, x):
        y = tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="VALID")
        y = add(y, tf.convert_to_tensor(bias))
        y = tf.nn.max_pool2d(tf.nn.relu(y), [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
        return jnp.sum(jnp.square(y._value))

    weights = [v.value._value for v in conv.trainable_variables]
    expected = kernel_calls(of_layers(conv, keras.layers.MaxPooling2D()), *weights, X)
    assert kernel_calls(chain, *weights, X) == expected
    assert ("hornbeam_conv_pool_forward" in expected) == native.available()


def test_what_is_no_bias_is_added_apart():
    kernel = draw.normal(size=(3, 3, 8, 14)).astype("float32")
    for other in (np.ones((14, 14), "float32"), np.ones(1, "float32"), np.float32(1)):

        def chain(kernel, x, other=other):
            y = tf.nn.conv2d(x, kernel, 1, "VALID")
            return (y + tf.convert_to_tensor(other))._value, y._value

        whole, alone = jax.jit(chain)(kernel, X)
        np.testing.assert_array_equal(whole, alone + other)


def test_embeddings_reach_the_kernel_of_their_gradient():
    layer = keras.layers.Embedding(500, 64)
    layer.build()
    table = layer.embeddings.value._value

    def of_layer(table, scale, ids):
        return jnp.sum(jnp.square(of_layers(layer)(table, ids) * scale))

    def of_function(table, scale, ids):
        rows = tf.nn.embedding_lookup(table, ids)._value
        return jnp.sum(jnp.square(jnp.sum(jnp.square(rows)) * scale))

    expected = kernel_calls(of_layer, table, jnp.ones(()), IDS)
    assert kernel_calls(of_function, table, jnp.ones(()), IDS) == expected
    assert bool(expected) == native.available()


def test_batch_normalization_by_vectors_is_the_kernel_of_channels():
    mean, variance = X.mean((0, 1, 2)), X.var((0, 1, 2))

    def of_ops(scale, offset, x):
        y = keras.ops.batch_normalization(x, mean, variance, -1, offset, scale, 1e-3)
        return jnp.sum(jnp.square(y._value))

    def of_nn(scale, offset, x):
        y = tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-3)
        return jnp.sum(jnp.square(y._value))

    ones = jnp.ones(8)
    assert kernel_calls(of_nn, ones, ones, X) == kernel_calls(of_ops, ones, ones, X)
