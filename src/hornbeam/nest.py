"""`tf.nest`: nested structures of values."""

from hornbeam.core.faces import missing_names
from hornbeam.core.nest import (
    assert_same_structure,
    flatten,
    is_nested,
    map_structure,
    pack_sequence_as,
)

__all__ = [
    "assert_same_structure",
    "flatten",
    "is_nested",
    "map_structure",
    "pack_sequence_as",
]

__getattr__ = missing_names(__name__)
