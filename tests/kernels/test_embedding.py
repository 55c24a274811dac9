"""Rows that do not exist show, under jit too."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.kernels.dense import affine
from hornbeam.kernels.embedding import take_rows
from tests.tolerances import assert_close


def test_rows_and_what_is_no_row() -> None:
    table = jnp.arange(6.0).reshape(3, 2)
    rows = jax.jit(take_rows)(table, jnp.array([[2, 0], [3, -1]]))
    assert rows[0].tolist() == [[4, 5], [0, 1]]
    assert jnp.isnan(rows[1]).all()


def test_gradient_adds_up_repeated_rows() -> None:
    table = jnp.ones((3, 2))
    gradient = jax.grad(lambda t: jnp.sum(take_rows(t, jnp.array([1, 1, 0]))))(table)
    assert_close(gradient, jnp.array([[1.0, 1], [2, 2], [0, 0]]))


def test_affine_works_on_the_last_axis() -> None:
    x, w, b = jnp.ones((2, 3, 4)), jnp.ones((4, 5)), jnp.arange(5.0)
    assert_close(affine(x, w, b), jnp.broadcast_to(4 + b, (2, 3, 5)))
    assert_close(affine(x, w), jnp.full((2, 3, 5), 4.0))
