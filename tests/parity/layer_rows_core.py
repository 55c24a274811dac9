"""Rows for dense, activation, shape and merging layers."""

import numpy as np

from tests.parity.layer_parity import Row

IMAGE = (2, 6, 5, 4)
STEPS = (2, 5, 3)
MASK = np.array([[True, True, False, True, False], [True, False, False, False, False]])
INTS = np.arange(24).reshape(2, 3, 4)

DENSE = [
    Row("Dense", {"units": 3}),
    Row("Dense", {"units": 3, "activation": "relu", "use_bias": False}, STEPS, mask=MASK),
    Row(
        "Dense",
        {
            "units": 3,
            "kernel_regularizer": "l2",
            "bias_regularizer": "l2",
            "activity_regularizer": "l2",
        },
    ),
    Row(
        "Dense",
        {
            "units": 3,
            "activation": "softmax",
            "kernel_initializer": "he_normal",
            "bias_initializer": "ones",
        },
    ),
    Row("Dense", {"units": 3, "kernel_constraint": "max_norm", "bias_constraint": "non_neg"}),
    Row("Dense", {"units": 3, "trainable": False}),
    Row("Dense", {"units": 3, "dtype": "mixed_bfloat16"}),
    Row("Dense", {"units": 3, "dtype": "bfloat16"}),
    Row("Dense", {"units": 3}, INTS.astype("int32"), id="int32"),
    Row("Dense", {"units": 3, "dtype": "mixed_bfloat16"}, INTS.astype("uint8"), id="uint8"),
    Row(
        "Dense",
        lambda keras: {"units": 3, "activation": keras.layers.LeakyReLU(0.1, name="inner")},
        id="layer_as_activation",
    ),
    Row("Dense", {"units": 3}, (2, 4, 5), unknown=(0, 1), id="unknown_time"),
]

ACTIVATIONS = [
    Row("Activation", {"activation": "relu"}, STEPS, mask=MASK),
    Row("Activation", {"activation": "swish"}),
    Row("Activation", {"activation": "softmax"}),
    Row("Activation", {"activation": "relu", "dtype": "mixed_bfloat16"}),
    Row("ReLU", {}, STEPS, mask=MASK),
    Row("ReLU", {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0.1}),
    Row("LeakyReLU", {}, STEPS, mask=MASK),
    Row("LeakyReLU", {"negative_slope": 0.1}),
    Row("PReLU", {"alpha_initializer": "ones"}, STEPS, mask=MASK),
    Row(
        "PReLU",
        {"shared_axes": [1, 2], "alpha_regularizer": "l2", "alpha_constraint": "non_neg"},
        IMAGE,
    ),
    Row("PReLU", {"shared_axes": 1}, STEPS),
    Row("ELU", {}, STEPS, mask=MASK),
    Row("ELU", {"alpha": 0.5}),
    Row("Softmax"),
    Row("Softmax", {"axis": 1}, STEPS),
    Row("Softmax", {"axis": (1, 2)}, STEPS),
    Row("Softmax", {}, (2, 5), {"mask": MASK}),
    Row("Softmax", {"axis": (1, 2)}, (2, 5, 3), {"mask": MASK[..., None]}),
    Row("Softmax", {}, (2, 5), {"mask": np.zeros((2, 5), bool)}, id="nothing_allowed"),
    Row("Softmax", {"dtype": "mixed_bfloat16"}, (2, 5), {"mask": MASK}),
    Row("Identity", {}, STEPS, mask=MASK),
    Row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, STEPS, mask=MASK),
    Row("Rescaling", {"scale": 0.5, "offset": -1}, STEPS, mask=MASK),
    Row("Rescaling", {"scale": 1 / 255}, INTS.astype("uint8"), id="uint8"),
    Row("Rescaling", {"scale": [1.0, 2.0, 3.0], "offset": [0.0, 1.0, -1.0]}, STEPS),
    Row("Rescaling", {"scale": 0.5, "dtype": "mixed_bfloat16"}, STEPS),
]

