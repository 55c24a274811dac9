"""`keras.random`: random tensors and seeds."""

from hornbeam.core.faces import missing_names
from hornbeam.core.rng import SeedGenerator
from hornbeam.ops.random import (
    beta,
    binomial,
    categorical,
    dropout,
    gamma,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

__getattr__ = missing_names(__name__)
