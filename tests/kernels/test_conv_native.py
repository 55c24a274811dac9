"""Convolutions against their references, at sizes where they are native where native kernels exist."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import conv, conv_reference, native
from tests.kernels.conv_cases import (
    CASES,
    DTYPES,
    LAYERS,
    POOLED,
    Case,
    arrays_of,
    assert_alike,
    layer_of,
    pooled_of,
    value_and_gradients,
)
from tests.tolerances import assert_close


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(conv, "_pays", lambda multiplications: True)


@pytest.mark.parametrize(
    ("case", "dtype"),
    [(case, "float32") for case in CASES] + [(case, "bfloat16") for case in CASES[::2]],
    ids=str,
)
def test_value_and_gradients(case: Case, dtype: str) -> None:
    arrays = arrays_of(case, dtype)
    activation = "relu" if case.strides == 1 else None
    assert_alike(
        layer_of(conv, case, activation), layer_of(conv_reference, case, activation), arrays, dtype
    )


def test_without_bias() -> None:
    for case, layer in ((CASES[2], layer_of), (POOLED[1], pooled_of), (POOLED[7], pooled_of)):
        x, kernel, _ = arrays_of(case)
        results = []
        for module in (conv, conv_reference):
            f = layer(module, case)
            results.append(
                value_and_gradients(lambda x, kernel, f=f: f(x, kernel, None), x, kernel)
            )
        assert_close(*results)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("x", "kernel", "stride", "padding", "extra", "dilation"),
    [
        ((2, 5, 6, 16), (3, 3, 32, 16), 2, "same", None, 1),
        ((2, 5, 6, 5), (3, 2, 7, 5), 2, "valid", None, 1),
        ((2, 5, 5, 4), (2, 2, 6, 4), 3, "valid", None, 1),  # gaps between the windows
        ((2, 5, 5, 4), (3, 3, 6, 4), 2, "same", 1, 1),
        ((1, 6, 5, 4), (3, 3, 6, 4), 1, "same", None, 2),
        ((2, 7, 5), (4, 3, 5), 2, "same", None, 1),
    ],
    ids=str,
)
def test_transpose(
    x: Any, kernel: Any, stride: int, padding: str, extra: Any, dilation: int, dtype: str
) -> None:
    x, kernel, _ = arrays_of(Case(x, kernel), dtype)
    axes = x.ndim - 2
    options = (stride,) * axes, padding, (extra,) * axes, (dilation,) * axes
    y, gradients = value_and_gradients(
        lambda x, kernel: conv.conv_transpose(x, kernel, *options), x, kernel
    )
    expected, gradients_expected = value_and_gradients(
        lambda x, kernel: conv_reference.conv_transpose(x, kernel, *options),
        x.astype("float32"),
        kernel.astype("float32"),
    )
    assert_close(y, expected, dtype)
    for a, e in zip(gradients, gradients_expected, strict=True):
        assert_close(a, e, dtype)


def test_depthwise() -> None:
    x, kernel = jnp.ones((2, 8, 8, 5)), jnp.arange(90.0).reshape(3, 3, 5, 2)
    y = conv.depthwise_conv(x, kernel, (1, 1), "valid", (1, 1), jnp.arange(10.0))
    assert y.shape == (2, 6, 6, 10)
    assert_close(y[0, 0, 0], kernel.sum((0, 1)).reshape(10) + jnp.arange(10.0))


@pytest.mark.parametrize(
    ("layer", "case"), [("conv", CASES[2]), ("pooled", POOLED[1]), ("pooled", POOLED[8])], ids=str
)
def test_second_gradient(layer: str, case: Case) -> None:
    arrays = arrays_of(case)

    def penalty(f: Any) -> Any:
        def loss(*args: Any) -> Any:
            return jnp.mean(jnp.tanh(f(*args)) ** 2)

        def slope(*args: Any) -> Any:
            return sum(jnp.sum(g**2) for g in jax.grad(loss, argnums=(0, 1, 2))(*args))

        return jax.jit(jax.grad(slope, argnums=(0, 1, 2)))(*arrays)

    assert_close(penalty(LAYERS[layer](conv, case)), penalty(LAYERS[layer](conv_reference, case)))


@pytest.mark.parametrize(
    ("layer", "case", "axes"),
    [
        ("conv", CASES[1], (0, None, None)),
        ("conv", CASES[1], (None, 0, None)),
        ("conv", CASES[1], (1, 0, 0)),
        ("pooled", POOLED[2], (0, None, None)),
        ("pooled", POOLED[8], (1, None, None)),
        ("pooled", POOLED[8], (0, 0, None)),
    ],
    ids=str,
)
def test_vmap(layer: str, case: Case, axes: Any) -> None:
    stacked = [
        a if axis is None else jnp.stack([a, a + 1, 2 * a], axis)
        for a, axis in zip(arrays_of(case), axes, strict=True)
    ]

    def mapped(f: Any) -> Any:
        def loss(*args: Any) -> Any:
            y = f(*args)
            return jnp.mean(jnp.tanh(y / 8)), y

        gradients = jax.grad(loss, argnums=(0, 1, 2), has_aux=True)
        return jax.jit(jax.vmap(gradients, in_axes=axes))(*stacked)

    (actual, y), (expected, y_expected) = (
        mapped(LAYERS[layer](conv, case)),
        mapped(LAYERS[layer](conv_reference, case)),
    )
    assert_close(y, y_expected)
    assert_close(actual, expected)


def test_inside_scan_and_checkpoint() -> None:
    case = Case((4, 8, 8, 16), (3, 3, 16, 16), padding="same")
    x, kernel, bias = arrays_of(case)

    def deep(module: Any) -> Any:
        def body(x: Any, _: Any) -> tuple[Any, None]:
            return jax.checkpoint(layer_of(module, case))(x, kernel / 12, bias), None

        return jax.jit(jax.grad(lambda x: jnp.mean(jax.lax.scan(body, x, length=4)[0] ** 2)))(x)

    assert_close(deep(conv), deep(conv_reference))


@pytest.mark.parametrize(
    ("layer", "case", "dtype"),
    [
        ("conv", CASES[2], "float32"),
        ("conv", CASES[2], "bfloat16"),
        ("pooled", POOLED[0], "float32"),
        ("pooled", POOLED[1], "float32"),
        ("pooled", POOLED[6], "float32"),
        ("pooled", POOLED[8], "float32"),
        ("pooled", POOLED[8], "bfloat16"),
    ],
    ids=str,
)
def test_nan_and_infinity_are_handed_on(layer: str, case: Case, dtype: str) -> None:
    x, kernel, bias = arrays_of(case, dtype)
    x = x.at[0, 3, 4, 0].set(jnp.nan).at[1, 5, 6, 0].set(jnp.inf)
    bias = bias.at[3].set(jnp.nan)
    actual = value_and_gradients(LAYERS[layer](conv, case), x, kernel, bias)
    expected = value_and_gradients(LAYERS[layer](conv_reference, case), x, kernel, bias)
    assert bool(jnp.isnan(actual[0]).any()) and bool(jnp.isinf(actual[0]).any())
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(jnp.isnan(a), jnp.isnan(e))
        np.testing.assert_array_equal(jnp.isinf(a), jnp.isinf(e))


@pytest.mark.parametrize("scale", [5e18, 1e-25])
def test_large_and_small_numbers(scale: float) -> None:
    """Sums inside a transform overflow before an output does; what is small is not lost beside it."""
    x, kernel, bias = arrays_of(CASES[2])
    x, kernel, bias = x * scale, kernel * max(scale, 1), bias * 0
    x = x.at[0].set(x[0] * 2e-5)
    actual, expected = (
        layer_of(m, CASES[2], None)(x, kernel, bias) for m in (conv, conv_reference)
    )
    for a, e in zip(actual, expected, strict=True):
        assert bool(jnp.isfinite(e).all())
        assert_close(a / jnp.abs(e).max(), e / jnp.abs(e).max())


@pytest.mark.parametrize(
    ("layer", "case"),
    [
        ("conv", Case((70, 16, 16, 32), (3, 3, 32, 32), padding="same")),
        ("pooled", Case((70, 13, 13, 32), (3, 3, 32, 64))),
        ("pooled", Case((300, 28, 28, 1), (3, 3, 1, 32))),
    ],
    ids=str,
)
def test_the_same_bits_each_time_and_from_many_threads(layer: str, case: Case) -> None:
    f, arrays = LAYERS[layer](conv, case), arrays_of(case)
    run = jax.jit(lambda *a: value_and_gradients(f, *a))
    first = jax.tree.map(np.asarray, run(*arrays))
    with ThreadPoolExecutor(6) as threads:
        for job in [threads.submit(run, *arrays) for _ in range(12)]:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)
    assert_close(first[0], LAYERS[layer](conv_reference, case)(*arrays))


def test_programs_for_several_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case((2, 9, 9, 6), (3, 3, 6, 10))  # a size that no other test has compiled
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")  # what the kernels ask
    for layer in (layer_of, pooled_of):
        arrays = arrays_of(case)
        assert_close(
            value_and_gradients(layer(conv, case), *arrays),
            value_and_gradients(layer(conv_reference, case), *arrays),
        )


def test_other_dtypes_and_volumes_are_computed_by_the_reference() -> None:
    x = jnp.ones((1, 5, 5, 2), "float16")
    assert (
        conv.conv(x, x[:, :3, :3, :].reshape(3, 3, 2, 1), (1, 1), "same", (1, 1)).dtype == "float16"
    )
    volume = conv.conv(
        jnp.ones((1, 4, 4, 4, 2)), jnp.ones((3, 3, 3, 2, 5)), (1,) * 3, "valid", (1,) * 3
    )
    assert volume.shape == (1, 2, 2, 2, 5)


def test_wrong_shapes() -> None:
    x = jnp.ones((2, 8, 8, 6))
    with pytest.raises(ValueError, match="feature_group_count"):
        conv.conv(x, jnp.ones((3, 3, 4, 8)), (1, 1), "valid", (1, 1))
    with pytest.raises((TypeError, ValueError)):
        conv.conv(x, jnp.ones((3, 3, 6, 8)), (1, 1), "valid", (1, 1), jnp.ones(7))
    if not native.available():
        return
    options = {
        "strides": np.array([1, 1]),
        "dilation": np.array([1, 1]),
        "padding": np.array([0, 0, 0, 0]),
    }
    kernel, y = jnp.ones((3, 3, 6, 8)), jax.ShapeDtypeStruct((2, 6, 6, 8), "float32")
    for result, *arrays in (
        (jax.ShapeDtypeStruct((2, 6, 5, 8), "float32"), x, kernel),
        (y, x, jnp.ones((3, 3, 4, 8))),
        (y, x, kernel, jnp.ones(7)),
        (y, x.astype("bfloat16"), kernel),
    ):
        with pytest.raises(Exception, match=r"conv_forward: expected x \(b, h, w, c\)"):
            native.call("conv_forward", result, *arrays, relu=False, **options)
    with pytest.raises(Exception, match="conv_pool_forward: expected"):
        native.call("conv_pool_value", y, x, kernel, **options)


COMMON = [
    ((16, 28, 28, 1), (3, 3, 1, 32), 1, 0),
    ((16, 13, 13, 32), (3, 3, 32, 64), 1, 0),
    ((16, 32, 32, 3), (3, 3, 3, 16), 1, 1),
    ((4, 64, 64, 3), (7, 7, 3, 64), 2, 3),
    ((16, 32, 32, 16), (3, 3, 16, 16), 1, 1),
    ((16, 32, 32, 16), (1, 1, 16, 32), 2, 0),
    ((16, 8, 8, 64), (3, 3, 64, 64), 1, 1),
    ((16, 16, 16, 33), (3, 3, 33, 5), 1, 1),
    ((16, 16, 16, 32), (3, 3, 1, 32), 1, 1),
    ((16, 16, 16, 32), (3, 3, 8, 32), 1, 1),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", COMMON, ids=str)
def test_onednn_has_a_fast_implementation(shape: Any, dtype: str) -> None:
    if not native.suits(jnp.ones(1, dtype)):
        return
    module = importlib.import_module("hornbeam.kernels._native")
    x, kernel, stride, padding = shape
    for name in module.conv_implementations(dtype, x, kernel, stride, 1, padding):
        assert "jit" in name or "br" in name, name
        assert "ref" not in name
