"""NumPy arrays come to the device with the values and types that `jnp.asarray` makes of them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import placing
from hornbeam.core.placing import is_tracing, placed

VALUES = {
    "float32": np.array([0.1, -0.0, np.nan, np.inf], "float32"),
    "float64": np.array([0.1, 1e300, -1e-50]),
    "int64": np.array([3, -1, 2**31 - 1]),
    "bool": np.array(True),
    "uint8": np.array([[1, 255]], "uint8"),
    "empty": np.zeros((0, 3), "float32"),
}
TYPES = ("float32", "int32", "bool", "uint8", "bfloat16", "float16", "float64", "int64")


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast", "ignore:overflow")
def test_values_and_types_are_those_of_jax(name):
    for dtype in map(jnp.dtype, TYPES):
        want = jnp.asarray(VALUES[name], dtype)
        for _ in range(6):  # what comes often is placed by a program
            got = placed(VALUES[name], dtype)
            assert (got.dtype, got.shape, got.weak_type) == (want.dtype, want.shape, want.weak_type)
            assert np.asarray(got).tobytes() == np.asarray(want).tobytes()


def test_shapes_that_come_once_are_not_compiled(monkeypatch):
    compiled = []
    original = placing.unchanged
    monkeypatch.setattr(placing, "unchanged", lambda x: compiled.append(x.shape) or original(x))
    for size in range(2000, 2020):
        tf.constant(np.ones(size, "float32"))
    assert not compiled
    for _ in range(6):
        tf.constant(np.ones(2000, "float32"))
    assert set(compiled) == {(2000,)}


def test_inside_of_a_trace_arrays_are_constants_of_it():
    seen = []

    def program(x):
        seen.append(is_tracing())
        return x * tf.constant([1.0, 2.0])._value

    jaxpr = jax.make_jaxpr(program)(jnp.ones(2))
    assert [equation.primitive.name for equation in jaxpr.eqns] == ["mul"]
    jax.vmap(program)(jnp.ones((3, 2)))
    jax.grad(lambda x: program(x).sum())(jnp.ones(2))
    assert seen == [True, True, True]
    assert not is_tracing()
