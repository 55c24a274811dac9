"""Initializers without chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.keras.initializers.base import HostInitializer, registry


class Zeros(HostInitializer):
    """All 0.

    >>> from hornbeam import keras
    >>> keras.initializers.Zeros()((2, 2)).numpy()
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """

    def values(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Zeros."""
        return np.zeros(shape, dtype)


class Ones(HostInitializer):
    """All 1.

    >>> from hornbeam import keras
    >>> keras.initializers.Ones()((2,), dtype="int32").numpy()
    array([1, 1], dtype=int32)
    """

    def values(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Ones."""
        return np.ones(shape, dtype)


class Constant(HostInitializer):
    """All `value`: a number, or an array that is broadcast to the shape.

    >>> from hornbeam import keras
    >>> keras.initializers.Constant(3.0)((2,)).numpy()
    array([3., 3.], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def values(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the value, broadcast. Raises ValueError where its shape does not allow that."""
        value = np.asarray(self.value)
        try:
            return np.broadcast_to(value, shape)
        except ValueError:
            raise ValueError(
                f"Constant holds a value of shape {value.shape}, which can't fill a weight of shape {shape}."
            ) from None


class Identity(HostInitializer):
    """`gain` on the main diagonal, 0 elsewhere; for weights of two axes.

    >>> from hornbeam import keras
    >>> keras.initializers.Identity(gain=2.0)((2, 3)).numpy()
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    # Keras 3.15 leaves `gain` out of the configuration, so that a copy has gain 1; here it is kept.
    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def values(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the scaled identity. Raises ValueError unless there are two axes."""
        if len(shape) != 2:
            raise ValueError(f"Identity makes weights of two axes; received shape {shape}.")
        return self.gain * np.eye(*shape)


registry.add(Zeros, "zero")
registry.add(Ones, "one")
registry.add(Constant)
registry.add(Identity, "IdentityInitializer")
