"""Initializers that draw from one distribution, whatever the shape."""

from __future__ import annotations

import math

import numpy as np

from hornbeam.core.rng import SeedGenerator
from hornbeam.keras.initializers.base import RandomInitializer, registry


class RandomNormal(RandomInitializer):
    """Normal with the given mean and standard deviation.

    >>> from hornbeam import keras
    >>> weight = keras.initializers.RandomNormal(stddev=2.0, seed=1)((100, 100))
    >>> bool(abs(weight.numpy().std() - 2) < 0.1)
    True
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def draw(
        self, generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype
    ) -> np.ndarray:
        """mean + stddev * z"""
        return scaled(generator.standard_normal(shape, dtype.type), self.stddev, self.mean)


class TruncatedNormal(RandomInitializer):
    """Normal, but what falls further than two standard deviations from the mean is drawn again.

    `stddev` is that of the normal distribution before the tails are cut.

    >>> from hornbeam import keras
    >>> weight = keras.initializers.TruncatedNormal(stddev=1.0, seed=1)((100, 100))
    >>> bool(abs(weight.numpy()).max() <= 2)
    True
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def draw(
        self, generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype
    ) -> np.ndarray:
        """mean + stddev * z with |z| <= 2"""
        return scaled(truncated_normal(generator, shape, dtype), self.stddev, self.mean)


class RandomUniform(RandomInitializer):
    """Uniform between `minval` and `maxval`.

    >>> from hornbeam import keras
    >>> weight = keras.initializers.RandomUniform(0.0, 1.0, seed=1)((100, 100))
    >>> bool(0 <= weight.numpy().min() and weight.numpy().max() <= 1)
    True
    """

    def __init__(
        self,
        minval: float = -0.05,
        maxval: float = 0.05,
        seed: int | SeedGenerator | None = None,
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def draw(
        self, generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype
    ) -> np.ndarray:
        """minval + (maxval - minval) * u"""
        return scaled(generator.random(shape, dtype.type), self.maxval - self.minval, self.minval)


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    A weight of more than two axes is such a matrix of shape (all but the last, last).
    Source: Saxe et al., 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks".

    >>> import numpy as np
    >>> from hornbeam import keras
    >>> q = keras.initializers.Orthogonal(seed=1)((3, 2)).numpy()
    >>> bool(np.allclose(q.T @ q, np.eye(2), atol=1e-5))
    True
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def draw(
        self, generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype
    ) -> np.ndarray:
        """Return the Q factor of a normal matrix. Raises ValueError for fewer than two axes."""
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal makes weights of two or more axes; received shape {shape}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = generator.standard_normal((max(rows, columns), min(rows, columns)), dtype.type)
        q, r = np.linalg.qr(normal)
        # QR is unique only up to the signs of R's diagonal; without this step Q would not be uniformly distributed.
        q *= np.where(np.diag(r) < 0, -1, 1).astype(dtype)
        return scaled(np.reshape(q if rows >= columns else q.T, shape), self.gain, 0.0)


def scaled(values: np.ndarray | float, factor: float, offset: float) -> np.ndarray:
    """values * factor + offset, in the type of `values`."""
    values = np.asarray(values)  # NumPy draws a plain number for the shape ()
    return values * values.dtype.type(factor) + values.dtype.type(offset)


def truncated_normal(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Standard normal numbers of which those beyond 2 are drawn again until none is left (4.6% each time)."""
    values = generator.standard_normal(math.prod(shape), dtype.type)
    far = np.flatnonzero(np.abs(values) > 2)
    while far.size:
        values[far] = generator.standard_normal(far.size, dtype.type)
        far = far[np.abs(values[far]) > 2]
    return values.reshape(shape)


registry.add(RandomNormal, "normal")
registry.add(TruncatedNormal)
registry.add(RandomUniform, "uniform")
registry.add(Orthogonal, "OrthogonalInitializer")
