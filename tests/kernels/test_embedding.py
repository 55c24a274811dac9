"""Rows that do not exist show, under jit too."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import native
from hornbeam.kernels.dense import affine
from hornbeam.kernels.embedding import (
    gradient_reference,
    table_gradient,
    take_rows,
    take_rows_reference,
)
from tests.marks import native_only
from tests.tolerances import assert_close


def test_rows_and_what_is_no_row() -> None:
    table, indices = np.arange(6.0, dtype="float32").reshape(3, 2), np.array([[2, 0], [3, -1]])
    for take in (take_rows, take_rows_reference):
        rows = np.asarray(jax.jit(take)(table, indices))
        assert rows[0].tolist() == [[4, 5], [0, 1]]
        assert np.isnan(rows[1]).all()


@pytest.mark.parametrize(
    ("table_dtype", "dtype"),
    [("float32", None), ("bfloat16", None), ("float32", "bfloat16"), ("bfloat16", "float32")],
)
def test_rows_in_several_types(table_dtype: str, dtype: str | None) -> None:
    for n, d, m in ((1, 1, 1), (7, 33, 40), (900, 128, 5000)):
        draw = np.random.default_rng(n)
        table = draw.normal(size=(n, d)).astype(jnp.dtype(table_dtype))
        indices = draw.integers(-1, n + 1, (m, 1))
        exists = (indices >= 0) & (indices < n)
        expected = np.where(exists[..., None], table[np.where(exists, indices, 0)], np.nan)
        expected = expected.astype(jnp.dtype(dtype or table_dtype))

        def slope(table: Any, indices: Any) -> Any:
            return jax.grad(lambda t: jnp.nansum(take_rows(t, indices, dtype) ** 2))(table)

        for take in (take_rows, jax.jit(take_rows, static_argnums=2)):
            actual = np.asarray(take(jnp.asarray(table), jnp.asarray(indices), dtype))
            assert actual.dtype == expected.dtype
            np.testing.assert_array_equal(*(a.astype("float32") for a in (actual, expected)))
        assert jax.jit(slope)(table, indices).dtype == table_dtype


def test_gradient_adds_up_repeated_rows() -> None:
    table = jnp.ones((3, 2))
    gradient = jax.grad(lambda t: jnp.sum(take_rows(t, jnp.array([1, 1, 0]))))(table)
    assert_close(gradient, jnp.array([[1.0, 1], [2, 2], [0, 0]]))


def test_affine_works_on_the_last_axis() -> None:
    x, w, b = jnp.ones((2, 3, 4)), jnp.ones((4, 5)), jnp.arange(5.0)
    assert_close(affine(x, w, b), jnp.broadcast_to(4 + b, (2, 3, 5)))
    assert_close(affine(x, w), jnp.full((2, 3, 5), 4.0))


@partial(jax.jit, static_argnums=0)
def _gradient(take: Any, table: Any, indices: Any, dy: Any) -> Any:
    return jax.vjp(lambda t: take(t, indices), table)[1](dy)[0]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 3, 40), (300, 33, 1000), (5000, 128, 700)])
def test_gradient_by_definition(shape: tuple[int, int, int], dtype: str) -> None:
    n, d, m = shape
    draw = np.random.default_rng(n)
    indices = draw.integers(-2, n + 2, (m, 1))
    dy = draw.normal(size=(m, 1, d)).astype(jnp.dtype(dtype))
    table = np.ones((n, d), dy.dtype)
    actual = np.asarray(_gradient(take_rows, table, indices, dy))
    exists = (indices >= 0) & (indices < n)
    expected = np.zeros((n, d))
    np.add.at(expected, indices[exists], dy[exists].astype("float64"))
    assert actual.dtype == dtype
    scale = np.max(np.abs(expected), initial=1)
    assert_close(actual.astype("float32") / scale, expected / scale, dtype)
    again = table_gradient(jnp.asarray(indices[:, 0]), jnp.asarray(dy[:, 0]), n)
    np.testing.assert_array_equal(again, actual)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_nan_and_infinity_of_the_gradient(dtype: str) -> None:
    indices = np.array([1, 1, 0, 3, -1, 9, 3])
    dy = np.ones((7, 33), jnp.dtype(dtype))
    dy[0, 2], dy[1, 3], dy[2, 4], dy[3, 5], dy[6, 5] = np.nan, np.inf, -np.inf, np.inf, -np.inf
    dy[4], dy[5] = np.nan, np.inf  # of no row
    actual = _gradient(take_rows, np.ones((5, 33), dy.dtype), indices, dy)
    expected = np.zeros((5, 33))
    expected[[0, 1, 3]] = [[1], [2], [2]]
    expected[0, 4], expected[1, 2], expected[1, 3], expected[3, 5] = -np.inf, np.nan, np.inf, np.nan
    for each in (actual, jax.jit(partial(gradient_reference, 5))(indices, dy)):
        assert each.dtype == dtype
        np.testing.assert_array_equal(np.asarray(each, "float32"), expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradient_under_transformations(dtype: str) -> None:
    table = np.arange(12.0).reshape(4, 3).astype(jnp.dtype(dtype))
    tables, indices = np.stack([table, table + 1]), np.array([[1, 1], [3, 9]])

    def loss(f: Any, table: Any, indices: Any) -> Any:
        return jnp.nansum(f(table, indices) ** 3)

    def slopes(f: Any, table: Any, tables: Any, indices: Any) -> Any:
        first = jax.grad(lambda t, i: loss(f, t, i))
        second = jax.grad(lambda t, i: jnp.sum(jnp.nan_to_num(first(t, i)) ** 2))
        return (
            first(table, indices),
            second(table, indices),
            jax.vmap(first)(tables, indices),
            jax.vmap(second, (None, 0))(table, indices),
            jax.lax.scan(lambda c, i: (c, first(table, i)), 0, indices)[1],
        )

    run = jax.jit(slopes, static_argnums=0)
    actual, expected = (run(f, table, tables, indices) for f in (take_rows, take_rows_reference))
    assert all(a.dtype == dtype for a in actual)
    assert_close(actual, expected, dtype)


def test_nothing_to_look_up() -> None:
    assert take_rows(jnp.ones((3, 2)), jnp.zeros((0,), int)).shape == (0, 2)
    slope = jax.grad(lambda t: jnp.sum(take_rows(t, jnp.zeros((0,), int))))(jnp.ones((3, 2)))
    assert_close(slope, jnp.zeros((3, 2)))


@native_only
def test_wrong_shapes() -> None:
    with pytest.raises(Exception, match=r"embedding_table_gradient: expected indices \(m,\)"):
        result = jax.ShapeDtypeStruct((3, 2), "float32")
        native.call("embedding_table_gradient", result, jnp.zeros(4, int), jnp.ones((5, 2)))
