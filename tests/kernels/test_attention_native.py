"""Attention against its definition, written out in NumPy float64."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import attention, native
from tests.marks import native_only
from tests.tolerances import assert_close

# b, t, s, n, d
SIZES = [(2, 5, 7, 3, 4), (1, 16, 16, 2, 8), (3, 33, 17, 1, 16), (2, 1, 40, 4, 5)]
NOTHING = [(0, 5, 7, 3, 4), (2, 0, 7, 3, 4), (2, 5, 0, 3, 4)]
LONG = [(1, 300, 270, 2, 9), (1, 40, 300, 1, 8)]  # several blocks of queries and of keys
BLOCKS = [(2, 9, 20, 2, 8), (1, 9, 270, 2, 8)]  # one of keys, and several
TYPES = ["float32", "bfloat16"]
SCALE = 0.4
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


def _arrays(size: Any, mask: str = "none", dtype: str = "float32", value_size: int = 0) -> Any:
    b, t, s, n, d = size
    e = value_size or d
    draw = np.random.default_rng(sum(size))
    q, k, v, dy = (
        draw.standard_normal(shape).astype(jnp.dtype(dtype))
        for shape in ((b, t, n, d), (b, s, n, d), (b, s, n, e), (b, t, n, e))
    )
    axes = MASKS[mask]
    allowed = None
    if axes is not None:
        shape = [each if i in axes else 1 for i, each in enumerate((b, n, t, s))]
        allowed = draw.random(shape) < 0.6
        allowed[0, 0, 0] = False  # nothing for some query
    return q, k, v, allowed, dy


def _vjp(f: Any, causal: bool, q: Any, k: Any, v: Any, mask: Any, dy: Any) -> Any:
    y, pull = jax.vjp(lambda *a: f(*a, mask, causal, SCALE), q, k, v)
    return y, pull(dy)


_run = jax.jit(_vjp, static_argnums=(0, 1))


def _by_definition(causal: bool, q: Any, k: Any, v: Any, mask: Any, dy: Any) -> Any:
    """Attention and its gradients, written out in NumPy float64."""
    q, k, v, dy = (np.asarray(a, "float64") for a in (q, k, v, dy))
    logits = SCALE * np.einsum("btnd,bsnd->bnts", q, k)
    allowed = np.broadcast_to(True if mask is None else mask, logits.shape)
    if causal:
        allowed = allowed & np.tri(*logits.shape[2:], dtype=bool)
    logits = np.where(allowed, logits, -1e38)  # finite: a query that may see nothing sees the mean
    powers = np.exp(logits - logits.max(-1, keepdims=True, initial=-1e38))
    weights = powers / powers.sum(-1, keepdims=True)
    slopes = np.einsum("btnd,bsnd->bnts", dy, v)
    slopes = weights * (slopes - (weights * slopes).sum(-1, keepdims=True))
    slopes = np.where(allowed, SCALE * slopes, 0)
    dq, dk = np.einsum("bnts,bsnd->btnd", slopes, k), np.einsum("bnts,btnd->bsnd", slopes, q)
    dv = np.einsum("bnts,btnd->bsnd", weights, dy)
    return np.einsum("bnts,bsnd->btnd", weights, v), (dq, dk, dv)


def _compare(
    causal: bool, arrays: Any, dtype: str = "float32", f: Any = attention.attention
) -> None:
    actual = _run(f, causal, *arrays)
    assert all(a.dtype == dtype for a in jax.tree.leaves(actual))
    assert_close(actual, _by_definition(causal, *arrays), dtype)


@pytest.mark.parametrize(("causal", "mask"), [(False, "none"), (True, "all")])
@pytest.mark.parametrize("dtype", TYPES)
def test_the_reference(dtype: str, causal: bool, mask: str) -> None:
    _compare(causal, _arrays(SIZES[0], mask, dtype), dtype, attention.attention_reference)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_value_and_gradients(size: Any, causal: bool, mask: str) -> None:
    _compare(causal, _arrays(size, mask))


@pytest.mark.parametrize(("causal", "mask"), [(False, "none"), (True, "none"), (True, "all")])
@pytest.mark.parametrize(
    ("size", "dtype"), [*((s, "bfloat16") for s in SIZES), *itertools.product(LONG, TYPES)]
)
def test_bfloat16_and_long_sequences(size: Any, causal: bool, mask: str, dtype: str) -> None:
    _compare(causal, _arrays(size, mask, dtype), dtype)


@pytest.mark.parametrize("size", NOTHING, ids=str)
def test_sizes_of_zero(size: Any) -> None:
    _compare(True, _arrays(size))


@pytest.mark.parametrize("dtype", TYPES)
def test_values_of_another_size(dtype: str) -> None:
    _compare(False, _arrays((2, 9, 20, 3, 5), "keys", dtype, value_size=18), dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_nothing_to_see_beyond_the_diagonal(dtype: str) -> None:
    _, (_, dk, dv) = _run(attention.attention, True, *_arrays((1, 40, 300, 1, 8), dtype=dtype))
    assert not np.any(dk[:, 40:]) and not np.any(dv[:, 40:])


@pytest.mark.parametrize("dtype", TYPES)
def test_scan(dtype: str) -> None:
    q, k, v, mask, dy = _arrays((2, 9, 20, 2, 8), "keys", dtype)

    def step(carry: Any, q: Any) -> Any:
        return carry, _vjp(attention.attention, True, q, k, v, mask, dy)

    actual = jax.lax.scan(step, 0, np.stack([q, -q]))[1]
    each = [_by_definition(True, one, k, v, mask, dy) for one in (q, -q)]
    assert_close(actual, jax.tree.map(lambda *a: np.stack(a), *each), dtype)


@pytest.mark.parametrize("size", BLOCKS, ids=str)
def test_large_logits(size: Any) -> None:
    q, k, v, *_ = _arrays(size)
    # Of whole numbers and of eighths, so that large sums that cancel are exact in whatever order they are taken.
    arguments = 25 * np.round(4 * q), np.round(8 * k) / 8, v, None, False, 0.5
    assert_close(attention.attention(*arguments), attention.attention_reference(*arguments))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("value", ["nan", "inf"])
@pytest.mark.parametrize("place", ["q", "k", "v", "dy"])
@pytest.mark.parametrize("size", BLOCKS, ids=str)
def test_nan_and_infinity(size: Any, place: str, value: str, dtype: str) -> None:
    q, k, v, _, dy = _arrays(size, dtype=dtype)
    arrays = {"q": q, "k": k, "v": v, "dy": dy}
    arrays[place][0, 3, 1, 2] = float(value)
    actual = _run(attention.attention, False, q, k, v, None, dy)
    with np.errstate(invalid="ignore"):
        expected = _by_definition(False, q, k, v, None, dy)
    assert not np.isfinite(actual[0].astype("float32")).all() or place == "dy"
    names, finite = ["y", "dq", "dk", "dv"], {}
    for name, a, e in zip(names, jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        a, e = np.asarray(a, "float32"), np.asarray(e, "float32")
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(e), name)
        finite[name] = [np.where(np.isfinite(each), 0, each) for each in (a, e)]
    # dq and dk of an infinite dy are summed up in another order, and inf - inf is NaN.
    for name in ("y", "dv") if place == "dy" else names:
        np.testing.assert_array_equal(*finite[name], name)


@pytest.mark.parametrize("dtype", TYPES)
def test_second_gradient_and_vmap(dtype: str) -> None:
    q, k, v, mask, _ = _arrays((2, 5, 7, 2, 4), "all", dtype)

    def slope(f: Any) -> Any:
        def loss(*args: Any) -> Any:
            return jnp.mean(f(*args, mask, True, 0.3).astype("float32") ** 2)

        def inner(*args: Any) -> Any:
            gradients = jax.grad(loss, (0, 1, 2))(*args)
            return sum(jnp.sum(g.astype("float32") ** 2) for g in gradients)

        mapped = jax.vmap(jax.grad(inner, (0, 1, 2)), in_axes=(0, None, None))
        return jax.jit(mapped)(np.stack([q, 2 * q]), k, v)

    assert_close(slope(attention.attention), slope(attention.attention_reference), dtype)


@pytest.mark.parametrize(
    ("axes", "dtype"),
    [
        ((0, 0, 0, None), "float32"),
        ((0, 0, 0, None), "bfloat16"),
        ((None, None, None, 0), "float32"),
    ],
)
def test_vmap(axes: Any, dtype: str) -> None:
    *arrays, dy = _arrays((2, 5, 7, 2, 4), "all", dtype)
    others = [~a if a.dtype == bool else a / 2 for a in arrays]
    both = [arrays, [a if i is None else b for a, b, i in zip(arrays, others, axes, strict=True)]]
    mapped = [
        a if i is None else np.stack([a, b]) for a, b, i in zip(arrays, others, axes, strict=True)
    ]
    run = jax.vmap(partial(_run, attention.attention, True), in_axes=(*axes, None))
    each = [_by_definition(True, *one, dy) for one in both]
    assert_close(run(*mapped, dy), jax.tree.map(lambda *a: np.stack(a), *each), dtype)


def test_the_same_bits_each_time_and_from_many_threads() -> None:
    arrays = _arrays((4, 65, 70, 4, 16), "keys")
    first = jax.tree.map(np.asarray, _run(attention.attention, True, *arrays))
    with ThreadPoolExecutor(6) as threads:
        jobs = [threads.submit(_run, attention.attention, True, *arrays) for _ in range(20)]
        for job in jobs:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)


@native_only
def test_wrong_shapes() -> None:
    q, k, v, _, _ = _arrays((2, 5, 7, 2, 4))
    results = (
        jax.ShapeDtypeStruct(q.shape, "float32"),
        jax.ShapeDtypeStruct((2, 2, 5, 2), "float32"),
    )
    with pytest.raises(Exception, match="attention_forward: expected q"):
        native.call("attention_forward", results, q, k, v[:1], causal=True, scale=np.float64(1))
