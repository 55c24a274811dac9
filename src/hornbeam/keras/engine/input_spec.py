"""What a layer accepts as its inputs, and the errors for anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.op import is_box

if TYPE_CHECKING:
    from hornbeam.core.typing import Box, DTypeLike, Shape, Structure
    from hornbeam.keras.engine.layer import Layer


class InputSpec:
    """The rank, sizes and type that a layer accepts as an input.

    >>> from hornbeam import keras
    >>> keras.layers.InputSpec(min_ndim=2, axes={-1: 8})
    InputSpec(min_ndim=2, axes={-1: 8})
    """

    def __init__(
        self,
        dtype: DTypeLike | None = None,
        shape: Shape | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        """`axes` maps an axis to its size; `shape` sets the rank and all sizes (None: any size)."""
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Return a spec made from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        given = {
            k: v
            for k, v in vars(self).items()
            if v not in (None, False, {}) and (k, v) != ("ndim", None)
        }
        return f"InputSpec({', '.join(f'{k}={v!r}' for k, v in given.items())})"

    def complaint(self, shape: tuple[int | None, ...], dtype: DTypeLike) -> str | None:
        """Return what is wrong with an input of that shape and type, or None if it is accepted."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            wanted = f", shape {self.shape}" if self.shape is not None else ""
            return f"expected an input with {self.ndim} axes{wanted}, received {rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected an input with at most {self.max_ndim} axes, received {rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected an input with at least {self.min_ndim} axes, received {rank}"
        if self.dtype is not None and as_dtype(dtype).name != self.dtype:
            return f"expected an input of type {self.dtype}, received {as_dtype(dtype).name}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return f"expected size {size} on axis {axis} of the input, received {shape[axis]}"
        if self.shape is not None:
            for axis, (wanted, got) in enumerate(zip(self.shape, shape, strict=True)):
                if wanted is not None and got is not None and wanted != got:
                    return f"expected shape {self.shape}, but axis {axis} has size {got}"
        return None


def check_inputs(specs: Structure[InputSpec], inputs: object, layer: Layer) -> None:
    """Raise ValueError unless the layer's `input_spec` accepts `inputs`."""
    specs = jax.tree.leaves(specs, is_leaf=lambda x: isinstance(x, InputSpec))
    tensors = [x for x in jax.tree.leaves(inputs, is_leaf=is_box) if is_box(x)]
    who = f"The layer {layer.name!r} ({type(layer).__name__})"
    if len(tensors) != len(specs):
        raise ValueError(
            f"{who} expected {len(specs)} input(s), received {len(tensors)} of shapes "
            f"{[tuple(x.shape) for x in tensors]}."
        )
    for spec, tensor in zip(specs, tensors, strict=True):
        if complaint := spec.complaint(tuple(tensor.shape), tensor.dtype):
            raise ValueError(
                f"{who} {complaint}. Full shape received: {tuple(tensor.shape)}.{_hint(spec, tensor)}"
            )


def _hint(spec: InputSpec, tensor: Box) -> str:
    rank = len(tensor.shape)
    if spec.ndim == 4 and rank == 3:
        return (
            " Images come as (batch, height, width, channels): for gray ones add the channel axis with "
            "x.reshape(-1, height, width, 1); for a single image add the batch axis with x[None]."
        )
    if spec.ndim == 3 and rank == 2:
        return " Sequences come as (batch, time, features): add the missing axis, e.g. with x[..., None]."
    if spec.min_ndim == 2 and rank == 1:
        return " Add the batch axis with x[None], or the feature axis with x[:, None]."
    return ""
