"""Convolutions against the definition, written out as loops in NumPy float64."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import conv as kernels
from tests.tolerances import assert_close


def padded(x: np.ndarray, k: Any, strides: Any, padding: str, dilation: Any) -> np.ndarray:
    """x with the zeros that TensorFlow's rules put around it."""
    pairs = [(0, 0)]
    for n, size, stride, rate in zip(x.shape[1:-1], k, strides, dilation, strict=True):
        reach = (size - 1) * rate + 1
        total = max((-(-n // stride) - 1) * stride + reach - n, 0) if padding == "same" else 0
        before = reach - 1 if padding == "causal" else total // 2
        pairs.append((before, total - total // 2))
    return np.pad(x, [*pairs, (0, 0)])


def by_definition(x: Any, w: Any, strides: Any, padding: str, dilation: Any) -> np.ndarray:
    x, w = np.asarray(x, "float64"), np.asarray(w, "float64")
    *k, inner, filters = w.shape
    groups = x.shape[-1] // inner
    x = padded(x, k, strides, padding, dilation)
    out = [
        (n - ((size - 1) * rate + 1)) // stride + 1
        for n, size, stride, rate in zip(x.shape[1:-1], k, strides, dilation, strict=True)
    ]
    y = np.zeros((x.shape[0], *out, filters))
    for at in itertools.product(*map(range, out)):
        for tap in itertools.product(*map(range, k)):
            place = [a * s + t * d for a, s, t, d in zip(at, strides, tap, dilation, strict=True)]
            pixel = x[(slice(None), *place)]
            for g in range(groups):
                mine = slice(g * filters // groups, (g + 1) * filters // groups)
                part = pixel[:, g * inner : (g + 1) * inner] @ w[tap][:, mine]
                y[(slice(None), *at, mine)] += part
    return y


CALLS = [
    ((2, 7, 4), (3, 4, 5), (1,), "valid", (1,)),
    ((2, 7, 4), (3, 4, 5), (2,), "same", (1,)),
    ((2, 7, 4), (3, 4, 5), (1,), "causal", (2,)),
    ((2, 7, 4), (3, 2, 6), (2,), "causal", (1,)),
    ((2, 6, 5, 3), (3, 2, 3, 4), (1, 1), "valid", (1, 1)),
    ((2, 6, 5, 3), (3, 3, 3, 4), (2, 1), "same", (1, 1)),
    ((2, 6, 5, 4), (2, 2, 2, 6), (1, 2), "same", (2, 1)),
    ((2, 6, 5, 4), (2, 2, 1, 4), (1, 1), "valid", (1, 1)),
    ((1, 4, 3, 4, 2), (2, 2, 2, 2, 3), (1, 1, 1), "same", (1, 1, 1)),
]


@pytest.mark.parametrize(("x", "w", "strides", "padding", "dilation"), CALLS)
def test_conv_is_its_definition(x: Any, w: Any, strides: Any, padding: str, dilation: Any) -> None:
    draw = np.random.default_rng(0)
    x, w = (jnp.asarray(draw.normal(size=shape), "float32") for shape in (x, w))
    actual = kernels.conv(x, w, strides, padding, dilation)
    assert_close(actual, by_definition(x, w, strides, padding, dilation))


def test_depthwise_is_one_group_per_channel() -> None:
    draw = np.random.default_rng(0)
    x = jnp.asarray(draw.normal(size=(2, 6, 5, 3)), "float32")
    w = jnp.asarray(draw.normal(size=(2, 2, 3, 2)), "float32")
    actual = kernels.depthwise_conv(x, w, (1, 1), "valid", (1, 1))
    expected = by_definition(x, w.reshape(2, 2, 1, 6), (1, 1), "valid", (1, 1))
    assert_close(actual, expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("stride", "k"), [(1, 3), (2, 3), (2, 4), (3, 2)])
def test_conv_transpose_is_the_gradient_of_conv(padding: str, stride: int, k: int) -> None:
    draw = np.random.default_rng(0)
    y = jnp.asarray(draw.normal(size=(2, 5, 4)), "float32")
    w = jnp.asarray(draw.normal(size=(k, 3, 4)), "float32")
    actual = kernels.conv_transpose(y, w, (stride,), padding, (None,), (1,))
    x = jnp.zeros(actual.shape)
    _, pull = jax.vjp(lambda x: kernels.conv(x, w, (stride,), padding, (1,)), x)
    assert_close(actual, pull(y)[0])


def test_the_result_keeps_half_precision() -> None:
    x, w = jnp.ones((1, 4, 2), "bfloat16"), jnp.ones((2, 2, 3), "bfloat16")
    assert kernels.conv(x, w, (1,), "same", (1,)).dtype == jnp.bfloat16
