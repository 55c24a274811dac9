"""The unions that signatures share, each named once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import jax
import numpy as np

if TYPE_CHECKING:
    from hornbeam.core.dtypes import DType
    from hornbeam.core.symbolic import KerasTensor
    from hornbeam.core.tensor import Tensor
    from hornbeam.core.variable import Variable

Number: TypeAlias = "bool | int | float | complex | np.generic"
"""One number, of Python or NumPy."""

TensorLike: TypeAlias = (
    "Tensor | Variable | KerasTensor | jax.Array | np.ndarray | Number | Sequence[TensorLike]"
)
"""What an op takes as a tensor: an array of any kind, a number, or a nested list of these."""

DTypeLike: TypeAlias = "DType | str | type | np.dtype"
"""What names an element type: "float32", `np.float32`, `float`, a `DType`."""

Shape: TypeAlias = "Sequence[int | None]"
"""The sizes of the axes; None stands for one that is not known."""

Axis: TypeAlias = "int | Sequence[int] | None"
"""One axis, several, or None: all, or the flattened array, as the function says."""

T = TypeVar("T")

Structure: TypeAlias = "T | Sequence[Structure[T]] | Mapping[str, Structure[T]] | None"
"""Values in nested lists, tuples and dicts."""
