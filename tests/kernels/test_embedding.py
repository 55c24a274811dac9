"""Rows that do not exist show, under jit too."""

from __future__ import annotations

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
    table = jnp.arange(6.0).reshape(3, 2)
    rows = jax.jit(take_rows)(table, jnp.array([[2, 0], [3, -1]]))
    assert rows[0].tolist() == [[4, 5], [0, 1]]
    assert jnp.isnan(rows[1]).all()


@pytest.mark.parametrize(
    ("table_dtype", "dtype"),
    [("float32", None), ("bfloat16", None), ("float32", "bfloat16"), ("bfloat16", "float32")],
)
def test_rows_in_several_types(table_dtype: str, dtype: str | None) -> None:
    for n, d, m in ((1, 1, 1), (7, 33, 40), (900, 128, 5000)):
        draw = np.random.default_rng(n)
        table = jnp.asarray(draw.normal(size=(n, d)), table_dtype)
        indices = jnp.asarray(draw.integers(-1, n + 1, (m, 1)))
        expected = take_rows_reference(table, indices).astype(dtype or table_dtype)
        for take in (take_rows, jax.jit(take_rows, static_argnums=2)):
            actual = take(table, indices, dtype)
            assert actual.dtype == expected.dtype
            np.testing.assert_array_equal(*(a.astype("float32") for a in (actual, expected)))
        slope = jax.grad(lambda t, i=indices: jnp.nansum(take_rows(t, i, dtype) ** 2))(table)
        assert slope.dtype == table_dtype


def test_gradient_adds_up_repeated_rows() -> None:
    table = jnp.ones((3, 2))
    gradient = jax.grad(lambda t: jnp.sum(take_rows(t, jnp.array([1, 1, 0]))))(table)
    assert_close(gradient, jnp.array([[1.0, 1], [2, 2], [0, 0]]))


def test_affine_works_on_the_last_axis() -> None:
    x, w, b = jnp.ones((2, 3, 4)), jnp.ones((4, 5)), jnp.arange(5.0)
    assert_close(affine(x, w, b), jnp.broadcast_to(4 + b, (2, 3, 5)))
    assert_close(affine(x, w), jnp.full((2, 3, 5), 4.0))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 3, 40), (300, 33, 1000), (5000, 128, 700)])
def test_gradient_against_jax(shape: tuple[int, int, int], dtype: str) -> None:
    n, d, m = shape
    draw = np.random.default_rng(n)
    indices = jnp.asarray(draw.integers(-2, n + 2, m).reshape(-1, 1))
    dy = jnp.asarray(draw.normal(size=(m, 1, d)), dtype)
    table = jnp.ones((n, d), dtype)
    actual = jax.jit(lambda: jax.vjp(lambda t: take_rows(t, indices), table)[1](dy)[0])()
    wide, dy_wide = table.astype("float32"), dy.astype("float32")
    expected = jax.vjp(lambda t: take_rows_reference(t, indices), wide)[1](dy_wide)[0]
    assert actual.dtype == dtype
    scale = max(1.0, float(jnp.max(jnp.abs(expected))))
    assert_close(actual.astype("float32") / scale, expected / scale, dtype)
    again = table_gradient(indices[:, 0], dy[:, 0], n)
    np.testing.assert_array_equal(again, actual)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_nan_and_infinity_of_the_gradient(dtype: str) -> None:
    indices = jnp.array([1, 1, 0, 3, -1, 9, 3])
    dy = jnp.ones((7, 33), dtype).at[0, 2].set(jnp.nan).at[1, 3].set(jnp.inf)
    dy = dy.at[2, 4].set(-jnp.inf).at[3, 5].set(jnp.inf).at[6, 5].set(-jnp.inf)
    dy = dy.at[4].set(jnp.nan).at[5].set(jnp.inf)  # of no row
    actual = jax.vjp(lambda t: take_rows(t, indices), jnp.ones((5, 33), dtype))[1](dy)[0]
    expected = np.zeros((5, 33))
    expected[[0, 1, 3]] = [[1], [2], [2]]
    expected[0, 4], expected[1, 2], expected[1, 3], expected[3, 5] = -np.inf, np.nan, np.inf, np.nan
    for each in (actual, gradient_reference(5, indices, dy)):
        assert each.dtype == dtype
        np.testing.assert_array_equal(each.astype("float32"), expected)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradient_under_transformations(dtype: str) -> None:
    table, indices = jnp.arange(12.0, dtype=dtype).reshape(4, 3), jnp.array([[1, 1], [3, 9]])
    tables = jnp.stack([table, table + 1])

    def loss(f: Any, table: Any, indices: Any) -> Any:
        return jnp.nansum(f(table, indices) ** 3)

    def slopes(f: Any) -> Any:
        first = jax.grad(lambda t, i: loss(f, t, i))
        second = jax.grad(lambda t, i: jnp.sum(jnp.nan_to_num(first(t, i)) ** 2))
        return (
            first(table, indices),
            second(table, indices),
            jax.vmap(first)(tables, indices),
            jax.vmap(second, (None, 0))(table, indices),
            jax.lax.scan(lambda c, i: (c, first(table, i)), 0, indices)[1],
        )

    actual = jax.jit(lambda: slopes(take_rows))()
    assert all(a.dtype == dtype for a in actual)
    assert_close(actual, slopes(take_rows_reference), dtype)


def test_nothing_to_look_up() -> None:
    assert take_rows(jnp.ones((3, 2)), jnp.zeros((0,), int)).shape == (0, 2)
    slope = jax.grad(lambda t: jnp.sum(take_rows(t, jnp.zeros((0,), int))))(jnp.ones((3, 2)))
    assert_close(slope, jnp.zeros((3, 2)))


@native_only
def test_wrong_shapes() -> None:
    with pytest.raises(Exception, match=r"embedding_table_gradient: expected indices \(m,\)"):
        result = jax.ShapeDtypeStruct((3, 2), "float32")
        native.call("embedding_table_gradient", result, jnp.zeros(4, int), jnp.ones((5, 2)))
