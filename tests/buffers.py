"""NumPy arrays whose memory JAX on CPU would share, not copy, if it were allowed to."""

import numpy as np


def shareable(shape, value):
    """Return a float32 array filled with `value`, aligned as XLA wants it."""
    size = 4 * int(np.prod(shape))
    memory = np.empty(size + 64, "uint8")
    start = -memory.ctypes.data % 64
    array = memory[start : start + size].view("float32").reshape(shape)
    array[:] = value
    return array
