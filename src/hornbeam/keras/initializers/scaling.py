"""Initializers whose spread follows from the number of inputs and outputs of a weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.errors import unknown_name
from hornbeam.core.rng import SeedGenerator
from hornbeam.keras.initializers.base import RandomInitializer, registry
from hornbeam.keras.initializers.random import scaled, truncated_normal

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
# The standard deviation of a standard normal that is cut at -2 and 2: sqrt(1 - 4 pdf(2) / (cdf(2) - cdf(-2))).
_CUT_STDDEV = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))

Seed = int | SeedGenerator | None
Axes = Sequence[int] | None


class VarianceScaling(RandomInitializer):
    """Random values of mean 0 and variance scale / n, so that signals keep their size from layer to layer.

    n is the number of inputs of a unit ("fan_in"), of outputs ("fan_out"), or their mean ("fan_avg"). The distribution
    is a normal one cut at two standard deviations ("truncated_normal", or "normal"), "untruncated_normal", or "uniform"
    between -sqrt(3 scale / n) and sqrt(3 scale / n).

    A dense kernel has shape (inputs, outputs); the last two axes of a convolution's are those of channels, and the ones
    before multiply both. `input_axes` and `output_axes` say it for kernels of other forms.

    >>> from hornbeam import keras
    >>> init = keras.initializers.VarianceScaling(scale=2.0, mode="fan_out", distribution="uniform", seed=1)
    >>> bool(abs(init((10, 6)).numpy()).max() <= 1)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ) -> None:
        """Raises ValueError for a scale <= 0 and for unknown modes and distributions."""
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(f"`scale` must be positive; received {scale!r}.")
        if mode not in _MODES:
            raise unknown_name("mode of VarianceScaling", mode, _MODES)
        distribution = str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in _DISTRIBUTIONS:
            raise unknown_name("distribution of VarianceScaling", distribution, _DISTRIBUTIONS)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def draw(
        self, generator: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype
    ) -> np.ndarray:
        """Numbers of variance scale / n."""
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return scaled(generator.random(shape, dtype.type), 2 * limit, -limit)
        if self.distribution == "untruncated_normal":
            return scaled(generator.standard_normal(shape, dtype.type), math.sqrt(variance), 0.0)
        return scaled(
            truncated_normal(generator, shape, dtype), math.sqrt(variance) / _CUT_STDDEV, 0.0
        )


def fans(
    shape: tuple[int, ...], input_axes: Axes = None, output_axes: Axes = None
) -> tuple[int, int]:
    """Return the numbers of inputs and outputs of one unit of a weight.

    >>> fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        fan_in = fan_out = math.prod(shape)
    else:
        window = math.prod(shape[:-2])
        fan_in, fan_out = window * shape[-2], window * shape[-1]
    if input_axes is not None:
        fan_in = math.prod(shape[axis] for axis in input_axes)
    if output_axes is not None:
        fan_out = math.prod(shape[axis] for axis in output_axes)
    return fan_in, fan_out


class _Preset(VarianceScaling):
    """VarianceScaling with a fixed scale, mode and distribution, which its configuration leaves out."""

    rule: tuple[float, str, str]

    def __init__(
        self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None
    ) -> None:
        super().__init__(*self.rule, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the seed and the axes."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "input_axes", "output_axes")}


class GlorotUniform(_Preset):
    """Uniform between -limit and limit, limit = sqrt(6 / (fan_in + fan_out)). The default of most layers.

    Source: Glorot and Bengio, 2010, "Understanding the difficulty of training deep feedforward neural networks".

    >>> from hornbeam import keras
    >>> bool(abs(keras.initializers.GlorotUniform(seed=1)((2, 4)).numpy()).max() <= 1)
    True
    """

    rule = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Preset):
    """Truncated normal with standard deviation sqrt(2 / (fan_in + fan_out)).

    Source: Glorot and Bengio, 2010, "Understanding the difficulty of training deep feedforward neural networks".

    >>> from hornbeam import keras
    >>> keras.initializers.GlorotNormal(seed=1)((2, 4)).shape
    TensorShape([2, 4])
    """

    rule = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Preset):
    """Uniform between -limit and limit, limit = sqrt(6 / fan_in); for layers followed by a ReLU.

    Source: He et al., 2015, "Delving deep into rectifiers".

    >>> from hornbeam import keras
    >>> bool(abs(keras.initializers.HeUniform(seed=1)((6, 4)).numpy()).max() <= 1)
    True
    """

    rule = (2.0, "fan_in", "uniform")


class HeNormal(_Preset):
    """Truncated normal with standard deviation sqrt(2 / fan_in); for layers followed by a ReLU.

    Source: He et al., 2015, "Delving deep into rectifiers".

    >>> from hornbeam import keras
    >>> keras.initializers.HeNormal(seed=1)((6, 4)).shape
    TensorShape([6, 4])
    """

    rule = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Preset):
    """Uniform between -limit and limit, limit = sqrt(3 / fan_in).

    Source: LeCun et al., 1998, "Efficient BackProp".

    >>> from hornbeam import keras
    >>> bool(abs(keras.initializers.LecunUniform(seed=1)((3, 4)).numpy()).max() <= 1)
    True
    """

    rule = (1.0, "fan_in", "uniform")


class LecunNormal(_Preset):
    """Truncated normal with standard deviation sqrt(1 / fan_in); for self-normalising networks (SELU).

    Sources: LeCun et al., 1998, "Efficient BackProp"; Klambauer et al., 2017, "Self-normalizing neural networks".

    >>> from hornbeam import keras
    >>> keras.initializers.LecunNormal(seed=1)((3, 4)).shape
    TensorShape([3, 4])
    """

    rule = (1.0, "fan_in", "truncated_normal")


for _cls in (
    VarianceScaling,
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
):
    registry.add(_cls)
