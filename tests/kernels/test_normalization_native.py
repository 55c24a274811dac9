"""Statistics and normalisations against their definitions in NumPy float64, and the layers that use them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras, ops
from hornbeam.kernels import native
from hornbeam.kernels import normalization as norm
from hornbeam.kernels.normalization import reference
from tests.marks import native_only
from tests.tolerances import assert_close

SHAPES = [(7, 5, 16), (1, 33), (3, 4, 5, 24), (1000, 65), (300, 128), (0, 20), (6, 3)]
DTYPES = ["float32", "bfloat16"]


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are computed natively."""
    monkeypatch.setattr(norm, "pays", lambda rows, channels: True)


def _arrays(shape: Any, dtype: str = "float32") -> Any:
    """x, not centred, two vectors of its channels, and dy."""
    draw = np.random.default_rng(sum(shape)).standard_normal
    x, dy = 3 + draw(shape) * 2, draw(shape) / max(1, np.prod(shape[:-1])) ** 0.5
    vectors = [(1 + draw(shape[-1:]) / 4).astype("float32") for _ in range(2)]
    return x.astype(jnp.dtype(dtype)), *vectors, dy.astype(jnp.dtype(dtype))


def _scaled(moments: Any, scale_and_shift: Any) -> Any:
    def f(x: Any, gamma: Any, beta: Any) -> Any:
        mean, variance = moments(x, tuple(range(x.ndim - 1)))
        factor = jax.lax.rsqrt(variance + 1e-3) * gamma
        return scale_and_shift(x, factor, beta - mean * factor)

    return f


SCALED_REFERENCE = _scaled(reference.moments, reference.scale_and_shift)


def _batch(x: Any, gamma: Any, beta: Any) -> Any:
    mean, variance = norm.moments(x, tuple(range(x.ndim - 1)))
    return norm.batch_normalization(x, mean, variance, gamma, beta, 1e-3)


def _relu(f: Any) -> Any:
    return lambda *args: ops.relu.raw(f(*args))


def _residual(f: Any) -> Any:
    return lambda x, *vectors: ops.add.raw(x / 2, f(x, *vectors))


def _layer(x: Any, gamma: Any, beta: Any) -> Any:
    return norm.layer_normalization(x, gamma, beta, 1e-3)


def _layer_reference(x: Any, gamma: Any, beta: Any) -> Any:
    return reference.layer_normalization(x, gamma, beta, 1e-3)[0]


def _block(f: Any, normalize: Any) -> Any:
    """Two layers, the first of which is used by the second and added to it: its result has two gradients."""

    def run(x: Any, *vectors: Any) -> Any:
        first = f(x, *vectors)
        return ops.relu.raw(ops.add.raw(first, normalize(jnp.sin(first), *vectors)))

    return run


KINDS = {
    "scaled": (_scaled(norm.moments, norm.scale_and_shift), SCALED_REFERENCE),
    "batch": (_batch, SCALED_REFERENCE),
    "batch, relu": (_relu(_batch), _relu(SCALED_REFERENCE)),
    "batch, residual": (_residual(_batch), _residual(SCALED_REFERENCE)),
    "batch, residual, relu": (_relu(_residual(_batch)), _relu(_residual(SCALED_REFERENCE))),
    "two": (_block(_relu(_batch), _batch), _block(_relu(SCALED_REFERENCE), SCALED_REFERENCE)),
    "two, residual": (
        _block(_relu(_residual(_batch)), _batch),
        _block(_relu(_residual(SCALED_REFERENCE)), SCALED_REFERENCE),
    ),
    "layer": (_layer, _layer_reference),
}

# The same in NumPy: each takes x, gamma and beta, and returns y and what makes gradients of y into theirs.
Definition = Callable[..., tuple[Any, Callable[[Any], Any]]]


def _normalized(axes: Callable[[Any], Any]) -> Definition:
    def f(x: Any, gamma: Any, beta: Any) -> Any:
        over, rows = axes(x), tuple(range(x.ndim - 1))
        count = np.prod([x.shape[axis] for axis in over])
        mean = x.sum(over, keepdims=True) / count
        factor = (((x - mean) ** 2).sum(over, keepdims=True) / count + 1e-3) ** -0.5
        centred = (x - mean) * factor

        def pull(dy: Any) -> Any:
            slope = dy * gamma
            means = (each.sum(over, keepdims=True) / count for each in (slope, slope * centred))
            dx = factor * (slope - next(means) - centred * next(means))
            return dx, (dy * centred).sum(rows), dy.sum(rows)

        return centred * gamma + beta, pull

    return f


