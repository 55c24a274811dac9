"""Wrong arguments: early, and with what came and what was expected."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import ops

X = np.ones((2, 8, 8, 4), "float32")
K = np.ones((3, 3, 4, 6), "float32")

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
    ("dot_product_attention", [X, X, X[0]], {}, r"4 axes \(batch, time, heads, features\)"),
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
