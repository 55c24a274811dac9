"""A random generator with a state of its own."""

from __future__ import annotations

from typing import Any

from hornbeam.core.rng import SeedGenerator
from hornbeam.core.tensor import Tensor
from hornbeam.random import draws


class Generator:
    """A stream of random tensors, independent of the global one.

    >>> import hornbeam as tf
    >>> g = tf.random.Generator.from_seed(1)
    >>> g.normal([2]).shape
    TensorShape([2])
    """

    def __init__(self, seeds: SeedGenerator) -> None:
        """Use `from_seed` or `from_non_deterministic_state`."""
        self._seeds = seeds

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """A generator whose draws repeat for the same seed."""
        return cls(SeedGenerator(int(seed)))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A generator with the next default seed."""
        return cls(SeedGenerator())

    @property
    def state(self) -> Any:
        """The state, a variable."""
        return self._seeds.state

    def normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = "float32",
        name: Any = None,
    ) -> Tensor:
        """Values of a normal distribution."""
        return draws.normal(shape, mean, stddev, dtype, self._seeds)

    def truncated_normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = "float32",
        name: Any = None,
    ) -> Tensor:
        """Values of a normal distribution, none farther than two deviations from the mean."""
        return draws.truncated_normal(shape, mean, stddev, dtype, self._seeds)

    def uniform(
        self,
        shape: Any,
        minval: Any = 0,
        maxval: Any = None,
        dtype: Any = "float32",
        name: Any = None,
    ) -> Tensor:
        """Values from `minval` up to but without `maxval`."""
        return draws.uniform(shape, minval, maxval, dtype, self._seeds)
