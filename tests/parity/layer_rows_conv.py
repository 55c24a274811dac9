"""Rows for convolutions and pooling."""

import numpy as np

from tests.parity.layer_parity import Row

STEPS = (2, 7, 4)
IMAGE = (2, 7, 6, 4)
VOLUME = (1, 5, 4, 4, 2)
MASK = np.array(
    [[True, True, False, True, False, True, True], [True, False, False, False, False, True, False]]
)
FIRST = {"data_format": "channels_first"}

ADAPTIVE = [
    row
    for layer in ("AdaptiveAveragePooling", "AdaptiveMaxPooling")
    for row in (
        Row(f"{layer}1D", {"output_size": 3}, STEPS),
        Row(f"{layer}1D", {"output_size": (4,), **FIRST}, (2, 4, 7)),
        Row(f"{layer}2D", {"output_size": (3, 4)}, IMAGE),
        Row(f"{layer}2D", {"output_size": 2, **FIRST}, IMAGE),
        Row(f"{layer}2D", {"output_size": 3, "dtype": "mixed_bfloat16"}, IMAGE),
        Row(f"{layer}3D", {"output_size": 2}, VOLUME),
    )
]

CONV = [
    Row("Conv1D", {"filters": 3, "kernel_size": 3}, STEPS, mask=MASK),
    Row(
        "Conv1D",
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        STEPS,
        unknown=(0, 1),
    ),
    Row(
        "Conv1D",
        {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "padding": "causal", "groups": 2},
        STEPS,
    ),
    Row("Conv1D", {"filters": 3, "kernel_size": 3, "padding": "causal", **FIRST}, STEPS),
    Row("Conv1D", {"filters": 3, "kernel_size": 3}, np.arange(56).reshape(STEPS) % 5, id="int"),
    Row("Conv2D", {"filters": 3, "kernel_size": 3}, IMAGE),
    Row(
        "Conv2D",
        {
            "filters": 3,
            "kernel_size": (2, 3),
            "strides": (2, 1),
            "padding": "same",
            "activation": "relu",
        },
        IMAGE,
    ),
    Row(
        "Conv2D",
        {"filters": 4, "kernel_size": 2, "dilation_rate": (2, 1), "groups": 2, "use_bias": False},
        IMAGE,
    ),
    Row(
        "Conv2D",
        {"filters": 3, "kernel_size": 3, "padding": "SAME", **FIRST},
        IMAGE,
        unknown=(0, 2, 3),
    ),
    Row(
        "Conv2D",
        {
            **{
                "filters": 3,
                "kernel_size": 1,
                "kernel_initializer": "he_normal",
                "bias_initializer": "ones",
            },
            **{"kernel_regularizer": "l2", "bias_regularizer": "l2", "activity_regularizer": "l2"},
            **{"kernel_constraint": "max_norm", "bias_constraint": "non_neg"},
        },
        IMAGE,
        id="regularized",
    ),
    Row("Conv2D", {"filters": 3, "kernel_size": 3, "dtype": "mixed_bfloat16"}, IMAGE),
    Row("Conv3D", {"filters": 3, "kernel_size": 2}, VOLUME),
    Row(
        "Conv3D",
        {"filters": 4, "kernel_size": (1, 2, 3), "strides": 2, "padding": "same", "groups": 2},
        VOLUME,
    ),
    Row("DepthwiseConv1D", {"kernel_size": 3}, STEPS),
    Row(
        "DepthwiseConv1D",
        {"kernel_size": 3, "depth_multiplier": 2, "strides": 2, "padding": "same", **FIRST},
        STEPS,
    ),
    Row("DepthwiseConv2D", {"kernel_size": 3}, IMAGE),
    Row(
        "DepthwiseConv2D",
        {"kernel_size": (2, 3), "depth_multiplier": 2, "strides": 2, "activation": "tanh"},
        IMAGE,
    ),
    Row(
        "DepthwiseConv2D",
        {"kernel_size": 2, "dilation_rate": 2, "padding": "same", "use_bias": False, **FIRST},
        IMAGE,
    ),
    Row("SeparableConv1D", {"filters": 3, "kernel_size": 3}, STEPS),
    Row(
        "SeparableConv1D",
        {"filters": 3, "kernel_size": 2, "depth_multiplier": 2, "strides": 2, "padding": "same"},
        STEPS,
    ),
    Row("SeparableConv2D", {"filters": 3, "kernel_size": 3}, IMAGE),
    Row(
        "SeparableConv2D",
        {"filters": 3, "kernel_size": 2, "dilation_rate": 2, "activation": "relu", **FIRST},
        IMAGE,
    ),
    Row(
        "SeparableConv2D",
        {"filters": 3, "kernel_size": 3, "use_bias": False, "pointwise_regularizer": "l2"},
        IMAGE,
    ),
    Row("Conv1DTranspose", {"filters": 3, "kernel_size": 3}, STEPS),
    Row(
        "Conv1DTranspose",
        {"filters": 3, "kernel_size": 4, "strides": 2, "padding": "same"},
        STEPS,
        unknown=(0, 1),
    ),
    Row(
        "Conv1DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 3, "output_padding": 1},
        STEPS,
    ),
    Row("Conv2DTranspose", {"filters": 3, "kernel_size": 3}, IMAGE),
    Row(
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu"},
        IMAGE,
    ),
    Row(
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": (2, 3), "strides": (2, 1), "use_bias": False, **FIRST},
        IMAGE,
    ),
    Row(
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1},
        IMAGE,
    ),
    Row("Conv2DTranspose", {"filters": 3, "kernel_size": 2, "dilation_rate": 2}, IMAGE),
    Row("Conv3DTranspose", {"filters": 3, "kernel_size": 2, "strides": 2}, VOLUME),
]

