"""Functions where they have no derivative, or one that formulas miss: TensorFlow's slopes there are in `kinks.json`.

`record.py` writes that file; `test_kinks.py` compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Row = tuple[Callable[..., Any], tuple[Any, ...]]

AROUND = [-1.0, 0.0, 1.0, 6.0, 7.0]
X, Y = [0.0, 1.0, 2.0, -1.0, 3.0], [0.0, 1.0, 2.0, 2.0, -1.0]
TIES, ZEROS, ONE_ZERO = [3.0, 1.0, 3.0, 1.0], [0.0, 0.0, 0.0], [0.0, 2.0, 3.0]


def line(tf: Any, x: Any) -> Any:
    """Return a vector as a batch of one sequence with one channel."""
    return tf.reshape(x, (1, -1, 1))


ROWS: dict[str, Row] = {
    "abs": (lambda tf, x: tf.abs(x), (AROUND,)),
    "builtin abs": (lambda tf, x: abs(x), (AROUND,)),
    "sign": (lambda tf, x: tf.sign(x), (AROUND,)),
    "maximum": (lambda tf, x, y: tf.maximum(x, y), (X, Y)),
    "minimum": (lambda tf, x, y: tf.minimum(x, y), (X, Y)),
    "maximum, one number": (lambda tf, x, y: tf.maximum(x, y), (X, 1.0)),
    "minimum, one number": (lambda tf, x, y: tf.minimum(x, y), (X, 1.0)),
    "maximum of it and 1": (lambda tf, x: tf.maximum(x, 1.0), (X,)),
    "maximum of 1 and it": (lambda tf, x: tf.maximum(1.0, x), (X,)),
    "minimum of it and 1": (lambda tf, x: tf.minimum(x, 1.0), (X,)),
    "minimum of 1 and it": (lambda tf, x: tf.minimum(1.0, x), (X,)),
    "clip_by_value": (lambda tf, x: tf.clip_by_value(x, 0.0, 1.0), (AROUND,)),
    "clip_by_value, limits": (
        lambda tf, x, low, high: tf.clip_by_value(x, low, high),
        (AROUND, [0.0] * 5, [1.0] * 5),
    ),
    "clip_by_norm, at the norm": (lambda tf, x: tf.clip_by_norm(x, 5.0), ([3.0, 4.0],)),
    "clip_by_norm of zeros": (lambda tf, x: tf.clip_by_norm(x, 5.0), ([0.0, 0.0],)),
    "relu": (lambda tf, x: tf.nn.relu(x), (AROUND,)),
    "relu6": (lambda tf, x: tf.nn.relu6(x), (AROUND,)),
    "leaky_relu": (lambda tf, x: tf.nn.leaky_relu(x), (AROUND,)),
    "elu": (lambda tf, x: tf.nn.elu(x), (AROUND,)),
    "selu": (lambda tf, x: tf.nn.selu(x), (AROUND,)),
    "crelu": (lambda tf, x: tf.nn.crelu(x), (AROUND,)),
    "keras elu": (lambda tf, x: tf.keras.ops.elu(x, 2.0), (AROUND,)),
    "keras celu": (lambda tf, x: tf.keras.ops.celu(x), (AROUND,)),
    "keras hard_sigmoid": (lambda tf, x: tf.keras.ops.hard_sigmoid(x), ([-3.0, 0.0, 3.0],)),
    "keras hard_silu": (lambda tf, x: tf.keras.ops.hard_silu(x), ([-3.0, 0.0, 3.0],)),
    "keras soft_shrink": (lambda tf, x: tf.keras.ops.soft_shrink(x), ([-0.5, 0.0, 0.5],)),
    "keras hard_shrink": (lambda tf, x: tf.keras.ops.hard_shrink(x), ([-0.5, 0.0, 0.5],)),
    "keras ReLU": (
        lambda tf, x: tf.keras.layers.ReLU(6.0, 0.1, 1.0)(x),
        ([AROUND],),
    ),
    "keras LeakyReLU": (lambda tf, x: tf.keras.layers.LeakyReLU()(x), ([AROUND],)),
    "keras logaddexp": (lambda tf, x, y: tf.keras.ops.logaddexp(x, y), (X, Y)),
    "keras hypot": (lambda tf, x, y: tf.keras.ops.hypot(x, y), (X, Y)),
    "reduce_max": (lambda tf, x: tf.reduce_max(x), (TIES,)),
    "reduce_min": (lambda tf, x: tf.reduce_min(x), (TIES,)),
    "reduce_prod with a zero": (lambda tf, x: tf.reduce_prod(x), (ONE_ZERO,)),
    "reduce_prod of zeros": (lambda tf, x: tf.reduce_prod(x), (ZEROS,)),
    "cumprod with a zero": (lambda tf, x: tf.math.cumprod(x), (ONE_ZERO,)),
    "reduce_std of equals": (lambda tf, x: tf.math.reduce_std(x), (ZEROS,)),
    "norm of zeros": (lambda tf, x: tf.norm(x), (ZEROS,)),
    "norm 1": (lambda tf, x: tf.norm(x, 1), (ONE_ZERO,)),
    "norm inf": (lambda tf, x: tf.norm(x, np.inf), ([1.0, -1.0],)),
    "l2_normalize of zeros": (lambda tf, x: tf.math.l2_normalize(x), (ZEROS,)),
    "segment_max": (lambda tf, x: tf.math.segment_max(x, [0, 0, 1, 1]), (TIES,)),
    "segment_prod": (lambda tf, x: tf.math.segment_prod(x, [0, 0, 1, 1]), (TIES,)),
    "segment_prod with zeros": (
        lambda tf, x: tf.math.segment_prod(x, [0, 0, 1, 1, 1]),
        ([0.0, 3.0, 0.0, 0.0, 2.0],),
    ),
    "unsorted_segment_prod": (
        lambda tf, x: tf.math.unsorted_segment_prod(x, [1, -1, 1, 0], 3),
        (TIES,),
    ),
    "unsorted_segment_max": (
        lambda tf, x: tf.math.unsorted_segment_max(x, [1, 0, 1, 0], 2),
        (TIES,),
    ),
    "top_k": (lambda tf, x: tf.math.top_k(x, 2).values, ([1.0, 1.0, 1.0, 0.0],)),
    "sort": (lambda tf, x: tf.sort(x), ([1.0, 1.0, 0.0],)),
    "max_pool1d": (lambda tf, x: tf.nn.max_pool1d(line(tf, x), 2, 1, "SAME"), (TIES,)),
    "nextafter": (lambda tf, x, y: tf.math.nextafter(x, y), (X, Y)),
    "xlogy": (lambda tf, x, y: tf.math.xlogy(x, y), (X, Y)),
    "xdivy": (lambda tf, x, y: tf.math.xdivy(x, y), (X, Y)),
    "divide_no_nan": (lambda tf, x, y: tf.math.divide_no_nan(x, y), (X, Y)),
    "pow": (lambda tf, x, y: tf.pow(x, y), (X, Y)),
    "power of 0.5": (lambda tf, x: x**0.5, ([0.0, 4.0],)),
    "square": (lambda tf, x: x**2, ([0.0, -1.0],)),
    "sqrt, where it is positive": (
        lambda tf, x: tf.where(x > 0.0, tf.sqrt(x), 0.0),
        ([0.0, 4.0],),
    ),
    "complex abs": (lambda tf, x: tf.abs(tf.complex(x, x)), (X,)),
    "mean_absolute_error": (
        lambda tf, x, y: tf.keras.losses.MAE(x, y),
        (X, Y),
    ),
    "percentage error": (
        lambda tf, x, y: tf.keras.losses.MAPE(x, y),
        (X, Y),
    ),
    "huber": (lambda tf, x, y: tf.keras.losses.huber(x, y), (X, Y)),
    "hinge": (lambda tf, y: tf.keras.losses.hinge([1.0] * 3, y), ([1.0, 0.0, 2.0],)),
    "squared_hinge": (lambda tf, y: tf.keras.losses.squared_hinge([1.0] * 3, y), (ONE_ZERO,)),
    "categorical_hinge": (
        lambda tf, y: tf.keras.losses.categorical_hinge([1.0, 0.0, 0.0], y),
        ([1.0, 0.0, 0.0],),
    ),
    "L1": (lambda tf, x: tf.keras.regularizers.L1(1.0)(x), (AROUND,)),
    "keras Maximum": (lambda tf, x, y: tf.keras.layers.Maximum()([x, y]), ([X], [Y])),
    "keras Minimum": (lambda tf, x, y: tf.keras.layers.Minimum()([x, y]), ([X], [Y])),
}


def slopes(tf: Any, name: str) -> list[list[Any] | None]:
    """Return the gradients of a weighted sum of the results; numbers that are not finite as text."""
    fn, values = ROWS[name]
    sources = [tf.constant(each) for each in values]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        target = fn(tf, *sources)
    weights = np.cos(np.arange(1, np.size(target) + 1)).reshape(np.shape(target))
    found = tape.gradient(target, sources, tf.constant(weights.astype("float32")))
    return [None if each is None else list(map(_plain, np.ravel(each))) for each in found]


def _plain(value: Any) -> float | str:
    return float(value) if np.isfinite(value) else str(value)
