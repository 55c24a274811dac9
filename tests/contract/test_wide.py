"""Layers and 64-bit types: none on 32-bit input, all of them where the layer's type is float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core.block import equations
from hornbeam.core.tensor import unwrap
from tests.contract.test_layers import CALLED, built, data, every_layer, given
from tests.ops import cases


def in_bits(inputs: Any, bits: int) -> Any:
    """Return inputs whose floats and whole numbers have so many bits."""

    def cast(x: np.ndarray) -> jax.Array:
        return jnp.asarray(x, f"{'float' if x.dtype.kind == 'f' else 'int'}{bits}")

    return jax.tree.map(cast, inputs)


def types_in(jaxpr: Any) -> Iterator[tuple[str, str]]:
    """Yield the operation and the type of each value in a program."""
    for equation in equations(jaxpr):
        for value in (*equation.invars, *equation.outvars):
            yield str(equation.primitive), str(value.aval.dtype)


def program_of(name: str, bits: int, **more: Any) -> Any:
    """Return a training step of a layer as a program: its loss, gradients and new state."""
    inputs = in_bits(data(name), bits)
    layer = built(name, **more)
    trained = [unwrap(v) for v in layer.trainable_variables]
    state = [unwrap(v) for v in layer.non_trainable_variables]

    def loss(trained: Any, state: Any, inputs: Any) -> Any:
        out, new = layer.stateless_call(trained, state, *given(name, inputs), **training(layer))
        leaves = [unwrap(x) for x in jax.tree.leaves(out)]
        return sum(jnp.sum(x) for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)), (out, new)

    def step(*arrays: Any) -> Any:
        return jax.tree.map(unwrap, jax.value_and_grad(loss, has_aux=True)(*arrays))

    return jax.make_jaxpr(step)(trained, state, inputs)


def training(layer: Any) -> dict[str, bool]:
    return {"training": True} if layer._signature().accepts("training") else {}


WIDE = {"float64", "int64", "uint64", "complex128"}


@every_layer
def test_a_step_on_32_bits_has_no_value_of_64(name: str) -> None:
    found = {each for each in types_in(program_of(name, 32).jaxpr) if each[1] in WIDE}
    assert found == set()


@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "mse", "hinge", "huber"])
def test_a_loss_of_32_bits_with_labels_of_64_computes_in_32(name: str) -> None:
    y, p = jnp.asarray([1, 0], "int64"), jnp.full((2, 2), 0.5)
    y = y if name.startswith("sparse") else jnp.stack([y, 1 - y])
    jaxpr = jax.make_jaxpr(lambda y, p: unwrap(tf.keras.losses.get(name)(y, p)))(y, p)
    assert "float64" not in {
        out.aval.dtype for each in equations(jaxpr.jaxpr) for out in each.outvars
    }
    assert jaxpr.out_avals[0].dtype == "float32"


# Layers inside have types of their own; random numbers are drawn in 32 bits and compared with a rate.
MIXED = {"AlphaDropout", "Bidirectional", "RNN", "TimeDistributed"}


@pytest.mark.parametrize("name", sorted(set(CALLED) - MIXED))
def test_a_step_of_a_layer_in_float64_rounds_nothing(name: str) -> None:
    found = {
        op
        for op, kind in types_in(program_of(name, 64, dtype="float64").jaxpr)
        if kind == "float32"
    }
    assert found == set()


# One way of calling each op, but for those that need to know values.
OPS = list(
    {case.name: case for case in cases.CASES if case.inputs and case.name != "unique"}.values()
)


@pytest.mark.slow
@pytest.mark.parametrize("case", OPS, ids=str)
def test_an_op_in_64_bits_can_be_a_part_of_a_program(case: cases.Case) -> None:
    """JAX lowers a program in its 32-bit mode, and some of its functions do not bear that."""
    fn = getattr(tf.keras.ops, case.name)

    def run(*values: jax.Array) -> Any:
        return jax.tree.map(unwrap, fn(*case.arguments(list(values)), **case.kwargs))

    arrays = [cases.arrays()[each] for each in case.places()]
    jax.jit(run).lower(*(jnp.asarray(each, DOUBLE.get(each.dtype.name)) for each in arrays))


DOUBLE = {"float32": "float64", "int32": "int64", "complex64": "complex128"}


def floats() -> Any:
    return tf.constant(np.array([1.5, 2.5]))


def wholes() -> Any:
    return tf.constant(np.array([1, 2]))


@pytest.mark.parametrize(
    "draw, dtype",
    [
        (lambda: tf.random.normal([2], dtype="float64", seed=1), "float64"),
        (lambda: tf.random.uniform([2], 0, 2**40, dtype="int64", seed=1), "int64"),
        (lambda: tf.random.truncated_normal([2], dtype="float64", seed=1), "float64"),
        (lambda: tf.random.gamma([2], floats(), floats(), "float64", seed=1), "float64"),
        (lambda: tf.random.gamma([2], floats(), seed=1), "float32"),
        (lambda: tf.random.poisson([2], floats(), "int64", seed=1), "int64"),
        (lambda: tf.random.categorical(tf.ones((1, 3)), 2, seed=1), "int64"),
        (
            lambda: tf.random.categorical(tf.cast([floats()], "float64"), 2, "int32", seed=1),
            "int32",
        ),
        (lambda: tf.random.shuffle(wholes(), seed=1), "int64"),
        (lambda: tf.keras.random.beta((2,), floats(), floats(), "float64", seed=1), "float64"),
        (lambda: tf.keras.random.gamma((2,), floats(), "float64", seed=1), "float64"),
        (lambda: tf.keras.random.binomial((2,), floats(), 0.5, "float64", seed=1), "float64"),
        (lambda: tf.keras.random.categorical(tf.ones((1, 3)), 2, "int64", seed=1), "int64"),
        (lambda: tf.keras.ops.select([floats() < 2], [floats()], 0.1), "float64"),
        (
            lambda: tf.keras.metrics.sparse_categorical_accuracy(wholes(), tf.ones((2, 3))),
            "float32",
        ),
    ],
)
def test_draws_and_choices_in_64_bits_can_be_parts_of_programs(draw: Any, dtype: str) -> None:
    assert jax.jit(lambda: unwrap(draw())).lower().out_info.dtype == dtype


FAR = 2**32 + 2  # 2 in 32 bits


def row() -> Any:
    return tf.constant([[0.1, 0.2, 0.7]])


@pytest.mark.parametrize(
    "of",
    [
        lambda i: tf.one_hot(i, 3),
        lambda i: tf.keras.ops.take(row()[0], i),
        lambda i: tf.keras.losses.sparse_categorical_crossentropy(i, row()),
        lambda i: tf.keras.ops.sparse_categorical_crossentropy(i, row()),
        lambda i: tf.keras.metrics.sparse_top_k_categorical_accuracy(i, row(), 3),
        lambda i: tf.keras.metrics.sparse_categorical_accuracy(i, row()),
        lambda i: tf.math.unsorted_segment_sum(row()[:, 0], i, 3),
        lambda i: tf.function(lambda i: tf.gather(row()[0], i))(i),
        lambda i: tf.function(lambda i: tf.nn.embedding_lookup(row()[0][:, None], i))(i),
    ],
)
def test_an_index_beyond_32_bits_is_no_other_index(of: Any) -> None:
    """It is as any other index beyond the end."""
    found, expected, other = (of(tf.constant([i], tf.int64)).numpy() for i in (FAR, 7, 2))
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, other)
