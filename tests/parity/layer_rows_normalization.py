"""Rows for normalisation, and for layers that disturb their inputs (whose random numbers differ from Keras's)."""

import numpy as np

from tests.parity.layer_parity import Row

STEPS = (3, 5, 4)
IMAGE = (3, 4, 5, 6)
MASK = np.array([[True, True, False, True, False], [True, False, False, False, False], [True] * 5])
TRAINING, INFERENCE = {"training": True}, {"training": False}

BATCH = [
    *(Row("BatchNormalization", {}, (4, 5), call) for call in ({}, TRAINING, INFERENCE)),
    *(Row("BatchNormalization", {}, IMAGE, call) for call in (TRAINING, INFERENCE)),
    Row("BatchNormalization", {"axis": 1, "momentum": 0.5, "epsilon": 0.1}, IMAGE, TRAINING),
    Row("BatchNormalization", {"center": False}, STEPS, TRAINING),
    Row("BatchNormalization", {"scale": False, "center": False}, STEPS, TRAINING),
    Row("BatchNormalization", {}, STEPS, {**TRAINING, "mask": MASK}),
    Row("BatchNormalization", {}, STEPS, mask=MASK),
    Row("BatchNormalization", {"trainable": False}, STEPS, TRAINING),
    Row("BatchNormalization", {"dtype": "mixed_bfloat16"}, IMAGE, TRAINING),
    Row("BatchNormalization", {"dtype": "mixed_bfloat16"}, IMAGE, INFERENCE),
    Row(
        "BatchNormalization",
        {
            **{"gamma_regularizer": "l2", "beta_regularizer": "l2", "gamma_initializer": "zeros"},
            **{
                "beta_initializer": "ones",
                "moving_mean_initializer": "ones",
                "moving_variance_initializer": "zeros",
            },
            **{"gamma_constraint": "non_neg", "beta_constraint": "max_norm"},
        },
        STEPS,
        TRAINING,
        id="regularized",
    ),
]

EXAMPLE = [
    Row("LayerNormalization", {}, STEPS, mask=MASK),
    Row("LayerNormalization", {"axis": 1, "epsilon": 0.1}, STEPS),
    Row("LayerNormalization", {"axis": [1, 2]}, STEPS),
    Row("LayerNormalization", {"axis": (-1, 1)}, IMAGE),
    Row(
        "LayerNormalization",
        {"center": False, "gamma_regularizer": "l2", "gamma_initializer": "zeros"},
        STEPS,
    ),
    Row("LayerNormalization", {"scale": False}, STEPS),
    Row("LayerNormalization", {"dtype": "mixed_bfloat16"}, STEPS),
    Row("RMSNormalization", {}, STEPS, mask=MASK),
    Row("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, STEPS),
    Row("RMSNormalization", {"dtype": "mixed_bfloat16"}, STEPS),
    Row("GroupNormalization", {"groups": 3}, IMAGE),
    Row("GroupNormalization", {"groups": -1, "axis": 1}, IMAGE),
    Row("GroupNormalization", {"groups": 5, "axis": 2, "center": False}, IMAGE),
    Row("GroupNormalization", {"groups": 2, "scale": False}, STEPS, mask=MASK),
    Row("GroupNormalization", {"groups": 2}, (3, 4)),
    Row("GroupNormalization", {"groups": 3, "dtype": "mixed_bfloat16"}, IMAGE),
    Row("UnitNormalization", {}, STEPS, mask=MASK),
    Row("UnitNormalization", {"axis": [1, 2]}, STEPS),
]

DISTURBANCE = [
    *(
        Row(name, {"rate": 0.4, "seed": 3}, STEPS, INFERENCE, mask=MASK)
        for name in ("Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout1D")
    ),
    Row("Dropout", {"rate": 0.0}, STEPS, TRAINING),
    Row("Dropout", {"rate": 1.0}, STEPS, TRAINING),
    Row("Dropout", {"rate": 0.5, "noise_shape": [None, 1, 4]}, STEPS),
    Row("GaussianNoise", {"stddev": 0.3}, STEPS, mask=MASK),
    Row("SpatialDropout2D", {"rate": 0.5}, IMAGE),
    Row("SpatialDropout2D", {"rate": 0.5, "data_format": "channels_first"}, IMAGE),
    Row("SpatialDropout3D", {"rate": 0.5}, (2, 3, 2, 2, 2)),
]

ROWS = BATCH + EXAMPLE + DISTURBANCE
