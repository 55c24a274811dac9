"""Products of batches of matrices against jax.numpy."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.keras import ops
from hornbeam.kernels import matmul, native
from tests.marks import native_only
from tests.tolerances import assert_close

SIZES = [
    (2, 3, 5, 7),
    (3, 17, 33, 65),
    (1, 1, 1, 1),
    (4, 16, 32, 16),
    (2, 8, 300, 9),
    (1, 270, 20, 290),
]
TYPES = ["float32", "bfloat16"]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    for kernel in (matmul.MATMUL, matmul.EINSUM, matmul.BATCHED):
        monkeypatch.setattr(kernel, "pays", lambda *_: True)


def _matrices(z: int, rows: int, columns: int, dtype: str = "float32", seed: int = 0) -> jax.Array:
    # Divided by the root of its columns, so that products are of order one.
    x = jax.random.normal(jax.random.key(seed), (z, rows, columns)) / max(rows, columns) ** 0.5
    return x.astype(dtype)


def _pair(size: Any, transpose_a: bool, transpose_b: bool, dtype: str) -> tuple[Any, Any, Any]:
    z, m, k, n = size
    a = _matrices(z, *((k, m) if transpose_a else (m, k)), dtype)
    b = _matrices(z, *((n, k) if transpose_b else (k, n)), dtype, 1)
    return a, b, _matrices(z, m, n, dtype, 2)


def _vjp(f: Any, a: Any, b: Any, dc: Any) -> Any:
    c, pull = jax.vjp(f, a, b)
    return c, pull(dc)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_value_and_gradients(size: Any, transpose_a: bool, transpose_b: bool, dtype: str) -> None:
    arrays = _pair(size, transpose_a, transpose_b, dtype)

    def native_product(a: Any, b: Any) -> Any:
        return matmul.matmul(a, b, transpose_a, transpose_b)

    def reference(a: Any, b: Any) -> Any:
        return matmul.product(a, b, transpose_a, transpose_b)

    actual = jax.jit(_vjp, static_argnums=0)(native_product, *arrays)
    expected = jax.jit(_vjp, static_argnums=0)(reference, *arrays)
    assert [x.dtype for x in jax.tree.leaves(actual)] == [dtype] * 3
    assert_close(actual, expected, dtype)


def test_wide_results() -> None:
    a, b, dc = _pair((3, 17, 33, 40), False, True, "bfloat16")
    actual = _vjp(
        lambda a, b: matmul.einsum("zmk,znk->zmn", a, b, jnp.float32), a, b, dc.astype("float32")
    )
    expected = _vjp(
        lambda a, b: jnp.einsum("zmk,znk->zmn", a, b, preferred_element_type=jnp.float32),
        *(a, b, dc.astype("float32")),
    )
    assert actual[0].dtype == jnp.float32
    assert_close(actual, expected, "bfloat16")


def test_no_products_and_empty_sums() -> None:
    for size in ((0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0)):
        a, b, dc = _pair(size, False, False, "float32")
        assert_close(_vjp(matmul.matmul, a, b, dc), _vjp(jnp.matmul, a, b, dc))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("transpose", [False, True])
def test_nan_and_infinity(transpose: bool, dtype: str) -> None:
    a, b, dc = _pair((2, 9, 20, 18), transpose, transpose, dtype)
    a, b = a.at[0, 3, 4].set(jnp.nan).at[1, 1, 1].set(-jnp.inf), b.at[1, 2, 5].set(jnp.inf)
    dc = dc.at[0, 7, 7].set(jnp.inf).at[1, 8, 8].set(jnp.nan)
    actual = _vjp(lambda a, b: matmul.matmul(a, b, transpose, transpose), a, b, dc)
    expected = _vjp(partial(matmul.product, transpose_a=transpose, transpose_b=transpose), a, b, dc)
    for x, y in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        x, y = np.asarray(x, "float32"), np.asarray(y, "float32")
        assert np.isnan(y).any() and np.isinf(y).any()
        np.testing.assert_array_equal(
            np.where(np.isfinite(x), 0, x), np.where(np.isfinite(y), 0, y)
        )


@pytest.mark.parametrize("dtype", TYPES)
def test_second_gradient_vmap_and_scan(dtype: str) -> None:
    a, b, _ = _pair((2, 5, 7, 4), False, False, dtype)

    def slope(f: Any) -> Any:
        def loss(a: Any, b: Any) -> Any:
            return jnp.mean(f(a, b).astype("float32") ** 2)

        def inner(a: Any, b: Any) -> Any:
            return sum(jnp.sum(g.astype("float32") ** 2) for g in jax.grad(loss, (0, 1))(a, b))

        def step(carry: Any, b: Any) -> Any:
            return carry, jax.grad(inner, (0, 1))(a, b)

        mapped = jax.vmap(jax.grad(inner, (0, 1)), in_axes=(0, None))(jnp.stack([a, 2 * a]), b)
        return mapped, jax.lax.scan(step, 0, jnp.stack([b, -b]))[1]

    assert_close(jax.jit(slope, static_argnums=0)(matmul.matmul), slope(jnp.matmul), dtype)


EQUATIONS = [
    ("btnd,bsnd->bnts", (2, 5, 3, 4), (2, 7, 3, 4)),
    ("bnts,bsnd->btnd", (2, 3, 5, 7), (2, 7, 3, 4)),
    ("abc,acd->dab", (2, 5, 3), (2, 3, 4)),
    ("cab, ace -> eba", (3, 2, 5), (2, 3, 4)),
    ("xyab,zxab->zxy", (4, 5, 2, 3), (6, 4, 2, 3)),
]


@pytest.mark.parametrize(("equation", "a", "b"), EQUATIONS)
def test_einsum(equation: str, a: Any, b: Any) -> None:
    assert matmul.plan_of(equation) is not None
    arrays = [jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate((a, b))]
    assert_close(matmul.einsum(equation, *arrays), jnp.einsum(equation, *arrays))
    assert_close(ops.einsum(equation, *arrays), jnp.einsum(equation, *arrays))


@pytest.mark.parametrize(
    "equation", ["ab,bc->ac", "aab,abc->ac", "abc,acd", "ab...,bc->ac", "abc,acd->ad"]
)
def test_other_equations_have_no_plan(equation: str) -> None:
    assert matmul.plan_of(equation) is None


def test_einsum_with_sizes_that_broadcast() -> None:
    a, b = jnp.ones((2, 3, 1)), jnp.ones((2, 4, 5))
    assert_close(matmul.einsum("abc,acd->abd", a, b), jnp.einsum("abc,acd->abd", a, b))


def test_operators_and_faces() -> None:
    a, b, _ = _pair((6, 5, 7, 4), False, False, "float32")
    a, b = a.reshape(2, 3, 5, 7), b.reshape(2, 3, 7, 4)
    expected = jnp.matmul(a, b)
    swapped = jnp.swapaxes(a, -1, -2)
    assert_close(tf.constant(a) @ tf.constant(b), expected)
    assert_close(ops.matmul(a, b), expected)
    assert_close(tf.matmul(swapped, b, transpose_a=True), expected)
    assert_close(tf.matmul(a, b[0, 0]), jnp.matmul(a, b[0, 0]))
    assert_close(ops.matmul(a, b[:1]), jnp.matmul(a, b[:1]))
    assert_close(ops.matmul(a[0, 0], b[0, 0, :, 0]), a[0, 0] @ b[0, 0, :, 0])


def test_the_same_bits_each_time() -> None:
    a, b, dc = _pair((5, 65, 70, 40), False, True, "bfloat16")
    run = jax.jit(lambda *arrays: _vjp(lambda a, b: matmul.matmul(a, b, False, True), *arrays))
    first = run(a, b, dc)
    for _ in range(5):
        jax.tree.map(np.testing.assert_array_equal, run(a, b, dc), first)


@native_only
def test_wrong_shapes() -> None:
    a, b, _ = _pair((2, 5, 7, 4), False, False, "float32")
    result = jax.ShapeDtypeStruct((2, 5, 4), "float32")
    with pytest.raises(Exception, match="batched_matmul: expected a"):
        native.call("batched_matmul", result, a, b[:, :6], a_transposed=False, b_transposed=False)
