"""The activations that differ from the op of the same name, or have none: the rest are the ops themselves."""

from __future__ import annotations

from typing import Any

from hornbeam.core import arithmetic
from hornbeam.core.typing import TensorLike
from hornbeam.ops import activations as ops
from hornbeam.ops import elementwise
from hornbeam.ops.activations import shaped_relu


def linear(x: TensorLike) -> Any:
    """x, unchanged"""
    return x


def relu(
    x: TensorLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Any:
    """max(x, 0). In general: x above `threshold`, but at most `max_value`; below it, negative_slope * (x - threshold).

    >>> from hornbeam import keras
    >>> print(keras.activations.relu([-2.0, 1.0, 9.0], negative_slope=0.5, max_value=6.0).numpy())
    [-1.  1.  6.]
    """
    # The usual case is the op itself, so that whatever looks for an op after a layer (a fusion) finds it.
    if not negative_slope and max_value is None and not threshold:
        return ops.relu(x)
    return shaped_relu(x, negative_slope, max_value, threshold)


def gelu(x: TensorLike, approximate: bool = False) -> Any:
    """x * P(Z <= x) for a standard normal Z; `approximate` takes a tanh for it (Hendrycks and Gimpel 2016).

    >>> from hornbeam import keras
    >>> float(keras.activations.gelu(1.0))
    0.8413
    """
    return ops.gelu(x, approximate)


def keras2_hard_sigmoid(x: TensorLike) -> Any:
    """min(max(0.2 x + 0.5, 0), 1): what `hard_sigmoid` was before Keras 3; models of that time have it under this name."""
    return 0.5 * ops.hard_tanh(arithmetic.multiply(x, 0.4)) + 0.5


def exponential(x: TensorLike) -> Any:
    """e^x"""
    return elementwise.exp(x)
