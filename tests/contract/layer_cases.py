"""For every exported layer: how the contract tests make it, and what they call it on.

A class without an entry fails tests/contract/test_layers.py: whoever exports a layer adds a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hornbeam import keras
from hornbeam.keras import layers


class Case(NamedTuple):
    """A layer's arguments (not the defaults, where there is a choice), and the shape of its input, batch axis included.

    `arguments` is a function where they hold layers, which must be new for each test. `shape` is a list of shapes for a
    layer that takes a list of tensors; with `apart` they are arguments of their own. `highest` makes the inputs integers
    below it. `written` is the name in configurations, where it is not that of the class. `ends_mask` says that no mask
    goes on behind the layer, as in Keras: time is not an axis of its outputs any more, or not the same one.
    """

    arguments: dict[str, Any] | Callable[[], dict[str, Any]]
    shape: Any
    highest: int | None = None
    apart: bool = False
    written: str | None = None
    ends_mask: bool = False


@keras.saving.register_keras_serializable("contract")
def twice(x: Any) -> Any:
    """A function for `Lambda`."""
    return 2 * x


SEQUENCE, IMAGE, VOLUME = (2, 6, 4), (2, 6, 5, 4), (2, 4, 5, 4, 2)
TWO = [(2, 3, 4), (2, 3, 4)]
QUERY_AND_VALUE = [(2, 3, 4), (2, 5, 4)]

CASES: dict[str, Case] = {
    "Activation": Case({"activation": "gelu"}, (2, 5)),
    "ActivityRegularization": Case({"l1": 0.1, "l2": 0.2}, (2, 5)),
    "AdaptiveAveragePooling1D": Case({"output_size": 4}, SEQUENCE, ends_mask=True),
    "AdaptiveAveragePooling2D": Case({"output_size": (3, 2)}, IMAGE),
    "AdaptiveAveragePooling3D": Case({"output_size": 2}, VOLUME),
    "AdaptiveMaxPooling1D": Case({"output_size": 4}, SEQUENCE, ends_mask=True),
    "AdaptiveMaxPooling2D": Case({"output_size": 2, "data_format": "channels_first"}, IMAGE),
    "AdaptiveMaxPooling3D": Case({"output_size": (2, 3, 1)}, VOLUME),
    "Add": Case({}, TWO),
    "AdditiveAttention": Case({"use_scale": True}, QUERY_AND_VALUE),
    "AlphaDropout": Case({"rate": 0.3, "seed": 1}, SEQUENCE),
    "Attention": Case({"use_scale": True, "score_mode": "concat"}, QUERY_AND_VALUE),
    "Average": Case({}, TWO),
    "AveragePooling1D": Case({"pool_size": 2, "strides": 1}, SEQUENCE, ends_mask=True),
    "AveragePooling2D": Case({"pool_size": (2, 3), "padding": "same"}, IMAGE),
    "AveragePooling3D": Case({"pool_size": 2}, VOLUME),
    "BatchNormalization": Case({"momentum": 0.5, "beta_regularizer": "l2"}, IMAGE),
    "Bidirectional": Case(
        lambda: {"layer": layers.GRU(3, name="inner"), "merge_mode": "sum"},
        SEQUENCE,
        ends_mask=True,
    ),
    "Concatenate": Case({"axis": 1}, TWO),
    "Conv1D": Case(
        {"filters": 4, "kernel_size": 3, "padding": "causal", "groups": 2}, SEQUENCE, ends_mask=True
    ),
    "Conv1DTranspose": Case(
        {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1},
        SEQUENCE,
        ends_mask=True,
    ),
    "Conv2D": Case(
        {"filters": 3, "kernel_size": (2, 3), "activation": "relu", "kernel_regularizer": "l2"},
        IMAGE,
    ),
    "Conv2DTranspose": Case(
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE
    ),
    "Conv3D": Case({"filters": 3, "kernel_size": 2, "use_bias": False}, VOLUME),
    "Conv3DTranspose": Case({"filters": 3, "kernel_size": 2, "strides": 2}, VOLUME),
    "Cropping1D": Case({"cropping": (1, 2)}, SEQUENCE, ends_mask=True),
    "Cropping2D": Case({"cropping": ((1, 0), (0, 2))}, IMAGE),
    "Cropping3D": Case({"cropping": 1}, VOLUME),
    "Dense": Case({"units": 3, "activation": "relu", "kernel_constraint": "max_norm"}, (2, 5)),
    "DepthwiseConv1D": Case({"kernel_size": 3, "depth_multiplier": 2}, SEQUENCE, ends_mask=True),
    "DepthwiseConv2D": Case({"kernel_size": 3, "strides": 2}, IMAGE),
    "Dot": Case({"axes": 2, "normalize": True}, TWO),
    "Dropout": Case({"rate": 0.3, "noise_shape": (None, 1, 4), "seed": 1}, SEQUENCE),
    "ELU": Case({"alpha": 0.5}, (2, 5)),
    "EinsumDense": Case(
        {
            "equation": "abc,cde->abde",
            "output_shape": (None, 2, 3),
            "bias_axes": "e",
            "activation": "relu",
            "kernel_regularizer": "l2",
        },
        SEQUENCE,
        ends_mask=True,
    ),
    "Embedding": Case({"input_dim": 7, "output_dim": 3, "mask_zero": True}, (2, 5), highest=7),
    "Flatten": Case({"data_format": "channels_first"}, IMAGE),
    "GRU": Case({"units": 3, "return_sequences": True, "reset_after": False}, SEQUENCE),
    "GaussianDropout": Case({"rate": 0.3, "seed": 1}, SEQUENCE),
    "GaussianNoise": Case({"stddev": 0.3, "seed": 1}, SEQUENCE),
    "GlobalAveragePooling1D": Case({"keepdims": True}, SEQUENCE, ends_mask=True),
    "GlobalAveragePooling2D": Case({"data_format": "channels_first"}, IMAGE),
    "GlobalAveragePooling3D": Case({}, VOLUME),
    "GlobalMaxPooling1D": Case({"keepdims": True}, SEQUENCE, ends_mask=True),
    "GlobalMaxPooling2D": Case({"data_format": "channels_first"}, IMAGE),
    "GlobalMaxPooling3D": Case({}, VOLUME),
    "GroupNormalization": Case({"groups": 2}, IMAGE),
    "GroupedQueryAttention": Case(
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "sliding_window": 2},
        QUERY_AND_VALUE,
        apart=True,
        written="GroupQueryAttention",
    ),
    "Identity": Case({}, (2, 5)),
    "LSTM": Case(
        {"units": 3, "activation": "relu", "unit_forget_bias": False}, SEQUENCE, ends_mask=True
    ),
    "Lambda": Case({"function": twice}, (2, 5)),
    "LayerNormalization": Case({"axis": [1, 2], "epsilon": 0.1}, SEQUENCE),
    "LeakyReLU": Case({"negative_slope": 0.1}, (2, 5)),
    "Masking": Case({"mask_value": 1.0}, SEQUENCE),
    "MaxPooling1D": Case({"pool_size": 3, "padding": "same"}, SEQUENCE, ends_mask=True),
    "MaxPooling2D": Case({"pool_size": 3, "strides": 1}, IMAGE),
    "MaxPooling3D": Case({}, VOLUME),
    "Maximum": Case({}, TWO),
    "Minimum": Case({}, TWO),
    "MultiHeadAttention": Case(
        {"num_heads": 2, "key_dim": 3, "value_dim": 2, "use_gate": True, "output_shape": 5},
        QUERY_AND_VALUE,
        apart=True,
    ),
    "Multiply": Case({}, TWO),
    "PReLU": Case({"shared_axes": [1], "alpha_initializer": "ones"}, SEQUENCE),
    "Permute": Case({"dims": (3, 1, 2)}, IMAGE),
    "RMSNormalization": Case({"epsilon": 0.1}, SEQUENCE, ends_mask=True),
    "RNN": Case(
        lambda: {"cell": layers.SimpleRNNCell(3, name="inner"), "return_sequences": True}, SEQUENCE
    ),
    "ReLU": Case({"max_value": 1.0, "negative_slope": 0.1}, (2, 5)),
    "RepeatVector": Case({"n": 3}, (2, 5)),
    "Rescaling": Case({"scale": 0.5, "offset": -1.0}, IMAGE),
    "Reshape": Case({"target_shape": (5, -1)}, IMAGE),
    "SeparableConv1D": Case(
        {"filters": 3, "kernel_size": 2, "activation": "tanh"}, SEQUENCE, ends_mask=True
    ),
    "SeparableConv2D": Case({"filters": 3, "kernel_size": 2, "dilation_rate": 2}, IMAGE),
    "SimpleRNN": Case({"units": 3, "go_backwards": True}, SEQUENCE, ends_mask=True),
    "Softmax": Case({"axis": 1}, SEQUENCE),
    "SpatialDropout1D": Case({"rate": 0.3, "seed": 1}, SEQUENCE),
    "SpatialDropout2D": Case({"rate": 0.3, "data_format": "channels_first", "seed": 1}, IMAGE),
    "SpatialDropout3D": Case({"rate": 0.3, "seed": 1}, VOLUME),
    "Subtract": Case({}, TWO),
    "TimeDistributed": Case(lambda: {"layer": layers.Dense(3, name="inner")}, SEQUENCE),
    "UnitNormalization": Case({"axis": [1, 2]}, SEQUENCE),
    "UpSampling1D": Case({"size": 3}, SEQUENCE, ends_mask=True),
    "UpSampling2D": Case({"size": (2, 3), "interpolation": "bilinear"}, IMAGE),
    "UpSampling3D": Case({}, VOLUME),
    "ZeroPadding1D": Case({"padding": (0, 2)}, SEQUENCE, ends_mask=True),
    "ZeroPadding2D": Case({"padding": ((1, 0), (0, 2))}, IMAGE),
    "ZeroPadding3D": Case({"padding": 1}, VOLUME),
}

# What is no layer to call on a tensor: bases, the entrance of a graph, and cells, which are called with states.
NOT_CALLED = {
    "Layer",
    "InputLayer",
    "Wrapper",
    "SimpleRNNCell",
    "GRUCell",
    "LSTMCell",
    "StackedRNNCells",
}
