"""Layers that disturb their inputs while training, and hand them on unchanged otherwise.

Each holds a `seed_generator`: with a `seed`, the same disturbances come again; every call draws new ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.core.rng import SeedGenerator
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_count
from hornbeam.ops import random

__all__ = [
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]


class Disturbance(Layer):
    """The common base: `disturb` is called in training only."""

    def set_seed(self, seed: int | None, strength: float) -> None:
        """Make the generator; a disturbance of strength 0 needs none."""
        self.seed = seed
        self.seed_generator = SeedGenerator(seed) if strength > 0 else None
        self.supports_masking = True

    def disturb(self, inputs: Any) -> Any:
        """Return the inputs as training changes them."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool = False) -> Any:
        """b ... -> b ..."""
        return self.disturb(inputs) if training and self.seed_generator is not None else inputs


class Dropout(Disturbance):
    """While training, each element is 0 with probability `rate`; the others are divided by 1 - rate.

    `noise_shape` has 1 where one draw serves a whole axis, and None where the size is that of the inputs. Raises
    ValueError for a rate outside of [0, 1]. (Srivastava et al. 2014)

    >>> from hornbeam import keras
    >>> layer = keras.layers.Dropout(0.5, seed=1)
    >>> print(layer([1.0, 2.0]).numpy(), sorted(set(layer(keras.ops.ones(100), training=True).numpy().tolist())))
    [1. 2.] [0.0, 2.0]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.rate = as_rate(rate)
        self.set_seed(seed, rate)
        self.noise_shape = _as_noise_shape(noise_shape)

    def disturb(self, inputs: Any) -> Any:
        """Drop elements."""
        return random.dropout(
            inputs, self.rate, self.noise_shape_for(inputs.shape), self.seed_generator
        )

    def noise_shape_for(self, shape: Any) -> tuple[int, ...] | None:
        """Return the shape of the draws for inputs of that shape."""
        return _noise_shape_for(self.noise_shape, shape)


class SpatialDropout(Dropout):
    """The common base of the layers that drop whole feature maps (Tompson et al. 2015, arXiv:1411.4280)."""

    rank: int

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def noise_shape_for(self, shape: Any) -> tuple[int, ...]:
        """Return a shape with one draw for each channel of each example."""
        ones = (1,) * self.rank
        return (
            (shape[0], *ones, shape[-1])
            if self.data_format == "channels_last"
            else (*shape[:2], *ones)
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; Keras writes neither `trainable` nor the whole dtype policy here."""
        config = {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}
        return config if self.rank == 1 else {**config, "data_format": self.data_format}


class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of a sequence: (b, t, c) with one draw for each b and c.

    >>> from hornbeam import keras
    >>> y = keras.layers.SpatialDropout1D(0.5, seed=0)(keras.ops.ones((1, 3, 2)), training=True)
    >>> bool((y[:, 0] == y[:, 2]).numpy().all())
    True
    """

    rank = 1

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of an image: (b, h, w, c) with one draw for each b and c."""

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels of a volume: (b, d, h, w, c) with one draw for each b and c."""

    rank = 3


class GaussianNoise(Disturbance):
    """While training, add normal noise of standard deviation `stddev`.

    >>> from hornbeam import keras
    >>> keras.layers.GaussianNoise(0.1)(keras.ops.ones((2, 3)), training=True).shape
    TensorShape([2, 3])
    """

    def __init__(
        self, stddev: float, seed: int | None = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.stddev = as_rate(stddev, "stddev")  # Keras wants no more than 1 here as well
        self.set_seed(seed, stddev)

    def disturb(self, inputs: Any) -> Any:
        """Add noise."""
        noise = random.normal(
            inputs.shape, 0.0, self.stddev, self.compute_dtype, self.seed_generator
        )
        return ops.add(inputs, noise)


class GaussianDropout(Disturbance):
    """While training, multiply by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)).

    It has the mean and the variance of dropout at `rate` (Srivastava et al. 2014, section 10).

    >>> from hornbeam import keras
    >>> keras.layers.GaussianDropout(0.1)(keras.ops.ones((2, 3)), training=True).shape
    TensorShape([2, 3])
    """

    def __init__(
        self, rate: float, seed: int | None = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.rate = as_rate(rate, below_one=True)
        self.set_seed(seed, rate)

    def disturb(self, inputs: Any) -> Any:
        """Multiply with noise."""
        stddev = (self.rate / (1 - self.rate)) ** 0.5
        noise = random.normal(inputs.shape, 1.0, stddev, self.compute_dtype, self.seed_generator)
        return ops.multiply(inputs, noise)


class AlphaDropout(Disturbance):
    """Dropout for `selu`: dropped elements take its lowest value, mean and variance are kept.

    (Klambauer et al. 2017, arXiv:1706.02515, "alpha dropout")

    >>> from hornbeam import keras
    >>> keras.layers.AlphaDropout(0.1)(keras.ops.ones((2, 3)), training=True).shape
    TensorShape([2, 3])
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.rate = as_rate(rate, below_one=True)
        self.set_seed(seed, rate)
        self.noise_shape = _as_noise_shape(noise_shape)

    def disturb(self, inputs: Any) -> Any:
        """a * (x or lowest) + b, where a and b restore mean 0 and variance 1."""
        lowest = -1.7580993408473766  # -scale * alpha of selu
        keep = 1 - self.rate
        a = (keep * (1 + self.rate * lowest**2)) ** -0.5
        b = -a * lowest * self.rate
        shape = _noise_shape_for(self.noise_shape, inputs.shape) or inputs.shape
        kept = ops.less(random.uniform(shape, seed=self.seed_generator), keep)
        return ops.cast(ops.where(kept, inputs, lowest) * a + b, self.compute_dtype)


def as_rate(rate: Any, name: str = "rate", below_one: bool = False) -> float:
    """Return `rate` as a number from 0 to 1. Raises ValueError for anything else."""
    value = float(rate) if isinstance(rate, Real) else -1.0
    if not 0 <= value <= 1 or (below_one and value == 1):
        raise ValueError(
            f"`{name}` is a number from 0 to 1{' (not 1)' * below_one}; received {rate!r}."
        )
    return value


def _as_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    if isinstance(noise_shape, str) or not isinstance(noise_shape, Iterable):
        raise ValueError(
            f"`noise_shape` is a tuple of integers and None; received {noise_shape!r}."
        )
    return tuple(None if size is None else as_count("noise_shape", size) for size in noise_shape)


def _noise_shape_for(
    noise_shape: tuple[int | None, ...] | None, shape: Any
) -> tuple[int, ...] | None:
    """Return `noise_shape` with the sizes of `shape` for None, and 1 for missing axes in front."""
    if noise_shape is None:
        return None
    missing = len(shape) - len(noise_shape)
    if missing < 0:
        raise ValueError(
            f"noise_shape={noise_shape} has more axes than the inputs, of shape {tuple(shape)}."
        )
    sizes = zip(shape[missing:], noise_shape, strict=True)
    return (*(1,) * missing, *(given if size is None else size for given, size in sizes))
