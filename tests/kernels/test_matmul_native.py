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


def _matrices(z: int, rows: int, columns: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    # Divided by the root of its columns, so that products are of order one.
    x = np.random.default_rng(seed).standard_normal((z, rows, columns))
    return (x / max(rows, columns) ** 0.5).astype(jnp.dtype(dtype))


def _pair(size: Any, transpose_a: bool, transpose_b: bool, dtype: str) -> tuple[Any, Any, Any]:
    z, m, k, n = size
    a = _matrices(z, *((k, m) if transpose_a else (m, k)), dtype)
    b = _matrices(z, *((n, k) if transpose_b else (k, n)), dtype, 1)
    return a, b, _matrices(z, m, n, dtype, 2)


def _vjp(f: Any, a: Any, b: Any, dc: Any) -> Any:
    c, pull = jax.vjp(f, a, b)
    return c, pull(dc)


_run = jax.jit(_vjp, static_argnums=0)


def _by_definition(transpose_a: bool, transpose_b: bool, a: Any, b: Any, dc: Any) -> Any:
    """The products and their gradients in NumPy float64."""
    a, b, dc = (np.asarray(x, "float64") for x in (a, b, dc))
    a, b = a.mT if transpose_a else a, b.mT if transpose_b else b
    da, db = dc @ b.mT, a.mT @ dc
    return a @ b, (da.mT if transpose_a else da, db.mT if transpose_b else db)


FORMS = {"kernel": matmul.matmul, "reference": matmul.product}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize(
    ("size", "form"), [*((size, "kernel") for size in SIZES), (SIZES[0], "reference")], ids=str
)
def test_value_and_gradients(
    size: Any, form: str, transpose_a: bool, transpose_b: bool, dtype: str
) -> None:
    arrays = _pair(size, transpose_a, transpose_b, dtype)
    actual = _run(lambda a, b: FORMS[form](a, b, transpose_a, transpose_b), *arrays)
    assert [x.dtype for x in jax.tree.leaves(actual)] == [dtype] * 3
    assert_close(actual, _by_definition(transpose_a, transpose_b, *arrays), dtype)


def test_wide_results() -> None:
    a, b, dc = _pair((3, 17, 33, 40), False, True, "bfloat16")
    dc = dc.astype("float32")
    actual = _run(lambda a, b: matmul.einsum("zmk,znk->zmn", a, b, jnp.float32), a, b, dc)
    assert actual[0].dtype == jnp.float32
    assert_close(actual, _by_definition(False, True, a, b, dc), "bfloat16")


def test_no_products_and_empty_sums() -> None:
    for size in ((0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0)):
        arrays = _pair(size, False, False, "float32")
        assert_close(_run(matmul.matmul, *arrays), _by_definition(False, False, *arrays))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("transpose", [False, True])
def test_nan_and_infinity(transpose: bool, dtype: str) -> None:
    a, b, dc = _pair((2, 9, 20, 18), transpose, transpose, dtype)
    a[0, 3, 4], a[1, 1, 1], b[1, 2, 5] = np.nan, -np.inf, np.inf
    dc[0, 7, 7], dc[1, 8, 8] = np.inf, np.nan
    actual = _run(lambda a, b: matmul.matmul(a, b, transpose, transpose), a, b, dc)
    with np.errstate(invalid="ignore"):
        expected = _by_definition(transpose, transpose, a, b, dc)
    for x, y in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        x = np.asarray(x, "float32")
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

        mapped = jax.vmap(jax.grad(inner, (0, 1)), in_axes=(0, None))(np.stack([a, 2 * a]), b)
        return mapped, jax.lax.scan(step, 0, np.stack([b, -b]))[1]

    actual, expected = (jax.jit(slope, static_argnums=0)(f) for f in (matmul.matmul, jnp.matmul))
    assert_close(actual, expected, dtype)


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
    draw = np.random.default_rng(0)
    arrays = [draw.standard_normal(shape).astype("float32") for shape in (a, b)]
    expected = np.einsum(equation, *(x.astype("float64") for x in arrays))
    assert_close(jax.jit(partial(matmul.einsum, equation))(*arrays), expected)
    assert_close(ops.einsum(equation, *arrays), expected)


@pytest.mark.parametrize(
    "equation", ["ab,bc->ac", "aab,abc->ac", "abc,acd", "ab...,bc->ac", "abc,acd->ad"]
)
def test_other_equations_have_no_plan(equation: str) -> None:
    assert matmul.plan_of(equation) is None


def test_einsum_with_sizes_that_broadcast() -> None:
    a, b = jnp.ones((2, 3, 1)), jnp.ones((2, 4, 5))
    assert_close(matmul.einsum("abc,acd->abd", a, b), np.full((2, 3, 5), 4.0))


def test_operators_and_faces() -> None:
    a, b, _ = _pair((6, 5, 7, 4), False, False, "float32")
    a, b = a.reshape(2, 3, 5, 7), b.reshape(2, 3, 7, 4)
    expected = a @ b
    swapped = np.swapaxes(a, -1, -2)
    assert_close(tf.constant(a) @ tf.constant(b), expected)
    assert_close(ops.matmul(a, b), expected)
    assert_close(tf.matmul(swapped, b, transpose_a=True), expected)
    assert_close(tf.matmul(a, b[0, 0]), a @ b[0, 0])
    assert_close(ops.matmul(a, b[:1]), a @ b[:1])
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
