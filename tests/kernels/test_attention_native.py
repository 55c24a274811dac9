"""Attention against its reference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import attention, native
from tests.tolerances import assert_close

SIZES = [(2, 5, 7, 3, 4), (1, 16, 16, 2, 8), (3, 33, 17, 1, 16), (2, 1, 40, 4, 5)]  # b, t, s, n, d
MASKS = {
    "none": None,
    "all": (0, 1, 2, 3),
    "keys": (0, 3),
    "queries_and_keys": (2, 3),
}


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(attention, "pays", lambda multiplications: True)


def _arrays(size: Any, mask: str = "none") -> Any:
    b, t, s, n, d = size
    keys = jax.random.split(jax.random.key(sum(size)), 5)
    q, k, v = (
        jax.random.normal(key, (b, length, n, d))
        for key, length in zip(keys, (t, s, s), strict=False)
    )
    axes = MASKS[mask]
    allowed = None
    if axes is not None:
        shape = [each if i in axes else 1 for i, each in enumerate((b, n, t, s))]
        allowed = jax.random.bernoulli(keys[3], 0.6, shape)
        allowed = allowed.at[0, 0, 0].set(False)  # nothing for some query
    return q, k, v, allowed, jax.random.normal(keys[4], (b, t, n, d))


def _vjp(f: Any, causal: bool, q: Any, k: Any, v: Any, mask: Any, dy: Any) -> Any:
    y, pull = jax.vjp(lambda *a: f(*a, mask, causal, 0.4), q, k, v)
    return y, pull(dy)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_value_and_gradients(size: Any, causal: bool, mask: str) -> None:
    arrays = _arrays(size, mask)
    actual = jax.jit(_vjp, static_argnums=(0, 1))(attention.attention, causal, *arrays)
    expected = jax.jit(_vjp, static_argnums=(0, 1))(attention.attention_reference, causal, *arrays)
    assert_close(actual, expected)


def test_large_logits_and_nan() -> None:
    q, k, v, _, dy = _arrays((2, 9, 20, 2, 8))
    q = q * 100
    assert_close(
        _vjp(attention.attention, False, q, k, v, None, dy)[0],
        _vjp(attention.attention_reference, False, q, k, v, None, dy)[0],
    )
    k = k.at[0, 3, 1, 2].set(jnp.nan)
    actual = _vjp(attention.attention, False, q, k, v, None, dy)
    expected = _vjp(attention.attention_reference, False, q, k, v, None, dy)
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(jnp.isnan(a), jnp.isnan(e))


def test_second_gradient_and_vmap() -> None:
    q, k, v, mask, _ = _arrays((2, 5, 7, 2, 4), "all")

    def slope(f: Any) -> Any:
        def loss(*args: Any) -> Any:
            return jnp.mean(f(*args, mask, True, 0.3) ** 2)

        inner = lambda *a: sum(jnp.sum(g**2) for g in jax.grad(loss, (0, 1, 2))(*a))  # noqa: E731
        mapped = jax.vmap(jax.grad(inner, (0, 1, 2)), in_axes=(0, None, None))
        return jax.jit(mapped)(jnp.stack([q, 2 * q]), k, v)

    assert_close(slope(attention.attention), slope(attention.attention_reference))


def test_the_same_bits_each_time_and_from_many_threads() -> None:
    arrays = _arrays((4, 65, 70, 4, 16), "keys")
    run = jax.jit(_vjp, static_argnums=(0, 1))
    first = jax.tree.map(np.asarray, run(attention.attention, True, *arrays))
    with ThreadPoolExecutor(6) as threads:
        jobs = [threads.submit(run, attention.attention, True, *arrays) for _ in range(20)]
        for job in jobs:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)


def test_wrong_shapes() -> None:
    if native.available():
        q, k, v, _, _ = _arrays((2, 5, 7, 2, 4))
        results = (
            jax.ShapeDtypeStruct(q.shape, "float32"),
            jax.ShapeDtypeStruct((2, 2, 5, 2), "float32"),
        )
        with pytest.raises(Exception, match="attention_forward: expected q"):
            native.call("attention_forward", results, q, k, v[:1], causal=True, scale=np.float64(1))
