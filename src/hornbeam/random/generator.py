"""A random generator with a state of its own."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from hornbeam.core.dtypes import canonical
from hornbeam.core.rng import SeedGenerator, draw_key
from hornbeam.core.tensor import Tensor, convert_to_tensor, unwrap
from hornbeam.core.typing import DTypeLike, NumpyArray, TensorLike
from hornbeam.ops import draws as drawing
from hornbeam.random import draws
from hornbeam.tensors.creation import static_shape


class Algorithm(enum.Enum):
    """The names of counter-based generators; all draws here are of Threefry, whichever is asked for."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


def _words(values: Any) -> NumpyArray:
    return np.ravel(np.asarray(unwrap(convert_to_tensor(values)))).astype("int64")


def _state(values: Any) -> NumpyArray:
    """Return [key, number of draws] of a state: one of ours, or TensorFlow's three words (counter, counter, key)."""
    words = _words(values)
    if len(words) not in (2, 3):
        raise ValueError(f"A state has two or three words; received {len(words)}.")
    chosen = words if len(words) == 2 else words[[2, 0]]
    return (chosen & 0xFFFFFFFF).astype("uint32")


class Generator:
    """A stream of random tensors, independent of the global one.

    >>> import hornbeam as tf
    >>> g = tf.random.Generator.from_seed(1)
    >>> g.normal([2]).shape
    TensorShape([2])
    """

    def __init__(
        self, copy_from: Generator | None = None, state: Any = None, alg: Any = None
    ) -> None:
        """Begin with the state of another generator, or a given one; usually made by `from_seed`."""
        if (copy_from is None) == (state is None):
            raise ValueError(
                "Give one of `copy_from` and `state`, or make the generator by Generator.from_seed(1)."
            )
        self._seeds = SeedGenerator(0, name="generator")
        self._seeds.state.assign(_state(state if copy_from is None else copy_from.state))

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """Return a generator that goes on from the `state` of another one."""
        return cls(state=state)

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """Return a generator whose draws repeat for the same seed."""
        return cls(state=[int(seed) & 0xFFFFFFFF, 0])

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Return a generator with the next default seed."""
        return cls.from_seed(SeedGenerator().seed)

    @classmethod
    def from_key_counter(cls, key: int, counter: Any, alg: Any) -> Generator:
        """Return a generator with that key, some draws after its beginning."""
        return cls(state=[int(key), int(_words(counter)[0])])

    @property
    def state(self) -> Any:
        """The state, a variable: the key and the number of draws."""
        return self._seeds.state

    @property
    def key(self) -> Tensor:
        """The part of the state that never changes."""
        return self._seeds.state.read_value()[0]

    @property
    def algorithm(self) -> int:
        """The number of the algorithm, 2: Threefry."""
        return Algorithm.THREEFRY.value

    def reset(self, state: Any) -> None:
        """Go on from a given state."""
        self._seeds.state.assign(_state(state))

    def reset_from_seed(self, seed: int) -> None:
        """Begin anew with a seed."""
        self.reset([int(seed) & 0xFFFFFFFF, 0])

    def reset_from_key_counter(self, key: int, counter: Any) -> None:
        """Go on with that key, some draws after its beginning."""
        self.reset([int(key), int(_words(counter)[0])])

    def skip(self, delta: int) -> Tensor:
        """Leave out so many draws; return the state before."""
        before = self._seeds.state.read_value()
        self._seeds.state.assign(before + np.array([0, delta], "uint32"))
        return before

    def split(self, count: int = 1) -> list[Generator]:
        """Return `count` new generators, independent of this one and of each other."""
        return [type(self)(state=[int(n), 0]) for n in np.asarray(self.make_seeds(count))[0]]

    def make_seeds(self, count: int = 1) -> Tensor:
        """Return `count` seeds for stateless draws, as columns. -> (2, count)"""
        bits = drawing.bits_of_key(draw_key(self._seeds), (count,), "uint32")
        return drawing.seeds_of_bits(bits, canonical("int64").name)

    def normal(
        self,
        shape: Any,
        mean: TensorLike = 0.0,
        stddev: TensorLike = 1.0,
        dtype: DTypeLike = "float32",
        name: str | None = None,
    ) -> Tensor:
        """Return values of a normal distribution."""
        return draws.normal(shape, mean, stddev, dtype, self._seeds)

    def truncated_normal(
        self,
        shape: Any,
        mean: TensorLike = 0.0,
        stddev: TensorLike = 1.0,
        dtype: DTypeLike = "float32",
        name: str | None = None,
    ) -> Tensor:
        """Return values of a normal distribution, none farther than two deviations from the mean."""
        return draws.truncated_normal(shape, mean, stddev, dtype, self._seeds)

    def uniform(
        self,
        shape: Any,
        minval: TensorLike = 0,
        maxval: TensorLike | None = None,
        dtype: DTypeLike = "float32",
        name: str | None = None,
    ) -> Tensor:
        """Return values from `minval` up to but without `maxval`."""
        return draws.uniform(shape, minval, maxval, dtype, self._seeds)

    def uniform_full_int(
        self, shape: Any, dtype: DTypeLike = "uint64", name: str | None = None
    ) -> Tensor:
        """Return integers that take any value of their type."""
        kind = canonical(dtype).name
        return drawing.bits_of_key(draw_key(self._seeds), static_shape(shape), kind)

    def binomial(
        self,
        shape: Any,
        counts: TensorLike,
        probs: TensorLike,
        dtype: DTypeLike = "int32",
        name: str | None = None,
    ) -> Tensor:
        """Return how many of `counts` tries succeed that each succeed with `probs`; `shape` ends with theirs."""
        return draws.binomial(shape, counts, probs, dtype, self._seeds)


_global: list[Generator] = []


def get_global_generator() -> Generator:
    """Return the generator that a program shares; made at the first call.

    >>> import hornbeam as tf
    >>> tf.random.get_global_generator().uniform([2]).shape
    TensorShape([2])
    """
    if not _global:
        _global.append(Generator.from_non_deterministic_state())
    return _global[0]


def set_global_generator(generator: Generator) -> None:
    """Let a program share another generator."""
    _global[:] = [generator]


def create_rng_state(seed: Any, alg: Any) -> Tensor:
    """Return a state for `Generator.from_state` made of a seed: an integer or several.

    >>> import hornbeam as tf
    >>> tf.random.create_rng_state(1, "philox").numpy().tolist()
    [1, 0, 0]
    """
    name = alg.name if isinstance(alg, Algorithm) else alg
    words = 2 if name in ("threefry", "THREEFRY", 2) else 3
    values = _words(seed)
    if len(values) > words:
        raise ValueError(f"A state of {name} has {words} words; received {len(values)}.")
    return convert_to_tensor(np.pad(values, (0, words - len(values))), "int64")
