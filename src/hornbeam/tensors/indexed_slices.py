"""`tf.IndexedSlices`: some rows of a tensor, the others being zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.dtypes import DType
from hornbeam.core.host import is_text, strings
from hornbeam.core.index_bounds import check_indices
from hornbeam.core.op import op
from hornbeam.core.origins import AddedRows, made_of
from hornbeam.core.shapes import TensorShape
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.typing import Shape, TensorLike
from hornbeam.core.variable import Variable


class IndexedSlices:
    """Rows `values` of a tensor of shape `dense_shape`, at `indices`; equal indices add up.

    Optimizers, clipping and all ops take it as the dense tensor that it stands for.

    >>> import hornbeam as tf
    >>> rows = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([0, 2]), tf.constant([3, 1]))
    >>> tf.convert_to_tensor(rows).numpy().tolist()
    [[1.0], [0.0], [2.0]]
    """

    variables: Sequence[Variable] = ()

    def __init__(
        self, values: TensorLike, indices: TensorLike, dense_shape: TensorLike | None = None
    ) -> None:
        """`dense_shape` may be missing where nothing needs the dense tensor."""
        self.values = strings(values) if is_text(values) else convert_to_tensor(values)
        self.indices = convert_to_tensor(indices)
        self.dense_shape = None if dense_shape is None else convert_to_tensor(dense_shape)

    @property
    def shape(self) -> TensorShape:
        """The shape of the dense tensor; unknown without `dense_shape`."""
        if self.dense_shape is None:
            return TensorShape(None)
        return TensorShape([int(size) for size in self.dense_shape])

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.values.dtype

    @property
    def device(self) -> str:
        """Where the rows lie."""
        return self.values.device

    @property
    def name(self) -> str:
        """Raises AttributeError: tensors have no names outside of graphs."""
        raise AttributeError("Tensor.name is undefined when eager execution is enabled.")

    def get_shape(self) -> TensorShape:
        """The shape of the dense tensor."""
        return self.shape

    def read_value(self) -> Tensor:
        """Return the dense tensor. Raises ValueError without a `dense_shape`."""
        if self.dense_shape is None:
            raise ValueError(
                f"Tensor conversion requested for IndexedSlices without dense_shape: {self}. Give it the shape of the dense "
                "tensor: tf.IndexedSlices(values, indices, dense_shape)."
            )
        return self.dense(self.shape)

    def dense(self, shape: Shape) -> Tensor:
        """Return the dense tensor of a shape that is known from elsewhere. Raises where an index lies beyond it."""
        check_indices(self.indices, next(iter(shape)), "ResourceScatterAdd")
        return _added_rows(self.values, self.indices, tuple(int(size or 0) for size in shape))

    def read_raw(self) -> jax.Array:
        """Return the dense tensor as a raw JAX array."""
        return jnp.asarray(self.read_value())

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self.values, self.indices, self.dense_shape)

    def __repr__(self) -> str:
        shape = "" if self.dense_shape is None else f", dense_shape={self.dense_shape!s}"
        return f"IndexedSlices(indices={self.indices!s}, values={self.values!s}{shape})"


def of_shape(value: Any, shape: Shape) -> Any:
    """Return `value`; where it is `IndexedSlices`, the dense tensor of the shape."""
    return value.dense(shape) if isinstance(value, IndexedSlices) else value


@op(name="tf.IndexedSlices")
def _added_rows(values: Any, indices: Any, shape: tuple[int, ...]) -> jax.Array:
    """Return zeros of `shape` with `values` added at the row numbers `indices`."""
    dense = jnp.zeros(shape, values.dtype).at[indices].add(values)
    return made_of(dense, AddedRows(indices, values) if values.ndim == 2 else None)
