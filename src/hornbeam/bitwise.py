"""`tf.bitwise`: integers taken as rows of bits.

>>> import hornbeam as tf
>>> tf.bitwise.bitwise_and([6, 5], [3, 3]).numpy()
array([2, 1], dtype=int32)
>>> tf.bitwise.left_shift([1, 3], [4, 1]).numpy()
array([16,  6], dtype=int32)
"""

from hornbeam.core.faces import missing_names
from hornbeam.tensors.bits import (
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    invert,
    left_shift,
    right_shift,
)

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]

__getattr__ = missing_names(__name__)
