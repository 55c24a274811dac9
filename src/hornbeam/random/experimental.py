"""`tf.random.experimental`: older names of what `tf.random` has."""

from hornbeam.core.faces import missing_names
from hornbeam.random.generator import (
    Algorithm,
    Generator,
    create_rng_state,
    get_global_generator,
    set_global_generator,
)
from hornbeam.random.stateless import (
    index_shuffle,
    stateless_fold_in,
    stateless_shuffle,
    stateless_split,
)

__all__ = [
    "Algorithm",
    "Generator",
    "create_rng_state",
    "get_global_generator",
    "index_shuffle",
    "set_global_generator",
    "stateless_fold_in",
    "stateless_shuffle",
    "stateless_split",
]

__getattr__ = missing_names(__name__)
