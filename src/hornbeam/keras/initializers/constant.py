"""Initializers without chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.optional import require
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


class STFT(HostInitializer):
    """cos(2 pi f t) or -sin(2 pi f t) in each column, times a window: the Fourier transform of frames as a convolution.

    For weights of shape (frame length, channels, frequencies), the frequencies being those of frames of
    2 * (frequencies - 1). `side` is "real" for cosines and "imag" for sines; `window` is a name that SciPy knows, an array
    or None; `scaling` divides by the window's length ("density"), by its sum ("spectrum") or not (None).

    >>> from hornbeam import keras
    >>> keras.initializers.STFT("real", window=None, scaling=None)((2, 1, 2)).numpy()[:, 0].round(3)
    array([[ 1.,  1.],
           [ 1., -1.]], dtype=float32)
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        """Raises ValueError for an unknown side, window or scaling."""
        if side not in ("real", "imag"):
            raise ValueError(f"`side` is 'real' or 'imag'; received {side!r}.")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"`scaling` is 'density', 'spectrum' or None; received {scaling!r}.")
        if isinstance(window, str):
            _window(window, 1, periodic)
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def values(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the waves. Raises ValueError for another number of axes, and for a window of another length."""
        if len(shape) != 3:
            raise ValueError(f"STFT makes weights of three axes; received shape {shape}.")
        length, _, frequencies = shape
        angles = np.outer(np.arange(length), np.arange(frequencies)) / (2 * (frequencies - 1))
        waves = np.cos(-2 * np.pi * angles) if self.side == "real" else np.sin(-2 * np.pi * angles)
        if self.window is not None:
            given = self.window
            window = (
                _window(given, length, self.periodic)
                if isinstance(given, str)
                else np.asarray(given)
            )
            if window.shape != (length,):
                raise ValueError(
                    f"`window` has {length} numbers here; received shape {window.shape}."
                )
            scales = {
                None: 1,
                "density": np.sqrt(np.sum(window**2)),
                "spectrum": np.sum(np.abs(window)),
            }
            waves = waves * window[:, None] / scales[self.scaling]
        return np.broadcast_to(waves[:, None, :], shape)


def _window(name: str, length: int, periodic: bool) -> np.ndarray:
    return require("scipy.signal", extra=None, purpose="A window of STFT").get_window(
        name, length, periodic
    )


registry.add(STFT, "STFTInitializer")
registry.add(Zeros, "zero")
registry.add(Ones, "one")
registry.add(Constant)
registry.add(Identity, "IdentityInitializer")
