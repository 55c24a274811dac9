"""Integers taken as rows of bits, under TensorFlow's names."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core.signatures import of_x, of_xy

bitwise_and = of_xy(ops.bitwise_and)
bitwise_or = of_xy(ops.bitwise_or)
bitwise_xor = of_xy(ops.bitwise_xor)
invert = of_x(ops.bitwise_not, "invert")
left_shift = of_xy(ops.left_shift, "left_shift")
right_shift = of_xy(ops.right_shift, "right_shift")