def _relu_of(f: Definition) -> Definition:
    def run(*arrays: Any) -> Any:
        y, pull = f(*arrays)
        return np.maximum(y, 0), lambda dy: pull(np.where(y > 0, dy, 0))

    return run


def _residual_of(f: Definition) -> Definition:
    def run(x: Any, *vectors: Any) -> Any:
        y, pull = f(x, *vectors)

        def both(dy: Any) -> Any:
            dx, *rest = pull(dy)
            return dx + dy / 2, *rest

        return x / 2 + y, both

    return run


def _block_of(f: Definition, normalize: Definition) -> Definition:
    def run(x: Any, *vectors: Any) -> Any:
        first, pull = f(x, *vectors)
        second, pull_second = normalize(np.sin(first), *vectors)
        y = first + second

        def both(dy: Any) -> Any:
            dy = np.where(y > 0, dy, 0)
            d_sine, *seconds = pull_second(dy)
            dx, *firsts = pull(dy + np.cos(first) * d_sine)
            return dx, *(a + b for a, b in zip(firsts, seconds, strict=True))

        return np.maximum(y, 0), both

    return run


BATCH = _normalized(lambda x: tuple(range(x.ndim - 1)))
DEFINITIONS: dict[str, Definition] = {
    "scaled": BATCH,
    "batch": BATCH,
    "batch, relu": _relu_of(BATCH),
    "batch, residual": _residual_of(BATCH),
    "batch, residual, relu": _relu_of(_residual_of(BATCH)),
    "two": _block_of(_relu_of(BATCH), BATCH),
    "two, residual": _block_of(_relu_of(_residual_of(BATCH)), BATCH),
    "layer": _normalized(lambda x: (x.ndim - 1,)),
}

KINDS_AND_TYPES = [
    *((kind, "float32") for kind in KINDS),
    ("batch", "bfloat16"),
    ("layer", "bfloat16"),
]


def _vjp(f: Any, *arrays: Any) -> Any:
    y, pull = jax.vjp(f, *arrays[:-1])
    return y, pull(arrays[-1])


_run = jax.jit(_vjp, static_argnums=0)


def _by_definition(kind: str, *arrays: Any) -> Any:
    *most, dy = (np.asarray(a, "float64") for a in arrays)
    y, pull = DEFINITIONS[kind](*most)
    return y, pull(dy)


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference(kind: str) -> None:
    arrays = _arrays((7, 5, 16))
    assert_close(_run(KINDS[kind][1], *arrays), _by_definition(kind, *arrays))


def _compared(kind: str, shape: Any, dtype: str) -> bool:
    """Return whether the table of tolerances holds for a case."""
    if kind != "layer" and shape[0] == 1:
        return False  # factor is 30 times the rounding of x: see `test_one_row`
    fused = native.suits(jnp.ones(1, dtype))
    rounded = kind.startswith("two") or (kind == "batch, residual, relu" and not fused)
    # In bfloat16 what is rounded before relu changes its sign at a few numbers near 0.
    return not (rounded and dtype == "bfloat16")


@pytest.mark.parametrize(
    ("kind", "shape", "dtype"),
    [case for case in itertools.product(KINDS, SHAPES, DTYPES) if _compared(*case)],
    ids=str,
)
def test_value_and_gradients(kind: str, shape: Any, dtype: str) -> None:
    arrays = _arrays(shape, dtype)
    actual = _run(KINDS[kind][0], *arrays)
    assert actual[0].dtype == actual[1][0].dtype == dtype
    assert actual[1][1].dtype == "float32"
    if arrays[0].size:
        expected = _by_definition(kind, *arrays)
    else:  # of which gradients of nothing are NaN, no definition tells
        expected = _run(KINDS[kind][1], *(a.astype("float32") for a in arrays))
    assert_close(actual, expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [k for k in KINDS if k.startswith(("scaled", "batch"))])
