"""`tf.Variable`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.core.dtypes import DType, as_dtype, float64, int64, uint64
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.core.variable import Variable as CoreVariable


class Variable(CoreVariable):
    """A tensor that can be assigned anew, with TensorFlow's arguments.

    >>> import hornbeam as tf
    >>> v = tf.Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0]).numpy()
    array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        initial_value: TensorLike | Callable[[], TensorLike] | None = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: str | None = None,
        constraint: Any = None,
        synchronization: Any = "auto",
        aggregation: Any = "none",
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        """`initial_value` may be a callable without arguments."""
        if initial_value is None:
            raise ValueError("A Variable needs an initial_value.")
        value = initial_value() if callable(initial_value) else initial_value
        # Numbers of 64 bits are kept in 32; checkpoints write them as TensorFlow has them.
        self.asked_dtype = _wide_type(value, dtype)
        super().__init__(
            value, dtype=dtype, trainable=trainable is not False, name=_plain_name(name)
        )
        self.constraint = constraint

    def value(self) -> Tensor:  # type: ignore[override]
        """The current value."""
        return self.read_value()

    def assign(
        self,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Set the value; return the variable."""
        super().assign(value)
        return self

    def assign_add(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Add to the value; return the variable."""
        super().assign_add(delta)
        return self

    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Subtract from the value; return the variable."""
        super().assign_sub(delta)
        return self

    def get_shape(self) -> Any:
        """The shape."""
        return self.shape

    def __repr__(self) -> str:
        value = repr(self.read_value())
        numbers = value.partition("numpy=")[2].removesuffix(">")
        return f"<tf.Variable '{self.name}:0' shape={self.shape} dtype={self.dtype.name}, numpy={numbers}>"


def _wide_type(value: object, dtype: DTypeLike | None) -> DType | None:
    """Return the type if it is one of 64 bits that was asked for."""
    if dtype is None:
        dtype = value.dtype if isinstance(value, (np.ndarray, np.generic)) else None
    found = as_dtype(dtype) if dtype is not None else None
    return found if found is not None and found in (int64, float64, uint64) else None


def _plain_name(name: str | None) -> str | None:
    return None if name is None else name.replace("/", "_")
