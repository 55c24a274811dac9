"""What every initializer shares, and the table of their names."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from hornbeam.core.config import floatx
from hornbeam.core.dtypes import as_dtype, canonical
from hornbeam.core.rng import SeedGenerator, make_seed, numpy_generator
from hornbeam.core.shapes import standardize_shape
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.keras.registry import Configurable, Registry

registry = Registry("initializer", "keras.initializers")
# Configurations may hold a generator in the place of a seed.
Registry("seed generator", "keras.random").add(SeedGenerator)


class Initializer(Configurable):
    """A rule for the first value of a weight.

    Own initializers derive from this class and implement `__call__(shape, dtype=None)`, which returns an array of that
    shape.

    >>> from hornbeam import keras
    >>> class Countdown(keras.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return keras.ops.arange(shape[0], 0, -1, dtype=dtype)
    >>> keras.layers.Dense(2, bias_initializer=Countdown())(keras.ops.zeros((1, 1))).numpy()
    array([[2., 1.]], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the value of a weight; `dtype` None stands for the default float type."""
        raise NotImplementedError(
            f"{type(self).__name__} must implement `__call__(self, shape, dtype=None)`."
        )

    def clone(self) -> Self:
        """Return a new initializer with the same configuration."""
        return self.from_config(self.get_config())


class HostInitializer(Initializer):
    """An initializer whose values are made by NumPy: no device is used and nothing compiled."""

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return the value of a weight; `dtype` None stands for the default float type.

        Raises ValueError for a shape with an unknown dimension.
        """
        sizes = standardize_shape(shape)
        known = tuple(size for size in sizes if size is not None)
        if len(known) < len(sizes):
            raise ValueError(
                f"{type(self).__name__} needs a shape without None; received {tuple(sizes)}."
            )
        target = canonical(dtype or floatx())
        return convert_to_tensor(self.values(known, target), target)

    def values(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the values as an array of that shape; its type may be another than `dtype`."""
        raise NotImplementedError


class RandomInitializer(HostInitializer):
    """An initializer that draws from a seed.

    `seed` is an integer, or None for one drawn now: each call of the object returns the same values. With a
    `keras.random.SeedGenerator` each call gives others.
    """

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        """Raises ValueError for a seed of another type."""
        if seed is not None and (
            isinstance(seed, bool) or not isinstance(seed, (int, np.integer, SeedGenerator))
        ):
            raise ValueError(
                f"`seed` is an integer, None or a keras.random.SeedGenerator; received {seed!r}."
            )
        self._given_seed = seed
        self.seed = make_seed() if seed is None else seed

    def values(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Numbers drawn in float32 (float64 where asked for), so that narrow types are rounded once, at the end."""
        if not as_dtype(dtype).is_floating:
            raise ValueError(
                f"{type(self).__name__} draws floating-point numbers; received dtype={dtype.name!r}. Use a float type, "
                "or Zeros, Ones or Constant for integers."
            )
        return self.draw(
            numpy_generator(self.seed), shape, np.dtype("f8" if dtype == np.float64 else "f4")
        )

    def draw(
        self, generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype
    ) -> np.ndarray:
        """Return the numbers, in float32 or float64."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the seed as it was passed."""
        config = super().get_config()
        seed = self._given_seed
        return (
            config
            if isinstance(seed, SeedGenerator)
            else {**config, "seed": None if seed is None else int(seed)}
        )
