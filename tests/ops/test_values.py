"""What differs from Keras on purpose, and what a comparison with it can't show."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras, ops
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.ops.manipulation import repeat
from tests.tolerances import assert_close


@pytest.mark.parametrize("from_logits", [False, True])
def test_a_label_that_is_no_class_is_nan_and_leaves_the_others(from_logits: bool) -> None:
    output = np.full((4, 3), 1 / 3, "float32")
    labels = np.array([0, 3, -1, 2])
    loss = jax.jit(lambda t, o: unwrap(ops.sparse_categorical_crossentropy(t, o, from_logits)))
    assert np.isnan(loss(labels, output)).tolist() == [False, True, True, False]


def test_sparse_labels_may_have_an_axis_of_size_one_and_any_axis_of_classes() -> None:
    output = np.random.default_rng(0).dirichlet(np.ones(4), (2, 3)).astype("float32")  # b t c
    labels = np.array([[0, 1, 2], [3, 2, 1]])
    expected = -np.log(np.take_along_axis(output, labels[..., None], -1))[..., 0]
    assert_close(ops.sparse_categorical_crossentropy(labels, output), expected)
    assert_close(ops.sparse_categorical_crossentropy(labels[..., None], output), expected)
    turned = np.moveaxis(output, -1, 1)
    assert_close(ops.sparse_categorical_crossentropy(labels, turned, axis=1), expected)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_crossentropies_stay_finite_at_certainty(dtype: str) -> None:
    sure = ops.cast([[0.0, 1.0], [1.0, 0.0]], dtype)
    for loss in (ops.binary_crossentropy, ops.categorical_crossentropy):
        values = loss(sure, 1 - sure).numpy().astype("float32")
        assert np.isfinite(values).all() and (values > 4).all()
        assert np.isfinite(loss(sure, sure).numpy().astype("float32")).all()
    logits = ops.cast([[1000.0, -1000.0]], dtype)
    assert_close(ops.sparse_categorical_crossentropy([0], logits, from_logits=True), [0.0], dtype)


def test_indices_that_do_not_exist() -> None:
    table = np.arange(6.0, dtype="float32").reshape(3, 2)
    assert_close(ops.take(table, [-1, 0], axis=0), table[[2, 0]])
    assert np.isnan(ops.take(table, [3], axis=0)).all()
    assert np.isnan(ops.embedding_lookup(table, [-1])).all()
    assert not ops.one_hot([-1, 3], 3).numpy().any()


def test_attention_masks() -> None:
    draw = np.random.default_rng(0)
    q, k, v = (draw.normal(size=(2, 3, 2, 4)).astype("float32") for _ in range(3))
    mask = np.tril(np.ones((3, 3), bool))
    causal = ops.dot_product_attention(q, k, v, is_causal=True)
    assert_close(ops.dot_product_attention(q, k, v, mask=mask), causal)
    bias = np.where(mask, 0, -1e9).astype("float32")
    assert_close(ops.dot_product_attention(q, k, v, bias=bias), causal)
    first = ops.dot_product_attention(q, k, v, is_causal=True)[:, 0]
    assert_close(first, v[:, 0])  # the first step sees only itself
    nothing = ops.dot_product_attention(q, k, v, mask=np.zeros((1, 1, 3, 3), bool))
    assert np.isfinite(nothing.numpy()).all()
    capped = ops.dot_product_attention(100 * q, k, v, attn_logits_soft_cap=1e-6)
    assert_close(capped, np.broadcast_to(v.mean(1, keepdims=True), v.shape))


def test_sparsemax_is_the_nearest_distribution() -> None:
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    for axis in (0, 1):
        p = ops.sparsemax(x, axis=axis).numpy()
        assert (p >= 0).all() and (p == 0).any()
        assert_close(p.sum(axis), np.ones(p.shape[1 - axis]))
        # Where p > 0, x - p is one number per distribution, and nowhere is x above it: the optimum.
        level = np.where(p > 0, x - p, -np.inf).max(axis, keepdims=True)
        assert_close(p, np.maximum(x - level, 0))


def test_istft_undoes_stft() -> None:
    x = np.random.default_rng(0).normal(size=(2, 64)).astype("float32")
    for center in (True, False):
        parts = ops.stft(x, 16, 4, 16, center=center)
        back = ops.istft(parts, 16, 4, 16, length=64, center=center).numpy()
        inside = slice(8, -8)
        assert_close(back[:, inside], x[:, inside])


def test_scatter_and_slices() -> None:
    x = ops.zeros((3, 2))
    rows = ops.scatter_update(x, [[0], [2]], [[1.0, 2], [3, 4]])
    assert rows.numpy().tolist() == [[1, 2], [0, 0], [3, 4]]
    places = ops.scatter_update(rows, [[0, 1], [0, 1]], [10.0, 10.0], reduction="add")
    assert places.numpy().tolist() == [[1, 22], [0, 0], [3, 4]]
    for rule, expected in (("max", 5), ("min", 1), ("mul", 5)):
        found = ops.scatter_update([1.0], [[0]], [5.0], reduction=rule)
        assert found.numpy().tolist() == [expected]
    moved = ops.slice_update(np.zeros(4, "float32"), ops.convert_to_tensor([2]), [7, 8])
    assert moved.numpy().tolist() == [0, 0, 7, 8]
    assert ops.get_item(x, (0, slice(None))).shape == (2,)


def test_saturate_cast_reaches_the_limits() -> None:
    big = [-1e20, -1.5, 1.5, 1e20]
    assert ops.saturate_cast(big, "uint8").numpy().tolist() == [0, 0, 1, 255]
    whole = ops.saturate_cast(big, "int32").numpy().tolist()
    assert whole[0] == -(2**31) and whole[1:3] == [-1, 1] and whole[3] > 2**31 - 200
    assert np.isfinite(ops.saturate_cast(big, "float16").numpy()).all()
    assert ops.saturate_cast(ops.cast(300, "int32"), "int8") == 127


def test_gradients_at_corners_are_finite() -> None:
    x = jnp.zeros((2, 3))
    for fn in (
        lambda x: ops.normalize(x),
        lambda x: ops.cdist(x, x),
        lambda x: ops.divide_no_nan(x, x),
        lambda x: ops.max_pool(ops.reshape(x, (1, 6, 1)), 2),
    ):
        assert np.isfinite(jax.grad(lambda x, fn=fn: jnp.sum(unwrap(fn(x))))(x)).all()


def test_lists_numbers_and_variables_are_tensors_too() -> None:
    weights = keras.Variable([1.0, 2.0])
    for found in (ops.exp([0.0]), ops.maximum(1, [0, 3]), ops.add(weights, 1), ops.sum(2.0)):
        assert isinstance(found, Tensor)
    assert ops.concatenate([weights, ops.ones(1)]).shape == (3,)
    assert ops.stack([ops.ones(2), [1.0, 2.0]]).shape == (2, 2)


def test_half_precision_moments_do_not_overflow() -> None:
    x = np.full((4, 1000), 200.0, "float16")
    x[:, 0] = 0
    mean, variance = ops.moments(x, axes=[0, 1])
    assert np.isfinite([float(mean), float(variance)]).all() and mean.dtype == "float16"
    assert ops.layer_normalization(x).dtype == "float16"


SYMBOLIC: list[tuple[Any, tuple[Any, ...]]] = [
    (lambda x: ops.relu(x), (None, 8, 8, 4)),
    (lambda x: ops.max_pool(x, 2), (None, 4, 4, 4)),
    (lambda x: ops.conv(x, np.ones((3, 3, 4, 5), "float32"), padding="same"), (None, 8, 8, 5)),
    (lambda x: ops.mean(x, axis=(1, 2)), (None, 4)),
    (lambda x: ops.reshape(x, (ops.shape(x)[0], -1)), (None, 256)),
    (lambda x: ops.reshape(x, (-1, 8, 32)), (None, 8, 32)),
    (lambda x: ops.split(x, 2, axis=-1)[1], (None, 8, 8, 2)),
    (lambda x: ops.concatenate([x, x], axis=1), (None, 16, 8, 4)),
    (lambda x: ops.one_hot(ops.argmax(x, axis=-1), 7), (None, 8, 8, 7)),
    (lambda x: ops.moments(x, axes=[1, 2])[0], (None, 4)),
    (lambda x: ops.cast(x > 0, "float32"), (None, 8, 8, 4)),
    (lambda x: ops.convert_to_tensor(x, "float16"), (None, 8, 8, 4)),
]


@pytest.mark.parametrize(("fn", "shape"), SYMBOLIC)
def test_symbolic_tensors(fn: Any, shape: Any) -> None:
    found = fn(KerasTensor((None, 8, 8, 4)))
    assert isinstance(found, KerasTensor) and found.shape == shape


def test_results_of_bytes_and_numbers_as_in_keras() -> None:
    bytes_ = np.full((2, 2), 100, "int8")
    product = ops.matmul(bytes_, bytes_)
    assert product.dtype == "int32"
    np.testing.assert_array_equal(product, np.full((2, 2), 20000))
    np.testing.assert_array_equal(ops.argsort(3.0), [0])


def test_repeats_may_differ_inside_a_program() -> None:
    compiled = jax.jit(lambda x: repeat.raw(x, [1, 2], 0))
    np.testing.assert_array_equal(compiled(jnp.array([3, 4])), [3, 4, 4])


def test_cross_of_vectors_in_a_plane():
    """JAX 0.12 and NumPy 2.5 take vectors of 3 elements alone."""
    a, b = np.array([[1, 2], [3, 4]], "float32"), np.array([[5, 6], [7, 9]], "float32")
    in_space = np.array([[5, 6, 2], [7, 9, 1]], "float32")
    np.testing.assert_array_equal(ops.cross(a, b), [-4, -1])
    np.testing.assert_array_equal(ops.cross(a.T, b, axisa=0), [-4, -1])
    np.testing.assert_array_equal(ops.cross(a, in_space), [[4, -2, -4], [4, -3, -1]])
    np.testing.assert_array_equal(ops.cross(a[0], in_space.T, axisb=0, axisc=0)[:, 0], [4, -2, -4])
