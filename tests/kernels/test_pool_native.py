"""Pooling against its reference, at sizes where it is native where native kernels exist."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import native, pool
from hornbeam.kernels.pool import reference as pool_reference
from tests.marks import native_only
from tests.tolerances import assert_close

CASES = [
    ((4, 8, 8, 16), (2, 2), (2, 2), "valid"),
    ((3, 7, 9, 3), (2, 2), (2, 2), "valid"),  # rows and columns left over
    ((2, 9, 8, 33), (3, 3), (2, 2), "same"),
    ((2, 9, 8, 5), (3, 2), (1, 2), "valid"),
    ((2, 7, 7, 1), (2, 2), (3, 3), "same"),  # strides that leave gaps
    ((1, 12, 12, 48), (8, 8), (1, 1), "same"),
    ((2, 17, 19), (3,), (2,), "same"),
    ((0, 8, 8, 4), (2, 2), (2, 2), "valid"),
]
DTYPES = ["float32", "bfloat16"]
KINDS = ["max_pool", "average_pool"]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "pays", lambda size, channels: True)


def _vjp(f: Any, x: Any) -> Any:
    @jax.jit
    def run(x: Any) -> Any:
        y, pull = jax.vjp(f, x)
        return y, pull(jnp.cos(jnp.arange(y.size)).reshape(y.shape).astype(y.dtype))[0]

    return run(x)


def _draw(shape: tuple[int, ...], dtype: str = "float32") -> jax.Array:
    """Small whole numbers: many are equal."""
    return jnp.asarray(np.random.default_rng(0).integers(-4, 5, shape), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_value_and_gradient(case: Any, kind: str, dtype: str) -> None:
    shape, *options = case
    x = _draw(shape, dtype)
    actual = _vjp(lambda x: getattr(pool, kind)(x, *options), x)
    assert all(a.dtype == dtype for a in actual)
    expected = _vjp(lambda x: getattr(pool_reference, kind)(x, *options), x.astype("float32"))
    assert_close(actual, expected, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_second_gradient(kind: str) -> None:
    x = _draw((2, 9, 8, 5)) + jnp.asarray(np.random.default_rng(1).random((2, 9, 8, 5)), "float32")

    def penalty(module: Any) -> Any:
        def loss(x: Any) -> Any:
            return jnp.mean(jnp.tanh(getattr(module, kind)(x**2, (3, 3), (2, 2), "same")) ** 2)

        return jax.jit(jax.grad(lambda x: jnp.sum(jax.grad(loss)(x) ** 2)))(x)

    assert_close(penalty(pool), penalty(pool_reference))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_vmap_scan_and_jit(kind: str, dtype: str) -> None:
    def run(module: Any, x: Any) -> Any:
        def each(x: Any) -> Any:
            def body(x: Any, _: Any) -> tuple[Any, None]:
                return getattr(module, kind)(x, (3, 3), (1, 1), "same"), None

            return jnp.sum(jax.lax.scan(body, x, length=2)[0].astype("float32") ** 2)

        return jax.jit(jax.vmap(jax.value_and_grad(each), in_axes=1))(jnp.moveaxis(x, 0, 1))

    x = _draw((3, 2, 9, 8, 5), dtype)
    assert_close(run(pool, x), run(pool_reference, x.astype("float32")), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_infinity_are_handed_on(kind: str, padding: str, dtype: str) -> None:
    x = _draw((2, 9, 8, 17), dtype)
    for row, value in ((0, jnp.nan), (2, jnp.inf), (5, -jnp.inf), (7, jnp.nan)):
        x = x.at[0, row, row, :9].set(value).at[1, 0, row, 3].set(value)
    x = x.at[1, 4:].set(-jnp.inf)
    options = (3, 3), (2, 2), padding
    actual = _vjp(lambda x: getattr(pool, kind)(x, *options), x)
    expected = _vjp(lambda x: getattr(pool_reference, kind)(x, *options), x)
    assert bool(jnp.isnan(actual[0]).any())
    assert_close(actual, expected, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_each_time_and_from_many_threads(kind: str) -> None:
    x = jnp.asarray(np.random.default_rng(1).random((64, 33, 32, 48)), "float32")
    run = jax.jit(lambda x: _vjp(lambda x: getattr(pool, kind)(x, (3, 3), (2, 2), "same"), x))
    first = jax.tree.map(np.asarray, run(x))
    with ThreadPoolExecutor(6) as threads:
        for job in [threads.submit(run, x) for _ in range(12)]:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)


def test_programs_for_several_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    x = _draw((2, 11, 13, 3))  # a size that no other test has compiled
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")  # what the kernels ask
    for kind in KINDS:
        for options in (((2, 2), (2, 2), "valid"), ((3, 3), (2, 2), "same")):
            actual = _vjp(lambda x, k=kind, o=options: getattr(pool, k)(x, *o), x)
            expected = _vjp(lambda x, k=kind, o=options: getattr(pool_reference, k)(x, *o), x)
            assert_close(actual, expected)


@native_only
def test_wrong_shapes() -> None:
    x = jnp.ones((2, 8, 8, 3))
    options = {
        "window": np.array([2, 2]),
        "strides": np.array([2, 2]),
        "padding": np.array([0, 0, 0, 0]),
    }
    for shape, changed in (((2, 4, 5, 3), {}), ((2, 4, 4, 3), {"window": np.array([0, 2])})):
        result = jax.ShapeDtypeStruct(shape, "float32")
        for name in ("max_pool_value", "average_pool_forward"):
            with pytest.raises(Exception, match=rf"{name}: expected x or dx \(b, h, w, c\)"):
                native.call(name, result, x, **{**options, **changed})


def test_small_inputs_are_left_to_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not pool.pays(100, 10) and not pool.pays(10**6, 3) and pool.pays(10**6, 32)
