"""The affine map against its definition in NumPy float64, at sizes where it is native where native kernels exist."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.origins import Rounded, made_of
from hornbeam.kernels import dense, native
from tests.marks import native_only
from tests.tolerances import assert_close

SHAPES = [(32, 784, 128), (33, 257, 99), (16, 17, 2000), (1000, 64, 16), (300, 31, 65)]
SMALL = [(1, 5, 3), (0, 4, 6), (3, 1, 1), (7, 16, 33)]
DTYPES = ["float32", "bfloat16"]
# And the shares of zeros of x and dy. Leaving them out pays, with AVX2 too: slices of columns, odd sizes, slices of rows.
MOSTLY_ZEROS = [((128, 200, 256), 0.8), ((301, 333, 517), 0.6), ((2000, 130, 97), 0.8)]
# In bfloat16 fewer pairs than numbers are 0.
MORE_ZEROS = [(shape, 0.9) for shape, _ in MOSTLY_ZEROS]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(dense, "pays", lambda rows, d, units: min(d, units) > 0)


def _arrays(shape: tuple[int, int, int], dtype: str = "float32") -> tuple[Any, Any, Any, Any]:
    """x, kernel, bias and dy, such that outputs are of order one."""
    b, d, u = shape
    draw = np.random.default_rng(b + d + u).standard_normal
    # Sums over many rows stay of order one as well.
    scales = (((b, d), d**-0.5), ((d, u), 1), ((u,), 1), ((b, u), max(b, u, 1) ** -0.5))
    x, kernel, bias, dy = ((draw(each) * scale).astype("float32") for each, scale in scales)
    return tuple(a.astype(jnp.dtype(dtype)) for a in (x, kernel, bias, dy))


def _thinned(a: np.ndarray, zeros: float) -> np.ndarray:
    """As dropout and relu leave it."""
    return a * (np.random.default_rng(a.size).random(a.shape) >= zeros).astype(a.dtype)


def _vjp(f: Any, activation: Any, x: Any, kernel: Any, bias: Any, dy: Any) -> Any:
    y, pull = jax.vjp(lambda *a: f(*a, activation), x, kernel, bias)
    return y, pull(dy)


_run = jax.jit(_vjp, static_argnums=(0, 1))


def _by_definition(
    activation: Any, x: Any, kernel: Any, bias: Any, dy: Any, alive: Any = None
) -> Any:
    """The map and its gradients in NumPy float64; `alive` tells which outputs relu lets through, if not these."""
    x, kernel, dy = (np.asarray(a, "float64") for a in (x, kernel, dy))
    y = x @ kernel
    y = y if bias is None else y + np.asarray(bias, "float64")
    if activation == "relu":
        y = np.maximum(y, 0)
        dy = np.where(y > 0 if alive is None else alive, dy, 0)
    return y, (dy @ kernel.T, x.T @ dy, None if bias is None else dy.sum(0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("shape", SHAPES + SMALL, ids=str)
def test_value_and_gradients(shape: Any, activation: Any, dtype: str) -> None:
    _compare(activation, *_arrays(shape, dtype))


def _compare(activation: Any, *arrays: Any, f: Any = dense.affine) -> None:
    dtype = str(arrays[0].dtype)
    actual = _run(f, activation, *arrays)
    assert all(a.dtype == dtype for a in jax.tree.leaves(actual))
    # In bfloat16 an output next to 0 may round to 0 or not, and its gradient is then another one.
    alive = np.asarray(actual[0] > 0) if dtype == "bfloat16" else None
    assert_close(actual, _by_definition(activation, *arrays, alive), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_the_reference(activation: Any, dtype: str) -> None:
    _compare(activation, *_arrays(SMALL[-1], dtype), f=dense.affine_reference)


def _rounded(f: Any, x: Any, kernel: Any, bias: Any, activation: Any = None) -> Any:
    """f on weights as mixed precision reads them from float32 variables."""
    narrow = [None if a is None else made_of(a.astype(x.dtype), Rounded(a)) for a in (kernel, bias)]
    return f(x, *narrow, activation)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("shape", SHAPES + SMALL, ids=str)
def test_weights_stored_in_float32(shape: Any, activation: Any, with_bias: bool) -> None:
    x, kernel, bias, dy = _arrays(shape)
    _compare_stored(activation, x, kernel, bias if with_bias else None, dy)


def _compare_stored(activation: Any, x: Any, kernel: Any, bias: Any, dy: Any) -> None:
    x, dy = x.astype("bfloat16"), dy.astype("bfloat16")
    step = jax.jit(partial(_vjp, partial(_rounded, dense.affine), activation))
    y, (dx, *slopes) = step(x, kernel, bias, dy)
    assert y.dtype == dx.dtype == "bfloat16"
    assert {slope.dtype for slope in jax.tree.leaves(slopes)} == {jnp.dtype("float32")}
    expected = _by_definition(activation, x, kernel, bias, dy, np.asarray(y > 0))
    # Without a bias there is no gradient for one.
    assert_close(*map(jax.tree.leaves, ((y, dx, slopes), expected)), "bfloat16")


def test_weights_stored_in_float32_under_vmap_and_second_gradients() -> None:
    x, kernel, bias, _ = _arrays((3 * 20, 17, 33))
    x = x.astype("bfloat16").reshape(3, 20, 17)

    def penalty(f: Any, kernel: Any, bias: Any) -> Any:
        def loss(kernel: Any, bias: Any) -> Any:
            y = jax.vmap(lambda x: _rounded(f, x, kernel, bias, "relu"))(x)
            return jnp.mean(jnp.tanh(y.astype("float32")) ** 2)

        value, slopes = jax.value_and_grad(loss, argnums=(0, 1))(kernel, bias)
        return sum(jnp.sum(g**2) for g in slopes), value

    actual, expected = (
        jax.jit(jax.value_and_grad(partial(penalty, f), argnums=(0, 1), has_aux=True))(kernel, bias)
        for f in (dense.affine, dense.affine_reference)
    )
    assert all(g.dtype == "float32" for g in actual[1])
    assert_close(actual, expected, "bfloat16")


def test_without_bias() -> None:
    x, kernel, _, dy = _arrays((40, 50, 60))
    y, pull = jax.vjp(dense.affine, x, kernel)
    expected, (*slopes, _) = _by_definition(None, x, kernel, None, dy)
    assert_close((y, pull(dy)), (expected, slopes))


def test_leading_axes() -> None:
    x, kernel, bias, _ = _arrays((24, 50, 60))
    y = dense.affine(x.reshape(2, 3, 4, 50), kernel, bias)
    assert_close(y, (x @ kernel + bias).reshape(2, 3, 4, 60))
    assert_close(dense.affine(x[0], kernel, bias), x[0] @ kernel + bias)


@native_only
def test_transposed_kernel_of_the_foreign_call() -> None:
    x, kernel, bias, _ = _arrays((20, 30, 40))
    kernel_t = kernel.T
    result, slope = (jax.ShapeDtypeStruct((20, n), "float32") for n in (40, 30))
    options = {"relu": False, "transposed": True}
    y = native.call("dense_forward", result, x, kernel_t, bias, **options)
    assert_close(y, x @ kernel + bias)
    dx = native.call("dense_input_gradient", slope, y, kernel_t, transposed=True)
    assert_close(dx, y @ kernel_t)


def test_second_gradient() -> None:
    x, kernel, bias, _ = _arrays((20, 17, 33))

    def penalty(f: Any) -> Any:
        def loss(x: Any, kernel: Any, bias: Any) -> Any:
            return jnp.mean(jnp.tanh(f(x, kernel, bias, "relu")) ** 2)

        def slope(*args: Any) -> Any:
            return sum(jnp.sum(g**2) for g in jax.grad(loss, argnums=(0, 1, 2))(*args))

        return jax.jit(jax.grad(slope, argnums=(0, 1, 2)))

    assert_close(
        penalty(dense.affine)(x, kernel, bias), penalty(dense.affine_reference)(x, kernel, bias)
    )
    third = jax.grad(jax.grad(jax.grad(lambda s: jnp.sum(dense.affine(s * x, kernel) ** 3))))
    assert_close(third(1.0), 6 * np.sum((x @ kernel).astype("float64") ** 3))


@pytest.mark.parametrize(
    ("axes", "dtype"),
    [
        ((0, None, None), "float32"),
        ((None, 0, None), "float32"),
        ((0, 0, 0), "float32"),
        ((1, None, None), "float32"),
        ((0, None, None), "bfloat16"),
    ],
)
def test_vmap(axes: Any, dtype: str) -> None:
    x, kernel, bias, _ = _arrays((20, 17, 33), dtype)
    activation = _where_it_is_exact(dtype)
    several = [
        [a] * 3 if axis is None else [a, a + 1, 2 * a]
        for a, axis in zip((x, kernel, bias), axes, strict=True)
    ]
    stacked = [
        a[0] if axis is None else np.stack(a, axis) for a, axis in zip(several, axes, strict=True)
    ]

    def run(*args: Any) -> Any:
        y, pull = jax.vjp(lambda *a: dense.affine(*a, activation), *args)
        return y, pull(jnp.cos(y))

    y, slopes = jax.jit(jax.vmap(run, in_axes=axes))(*stacked)
    for i, arrays in enumerate(zip(*several, strict=True)):
        dy = np.cos(np.asarray(y[i], "float32"))
        expected_y, expected = _by_definition(activation, *arrays, dy)
        assert_close(y[i], expected_y, dtype)
        for a, e in zip(slopes, expected, strict=True):
            assert_close(np.asarray(a[i], "float32") / 8, e / 8, dtype)


def _where_it_is_exact(dtype: str) -> Any:
    """relu, unless an output next to 0 may be rounded to either side of it."""
    return "relu" if dtype == "float32" else None


@pytest.mark.parametrize("dtype", DTYPES)
def test_inside_scan_and_checkpoint(dtype: str) -> None:
    x, kernel, bias, _ = _arrays((32, 40, 40), dtype)
    activation = _where_it_is_exact(dtype)

    def deep(f: Any) -> Any:
        def body(x: Any, _: Any) -> tuple[Any, None]:
            return jax.checkpoint(lambda x: f(x, kernel / 7, bias, activation))(x), None

        def loss(x: Any) -> Any:
            y = jax.lax.scan(body, x, length=4)[0]
            return jnp.sum(y.astype("float32") ** 2) / 8, y

        return jax.jit(jax.grad(loss, has_aux=True))(x)

    assert_close(deep(dense.affine), deep(dense.affine_reference), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_nan_and_infinity_are_handed_on(activation: Any, dtype: str) -> None:
    x, kernel, bias, dy = _arrays((40, 20, 48), dtype)
    x[3, 4], x[5, 6], kernel[7, 7], dy[9, 9], dy[10, 10] = np.nan, np.inf, np.nan, np.nan, -np.inf
    actual = _run(dense.affine, activation, x, kernel, bias, dy)
    _assert_equally_spoilt(actual, activation, x, kernel, bias, dy)


def _assert_equally_spoilt(actual: Any, activation: Any, *arrays: Any) -> Any:
    with np.errstate(invalid="ignore"):
        expected = _by_definition(activation, *arrays)
    assert np.isnan(expected[0]).any()
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        a = np.asarray(a, "float32")
        np.testing.assert_array_equal(np.isnan(a), np.isnan(e))
        np.testing.assert_array_equal(np.isinf(a), np.isinf(e))
    return expected


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize(("shape", "zeros"), MOSTLY_ZEROS, ids=str)
def test_zeros_left_out(shape: Any, zeros: float, activation: Any) -> None:
    x, kernel, bias, dy = _arrays(shape)
    _compare(activation, _thinned(x, zeros), kernel, bias, _thinned(dy, zeros))


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize(("shape", "zeros"), MORE_ZEROS, ids=str)
def test_zeros_left_out_in_bfloat16(shape: Any, zeros: float, activation: Any) -> None:
    x, kernel, bias, dy = _arrays(shape)
    x, dy = _thinned(x, zeros), _thinned(dy, zeros)
    _compare(activation, *(a.astype("bfloat16") for a in (x, kernel, bias, dy)))
    _compare_stored(activation, x, kernel, bias, dy)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_zeros_beside_nan_and_infinity(activation: Any, dtype: str) -> None:
    shape, zeros = (MORE_ZEROS if dtype == "bfloat16" else MOSTLY_ZEROS)[0]
    x, kernel, bias, dy = _arrays(shape, dtype)
    x, dy = _thinned(x, zeros), _thinned(dy, zeros)
    # What is not finite meets nothing but zeros of x ...
    x[:, [3, 100, 199]] = x[[9, 127]] = 0
    kernel[3, 5], kernel[100, 130], kernel[199, 255] = np.nan, np.inf, -np.inf
    dy[9, 7], dy[127, 254] = np.nan, np.inf
    bias[[7, 254]] = 1  # so that relu hands these of dy on
    actual = _run(dense.affine, activation, x, kernel, bias, dy)
    y, dx, d_kernel, _ = (np.asarray(a, "float32") for a in jax.tree.leaves(actual))
    # ... and makes NaN of them.
    for column in (y[:, 5], y[:, 130], y[:, 255], d_kernel[:, 7], d_kernel[:, 254]):
        assert np.isnan(column).all()
    # The elements of dy beside these outputs are 0 with relu, and mostly 0 without.
    assert np.isnan(dx[:, [3, 100, 199]]).sum() > 2 * shape[0]
    expected = _assert_equally_spoilt(actual, activation, x, kernel, bias, dy)
    assert_close(actual, expected, dtype)


def test_zeros_left_out_inside_scan() -> None:
    x, kernel, bias, dy = _arrays((160, 300, 300))
    kernel = kernel / 10  # outputs stay of order one
    keep = _thinned(np.ones((3, 160, 300), "float32"), 0.7)

    def deep(f: Any) -> Any:
        def loss(x: Any, kernel: Any, bias: Any) -> Any:
            def layer(x: Any, keep: Any) -> tuple[Any, None]:
                return f(x * keep, kernel, bias, "relu"), None

            y = jax.lax.scan(layer, x, keep)[0]
            return jnp.sum(y * dy), y

        return jax.jit(jax.grad(loss, argnums=(0, 1, 2), has_aux=True))(x, kernel, bias)

    assert_close(deep(dense.affine), deep(dense.affine_reference))


@pytest.mark.parametrize("zeros", [0.0, 0.7])
def test_the_same_bits_each_time_and_from_many_threads(zeros: float) -> None:
    x, kernel, bias, dy = _arrays((500, 300, 200))
    arrays = (_thinned(x, zeros), kernel, bias, dy)
    first = jax.tree.map(np.asarray, _run(dense.affine, "relu", *arrays))
    with ThreadPoolExecutor(6) as threads:
        jobs = [threads.submit(_run, dense.affine, "relu", *arrays) for _ in range(24)]
        for job in jobs:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)


def test_programs_for_several_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    x, kernel, bias, dy = _arrays((20, 18, 34))  # a size that no other test has compiled
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")  # what the kernels ask
    actual = _run(dense.affine, "relu", x, kernel, bias, dy)
    assert_close(actual, _by_definition("relu", x, kernel, bias, dy))


def test_inside_shard_map() -> None:
    x, kernel, bias, _ = _arrays((20, 17, 33))
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("devices",))
    rows, same = jax.sharding.PartitionSpec("devices"), jax.sharding.PartitionSpec()

    def slope(kernel: Any, x: Any, bias: Any) -> Any:
        loss = jax.grad(lambda kernel: jnp.sum(dense.affine(x, kernel, bias, "relu")))
        return jax.lax.psum(loss(kernel), "devices")

    mapped = jax.shard_map(slope, mesh=mesh, in_specs=(same, rows, same), out_specs=same)
    _, (_, expected, _) = _by_definition("relu", x, kernel, bias, np.ones((20, 33)))
    assert_close(mapped(kernel, x, bias), expected)


def test_forward_mode_where_native_kernels_are_switched_off() -> None:
    x, kernel, bias, _ = _arrays((20, 17, 33))
    with native.switched_off():
        actual = jax.jvp(lambda x: dense.affine(x, kernel, bias), (x,), (x,))
    assert_close(actual, (x @ kernel + bias, x @ kernel))


def test_other_dtypes_are_computed_by_the_reference() -> None:
    x, kernel = jnp.ones((3, 4), "float16"), jnp.ones((4, 5), "float16")
    assert dense.affine(x, kernel).dtype == "float16"
    assert dense.affine(jnp.ones((3, 4), "int32"), jnp.ones((4, 5), "int32")).dtype == "int32"
    assert dense.affine(x.astype("bfloat16"), jnp.ones((4, 5))).dtype == "float32"


def test_wrong_shapes() -> None:
    x = jnp.ones((3, 4))
    with pytest.raises(TypeError, match=r"contract.*\(4,\) and \(5,\)"):
        dense.affine(x, jnp.ones((5, 6)))


@native_only
def test_wrong_shapes_of_the_foreign_call() -> None:
    x = jnp.ones((3, 4))
    result = jax.ShapeDtypeStruct((3, 6), "float32")
    for bias in (None, jnp.ones(6)):
        with pytest.raises(Exception, match=r"dense_forward: expected x \(b, d\)"):
            native.call(
                "dense_forward", result, x, jnp.ones((5, 6)), bias, relu=False, transposed=False
            )
    with pytest.raises(Exception, match=r"bias \(u,\)"):
        native.call(
            "dense_forward",
            result,
            x,
            jnp.ones((4, 6)),
            jnp.ones(5),
            relu=False,
            transposed=False,
        )


def test_small_products_are_left_to_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not dense.pays(1, 4096, 4096) and not dense.pays(32, 64, 10)
    assert dense.pays(32, 1600, 64)


def test_native_kernels_can_be_switched_off() -> None:
    script = """
from hornbeam.kernels import native, dense
import jax.numpy as jnp
assert not native.available() and "HORNBEAM_NATIVE=0" in native.why_not(), native.why_not()
assert dense.affine(jnp.ones((64, 512)), jnp.ones((512, 64)))[0, 0] == 512
"""
    environment = {**os.environ, "HORNBEAM_NATIVE": "0"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


def test_importing_hornbeam_loads_nothing_native() -> None:
    script = "import sys, hornbeam; assert 'hornbeam.kernels._native' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
