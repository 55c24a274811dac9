"""The stages of a call: bind the arguments, run `call`, set masks, keep losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from hornbeam.core import scope
from hornbeam.core.op import is_box, wrap
from hornbeam.core.symbolic import KerasTensor, symbolic_leaves
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.keras.engine import losses
from hornbeam.keras.engine.call_signature import (
    PLAIN,
    CallSignature,
    convert_arguments,
    is_number_list,
    mask_of,
    shape_of,
    tensor_arguments,
)
from hornbeam.keras.engine.context import call_context, current_context
from hornbeam.ops.core import cast as to_dtype

if TYPE_CHECKING:
    from hornbeam.keras.engine.layer import Layer

_IN_LAYER = "In the layer"
# A user's own layer may take whatever it likes.
_OF_LIBRARY = "hornbeam.keras.layers"


class BoundCall(NamedTuple):
    """The arguments of one call of a layer.

    `arguments` holds `args` and `kwargs` by name, with the masks of the tensors filled in; `tensors` those of them that
    hold tensors, without the masks. `training` is for the layers inside, if `call` does not take it itself.
    """

    signature: CallSignature
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    arguments: dict[str, Any]
    tensors: dict[str, Any]
    training: bool | None

    @property
    def is_symbolic(self) -> bool:
        """Return whether there is a symbolic tensor among the arguments."""
        return any(map(_is_symbolic, self.args)) or any(map(_is_symbolic, self.kwargs.values()))


def _is_symbolic(value: object) -> bool:
    return type(value) not in PLAIN and bool(symbolic_leaves(value))


def bind(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BoundCall:
    """Convert the arguments of a call and name them as the layer's `call` does."""
    signature = layer._signature()
    if args and is_number_list(args[0]):  # layer([[1.0, 2.0]])
        args = (convert_to_tensor(args[0]), *args[1:])
    convert = layer._convert_input
    args = tuple(convert_arguments(value, convert) for value in args)
    kwargs = {name: convert_arguments(value, convert) for name, value in kwargs.items()}
    training = None if signature.accepts("training") else kwargs.pop("training", None)
    arguments = signature.bind(layer, args, kwargs)
    tensors = tensor_arguments(arguments)
    if args and not tensors and type(layer).__module__.startswith(_OF_LIBRARY):
        _check_is_tensor(layer, args[0])
    _fill_masks(signature, arguments, tensors)
    return BoundCall(signature, args, kwargs, arguments, tensors, training)


def _check_is_tensor(layer: Layer, value: Any) -> None:
    # An empty list is left to the layer, which says how many inputs it takes.
    if value is None or jax.tree.leaves(value):
        shown = repr(value)
        raise ValueError(
            f"The layer {layer.name!r} ({type(layer).__name__}) expects a tensor, an array or a list of numbers; "
            f"received {shown if len(shown) < 80 else 'a value'} of type {type(value).__name__}."
        )


def convert_input(layer: Layer, x: Tensor | KerasTensor) -> Tensor | KerasTensor:
    """Return a tensor cast to the type that the layer computes in; keep symbolic tensors and integers as they are."""
    if not layer.autocast or not x.dtype.is_floating or x.dtype == layer.compute_dtype:
        return x
    if isinstance(x, KerasTensor):
        return x
    cast = to_dtype(x, layer.compute_dtype)
    cast._keras_mask = x._keras_mask
    return cast


def run(layer: Layer, call: BoundCall) -> Any:
    """Run `call` on values, set the masks of the outputs and keep the losses."""
    training = _resolve_training(call)
    mixed = layer.autocast and layer.compute_dtype != layer.variable_dtype
    with (
        call_context(training) as called,
        scope.autocast(layer.compute_dtype if mixed else None),
    ):
        outputs = _compute(layer, call)
        losses.add_activity_loss(layer, outputs)
        _set_output_masks(layer, call, outputs)
        if called.is_outermost:
            losses.keep(layer, called.context.losses)
    return outputs


def _compute(layer: Layer, call: BoundCall) -> Any:
    try:
        signature, arguments = call.signature, call.arguments
        if signature.star is None:
            return wrap(layer.call(**arguments))
        # call(self, a, *others): pass what stands before the star by position.
        rest = dict(arguments)
        before = [
            rest.pop(name) for name in signature.names[: signature.star_index] if name in rest
        ]
        return wrap(layer.call(*before, *rest.pop(signature.star, ()), **rest))
    except Exception as error:
        if not any(note.startswith(_IN_LAYER) for note in getattr(error, "__notes__", ())):
            error.add_note(_where(layer, call.tensors))  # the innermost layer only
        raise


def _where(layer: Layer, tensors: dict[str, Any]) -> str:
    shapes = ", ".join(f"{name}: {shape_of(value)}" for name, value in tensors.items())
    return f"{_IN_LAYER} {layer.name!r} ({type(layer).__name__}), called with {shapes or 'no tensors'}."


def _resolve_training(call: BoundCall) -> bool | None:
    """Return whether the call trains: as it says itself, as the call around it does, or by default."""
    training = call.arguments.get("training", call.training)
    context = current_context()
    if training is None and context is not None:
        training = context.training
    if training is None:
        training = call.signature.defaults.get("training")
    if "training" in call.signature.names:
        call.arguments["training"] = training
    return training


def _fill_masks(
    signature: CallSignature, arguments: dict[str, Any], tensors: dict[str, Any]
) -> None:
    for index, (name, value) in enumerate(tensors.items()):
        for wanted in (["mask"] if index == 0 else []) + [f"{name}_mask"]:
            if wanted in signature.names and arguments.get(wanted) is None:
                found = mask_of(value)
                if found is not None:
                    arguments[wanted] = found


def _set_output_masks(layer: Layer, call: BoundCall, outputs: object) -> None:
    if not call.tensors or not layer.supports_masking:
        return
    inputs = next(iter(call.tensors.values()))
    given = call.arguments.get("mask")
    mask = given if given is not None else mask_of(inputs)
    if mask is None and not layer._makes_masks():
        return
    masks = jax.tree.leaves(
        layer.compute_mask(inputs, mask), is_leaf=lambda x: x is None or is_box(x)
    )
    tensors = jax.tree.leaves(outputs, is_leaf=is_box)
    for tensor, each in zip(tensors, masks, strict=False):
        if isinstance(tensor, Tensor) and each is not None and tensor._keras_mask is None:
            tensor._keras_mask = each
