"""Wrong arguments: early, and with what came and what was expected."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import ops
from tests.tolerances import assert_close

X = np.ones((2, 8, 8, 4), "float32")
K = np.ones((3, 3, 4, 6), "float32")
Q = np.ones((2, 5, 4, 3), "float32")
PAIRS = np.ones((2, 4, 5, 7), bool)

MISTAKES: list[tuple[str, list[Any], dict[str, Any], str]] = [
    ("conv", [X, K[:, :, :3]], {}, r"4 input channels and 6 filters into groups of 3"),
    ("conv", [X[0, 0], K], {}, r"3 to 5 axes .* received inputs of shape \(8, 4\)"),
    ("conv", [X, K], {"padding": "sam"}, r"padding of `conv`: 'sam'. Did you mean 'same'\?"),
    ("conv", [X, K], {"padding": "causal"}, r"Unknown padding"),
    ("conv", [X, K], {"strides": (1, 2, 3)}, r"`strides` is an integer or 2 integers"),
    ("conv", [X, K], {"data_format": "channel_last"}, r"channels_last"),
    ("depthwise_conv", [X, K[:, :, :2]], {}, r"inputs of 4 channels, but a kernel for 2"),
    ("conv_transpose", [X, K], {}, r"inputs of 4 channels, but a kernel for 6"),
    ("max_pool", [X, 9], {}, r"window \(9, 9\) is larger than the space \(8, 8\)"),
    ("average_pool", [X[0, 0], 2], {}, r"\(batch, spatial axes..., channels\)"),
    ("space_to_depth", [X, 3], {}, r"divisible by 3, not 8 x 8"),
    ("depth_to_space", [X, 3], {}, r"divisible by 9, not 4"),
    ("glu", [X[..., :3]], {}, r"must be even"),
    ("binary_crossentropy", [[1.0, 0.0], [0.5]], {}, r"target.shape=\(2,\), output.shape=\(1,\)"),
    ("categorical_crossentropy", [X, X[..., :2]], {}, r"must have the same shape"),
    ("sparse_categorical_crossentropy", [[1, 2], X[0, 0]], {}, r"without its axis of classes"),
    ("matmul", [X, X[:1]], {}, r"x1 of shape \(2, 8, 8, 4\) and x2 of shape \(1, 8, 8, 4\)"),
    ("matmul", [X, np.ones((3, 4, 2))], {}, r"received x1 .* x2 of shape \(3, 4, 2\)"),
    ("matmul", [X[0, 0], X[0, 0, 0, :3]], {}, r"received x1 of shape \(8, 4\) and x2 .* \(3,\)"),
    ("matmul", [X[0, 0, 0], K[0, 0, :3]], {}, r"received x1 of shape \(4,\) and x2 .* \(3, 6\)"),
    ("matmul", [X, 1.0], {}, r"received .* x2 of shape \(\)"),
    ("matmul", [X[:0], K[0]], {}, r"x1 of shape \(0, 8, 8, 4\) and x2 of shape \(3, 4, 6\)"),
    ("einsum", ["bhwc,cd->bhd", X, X[0, 0]], {}, r"shapes \(2, 8, 8, 4\), \(8, 4\): .*'c'"),
    ("einsum", ["bhw->b", X], {}, r"'bhw->b' of operands of shapes \(2, 8, 8, 4\)"),
    ("layer_normalization", [X, X[0, 0, 0, :3]], {}, r"`gamma`.*\(4,\).*received \(3,\)"),
    ("layer_normalization", [X[:, :3], None, X[0, 0]], {"axis": (1, 3)}, r"`beta`.*\(3, 4\)"),
    ("rms_normalization", [X[..., :1], X[0, 0, 0]], {}, r"`scale`.*\(1,\).*received \(4,\)"),
    ("dot_product_attention", [X, X, X[0]], {}, r"4 axes \(batch, time, heads, features\)"),
    ("dot_product_attention", [Q, Q[:1], Q[:1]], {}, r"key \(1, 5, 4, 3\), value \(1, 5, 4, 3\)"),
    ("dot_product_attention", [Q, Q, Q[:, :3]], {}, r"value \(2, 3, 4, 3\)"),
    ("dot_product_attention", [Q, Q[..., :1], Q], {}, r"key \(2, 5, 4, 1\)"),
    ("dot_product_attention", [Q, Q[:, :, :2], Q[:, :, :1]], {}, r"value \(2, 5, 1, 3\)"),
    ("dot_product_attention", [Q, Q[:, :, :3], Q[:, :, :3]], {}, r"n a multiple of m"),
    ("dot_product_attention", [Q[:, :, :1], Q, Q], {}, r"n a multiple of m"),
    ("dot_product_attention", [Q, Q[:, :, :0], Q[:, :, :0]], {}, r"both at least 1"),
    (
        "dot_product_attention",
        [Q, Q, Q],
        {"mask": PAIRS},
        r"`mask`.*\(2, 4, 5, 5\).*\(2, 4, 5, 7\)",
    ),
    ("dot_product_attention", [Q, Q, Q], {"bias": X[0, 0]}, r"`bias`.*\(2, 4, 5, 5\).*\(8, 4\)"),
    ("dot_product_attention", [Q, Q, Q], {"mask": PAIRS[None, ..., :5]}, r"received shape \(1, 2"),
    ("pad", [X, 1], {"mode": "edge", "constant_values": 1}, r"only for mode='constant'"),
    ("where", [[True]], {"x1": 1}, r"both `x1` and `x2`, or neither"),
    ("unstack", [X], {"num": 3}, r"num=3 slices, but axis 0 .* has 2"),
    ("scatter_update", [[1.0], [[0]], [2.0]], {"reduction": "mean"}, r"received 'mean'"),
    ("one_hot", [[1], 3], {"sparse": True}, r"Sparse results are not supported"),
    ("multi_hot", [[1]], {}, r"needs `num_classes`"),
    ("layer_normalization", [X], {"centre": True}, r"unknown arguments: centre"),
    ("normalize", [X], {"order": 0}, r"number >= 1; received 0"),
    ("histogram", [X], {"bins": 0}, r"positive integer; received 0"),
    ("rearrange", [X, "b h w -> b h w"], {}, r"names 3 axes, but the tensor's shape"),
    ("rearrange", [X, "b h w c -> b h w d"], {}, r"same axes, each once"),
    ("rearrange", [X, "b (h n) w c -> b h n w c"], {"n": 3}, r"can't divide an axis of size 8"),
    ("rearrange", [X, "b (h n) w c -> b h n w c"], {}, r"can't divide"),
    ("fft", [X], {}, r"pair \(real part, imaginary part\)"),
    ("stft", [X[0, 0], 2, 1, 2], {"window": "han"}, r"received 'han'"),
    ("qr", [X], {"mode": "r"}, r"received 'r'"),
    ("convert_to_tensor", [[1]], {"sparse": True}, r"use a dense one"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m[0]}-{m[3][:24]}")
def test_mistakes_are_explained(mistake: Any) -> None:
    name, args, kwargs, message = mistake
    with pytest.raises((ValueError, TypeError), match=message):
        getattr(ops, name)(*args, **kwargs)


def test_counts_that_depend_on_values_are_refused_when_compiling() -> None:
    ids = np.array([0, 1])
    with pytest.raises(ValueError, match="needs `num_segments`"):
        jax.eval_shape(lambda ids: ops.segment_sum(ids, ids), ids)


@pytest.mark.parametrize(
    ("a", "b", "shape"),
    [
        ((2, 1, 3, 4), (5, 4, 6), (2, 5, 3, 6)),
        ((4,), (4,), ()),
        ((4,), (2, 4, 6), (2, 6)),
        ((2, 3, 4), (4,), (2, 3)),
        ((0, 4), (4, 6), (0, 6)),
        ((3, 0), (0, 6), (3, 6)),
        ((1, 3, 4), (0, 4, 6), (0, 3, 6)),
    ],
    ids=str,
)
def test_factors_that_fit(a: Any, b: Any, shape: Any) -> None:
    y = ops.matmul(np.ones(a, "float32"), np.ones(b, "float32"))
    np.testing.assert_array_equal(y, np.full(shape, float(a[-1]), "float32"))


@pytest.mark.parametrize(
    ("query", "key", "value", "pairs"),
    [
        ((2, 5, 4, 3), (2, 7, 2, 3), (2, 7, 2, 6), (7,)),
        ((2, 5, 4, 3), (2, 7, 1, 3), (2, 7, 1, 3), (1, 4, 1, 7)),
        ((0, 5, 4, 3), (0, 7, 4, 3), (0, 7, 4, 3), (0, 1, 5, 7)),
        ((2, 0, 4, 3), (2, 7, 4, 3), (2, 7, 4, 3), ()),
        ((2, 5, 4, 0), (2, 7, 4, 0), (2, 7, 4, 3), (5, 7)),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["mask", "bias"])
def test_attention_that_fits(query: Any, key: Any, value: Any, pairs: Any, name: str) -> None:
    """Every query finds the mean of equal values."""
    q, k, v, extra = (np.ones(shape, "float32") for shape in (query, key, value, pairs))
    options: dict[str, Any] = {name: extra}
    y = ops.dot_product_attention(q, k, v, **options)
    assert_close(y, np.ones((*query[:3], value[3])), "rounded")