SHAPES = [
    Row("Flatten", {}, IMAGE),
    Row("Flatten", {}, (3,), id="scalars"),
    Row("Flatten", {}, STEPS, mask=MASK),
    Row("Flatten", {"data_format": "channels_first"}, IMAGE),
    Row("Flatten", {}, STEPS, unknown=(0, 1), id="unknown_time"),
    Row("Flatten", {}, INTS.astype("int32"), id="int32"),
    Row("Reshape", {"target_shape": (5, 6, 4)}, IMAGE),
    Row("Reshape", {"target_shape": [-1, 8]}, IMAGE),
    Row("Reshape", {"target_shape": (-1,)}, STEPS, mask=MASK),
    Row("Reshape", {"target_shape": (-1, 1)}, STEPS, unknown=(0, 1), id="unknown_time"),
    Row("Reshape", {"target_shape": ()}, (3, 1)),
    Row("Permute", {"dims": (2, 1)}, STEPS, mask=MASK),
    Row("Permute", {"dims": [3, 1, 2]}, IMAGE),
    Row("RepeatVector", {"n": 3}),
    Row("ZeroPadding1D", {}, STEPS, mask=MASK),
    Row("ZeroPadding1D", {"padding": (1, 2), "data_format": "channels_first"}, STEPS),
    Row("ZeroPadding2D", {}, IMAGE),
    Row("ZeroPadding2D", {"padding": 2}, IMAGE),
    Row("ZeroPadding2D", {"padding": (1, 2), "data_format": "channels_first"}, IMAGE),
    Row("ZeroPadding2D", {"padding": ((0, 1), (2, 0))}, IMAGE, unknown=(0, 1)),
    Row("ZeroPadding3D", {"padding": (0, 1, 2)}, (1, 2, 3, 2, 2)),
    Row("Cropping1D", {}, STEPS, mask=MASK),
    Row("Cropping1D", {"cropping": (0, 2)}, STEPS, unknown=(0, 1)),
    Row("Cropping2D", {}, IMAGE),
    Row("Cropping2D", {"cropping": (1, 2)}, IMAGE),
    Row(
        "Cropping2D", {"cropping": ((1, 2), (0, 1)), "data_format": "channels_first"}, (2, 3, 6, 5)
    ),
    Row("Cropping3D", {}, (1, 4, 4, 5, 2)),
    Row("UpSampling1D", {}, STEPS, mask=MASK),
    Row("UpSampling1D", {"size": 3}, STEPS, unknown=(0, 1)),
    Row("UpSampling2D", {}, IMAGE),
    Row("UpSampling2D", {"size": (1, 3), "data_format": "channels_first"}, IMAGE),
    *(
        Row(
            "UpSampling2D",
            {"size": (2, 3), "interpolation": name, "data_format": order},
            (1, 3, 4, 2),
        )
        for name, order in (
            ("bilinear", "channels_last"),
            ("bilinear", "channels_first"),
            ("bicubic", "channels_last"),
            ("lanczos3", "channels_last"),
            ("lanczos5", "channels_last"),
        )
    ),
    Row("UpSampling3D", {"size": (1, 2, 3)}, (1, 2, 3, 2, 2)),
]

TWO = [(2, 3, 4), (2, 3, 4)]
MERGING = [
    *(
        Row(name, {}, TWO)
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    ),
    *(
        Row(name, {}, [(2, 4), (2, 3, 4), (2, 1, 4)], id="ranks")
        for name in ("Add", "Average", "Maximum")
    ),
    Row("Add", {}, [STEPS, STEPS], mask=[MASK, ~MASK]),
    Row("Add", {}, [INTS.astype("int32"), (2, 3, 4)], id="int_and_float"),
    Row("Add", {"dtype": "mixed_bfloat16"}, TWO),
    Row("Multiply", {}, [(2, 3, 4), (2, 3, 1), (2, 3, 4)], id="three"),
    Row("Concatenate", {}, [(2, 3, 4), (2, 3, 2), (2, 3, 1)]),
    Row("Concatenate", {"axis": 1}, [(2, 3, 4), (2, 1, 4)]),
    Row(
        "Concatenate",
        {"axis": 1},
        [STEPS, STEPS],
        unknown=(0, 1),
        mask=[MASK, ~MASK],
        id="unknown_time",
    ),
    Row("Concatenate", {}, [STEPS, STEPS], mask=[MASK, ~MASK]),
    Row("Dot", {"axes": 1}, [(2, 4), (2, 4)]),
    Row("Dot", {"axes": -1}, [(2, 3, 4), (2, 5, 4)]),
    Row("Dot", {"axes": (1, 2)}, [(2, 3, 6), (2, 4, 3, 5)]),
    Row("Dot", {"axes": [2, 1], "normalize": True}, [(2, 6, 3), (2, 3, 5)]),
    Row("Dot", {"axes": 2}, [STEPS, STEPS], mask=[MASK, MASK], id="masked"),
]

ROWS = DENSE + ACTIVATIONS + SHAPES + MERGING
