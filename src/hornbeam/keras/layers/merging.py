"""Layers, and functions of the same names, that make one tensor of several."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer
from hornbeam.ops.linalg import batch_dot
from hornbeam.ops.manipulation import joined_masks

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]


class Merge(Layer):
    """The common base: inputs of one shape, or shapes that broadcast, combined element by element.

    Inputs with fewer axes get axes of size 1 after the batch axis. Where every input has a mask, the result's keeps
    what any of them keeps; otherwise it has none. Raises ValueError for shapes that don't fit.
    """

    combine: Callable[[Any, Any], Any]  # the op for two tensors

    def __init__(self, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit together."""
        shapes = _shapes(self, input_shape)
        batches = {shape[0] for shape in shapes if shape and shape[0] is not None}
        if len(batches) > 1:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) can't merge batches of different sizes; received "
                f"shapes {shapes}."
            )
        longest = max(map(len, shapes))
        padded = [shape[:1] + (1,) * (longest - len(shape)) + shape[1:] for shape in shapes]
        for sizes in zip(*padded, strict=True):
            if len({size for size in sizes if size not in (1, None)}) > 1:
                raise ValueError(
                    f"The layer {self.name!r} ({type(self).__name__}) needs inputs of one shape, or with 1 where they "
                    f"differ; received shapes {shapes}."
                )

    def call(self, inputs: Any) -> Any:
        """Combine the inputs from left to right."""
        longest = max(len(x.shape) for x in inputs)
        first, *rest = [_stretched(x, longest) for x in inputs]
        return functools.reduce(type(self).combine, rest, first)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return a mask, true where any input's mask is; None unless all inputs have masks."""
        if mask is None or any(each is None for each in mask):
            return None
        return functools.reduce(ops.logical_or, mask)


class Add(Merge):
    """The sum of the inputs.

    >>> from hornbeam import keras
    >>> print(keras.layers.Add()([keras.ops.ones(2), keras.ops.ones(2), keras.ops.ones(2)]).numpy())
    [3. 3.]
    """

    combine = staticmethod(ops.add)


class Subtract(Merge):
    """The first of two inputs minus the second.

    >>> from hornbeam import keras
    >>> print(keras.layers.subtract([keras.ops.ones(2), keras.ops.zeros(2)]).numpy())
    [1. 1.]
    """

    combine = staticmethod(ops.subtract)

    def build(self, input_shape: Any) -> None:
        """Check that there are two."""
        shapes = _shapes(self, input_shape)
        if len(shapes) != 2:
            raise ValueError(
                f"The layer {self.name!r} (Subtract) takes exactly 2 inputs; received shapes {shapes}."
            )
        super().build(input_shape)


class Multiply(Merge):
    """The product of the inputs, element by element."""

    combine = staticmethod(ops.multiply)


class Average(Merge):
    """The mean of the inputs, element by element."""

    combine = staticmethod(ops.add)

    def call(self, inputs: Any) -> Any:
        """The sum divided by the number of inputs."""
        return ops.divide(super().call(inputs), len(inputs))


class Maximum(Merge):
    """The largest of the inputs, element by element."""

    combine = staticmethod(ops.maximum)


class Minimum(Merge):
    """The smallest of the inputs, element by element."""

    combine = staticmethod(ops.minimum)


