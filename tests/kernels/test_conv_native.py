"""Convolutions against their references, at sizes where they are native where native kernels exist."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core import fusion
from hornbeam.kernels import conv, conv_reference, native
from tests.tolerances import assert_close


class Case(NamedTuple):
    x: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: int = 1
    padding: Any = "valid"
    dilation: int = 1

    def options(self) -> tuple[Any, Any, Any]:
        axes = len(self.x) - 2
        return (self.strides,) * axes, self.padding, (self.dilation,) * axes


CASES = [
    Case((4, 9, 9, 1), (3, 3, 1, 32)),
    Case((3, 9, 8, 3), (3, 3, 3, 16), padding="same"),
    Case((5, 8, 9, 16), (3, 3, 16, 33), padding="same"),
    Case((2, 9, 9, 33), (3, 3, 33, 5), 2, "same"),
    Case((2, 10, 9, 5), (2, 3, 5, 7), 2),  # rows and columns left over
    Case((3, 8, 8, 4), (1, 1, 4, 8), 2),  # a point with strides: a part of the image
    Case((3, 9, 9, 16), (1, 1, 16, 16), 2, "same"),
    Case((2, 9, 9, 16), (1, 1, 16, 16)),
    Case((3, 9, 7, 16), (3, 3, 16, 16), padding="same"),  # products of pairs; a last place is alone
    Case((5, 8, 8, 32), (3, 3, 32, 64), padding="same"),
    Case((2, 11, 12, 16), (5, 5, 16, 32), 3, "same"),
    Case((2, 9, 13, 48), (3, 2, 48, 48), padding=[(1, 0), (0, 1)], dilation=2),
    Case((2, 12, 11, 5), (3, 2, 5, 6), 1, "same", 2),
    Case((2, 9, 9, 5), (3, 3, 5, 6), 1, [(2, 0), (0, 1)]),
    Case((2, 9, 9, 12), (3, 3, 4, 6)),  # three groups
    Case((2, 9, 9, 32), (3, 3, 16, 32), 2, "same"),
    Case((3, 9, 9, 33), (3, 3, 1, 33), padding="same"),  # one group per channel
    Case((3, 9, 9, 16), (3, 3, 1, 32), 2, "same"),
    Case((2, 20, 5), (3, 5, 7), padding="causal", dilation=2),
    Case((2, 21, 16), (5, 16, 16), 2, "same"),
    Case((1, 7, 7, 3), (5, 5, 3, 17), padding="same"),
    Case((3, 9, 21, 12), (5, 5, 12, 9), padding="same"),
    # Windows of 3 x 3 that move by ones: by tiles of 2 x 2 outputs, of which the last may be halves.
    Case((2, 40, 19, 20), (3, 3, 20, 17), padding=[(1, 0), (0, 2)]),
    Case((1, 40, 120, 24), (3, 3, 24, 16)),
    Case((9, 14, 13, 130), (3, 3, 130, 160), padding="same"),
    Case((9, 5, 5, 64), (3, 3, 64, 64)),  # forward, but not the gradient of x
    Case((0, 7, 7, 3), (3, 3, 3, 5)),
    Case((0, 7, 7, 3), (1, 1, 3, 5), 2),
]
POOLED = [
    Case((5, 13, 13, 32), (3, 3, 32, 64)),  # 11 rows, of which 10 are pooled
    Case((3, 8, 9, 16), (3, 3, 16, 33), padding="same"),
    Case((2, 11, 10, 5), (3, 3, 5, 7), 2, "same"),
    Case((2, 12, 12, 6), (2, 2, 3, 4), dilation=2),
    Case((2, 7, 7, 9), (1, 1, 9, 8), 2, "same"),
    Case((0, 8, 8, 5), (3, 3, 5, 4)),
    # The first layer of a network.
    Case((33, 28, 28, 1), (3, 3, 1, 32)),
    Case((3, 9, 12, 1), (5, 5, 1, 20), padding="same"),
    Case((2, 11, 10, 3), (3, 3, 3, 33), padding="same"),
    Case((2, 9, 9, 4), (2, 3, 4, 5), padding=[(1, 0), (0, 2)]),
    Case((1, 8, 8, 2), (1, 1, 2, 16)),
    Case((0, 8, 8, 1), (3, 3, 1, 4)),
]
DTYPES = ["float32", "bfloat16"]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(conv, "_pays", lambda multiplications: True)


def _arrays(case: Case, dtype: str = "float32") -> tuple[Any, Any, Any]:
    """x, kernel and bias, such that outputs are of order one."""
    draw = np.random.default_rng(sum(case.x) + sum(case.kernel)).standard_normal
    x = draw(case.x) / np.prod(case.kernel[:-1]) ** 0.5
    kernel, bias = draw(case.kernel), draw(case.kernel[-1:]) / 3
    return tuple(jnp.asarray(a.astype("float32")).astype(dtype) for a in (x, kernel, bias))


def _layer(module: Any, case: Case, activation: Any = "relu") -> Any:
    def run(x: Any, kernel: Any, bias: Any) -> Any:
        return module.conv(x, kernel, *case.options(), bias, activation)

    return run


def _pooled(module: Any, case: Case) -> Any:
    def run(x: Any, kernel: Any, bias: Any) -> Any:
        return module.conv_max_pool(x, kernel, bias, *case.options(), (2, 2))

    return run


LAYERS = {"conv": _layer, "pooled": _pooled}


def _vjp(f: Any, *arrays: Any) -> Any:
    """The value, and gradients of order one."""

    @jax.jit
    def run(*arrays: Any) -> Any:
        y, pull = jax.vjp(f, *arrays)
        dy = np.random.default_rng(0).standard_normal(y.shape) + 0.5
        return y, pull(jnp.asarray(dy / max(np.prod(y.shape[:-1]), 1) ** 0.5, y.dtype))

    return run(*arrays)


def _check(actual: Any, expected: Any, arrays: Any, dtype: str) -> None:
    y, gradients = _vjp(actual, *arrays)
    assert all(a.dtype == dtype for a in jax.tree.leaves((y, gradients)))
    # In float32, so that the reference's own rounding is not what is compared with.
    wide = [a.astype("float32") for a in arrays]
    y_expected, gradients_expected = _vjp(expected, *wide)
    assert_close(y, y_expected, dtype)
    if dtype == "bfloat16":
        # Where an output rounds to 0 or two to the same number, single gradients differ.
        for a, e in zip(gradients, gradients_expected, strict=True):
            a, e = np.asarray(a, "float32"), np.asarray(e)
            assert np.linalg.norm(a - e) <= 0.1 * np.linalg.norm(e)
    else:
        assert_close(gradients, gradients_expected, dtype)


@pytest.mark.parametrize(
    ("case", "dtype"),
    [(case, "float32") for case in CASES] + [(case, "bfloat16") for case in CASES[::2]],
    ids=str,
)
def test_value_and_gradients(case: Case, dtype: str) -> None:
    arrays = _arrays(case, dtype)
    activation = "relu" if case.strides == 1 else None
    _check(_layer(conv, case, activation), _layer(conv_reference, case, activation), arrays, dtype)


@pytest.mark.parametrize(
    ("case", "dtype"),
    [(case, "float32") for case in POOLED] + [(case, "bfloat16") for case in POOLED[1:8:2]],
    ids=str,
)
def test_with_pooling(case: Case, dtype: str) -> None:
    _check(_pooled(conv, case), _pooled(conv_reference, case), _arrays(case, dtype), dtype)


def test_without_bias() -> None:
    for case, layer in ((CASES[2], _layer), (POOLED[1], _pooled), (POOLED[7], _pooled)):
        x, kernel, _ = _arrays(case)
        results = []
        for module in (conv, conv_reference):
            f = layer(module, case)
            results.append(_vjp(lambda x, kernel, f=f: f(x, kernel, None), x, kernel))
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
    x, kernel, _ = _arrays(Case(x, kernel), dtype)
    axes = x.ndim - 2
    options = (stride,) * axes, padding, (extra,) * axes, (dilation,) * axes
    y, gradients = _vjp(lambda x, kernel: conv.conv_transpose(x, kernel, *options), x, kernel)
    expected, gradients_expected = _vjp(
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


def test_other_windows_are_pooled_separately() -> None:
    case = Case((2, 11, 11, 3), (3, 3, 3, 8))
    arrays = _arrays(case)

    def run(module: Any) -> Any:
        return _vjp(lambda x, k, b: module.conv_max_pool(x, k, b, *case.options(), (3, 3)), *arrays)

    assert_close(run(conv), run(conv_reference))
    case = Case((2, 9, 9, 3), (9, 9, 3, 8))  # no window of 2 x 2 fits
    arrays = _arrays(case)
    assert _pooled(conv, case)(*arrays).shape == (2, 0, 0, 8)


@pytest.mark.parametrize(
    ("layer", "case"), [("conv", CASES[2]), ("pooled", POOLED[1]), ("pooled", POOLED[8])], ids=str
)
def test_second_gradient(layer: str, case: Case) -> None:
    arrays = _arrays(case)

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
        for a, axis in zip(_arrays(case), axes, strict=True)
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
    x, kernel, bias = _arrays(case)

    def deep(module: Any) -> Any:
        def body(x: Any, _: Any) -> tuple[Any, None]:
            return jax.checkpoint(_layer(module, case))(x, kernel / 12, bias), None

        return jax.jit(jax.grad(lambda x: jnp.mean(jax.lax.scan(body, x, length=4)[0] ** 2)))(x)

    assert_close(deep(conv), deep(conv_reference))


@pytest.mark.parametrize(
    ("layer", "case", "dtype"),
    [
        ("conv", CASES[2], "float32"),
        ("conv", CASES[2], "bfloat16"),
        ("pooled", POOLED[0], "float32"),
        ("pooled", POOLED[1], "float32"),
        ("pooled", POOLED[8], "float32"),
        ("pooled", POOLED[8], "bfloat16"),
    ],
    ids=str,
)
def test_nan_and_infinity_are_handed_on(layer: str, case: Case, dtype: str) -> None:
    x, kernel, bias = _arrays(case, dtype)
    x = x.at[0, 3, 4, 0].set(jnp.nan).at[1, 5, 6, 0].set(jnp.inf)
    bias = bias.at[3].set(jnp.nan)
    actual = _vjp(LAYERS[layer](conv, case), x, kernel, bias)
    expected = _vjp(LAYERS[layer](conv_reference, case), x, kernel, bias)
    assert bool(jnp.isnan(actual[0]).any()) and bool(jnp.isinf(actual[0]).any())
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(jnp.isnan(a), jnp.isnan(e))
        np.testing.assert_array_equal(jnp.isinf(a), jnp.isinf(e))


@pytest.mark.parametrize("scale", [5e18, 1e-25])
def test_large_and_small_numbers(scale: float) -> None:
    """Sums inside a transform overflow before an output does; what is small is not lost beside it."""
    x, kernel, bias = _arrays(CASES[2])
    x, kernel, bias = x * scale, kernel * max(scale, 1), bias * 0
    x = x.at[0].set(x[0] * 2e-5)
    actual, expected = (_layer(m, CASES[2], None)(x, kernel, bias) for m in (conv, conv_reference))
    for a, e in zip(actual, expected, strict=True):
        assert bool(jnp.isfinite(e).all())
        assert_close(a / jnp.abs(e).max(), e / jnp.abs(e).max())


def test_ties_go_to_the_first() -> None:
    case = Case((2, 9, 9, 1), (3, 3, 1, 16))
    arrays = (jnp.ones(case.x), jnp.ones(case.kernel), jnp.zeros(16))
    assert_close(_vjp(_pooled(conv, case), *arrays), _vjp(_pooled(conv_reference, case), *arrays))
    for channels in (8, 16):
        case = Case((2, 9, 9, channels), (3, 3, channels, 16))
        arrays = (jnp.ones(case.x), jnp.ones(case.kernel), jnp.zeros(16))
        actual, expected = (_vjp(_pooled(m, case), *arrays) for m in (conv, conv_reference))
        assert_close(actual, expected)


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
    f, arrays = LAYERS[layer](conv, case), _arrays(case)
    run = jax.jit(lambda *a: _vjp(f, *a))
    first = jax.tree.map(np.asarray, run(*arrays))
    with ThreadPoolExecutor(6) as threads:
        for job in [threads.submit(run, *arrays) for _ in range(12)]:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)
    assert_close(first[0], LAYERS[layer](conv_reference, case)(*arrays))


def test_what_lies_between_convolution_and_pooling_is_not_kept() -> None:
    case = Case((4, 28, 28, 1), (3, 3, 1, 32))
    if native.available():
        _, pull = jax.vjp(_pooled(conv, case), *_arrays(case))
        largest = max(a.size for a in jax.tree.leaves(pull))
        assert largest <= 4 * 13 * 13 * 32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    # Of each layer: how much of an image's side is read, its window, stride and padding.
    ("channels", "chain"),
    [
        (1, [(28, 3, 1, "valid"), (12, 3, 1, "valid")]),
        (16, [(30, 3, 1, "valid"), (11, 2, 1, "valid"), (5, 2, 1, "valid")]),
        (3, [(40, 5, 1, "valid"), (13, 3, 2, "valid"), (3, 2, 1, "valid")]),
        (2, [(26, 3, 1, "same"), (11, 1, 2, "same")]),
        (20, [(27, 3, 1, "same"), (13, 5, 1, "same")]),
    ],
)
def test_what_the_next_pooling_does_not_read_is_not_computed(
    channels: int, chain: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(channels)

    def normal(*shape: int) -> Any:
        return jnp.asarray(draw.normal(size=shape) / np.prod(shape[:-1]) ** 0.5, dtype)

    side = chain[0][0]
    x, parameters = 30 * normal(2, side, side, channels), []
    for _, window, *_ in chain:
        parameters.append((normal(window, window, channels, 24), normal(24)))
        channels = 24

    def run(x: Any, parameters: Any) -> Any:
        for (kernel, bias), (_, _, stride, padding) in zip(parameters, chain, strict=True):
            x = conv.conv_max_pool(x, kernel, bias, (stride,) * 2, padding, (1, 1), (2, 2))
        return x

    def step(x: Any, parameters: Any) -> Any:
        y, pull = jax.vjp(run, x, parameters)
        return y, pull(jnp.cos(jnp.arange(y.size)).reshape(y.shape).astype(dtype))

    program = jax.jit(step).lower(x, parameters)
    text = program.as_text()
    for read, *_ in chain[1:]:
        assert (f"tensor<2x{read}x{read}x24x" in text) or not native.suits(x)
    monkeypatch.setattr(fusion, "taken", lambda *_: None)
    expected = jax.jit(lambda *args: step(*args))(x, parameters)
    assert_close(program.compile()(x, parameters), expected, dtype)


def test_programs_for_several_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case((2, 9, 9, 6), (3, 3, 6, 10))  # a size that no other test has compiled
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")  # what the kernels ask
    for layer in (_layer, _pooled):
        arrays = _arrays(case)
        assert_close(_vjp(layer(conv, case), *arrays), _vjp(layer(conv_reference, case), *arrays))


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