def test_one_row(kind: str, dtype: str) -> None:
    """Without variance all but beta is a difference of equal numbers, here of small ones."""
    x, *rest = _arrays((1, 33), dtype)
    arrays = x / 64, *rest
    assert_close(_run(KINDS[kind][0], *arrays), _by_definition(kind, *arrays), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_of_a_large_mean(dtype: str) -> None:
    """Sums of squares lose the variance where the mean is large; distances from the mean don't."""
    x = (1000 + np.random.default_rng(0).standard_normal((5000, 32))).astype(jnp.dtype(dtype))
    wide = np.asarray(x, np.float64)
    mean, variance = norm.moments(jnp.asarray(x), 0)
    assert_close((mean, variance), (wide.mean(0), wide.var(0)))


@pytest.mark.parametrize("kind", KINDS)
def test_second_gradient(kind: str) -> None:
    x, gamma, beta, _ = _arrays((20, 33))

    def slope(f: Any) -> Any:
        def loss(*args: Any) -> Any:
            return jnp.mean(jnp.tanh(f(*args)) ** 2)

        def inner(*args: Any) -> Any:
            return sum(jnp.sum(g**2) for g in jax.grad(loss, argnums=(0, 1, 2))(*args))

        return jax.jit(jax.grad(inner, argnums=(0, 1, 2)))(x, gamma, beta)

    assert_close(slope(KINDS[kind][0]), slope(KINDS[kind][1]))


@pytest.mark.parametrize("axes", [(0, None, None), (0, 0, 0)])
@pytest.mark.parametrize(("kind", "dtype"), KINDS_AND_TYPES)
def test_vmap(kind: str, dtype: str, axes: Any) -> None:
    arrays = _arrays((20, 33), dtype)[:3]
    several = [
        [a] * 3 if axis is None else [a, a + 1, 2 * a] for a, axis in zip(arrays, axes, strict=True)
    ]
    stacked = [
        a[0] if axis is None else np.stack(a, axis) for a, axis in zip(several, axes, strict=True)
    ]

    def loss(*args: Any) -> Any:
        y = KINDS[kind][0](*args)
        return jnp.sum(jnp.tanh(y.astype("float32"))) / 8, y

    gradients = jax.grad(loss, argnums=(0, 1, 2), has_aux=True)
    actual = jax.jit(jax.vmap(gradients, in_axes=axes))(*stacked)
    for i, one in enumerate(zip(*several, strict=True)):
        y, pull = DEFINITIONS[kind](*(np.asarray(a, "float64") for a in one))
        expected = pull((1 - np.tanh(y) ** 2) / 8), y
        assert_close(jax.tree.map(lambda a, i=i: a[i], actual), expected, dtype)


@pytest.mark.parametrize(("kind", "dtype"), KINDS_AND_TYPES)
def test_inside_scan(kind: str, dtype: str) -> None:
    x, gamma, beta, _ = _arrays((32, 40), dtype)

    def body(x: Any, _: Any) -> tuple[Any, None]:
        return jnp.tanh(KINDS[kind][0](x, gamma, beta)) + x, None

    def loss(x: Any) -> Any:
        y = jax.lax.scan(body, x, length=3)[0]
        return jnp.sum(y.astype("float32") ** 2) / 8, y

    actual = jax.jit(jax.grad(loss, has_aux=True))(x)
    y, pulls = np.asarray(x, "float64"), []
    for _ in range(3):
        inner, pull = DEFINITIONS[kind](y, gamma, beta)
        pulls.append((np.tanh(inner), pull))
        y = np.tanh(inner) + y
    slope = y / 4
    for inner, pull in reversed(pulls):
        slope = slope + pull(slope * (1 - inner**2))[0]
    assert_close(actual, (slope, y), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_infinity_are_handed_on(kind: str, dtype: str) -> None:
    x, gamma, beta, dy = _arrays((40, 48), dtype)
    x[3, 4], x[5, 6], dy[9, 9], dy[10, 10] = np.nan, np.inf, np.nan, -np.inf
    actual = _run(KINDS[kind][0], x, gamma, beta, dy)
    with np.errstate(invalid="ignore"):
        expected = _by_definition(kind, x, gamma, beta, dy)
    assert bool(jnp.isnan(actual[0]).any()) and not bool(jnp.isnan(actual[0]).all())
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        a, e = np.array(a, "float32"), np.array(e, "float32")
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(e))
        for each in (a, e):
            each[np.isfinite(each)] = 0
            # An infinite dy is summed up in another order, and inf - inf is NaN.
            each[10] = each[..., 10] = 0
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_each_time_and_from_many_threads(kind: str) -> None:
    arrays = _arrays((3000, 65))
    first = jax.tree.map(np.asarray, _run(KINDS[kind][0], *arrays))
    with ThreadPoolExecutor(6) as threads:
        for job in [threads.submit(_run, KINDS[kind][0], *arrays) for _ in range(20)]:
            jax.tree.map(np.testing.assert_array_equal, job.result(), first)


@native_only
def test_wrong_shapes() -> None:
    result = jax.ShapeDtypeStruct((20,), "float32")
    with pytest.raises(Exception, match="moments: expected x"):
        native.call("moments", (result, result), jnp.ones((4, 21)))
    with pytest.raises(Exception, match="channel_products: expected x and dy"):
        native.call("channel_products", (result, result), jnp.ones((4, 20)), jnp.ones((5, 20)))
    x, vector = jnp.ones((4, 20)), jnp.ones(20)
    for vectors in ([vector] * 3 + [jnp.ones(19)], [vector] * 4 + [jnp.ones((4, 19))]):
        with pytest.raises(Exception, match="batch_norm_forward: expected x"):
            native.call("batch_norm_forward", x, x, *vectors, epsilon=np.float64(1), relu=False)
    results = (x, x[:1], vector, vector)
    for vectors in ([vector] * 2 + [jnp.ones(19)], [vector] * 3):
        with pytest.raises(Exception, match="batch_norm_backward: expected x"):
            options = {"epsilon": np.float64(1), "relu": False, "residual": False}
            native.call("batch_norm_backward", results, x, x, *vectors, **options)


@native_only
def test_what_follows_is_computed_with_it() -> None:
    """Sums over rows, and one pass over x and the other: no kernel whose result goes unused, no addition."""

    def f(x: Any, other: Any, gamma: Any, beta: Any) -> Any:
        return ops.relu.raw(ops.add.raw(other, _batch(x, gamma, beta)))

    x, gamma, beta, other = _arrays((300, 128))
    text = str(jax.jit(f).lower(x, other, gamma, beta).compile().as_text())
    assert text.count("hornbeam_batch_norm_forward") == 1
    assert not any(f"f32[300,128]{{1,0}} {name}(" in text for name in ("add", "maximum"))


def test_a_sum_of_other_shapes_is_not_fused() -> None:
    x, gamma, beta, _ = _arrays((40, 32))

    def f(x: Any, other: Any) -> Any:
        return ops.add.raw(_batch(x, gamma, beta), other)

    for other in (jnp.ones(32), jnp.ones((2, 40, 32)), jnp.ones((40, 32), "bfloat16"), 1.0):
        assert_close(jax.jit(f)(x, other), BATCH(x, gamma, beta)[0] + np.asarray(other, "float32"))


def test_small_arrays_are_left_to_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not norm.pays(32, 64) and norm.pays(2048, 256)


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_layers_with_and_without_native_kernels(policy: str, axis: int) -> None:
    x = np.asarray(_arrays((6, 20, 20))[0])

    def results(cls: Any) -> Any:
        layer = cls(axis=axis, dtype=policy)
        layer.build(x.shape)
        assert layer(x).dtype == layer.compute_dtype

        def loss(weights: Any) -> Any:
            own = [v.value for v in layer.non_trainable_variables]
            y, new = layer.stateless_call(weights, own, x, **training)
            return ops.mean(ops.square(ops.cast(y, "float32") - 0.5))._value, new

        training = {"training": True} if cls is keras.layers.BatchNormalization else {}
        weights = [jnp.asarray(v.value._value) for v in layer.trainable_variables]
        return jax.grad(loss, has_aux=True)(weights)

    for cls in (keras.layers.BatchNormalization, keras.layers.LayerNormalization):
        actual = results(cls)
        with native.switched_off():
            expected = results(cls)
        assert_close(actual, expected, "float32" if policy == "float32" else "bfloat16")
