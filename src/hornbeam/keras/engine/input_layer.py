"""The inputs of functional models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from hornbeam.core import config
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.shapes import standardize_shape
from hornbeam.core.symbolic import KerasTensor, Node
from hornbeam.keras.engine.layer import Layer

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike, Shape


class OldArguments(TypedDict, total=False):
    """Names of arguments that old code uses."""

    input_shape: Shape | int
    batch_input_shape: Shape


class InputLayer(Layer):
    """An input in a model's graph; `keras.Input` makes it."""

    def __init__(
        self,
        shape: Shape | int | None = None,
        batch_size: int | None = None,
        dtype: DTypeLike | None = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Shape | None = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Unpack[OldArguments],
    ) -> None:
        """Pass `shape`, without the batch axis, or `batch_shape`, with it. Raises ValueError unless one is given."""
        super().__init__(name=name)
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if kwargs:
            raise ValueError(f"Input received unknown arguments: {', '.join(map(repr, kwargs))}.")
        if sparse or ragged:
            raise NotImplementedError(
                "Sparse and ragged inputs are not supported: pass dense arrays, and pad them if their lengths differ."
            )
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
        elif shape is not None and batch_shape is not None:
            raise ValueError(
                f"Input received both shape={shape!r} and batch_shape={batch_shape!r}; pass one of them."
            )
        elif batch_shape is None:
            if shape is None:
                raise ValueError(
                    "Input received no shape. Pass it without the batch axis: Input((28, 28, 1))."
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
        """The type of the values that the model will receive."""
        return self._dtype

    @property
    def input(self) -> KerasTensor:
        """The tensor that stands for the values, as `output` does: models are cut from `model.layers[0].input` on."""
        return self.output

    def call(self) -> None:
        """Do nothing: a model takes the values of its inputs from its arguments."""

    def get_config(self) -> dict[str, Any]:
        """Return the shape with the batch axis, the type and the name."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape: Shape | int | None = None,
    batch_size: int | None = None,
    dtype: DTypeLike | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Shape | None = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """Return a symbolic input. Layers called on it form a graph, which `keras.Model(inputs, outputs)` turns into a model.

    `shape` does not contain the batch axis; None in it stands for any size.

    >>> from hornbeam import keras
    >>> x = keras.Input((28, 28, 1))
    >>> x.shape
    TensorShape([None, 28, 28, 1])
    """
    layer = InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    )
    return layer.output
