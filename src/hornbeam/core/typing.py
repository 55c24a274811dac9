"""The types that signatures share, each named once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import jax
import numpy as np

if TYPE_CHECKING:
    from jax.tree_util import PyTreeDef

    from hornbeam.core.dtypes import DType
    from hornbeam.core.symbolic import KerasTensor
    from hornbeam.core.tensor import Tensor
    from hornbeam.core.variable import Variable
    from hornbeam.core.weight import Weight


class SupportsArray(Protocol):
    """An object that NumPy can read: a column of a data frame, a tensor of another library."""

    def __array__(self) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the values."""
        ...


class HasDType(Protocol):
    """A value with an element type: an array, a tensor, a variable, a NumPy scalar type."""

    @property
    def dtype(self) -> Any:
        """The element type."""
        ...


Number: TypeAlias = "bool | int | float | complex | np.generic[Any]"
"""One number, of Python or NumPy."""

NumpyArray: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
"""A NumPy array of any shape and element type."""

RawArray: TypeAlias = "jax.Array | NumpyArray"
"""What a tensor wraps: a JAX array or tracer; a NumPy array for sizes, which stay known inside a compiled program."""

Box: TypeAlias = "Tensor | Variable | KerasTensor | Weight"
"""An object of Hornbeam that stands for an array; `core.op` takes it as one leaf of its arguments."""

TensorLike: TypeAlias = (
    "Box | jax.Array | NumpyArray | SupportsArray | Number | Sequence[TensorLike]"
)
"""What an op takes as a tensor: an array of any kind, a number, or a nested list of these.

In the body of an op no `Box` is left: tensors and variables arrive there as JAX arrays.
"""

DTypeLike: TypeAlias = "DType | str | type[Any] | np.dtype[Any] | HasDType"
"""What names an element type: "float32", `np.float32`, `float`, a `DType`."""

Shape: TypeAlias = "Sequence[int | None]"
"""The sizes of the axes; None stands for one that is not known."""

Axis: TypeAlias = "int | Sequence[int] | None"
"""One axis, several, or None: all, or the flattened array, as the function says."""

Key: TypeAlias = "slice | EllipsisType | TensorLike | tuple[slice | EllipsisType | TensorLike | None, ...] | None"
"""What stands in the brackets of `x[key]`."""

TreeDef: TypeAlias = "PyTreeDef"
"""The form of a nested structure, as `jax.tree` keeps it."""

T = TypeVar("T")

Structure: TypeAlias = "T | Sequence[Structure[T]] | Mapping[str, Structure[T]] | None"
"""Values in nested lists, tuples and dicts."""
