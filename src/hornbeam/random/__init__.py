"""`tf.random`: random tensors; `set_seed` makes them repeat."""

from hornbeam.core.faces import missing_names
from hornbeam.core.rng import set_seed
from hornbeam.random.draws import (
    categorical,
    gamma,
    normal,
    poisson,
    shuffle,
    stateless_normal,
    stateless_truncated_normal,
    stateless_uniform,
    truncated_normal,
    uniform,
)
from hornbeam.random.generator import Generator

__all__ = [
    "Generator",
    "categorical",
    "gamma",
    "normal",
    "poisson",
    "set_seed",
    "shuffle",
    "stateless_normal",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
]

__getattr__ = missing_names(__name__)
