"""The entrance of a functional model."""

from __future__ import annotations

from typing import Any

from hornbeam.core import config
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.shapes import standardize_shape
from hornbeam.core.symbolic import KerasTensor, Node
from hornbeam.keras.engine.layer import Layer


class InputLayer(Layer):
    """Stands for an input in a model's graph; made by `keras.Input`."""

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """`shape` leaves the batch axis out, `batch_shape` includes it. Raises ValueError unless one is given."""
        super().__init__(name=name)
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if kwargs:
            raise ValueError(f"Input received unknown arguments: {', '.join(map(repr, kwargs))}.")
        if sparse or ragged:
            raise NotImplementedError(
                "Sparse and ragged inputs are not supported; pass dense arrays, padded if need be."
            )
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        elif shape is not None and batch_shape is not None:
            raise ValueError("Give Input `shape` or `batch_shape`, not both.")
        elif batch_shape is None:
            if shape is None:
                raise ValueError(
                    "Input needs a `shape`, without the batch axis: Input((28, 28, 1))."
                )
            batch_shape = (batch_size, *standardize_shape(shape))
        self.batch_shape = standardize_shape(batch_shape)
        self._dtype = as_dtype(dtype or config.floatx()).name
        self.sparse = False
        self.ragged = False
        self.optional = optional
        self.built = True
        output = input_tensor
        if output is None:
            output = KerasTensor(self.batch_shape, self._dtype, name=self.name)
        self._inbound_nodes.append(Node(self, (), {}, output))

    @property
    def dtype(self) -> str:
        """The type of the values that are to come in."""
        return self._dtype

    def call(self) -> Any:
        """Not used: the model gives the value."""

    def get_config(self) -> dict[str, Any]:
        """Batch shape, type and name."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic input: layers called on it become a graph, which `keras.Model(inputs, outputs)` makes a model of.

    `shape` leaves the batch axis out; None in it stands for any size.

    >>> from hornbeam import keras
    >>> x = keras.Input((28, 28, 1))
    >>> x.shape
    TensorShape([None, 28, 28, 1])
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.output