class Concatenate(Layer):
    """The inputs one after the other along `axis`; the other sizes must be equal.

    >>> from hornbeam import keras
    >>> keras.layers.Concatenate()([keras.Input((4, 2)), keras.Input((4, 3))]).shape
    TensorShape([None, 4, 5])
    """

    def __init__(self, axis: int = -1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit together."""
        shapes = _shapes(self, input_shape)
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"The layer {self.name!r} (Concatenate) has axis={self.axis}, but inputs of shapes {shapes}."
            )
        others = [shape[: self.axis % rank] + shape[self.axis % rank + 1 :] for shape in shapes]
        fit = all(
            len(shape) == len(others[0])
            and all(a is None or b is None or a == b for a, b in zip(shape, others[0], strict=True))
            for shape in others
        )
        if not fit:
            raise ValueError(
                f"The layer {self.name!r} (Concatenate) needs inputs of equal sizes on all axes but axis {self.axis}; "
                f"received shapes {shapes}."
            )

    def call(self, inputs: Any) -> Any:
        """Join the inputs."""
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the masks joined in the same way, true for inputs without one."""
        if mask is None or all(each is None for each in mask):
            return None
        return joined_masks(list(inputs), list(mask), self.axis)


class Dot(Layer):
    """Products of two inputs summed along one axis of each, for each example.

    `axes` is the axis, or one for either input; the batch axis is 0. With `normalize` both are divided by their length
    before, so that the result is the cosine of their angle. (b, ..., n, ...) and (b, ..., n, ...) -> (b, rest of both), (b, 1)
    where nothing is left.

    >>> from hornbeam import keras
    >>> keras.layers.Dot(axes=2)([keras.Input((3, 8)), keras.Input((5, 8))]).shape
    TensorShape([None, 3, 5])
    """

    def __init__(
        self, axes: Any, normalize: bool = False, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, (int, list, tuple)):
            raise TypeError(f"`axes` is an integer or a pair of integers; received {axes!r}.")
        if not isinstance(axes, int) and (
            len(axes) != 2 or not all(isinstance(axis, int) for axis in axes)
        ):
            raise ValueError(f"`axes` is an integer or a pair of integers; received {axes!r}.")
        self.axes = axes
        self.normalize = normalize
        self.supports_masking = True

    def _axes_for(self, shapes: Any) -> list[int]:
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        if any(
            not -len(shape) <= axis < len(shape) for axis, shape in zip(axes, shapes, strict=True)
        ):
            raise ValueError(
                f"The layer {self.name!r} (Dot) has axes={self.axes}, but inputs of shapes {shapes}."
            )
        return [axis % len(shape) for axis, shape in zip(axes, shapes, strict=True)]

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit together."""
        shapes = _shapes(self, input_shape)
        if len(shapes) != 2:
            raise ValueError(
                f"The layer {self.name!r} (Dot) takes exactly 2 inputs; received shapes {shapes}."
            )
        axes = self._axes_for(shapes)
        sizes = [shape[axis] for axis, shape in zip(axes, shapes, strict=True)]
        if 0 in axes or (None not in sizes and sizes[0] != sizes[1]):
            raise ValueError(
                f"The layer {self.name!r} (Dot) sums along axes {tuple(axes)} of its inputs, which must have the same "
                f"size there and not be the batch axis; received shapes {shapes}."
            )

    def call(self, inputs: Any) -> Any:
        """Multiply and sum."""
        axes = self._axes_for([x.shape for x in inputs])
        if self.normalize:
            inputs = [ops.normalize(x, axis) for x, axis in zip(inputs, axes, strict=True)]
        return batch_dot(*inputs, *axes)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return None: the outputs have no mask."""
        return None


def add(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """The sum of the inputs, by a layer `Add`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """The first of two inputs minus the second, by a layer `Subtract`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """The product of the inputs, by a layer `Multiply`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """The mean of the inputs, by a layer `Average`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """The largest of the inputs, by a layer `Maximum`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """The smallest of the inputs, by a layer `Minimum`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Unpack[LayerArguments]) -> Any:
    """The inputs one after the other along `axis`, by a layer `Concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Unpack[LayerArguments]) -> Any:
    """Products of two inputs summed along `axes`, by a layer `Dot`."""
    return Dot(axes=axes, **kwargs)(inputs)


def _stretched(x: Any, rank: int) -> Any:
    """Return x with axes of size 1 after the batch axis, so that it has `rank` axes."""
    missing = rank - len(x.shape)
    return ops.expand_dims(x, tuple(range(1, 1 + missing))) if missing else x


def _shapes(layer: Layer, input_shape: Any) -> list[tuple[int | None, ...]]:
    """Return the shapes of the inputs. Raises ValueError unless they are a list of tensors."""
    shapes = list(input_shape) if isinstance(input_shape, (list, tuple)) else []
    if not shapes or not all(isinstance(shape, (list, tuple)) for shape in shapes):
        raise ValueError(
            f"The layer {layer.name!r} ({type(layer).__name__}) is called on a list of tensors; received one of shape "
            f"{input_shape}."
        )
    return [tuple(shape) for shape in shapes]
