"""What a layer holds: weights, layers, seeds and metrics, all found by looking at its attributes."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.names import current_path, name_scope
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.typing import DTypeLike, Shape, TensorLike
from hornbeam.core.variable import Variable
from hornbeam.core.weight import is_weight
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.engine import tracking, trainability
from hornbeam.keras.engine.arguments import ConstraintLike, InitializerLike, RegularizerLike
from hornbeam.keras.engine.context import current_context

if TYPE_CHECKING:
    from hornbeam.keras.engine.layer import Layer

# Attributes of these types hold no variables.
STATELESS = (type(None), bool, int, float, str, bytes, np.ndarray, jax.Array, Tensor)


def no_super_init(layer: Layer) -> RuntimeError:
    """Return the error for a subclass whose constructor does not call that of its base."""
    return RuntimeError(
        f"In the layer {type(layer).__name__}, call super().__init__() at the beginning of __init__, before anything else."
    )


# Making weights


def add_weight(
    layer: Layer,
    shape: Shape | None,
    initializer: InitializerLike,
    *,
    dtype: DTypeLike | None,
    trainable: bool,
    autocast: bool,
    regularizer: RegularizerLike,
    constraint: ConstraintLike,
    aggregation: str | None,
    overwrite_with_gradient: bool,
    name: str | None,
) -> Variable:
    """Make a variable that belongs to the layer."""
    if "_variables" not in vars(layer):
        raise no_super_init(layer)
    if _is_in_call(layer):
        raise _makes_state(layer, "a weight")
    if isinstance(shape, str):  # add_weight("kernel", shape=...) of old code
        raise TypeError(
            f"The first argument of add_weight is the shape; received {shape!r}. Use name={shape!r}."
        )
    dtype = as_dtype(dtype).name if dtype is not None else layer.variable_dtype
    if initializer is None:
        initializer = "glorot_uniform" if as_dtype(dtype).is_floating else "zeros"
    with ExitStack() as stack:
        if not current_path():
            stack.enter_context(name_scope(layer.name))
        variable = Variable(
            initializers.get(initializer),
            shape=() if shape is None else shape,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            aggregation=aggregation,
            name=name,
        )
    variable.regularizer = regularizers.get(regularizer)
    variable.constraint = constraints.get(constraint)
    variable.overwrite_with_gradient = overwrite_with_gradient
    layer._variables.append(variable)
    if layer._trainable is False:
        trainability.freeze(variable)
    return variable


def _is_in_call(layer: Layer) -> bool:
    return layer.built and not layer._is_building and current_context() is not None


def _makes_state(layer: Layer, what: str) -> ValueError:
    return ValueError(
        f"The layer {layer.name!r} makes {what} in its `call`: each call would make a new one. Make weights in "
        "`build(self, input_shape)` or in the constructor, and use them in `call`."
    )


def refuse_new_state(layer: Layer, name: str, value: object) -> None:
    """Raise ValueError where a call replaces a weight, or a layer inside, by one that the layer does not hold yet."""
    old = vars(layer).get(name)
    are_alike = isinstance(value, Variable) and isinstance(old, Variable)
    are_alike = are_alike or (_is_unbuilt(value) and hasattr(type(old), "sublayers"))
    if not are_alike or value is old or not _is_in_call(layer):
        return
    if not any(value is each for each in tracking.attribute_values(layer)):
        raise _makes_state(layer, f"`self.{name}` anew")


def _is_unbuilt(value: object) -> bool:
    return hasattr(type(value), "sublayers") and not getattr(value, "built", True)


def forget_replaced(layer: Layer, name: str, value: object) -> None:
    """Forget the variable in an attribute that is about to be replaced by another weight.

    Keep it if the new weight is computed from it.
    """
    if isinstance(value, Variable) or not is_weight(value):
        return
    old, kept = vars(layer).get(name), {id(v) for v in value.variables}
    if isinstance(old, Variable) and id(old) not in kept:
        layer._variables[:] = [v for v in layer._variables if v is not old]


def to_copy(layer: Layer) -> dict[str, Any]:
    """Return the attributes for a copy or pickle of the layer.

    The graph comes before the tensors in the constructor's arguments: it lists its nodes in order, so that copying them
    does not recurse deeply.
    """
    attributes = {k: v for k, v in vars(layer).items() if k not in tracking.NOT_COPIED}
    arguments = attributes.pop("_init_arguments")
    graph = {"_graph": attributes.pop("_graph")} if "_graph" in attributes else {}
    if "_variables" in attributes:  # the constructor of Layer has been called
        attributes |= {"_inbound_nodes": [], "_call_losses": []}
    return {**graph, **attributes, "_init_arguments": arguments}


# Finding state


def depth_first(layer: Layer) -> list[Layer]:
    """Return the layer and all layers inside it, each followed by those inside it."""
    found: dict[int, Layer] = {}

    def walk(each: Layer) -> None:
        if id(each) not in found:
            found[id(each)] = each
            for inner in each.sublayers():
                walk(inner)

    walk(layer)
    return list(found.values())


def flatten_layers(layer: Layer, include_self: bool, recursive: bool) -> list[Layer]:
    """Return the layers inside, outer ones first, after the layer itself if `include_self`."""
    seen = {id(layer)}

    def walk(each: Layer) -> Iterator[Layer]:
        for inner in each.sublayers():
            if id(inner) in seen:
                continue
            seen.add(id(inner))
            yield inner
            if recursive:
                yield from walk(inner)

    return [*([layer] if include_self else []), *walk(layer)]


def own_weights(layer: Layer) -> list[Variable]:
    """Return the weights among the layer's attributes, those that were made to be trained first."""
    own = tracking.own_variables(layer)
    return [v for v in own if v.made_trainable] + [v for v in own if not v.made_trainable]


def all_variables(layer: Layer) -> list[Variable]:
    """Return all weights, then the state of recurrent layers, random generators and metrics."""
    layers = layer._depth_first()
    states = [v for each in layers for v in tracking.own_variables(each)]
    seeds = [g.state for each in layers for g in tracking.own_seed_generators(each)]
    return tracking.unique([*layer.weights, *states, *seeds, *layer.metrics_variables])


def without(variables: Sequence[Variable], others: Sequence[Variable]) -> list[Variable]:
    """Return the variables that are not among the others."""
    excluded = {id(v) for v in others}
    return [v for v in variables if id(v) not in excluded]


# Values of weights


def set_weights(layer: Layer, weights: Sequence[TensorLike]) -> None:
    """Set all weights. If a shape does not fit, raise ValueError and change none."""
    variables = layer.weights
    values = [np.asarray(unwrap(value)) for value in weights]
    if len(values) != len(variables):
        raise ValueError(
            f"The layer {layer.name!r} has {len(variables)} weights, received {len(values)} arrays."
            + ("" if layer.built else " It is not built yet: call it on data first.")
        )
    for variable, value in zip(variables, values, strict=True):
        if value.shape != tuple(variable.shape):
            raise ValueError(
                f"The weight {variable.path!r} of the layer {layer.name!r} has shape {tuple(variable.shape)}, "
                f"received an array of shape {value.shape}. No weight was changed."
            )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def load_own_variables(layer: Layer, store: MutableMapping[str, Any]) -> None:
    """Read the layer's own weights from a mapping of their indices, as strings, to their values."""
    own = layer._own_weights()
    if len(store) != len(own):
        raise ValueError(
            f"The layer {layer.name!r} has {len(own)} weights, the file holds {len(store)} for it."
        )
    for index, variable in enumerate(own):
        variable.assign(store[str(index)])
