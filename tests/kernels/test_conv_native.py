"""Convolutions against their references, at sizes where they are native where native kernels exist."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import conv, native
from hornbeam.kernels.conv import reference as conv_reference
from tests.kernels.conv_cases import (
    CASES,
    DEPTHWISE,
    DTYPES,
    LAYERS,
    POOLED,
    Case,
    arrays_of,
    assert_alike,
    assert_gradients_alike,
    layer_of,
    pooled_of,
    transposed_of,
    value_and_gradients,
)
from tests.marks import native_only
from tests.tolerances import assert_close

pytestmark = pytest.mark.usefixtures("every_size_of_convolution")


@pytest.mark.parametrize(
    ("case", "dtype"),
    [(case, "float32") for case in CASES + DEPTHWISE]
    # Without the last one: what XLA adds up in bfloat16 for so many places is beyond the tolerance.
    + [(case, "bfloat16") for case in CASES[::2] + DEPTHWISE[:-1]],
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
    ("layer", "case", "axes", "dtype"),
    [
        ("conv", CASES[1], (0, None, None), "float32"),
        ("conv", CASES[1], (None, 0, None), "float32"),
        ("conv", CASES[1], (1, 0, 0), "float32"),
        ("conv", CASES[4], (0, None, None), "float32"),
        ("conv", CASES[2], (1, None, None), "bfloat16"),
        ("conv", CASES[14], (0, None, None), "float32"),
        ("conv", CASES[18], (0, None, None), "float32"),
        ("conv", DEPTHWISE[2], (0, None, None), "float32"),
        ("conv", DEPTHWISE[2], (0, 0, 0), "float32"),
        ("conv", DEPTHWISE[0], (1, None, None), "bfloat16"),
        ("pooled", POOLED[2], (0, None, None), "float32"),
        ("pooled", POOLED[8], (1, None, None), "float32"),
        ("pooled", POOLED[8], (0, 0, None), "float32"),
        ("pooled", POOLED[1], (0, None, None), "bfloat16"),
        ("transposed", Case((2, 5, 6, 5), (3, 3, 5, 5), 2, "same"), (1, None, None), "float32"),
    ],
    ids=str,
)
def test_vmap(layer: str, case: Case, axes: Any, dtype: str) -> None:
    stacked = [
        a if axis is None else np.stack([a, a + 1, 2 * a], axis)
        for a, axis in zip(arrays_of(case, dtype), axes, strict=True)
    ]

    def mapped(module: Any, stacked: Any) -> Any:
        def loss(*args: Any) -> Any:
            y = LAYERS[layer](module, case)(*args)
            total = jnp.sum(jnp.tanh(y.astype("float32") / 8))
            return total / y[..., 0].size ** 0.5, y

        gradients = jax.grad(loss, argnums=(0, 1, 2), has_aux=True)
        return jax.jit(jax.vmap(gradients, in_axes=axes))(*stacked)

    actual, y = mapped(conv, stacked)
    expected, y_expected = mapped(conv_reference, [a.astype("float32") for a in stacked])
    assert_close(y, y_expected, dtype)
    assert_gradients_alike(actual, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("layer", "case"),
    [
        ("conv", Case((4, 8, 8, 16), (3, 3, 16, 16), padding="same")),
        ("conv", Case((4, 8, 8, 16), (3, 3, 4, 16), padding="same")),
        ("conv", Case((4, 8, 8, 16), (5, 5, 1, 16), padding="same")),
        ("conv", Case((4, 20, 16), (3, 16, 16), padding="causal", dilation=2)),
        ("pooled", Case((4, 8, 8, 16), (3, 3, 16, 16), padding="same")),
    ],
    ids=str,
)
def test_inside_scan_and_checkpoint(layer: str, case: Case, dtype: str) -> None:
    def deep(module: Any) -> Any:
        @jax.checkpoint
        def step(x: Any, kernel: Any, bias: Any) -> Any:
            y = LAYERS[layer](module, case)(x, kernel, bias)
            # What was halved is made twice as large again.
            larger = transposed_of(module, case._replace(strides=2))
            return larger(y, kernel, bias) if layer == "pooled" else y

        def run(x: Any, kernel: Any, bias: Any) -> Any:
            return jax.lax.scan(lambda x, _: (step(x, kernel / 12, bias), None), x, length=4)[0]

        return run

    assert_alike(deep(conv), deep(conv_reference), arrays_of(case, dtype), dtype)


# Where NaN and infinity are put. In the middle of a kernel and of dy, because whether they are multiplied by the zeros of
# padding is nobody's promise; at all filters of dy, because relu lets only some of them through.
SPOILT: dict[str, tuple[Any, Any]] = {
    "x": ((0, 3, 4, 0), (1, 5, 6, 0)),
    "kernel": ((1, 1, 2, 4), (1, 1, 3, 5)),
    "dy": ((0, 1, 2, ...), (1, 2, 1, ...)),
}
EVEN = Case((3, 8, 8, 16), (3, 3, 16, 33), padding="same")


@pytest.mark.parametrize(
    ("layer", "case", "dtype", "place"),
    [
        ("conv", CASES[2], "float32", "x"),
        ("conv", CASES[2], "bfloat16", "x"),
        ("conv", CASES[3], "float32", "x"),
        ("conv", CASES[16], "float32", "x"),
        ("conv", CASES[18], "float32", "x"),
        ("conv", CASES[2], "float32", "kernel"),
        ("conv", CASES[2], "float32", "dy"),
        ("conv", DEPTHWISE[1], "float32", "x"),
        ("conv", DEPTHWISE[1], "float32", "dy"),
        ("conv", DEPTHWISE[1], "bfloat16", "dy"),
        ("pooled", POOLED[0], "float32", "x"),
        ("pooled", POOLED[1], "float32", "x"),
        ("pooled", POOLED[6], "float32", "x"),
        ("pooled", POOLED[8], "float32", "x"),
        ("pooled", POOLED[8], "bfloat16", "x"),
        ("pooled", EVEN, "float32", "kernel"),
        ("pooled", EVEN, "float32", "dy"),
    ],
    ids=str,
)
def test_nan_and_infinity_are_handed_on(layer: str, case: Case, dtype: str, place: str) -> None:
    def spoilt(array: Any, name: str) -> Any:
        if name != place:
            return array
        nan, infinity = (i if array.ndim == 4 else (i[0], *i[2:]) for i in SPOILT[place])
        return jnp.asarray(array).at[nan].set(jnp.nan).at[infinity].set(jnp.inf)

    x, kernel, bias = arrays_of(case, dtype)
    bias[3] = np.nan
    arrays = spoilt(x, "x"), spoilt(kernel, "kernel"), bias

    def run(module: Any) -> Any:
        f = LAYERS[layer](module, case)
        return value_and_gradients(f, *arrays, change=lambda dy: spoilt(dy, "dy"))

    actual, expected = run(conv), run(conv_reference)
    seen = actual[1] if place == "dy" else actual[0]
    seen, actual, expected = (
        [np.asarray(a, "float32") for a in jax.tree.leaves(each)]
        for each in (seen, actual, expected)
    )
    assert any(np.isnan(a).any() for a in seen) and any(np.isinf(a).any() for a in seen)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(e))
        np.testing.assert_array_equal(np.isinf(a), np.isinf(e))


@pytest.mark.parametrize("scale", [5e18, 1e-25])
def test_large_and_small_numbers(scale: float) -> None:
    """Sums inside a transform overflow before an output does; what is small is not lost beside it."""
    x, kernel, bias = arrays_of(CASES[2])
    scales = np.float32(scale), np.float32(max(scale, 1)), np.float32(0)
    x, kernel, bias = (a * each for a, each in zip((x, kernel, bias), scales, strict=True))
    x[0] *= np.float32(2e-5)
    actual, expected = (
        np.asarray(layer_of(m, CASES[2], None)(*map(jnp.asarray, (x, kernel, bias))))
        for m in (conv, conv_reference)
    )
    for a, e in zip(actual, expected, strict=True):
        assert np.isfinite(e).all()
        assert_close(a / np.abs(e).max(), e / np.abs(e).max())


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
    assert_close(first[0], jax.jit(LAYERS[layer](conv_reference, case))(*arrays))


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


@native_only
def test_wrong_shapes_of_the_foreign_call() -> None:
    x = jnp.ones((2, 8, 8, 6))
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
        pytest.skip(f"no native kernels for {dtype} here")
    module = importlib.import_module("hornbeam.kernels._native")
    x, kernel, stride, padding = shape
    for name in module.conv_implementations(dtype, x, kernel, stride, 1, padding):
        assert "jit" in name or "br" in name, name
        assert "ref" not in name


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_depthwise_gradients_have_their_own_implementation(stride: int, dtype: str) -> None:
    """oneDNN's first offer for x in bfloat16 with strides takes 70 times as long."""
    if not native.suits(jnp.ones(1, dtype)):
        pytest.skip(f"no native kernels for {dtype} here")
    module = importlib.import_module("hornbeam.kernels._native")
    sizes = (2, 32, 32, 64), (3, 3, 1, 64), stride, 1, 0
    _, of_x, of_kernel = module.conv_implementations(dtype, *sizes)
    assert of_x.startswith("jit_dw") and of_kernel.startswith("jit_dw")
