"""One call of a layer as a compiled program, with the masks of its outputs and the losses that it adds."""

# `_value` and `_keras_mask` are private to the core and the engine: reading them here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import jax

from hornbeam.core import block, recording
from hornbeam.core.compiled import Compiled
from hornbeam.core.op import is_box
from hornbeam.core.origins import Probabilities, made_of, origin_of
from hornbeam.core.outputs import flat_outputs
from hornbeam.core.tensor import Tensor, convert_to_tensor, unwrap
from hornbeam.keras.engine import calling, losses
from hornbeam.keras.engine.context import call_context, current_context

if TYPE_CHECKING:
    from hornbeam.keras.engine.graph import Graph
    from hornbeam.keras.engine.layer import Layer


Origins: TypeAlias = list[tuple[int, int, "int | None"]]
"""Places of probabilities and of their logits among the outputs, and the axis of the softmax."""


class KeptCall:
    """One call of a layer as a program."""

    def __init__(
        self,
        layer: Layer,
        filled: Callable[[tuple[Tensor, ...]], tuple[tuple[Any, ...], dict[str, Any]]],
        tensors: list[Tensor],
    ) -> None:
        """Trace the call with the arguments `filled(tensors)`. What its Python raises is raised."""
        self._layer = layer
        context = current_context()
        training = None if context is None else context.training

        def run(*given: Tensor) -> list[Any]:
            args, kwargs = filled(given)
            with call_context(training, fresh=True) as called:
                outputs = calling.run(layer, calling.bind(layer, args, kwargs))
                return self._note(outputs, called.context.losses)

        run.__name__ = type(layer).__name__
        arrays = [each._value for each in tensors]
        with recording.set_aside():
            made = block.trace(run, arrays, variables=layer.variables)
            if made.made:  # the global generator of seeds, which then exists
                made = block.trace(run, arrays, variables=layer.variables)
        if made.made:
            raise ValueError(f"The layer {layer.name!r} makes variables at each call.")
        count = self._form.count + len(self._losing)
        # Whether one result may be made of another one, which a tape that sees one computation can't tell.
        self.hides_from_tapes = count > 1 and (bool(self._losing) or not _are_apart(layer))
        note = partial(_note_origins, self._origins) if self._origins else None
        self._program = Compiled(made, note=note)

    def _note(self, outputs: Any, added: list[tuple[Layer, Any]]) -> list[Any]:
        """Return all arrays that the call makes, and keep where they stand."""
        values, self._form = flat_outputs(outputs)
        places = jax.tree.leaves(self._form.fill(list(range(len(values))), int))
        boxes = jax.tree.leaves(outputs, is_leaf=is_box)
        masks = [(p, getattr(b, "_keras_mask", None)) for p, b in zip(places, boxes, strict=True)]
        masks = [(place, mask) for place, mask in masks if mask is not None]
        self._masked = [place for place, _ in masks]
        self._losing = [each for each, _ in added]
        found = [
            (place, origin)
            for place, value in enumerate(values)
            if (origin := origin_of(value, Probabilities)) is not None
        ]
        first = len(values) + len(masks) + len(added)
        self._origins = [(p, first + i, origin.axis) for i, (p, origin) in enumerate(found)]
        made = [*values, *(unwrap(mask) for _, mask in masks)]
        made += [unwrap(convert_to_tensor(loss)) for _, loss in added]
        return [*made, *(origin.logits for _, origin in found)]

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Return what the layer returns, with masks; keep the losses that it adds."""
        made: list[Tensor] = self._program.on_tensors(tensors)
        count = self._form.count
        rest = iter(made[count:])
        for place in self._masked:
            made[place]._keras_mask = next(rest)
        added = list(zip(self._losing, rest, strict=False))
        context = current_context()
        if context is None:
            losses.keep(self._layer, added)
        else:
            context.losses.extend(added)
        return self._form.fill(made[:count], _same)


def _are_apart(layer: Layer) -> bool:
    """Return whether the results are outputs of a graph of which none is made of another: several heads of one body."""
    graph: Graph | None = vars(layer).get("_graph")
    if graph is None:
        return False
    outputs = graph.flat_outputs
    makers = {id(each.node) for each in outputs}
    used = {id(each) for node in graph.nodes for each in node.inputs}
    return len(makers) == len(outputs) and not any(id(each) in used for each in outputs)


def _same(value: Tensor) -> Tensor:
    return value


def _note_origins(origins: Origins, outputs: list[Any]) -> None:
    """Attach their logits to raw outputs that are probabilities."""
    for place, logits, axis in origins:
        made_of(outputs[place], Probabilities(outputs[logits], axis))
