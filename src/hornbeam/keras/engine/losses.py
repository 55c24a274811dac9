"""The losses that layers add: in `call`, by activity regularizers, and by the regularizers of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from hornbeam.core import scope
from hornbeam.core.op import is_box
from hornbeam.core.tensor import is_traced, unwrap
from hornbeam.core.typing import TensorLike
from hornbeam.keras.engine.context import call_context, current_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hornbeam.keras.engine.layer import Layer


def add(layer: Layer, loss: TensorLike | Sequence[TensorLike] | None) -> None:
    """Add a loss, or several, to the call in progress, or to the layer if there is none."""
    context = current_context()
    kept = layer._call_losses if context is None else context.losses
    for each in loss if isinstance(loss, (list, tuple)) else [loss]:
        if each is not None:
            kept.append((layer, each))


def add_activity_loss(layer: Layer, outputs: object) -> None:
    """Add the penalty of the activity regularizer, divided by the batch size, for each output."""
    if layer.activity_regularizer is not None:
        for tensor in jax.tree.leaves(outputs, is_leaf=is_box):
            samples = tensor.shape[0] if tensor.shape else 1
            layer.add_loss(layer.activity_regularizer(tensor) / samples)


def of_layer(layer: Layer) -> list[Any]:
    """Return the losses that the last call added, then the penalties of the weights' regularizers."""
    context = current_context()
    added = layer._call_losses
    if context is not None:
        inside = {id(each) for each in layer._depth_first()}
        added = [pair for pair in context.losses if id(pair[0]) in inside]
    return [loss for _, loss in added] + _of_weights(layer)


def _of_weights(layer: Layer) -> list[Any]:
    return [v.regularizer(v) for v in layer.trainable_weights if v.regularizer is not None]


def keep(layer: Layer, losses: list[tuple[Layer, Any]]) -> None:
    """Keep the losses of a call for `Layer.losses`; drop tracers."""
    kept = [] if any(is_traced(unwrap(x)) for _, x in losses) else losses
    # In place: the list stays the same object, as `call_settings` wants the attributes to be.
    layer._call_losses[:] = kept
    for each in {id(each): each for each, _ in kept}.values():
        if each is not layer:
            each._call_losses[:] = [pair for pair in kept if pair[0] is each]


def stateless_call(
    layer: Layer,
    trainable_variables: Sequence[TensorLike],
    non_trainable_variables: Sequence[TensorLike],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, list[Any], list[Any]]:
    """Return the outputs, the new values of the variables that are not trained, and the losses."""
    if not layer.built:
        raise ValueError(
            f"The layer {layer.name!r} must be built before stateless_call: call it on data first."
        )
    trainable, others = layer.trainable_variables, layer.non_trainable_variables
    values = [unwrap(v) for v in (*trainable_variables, *non_trainable_variables)]

    def call() -> Any:
        with call_context(fresh=True) as called:
            outputs = layer(*args, **kwargs)
            losses = [loss for _, loss in called.context.losses]
            losses += _of_weights(layer)
        return outputs, losses

    (outputs, losses), new_values = scope.pure(call, [*trainable, *others])(values)
    return outputs, new_values[len(trainable) :], losses
