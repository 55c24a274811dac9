"""Random numbers: seeds that are state like any other, threaded through compiled programs."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
import os
import random
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.jax_typed import wrap_key_data
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.typing import NumpyArray, TensorLike
from hornbeam.core.variable import Variable

# HORNBEAM_SEED lets a script that sets no seed be repeated exactly, without a change to it.
_default_seeds = random.Random(os.environ.get("HORNBEAM_SEED"))
_global_generator: SeedGenerator | None = None


class SeedGenerator:
    """A stream of seeds: each `next()` differs, the same `seed` starts the same stream.

    The state is a variable `[seed, number of draws]`; random layers hold one, so that a compiled step advances it.

    >>> from hornbeam import keras
    >>> seeds = keras.random.SeedGenerator(7)
    >>> print(seeds.next().numpy(), seeds.next().numpy())
    [7 0] [7 1]
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: object) -> None:
        """`seed` None takes the next default seed. Raises ValueError for anything but an int or None."""
        if kwargs:
            raise TypeError(f"SeedGenerator received unknown arguments: {', '.join(kwargs)}.")
        if seed is not None and (isinstance(seed, bool) or not _is_int(seed)):
            raise ValueError(f"`seed` is an integer or None; received {seed!r}.")
        self.name = name or "seed_generator"
        self.seed = make_seed() if seed is None else int(seed)
        self.state = Variable(
            np.array([self.seed & 0xFFFFFFFF, 0], "uint32"),
            dtype="uint32",
            trainable=False,
            aggregation="only_first_replica",
            name=f"{self.name}_state",
        )

    def next(self, ordered: bool = True) -> Tensor:
        """Return the next seed, (2,) uint32; the state advances by one draw."""
        current = self.state.read_value()
        self.state.assign(current + np.array([0, 1], "uint32"))
        return current

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the state into a mapping."""
        store["0"] = self.state.view()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote."""
        self.state.assign(store["0"])

    def get_config(self) -> dict[str, Any]:
        """The seed it was made with."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SeedGenerator:
        """Make a generator from what `get_config` returned."""
        return cls(**config)


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer))


def global_generator() -> SeedGenerator:
    """Return the generator that random ops without a seed draw from."""
    global _global_generator
    if _global_generator is None:
        _global_generator = SeedGenerator(make_seed(), name="global_seed_generator")
    return _global_generator


def make_seed() -> int:
    """Return the next default seed; `set_random_seed` starts the series anew."""
    return _default_seeds.randint(1, 10**9)


def default_seed_state() -> list[int]:
    """Return the state of the series of default seeds, for `set_default_seed_state`."""
    return list(_default_seeds.getstate()[1])


def set_default_seed_state(state: Sequence[int]) -> None:
    """Let the series of default seeds go on from a state that `default_seed_state` returned."""
    version, _, gauss = _default_seeds.getstate()
    _default_seeds.setstate((version, tuple(state), gauss))


def set_seed(seed: int) -> None:
    """Restart Hornbeam's own random numbers: default seeds, and random ops without a seed."""
    global _global_generator
    if isinstance(seed, bool) or not _is_int(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"A seed is an integer from 0 to 2**32 - 1; received {seed!r}.")
    _default_seeds.seed(int(seed))
    if _global_generator is None:
        _global_generator = SeedGenerator(int(seed), name="global_seed_generator")
    else:  # programs that thread the old state must go on seeing the generator
        _global_generator.seed = int(seed)
        _global_generator.state.assign(np.array([seed, 0], "uint32"))


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy's global generator and Hornbeam, for runs that repeat exactly.

    >>> from hornbeam import keras
    >>> keras.utils.set_random_seed(42)
    """
    set_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


def host_generator_state() -> dict[str, Any]:
    """Return the state of Python's `random` and of NumPy's global generator."""
    return {"python": random.getstate(), "numpy": np.random.get_state(legacy=False)}


def set_host_generator_state(state: dict[str, Any]) -> None:
    """Let both generators go on from what `host_generator_state` returned."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])


def draw_seed(seed: SeedGenerator | TensorLike | None) -> Any:
    """Return a seed that is a number or an array: the next one of a generator; None asks the global generator."""
    if seed is None:
        seed = global_generator()
    return seed.next()._value if isinstance(seed, SeedGenerator) else seed


def drawing(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return what draws the argument `seed` of an op before its body runs, for `op(prepare=drawing)`.

    What is computed again, for a gradient, then draws the same. Calls on symbolic tensors draw nothing: a graph keeps the
    generator.
    """
    names = list(inspect.signature(fn).parameters)
    place = names.index("seed")

    def prepare(
        args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = args[place] if len(args) > place else kwargs.get("seed")
        if not (given is None or isinstance(given, SeedGenerator) or _is_int(given)):
            return args, kwargs
        if any(isinstance(each, KerasTensor) for each in (*args, *kwargs.values())):
            return args, kwargs
        # An array, so that calls with many seeds share a program.
        seed = _words(given) if _is_int(given) else draw_seed(given)
        if len(args) > place:
            return (*args[:place], seed, *args[place + 1 :]), kwargs
        return args, {**kwargs, "seed": seed}

    return prepare


def _words(seed: int) -> NumpyArray:
    """Return the seed of an integer as an array."""
    return np.array([int(seed) & 0xFFFFFFFF, 0], "uint32")


def draw_key(seed: SeedGenerator | TensorLike | None) -> jax.Array:
    """Return a raw JAX key: a fixed one for an int, the next of a generator; None draws from the global generator."""
    seed = draw_seed(seed)
    seed = _words(seed) if _is_int(seed) else unwrap(seed)
    return wrap_key_data(jnp.asarray(seed, "uint32"), impl="threefry2x32")


def numpy_generator(seed: int | SeedGenerator) -> np.random.Generator:
    """A NumPy generator (Philox, the same numbers on every platform) for values drawn on the host."""
    if isinstance(seed, SeedGenerator):
        words = np.asarray(seed.next()).astype("uint64")
        seed = int(words[0]) << 32 | int(words[1])
    return np.random.Generator(np.random.Philox(int(seed)))