POOL = [
    Row("MaxPooling1D", {}, STEPS, mask=MASK),
    Row("MaxPooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}, STEPS, unknown=(0, 1)),
    Row("MaxPooling2D", {}, IMAGE),
    Row("MaxPooling2D", {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}, IMAGE),
    Row("MaxPooling2D", {"pool_size": 2, "strides": 3, **FIRST}, IMAGE),
    Row("MaxPooling2D", {"dtype": "mixed_bfloat16"}, IMAGE),
    Row("MaxPooling3D", {}, VOLUME),
    Row("AveragePooling1D", {"pool_size": 2}, STEPS),
    Row("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same", **FIRST}, STEPS),
    Row("AveragePooling2D", {"pool_size": 2}, IMAGE),
    Row("AveragePooling2D", {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}, IMAGE),
    Row("AveragePooling2D", {"pool_size": 3, "strides": 1, **FIRST}, IMAGE),
    Row("AveragePooling3D", {"pool_size": 2, "padding": "same"}, VOLUME),
    Row("GlobalAveragePooling1D", {}, STEPS, mask=MASK),
    Row("GlobalAveragePooling1D", {}, STEPS, {"mask": MASK}),
    Row("GlobalAveragePooling1D", {"keepdims": True}, STEPS, {"mask": MASK}),
    Row("GlobalAveragePooling1D", {**FIRST, "keepdims": True}, (2, 4, 7), {"mask": MASK}),
    Row("GlobalAveragePooling1D", {"dtype": "mixed_bfloat16"}, STEPS, {"mask": MASK}),
    Row("GlobalMaxPooling1D", {}, STEPS, mask=MASK),
    Row("GlobalMaxPooling1D", {"keepdims": True, **FIRST}, STEPS),
    *(Row(f"Global{kind}Pooling2D", {}, IMAGE, unknown=(0, 1, 2)) for kind in ("Average", "Max")),
    *(
        Row(f"Global{kind}Pooling2D", {"keepdims": True, **FIRST}, IMAGE)
        for kind in ("Average", "Max")
    ),
    *(Row(f"Global{kind}Pooling3D", {}, VOLUME) for kind in ("Average", "Max")),
    *ADAPTIVE,
]

ROWS = CONV + POOL
