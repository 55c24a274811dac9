"""Pooling against XLA's own windows, whose gradient decides ties."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from hornbeam.kernels import pool
from hornbeam.kernels.pool import reference
from tests.tolerances import assert_close

WINDOWS = [
    ((2, 8, 8, 3), (2, 2), (2, 2), "valid"),
    ((2, 7, 9, 3), (2, 2), (2, 2), "valid"),  # rows and columns left over
    ((2, 7, 8, 3), (3, 3), (2, 2), "valid"),
    ((2, 7, 7, 3), (3, 3), (2, 2), "same"),
    ((2, 7, 7, 3), (2, 2), (2, 2), "same"),
    ((2, 7, 7, 3), (2, 2), (3, 3), "same"),  # strides that leave gaps
    ((2, 7, 3), (2,), (1,), "same"),
    ((2, 5, 6, 5, 3), (2, 2, 2), (2, 2, 2), "valid"),
    ((2, 20, 20, 2), (9, 9), (2, 3), "same"),  # too many taps: XLA's windows
]


def windows(x: jax.Array, start: Any, reduce: Any, window: Any, strides: Any, padding: str) -> Any:
    return lax.reduce_window(x, start, reduce, (1, *window, 1), (1, *strides, 1), padding.upper())


def with_ties(shape: tuple[int, ...]) -> jax.Array:
    """What relu gives: many equal zeros."""
    draw = np.random.default_rng(0).integers(-3, 4, shape)
    return jnp.asarray(np.maximum(draw, 0), "float32")


def values_and_gradient(fn: Any, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    y, pull = jax.vjp(fn, x)
    return y, pull(jnp.cos(jnp.arange(y.size, dtype="float32")).reshape(y.shape))[0]


@pytest.mark.parametrize(("shape", "window", "strides", "padding"), WINDOWS)
def test_max_pool_is_reduce_window(shape: Any, window: Any, strides: Any, padding: str) -> None:
    x = with_ties(shape)
    ours = values_and_gradient(lambda x: pool.max_pool(x, window, strides, padding), x)
    xla = values_and_gradient(lambda x: windows(x, -jnp.inf, lax.max, window, strides, padding), x)
    assert_close(ours, xla)


@pytest.mark.parametrize(("shape", "window", "strides", "padding"), WINDOWS)
def test_average_pool_counts_real_elements(
    shape: Any, window: Any, strides: Any, padding: str
) -> None:
    x = with_ties(shape)

    def mean(x: jax.Array) -> jax.Array:
        total, count = (
            windows(each, 0.0, lax.add, window, strides, padding) for each in (x, jnp.ones_like(x))
        )
        return total / count

    ours = values_and_gradient(lambda x: pool.average_pool(x, window, strides, padding), x)
    assert_close(ours, values_and_gradient(mean, x))


def test_the_first_of_equal_elements_gets_the_gradient() -> None:
    x = jnp.zeros((1, 2, 2, 1))
    gradient = jax.grad(lambda x: jnp.sum(pool.max_pool(x, (2, 2), (2, 2), "valid")))(x)
    assert gradient.ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("strides", [(2, 2), (1, 1)])
def test_max_pool_hands_nan_on(strides: tuple[int, int]) -> None:
    for place in range(4):
        x = jnp.zeros(4).at[place].set(jnp.nan).reshape(1, 2, 2, 1)
        assert jnp.isnan(pool.max_pool(x, (2, 2), strides, "valid")).all()


def test_max_pool_of_integers_and_forward_mode() -> None:
    x = jnp.arange(-16, 0, dtype="int8").reshape(1, 4, 4, 1)
    assert pool.max_pool(x, (2, 2), (2, 2), "same").ravel().tolist() == [-11, -9, -3, -1]
    f = x.astype("float32")
    _, slope = jax.jvp(lambda x: pool.max_pool(x, (2, 2), (2, 2), "valid"), (f,), (f,))
    assert slope.ravel().tolist() == [-11, -9, -3, -1]


def test_second_derivatives() -> None:
    x = with_ties((1, 4, 4, 2)) + 0.5

    def energy(x: jax.Array) -> jax.Array:
        return jnp.sum(pool.max_pool(x, (2, 2), (2, 2), "valid") ** 3)

    curvature = jax.jvp(jax.grad(energy), (x,), (jnp.ones_like(x),))[1]
    assert_close(curvature, jnp.where(jax.grad(energy)(x) != 0, 6 * x, 0))


def test_counts_of_very_many_windows_are_no_constant(monkeypatch):
    """The means are the same, and a size that no memory holds can be traced."""
    x = jnp.arange(2 * 7 * 5 * 3, dtype="float32").reshape(2, 7, 5, 3)
    constant = reference.average_pool(x, (3, 2), (2, 2), "same")
    monkeypatch.setattr(reference, "MAX_COUNTS", 0)
    assert_close(reference.average_pool(x, (3, 2), (2, 2), "same"), constant)
    monkeypatch.undo()
    large = jax.ShapeDtypeStruct((1, 1_000_000, 1_000_000, 8), "float32")
    for run in (reference.average_pool, pool.average_pool):
        found = jax.eval_shape(lambda x, run=run: run(x, (2, 3), (2, 3), "same"), large)
        assert found.shape == (1, 500_000, 333_334, 8)
