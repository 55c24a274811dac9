"""`tf.experimental.numpy.random`: random tensors under NumPy's names.

>>> import hornbeam.experimental.numpy as tnp
>>> tnp.random.seed(1)
>>> tnp.random.rand(2, 3).shape
TensorShape([2, 3])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.dtypes import canonical
from hornbeam.core.faces import missing_names
from hornbeam.core.rng import set_seed
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.experimental.numpy.promotion import default_float, tensor, wide
from hornbeam.ops import random as drawing
from hornbeam.random import draws

__all__ = [
    "poisson",
    "rand",
    "randint",
    "randn",
    "random",
    "seed",
    "standard_normal",
    "uniform",
]


def _shape(size: Any) -> tuple[int, ...]:
    if size is None:
        return ()
    return (int(size),) if np.ndim(size) == 0 else tuple(int(each) for each in size)


def seed(s: int) -> None:
    """Start the random numbers anew, all of them."""
    set_seed(int(s))


def rand(*size: int) -> Any:
    """Return numbers spread evenly over [0, 1)."""
    return uniform(0.0, 1.0, size)


def random(size: Any = None) -> Any:
    """Return numbers spread evenly over [0, 1)."""
    return uniform(0.0, 1.0, size)


def uniform(low: TensorLike = 0.0, high: TensorLike = 1.0, size: Any = None) -> Any:
    """Return numbers spread evenly over [low, high); without a size, as many as there are limits."""
    kind = default_float()
    first, last = tensor(low, kind), tensor(high, kind)
    shape = (
        np.broadcast_shapes(tuple(first.shape), tuple(last.shape)) if size is None else _shape(size)
    )
    return draws.uniform(shape, first, last, kind)


def randn(*args: int) -> Any:
    """Return numbers of the standard normal distribution."""
    return standard_normal(args)


def standard_normal(size: Any = None) -> Any:
    """Return numbers of the standard normal distribution."""
    return draws.normal(_shape(size), dtype=default_float())


def randint(
    low: int, high: int | None = None, size: Any = None, dtype: DTypeLike = np.int64
) -> Any:
    """Return whole numbers from `low` up to but without `high`; from 0 up to `low` if there is no `high`."""
    first, last = (0, low) if high is None else (low, high)
    return drawing.randint(_shape(size), first, last, canonical(dtype))


def poisson(lam: TensorLike = 1.0, size: Any = None) -> Any:
    """Return counts of the Poisson distribution with the mean `lam`."""
    rates = tensor(lam, "float32")
    if size is not None:
        shape = _shape(size)
        extra = len(shape) - len(rates.shape)
        return draws.poisson(shape[:extra], rates, wide("int64"))
    return draws.poisson((), rates, wide("int64"))


__getattr__ = missing_names(__name__)
