"""What layers, models, optimizers and metrics say of themselves to TensorFlow's checkpoints.

The chief names are those of Keras 2, such as `layer_with_weights-0/kernel`, which TensorFlow's documentation shows.
Beside them stand the names under which Keras 3 looks for the same objects with TensorFlow, such as `_operations/1/_kernel`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hornbeam.core.dtypes import int64
from hornbeam.core.rng import SeedGenerator
from hornbeam.core.variable import Variable
from hornbeam.core.weight import is_weight
from hornbeam.keras.engine import tracking
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers import DepthwiseConv1D, DepthwiseConv2D
from hornbeam.keras.metrics import Metric
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.train.trackable import (
    IGNORED,
    Group,
    Names,
    Parts,
    Typed,
    is_trackable,
    parts_of,
    slot_of,
)

# Attributes that hold what has other names in files, or what is not saved.
_HIDDEN = frozenset(
    {"_variables", "_layers", "_build_shapes", "optimizer", "_loss_tracker", "_compile_metrics"}
)
# What Keras calls the lists of an optimizer's slots; some optimizers have other names for the same slots.
_LISTS = {
    "momentum": "_momentums",
    "velocity": "_velocities",
    "velocity_hat": "_velocity_hats",
    "norm": "_u",
    "average_gradient": "_average_gradients",
    "accumulated_grad": "_accumulated_grads",
    "accumulated_delta_var": "_accumulated_delta_vars",
    "accumulator": "_accumulators",
    "linear": "_linears",
}
_OTHER_LISTS = {"SGD": {"momentum": "momentums"}, "Adamax": {"momentum": "_m"}}
# Weights that Keras 2 has under another name.
_RENAMED = {(DepthwiseConv1D, DepthwiseConv2D): {"kernel": "depthwise_kernel"}}
# What the optimizers of TensorFlow before 2.11 call the slots.
_OLD_SLOTS = {
    "m": ("momentum",),
    "v": ("norm", "velocity"),
    "vhat": ("velocity_hat",),
    "rms": ("velocity",),
    "mg": ("average_gradient",),
    "accum_grad": ("accumulated_grad",),
    "accum_var": ("accumulated_delta_var",),
}


@parts_of.register(Layer)
@parts_of.register(Metric)
def holder_parts(obj: Any, names: Names = None) -> Parts:
    """Return the variables and the objects in the attributes of a layer or metric; of a model, its layers by number too."""
    layers = layers_by_number(obj, names)
    named: dict[str, object] = {**layers}
    renamed = next((r for classes, r in _RENAMED.items() if isinstance(obj, classes)), {})
    for name, value in tracking.attributes(obj):
        part = _attribute(name, value, names)
        if part is not None and not (name.startswith("_") and _is_listed(value, layers)):
            named[renamed.get(name, name)] = part
    others: dict[str, object] = {v.name: v for v in obj._variables}
    # A weight that is an attribute in one version of Keras is a property over a private one in another.
    for name, part in named.items():
        if isinstance(part, (Variable, Layer)) and not layers.get(name):
            others.setdefault(name.removeprefix("_") if name.startswith("_") else f"_{name}", part)
    others.update(_operations(obj))
    optimizer = vars(obj).get("optimizer")
    if optimizer is not None and is_trackable(optimizer):
        named["optimizer"] = optimizer
    return Parts(named, others)


def _attribute(name: str, value: object, names: Names) -> object:
    """Return what a checkpoint holds of an attribute; None for nothing."""
    if name in _HIDDEN or isinstance(value, SeedGenerator):
        return None
    if is_weight(value) and not isinstance(value, Variable):
        return Group(Parts({k: v for k, v in vars(value).items() if isinstance(v, Variable)}))
    is_empty = isinstance(value, (list, tuple, dict)) and not value
    is_wanted = not is_empty or (names is not None and name in names)
    return value if is_wanted and is_trackable(value) else None


def _is_listed(value: object, layers: dict[str, object]) -> bool:
    return any(value is each for each in layers.values())


def layers_by_number(model: Any, names: Names = None) -> dict[str, object]:
    """Return the layers of a model that is a graph or a stack, by their number among those with weights and among all."""
    if vars(model).get("_graph") is None and "_layers" not in vars(model):
        return {}
    found: dict[str, object] = {}
    # Until all layers are built it is not known which of them have weights; from then on only these count in reading,
    # so that a model may lack a layer without weights that the file has.
    is_known = names is None or all(layer.built for layer in model.layers)
    is_enough = names is not None and is_known and "layer_with_weights-0" in names
    with_weights = 0
    for number, layer in enumerate(model.layers):
        if is_known and layer.weights:
            found[f"layer_with_weights-{with_weights}"] = layer
            with_weights += 1
        if not is_enough:
            found[f"layer-{number}"] = layer
    return found


def _operations(model: Any) -> dict[str, object]:
    """Return the layers of a graph as Keras 3 names them; a stack has them in a model inside."""
    graph = vars(model).get("_graph")
    if graph is None:
        return {}
    layers = {str(i): each for i, each in enumerate(graph.operations) if isinstance(each, Layer)}
    operations: dict[str, object] = {"_operations": Group(Parts(layers))}
    return {"_functional": Group(Parts(operations))} if "_layers" in vars(model) else operations


@parts_of.register(SeedGenerator)
def _(obj: SeedGenerator, names: Names = None) -> Parts:
    del names
    return Parts({"state": obj.state})


@parts_of.register(Optimizer)
def optimizer_parts(obj: Optimizer, names: Names = None) -> Parts:
    """Return an optimizer's variables as Keras 3 names them; for an older file, as that does."""
    if names is not None and "iter" in names:
        return _old_parts(obj, names)
    variables = list(map(_stored, obj._variables))
    # In a file of Keras 2 the learning rate is not among them.
    is_keras_2 = names is not None and "_variables" in names and "_trainable_variables" not in names
    return Parts(
        _attributes(obj) | {"_variables": numbered(variables, skip=is_keras_2)}, _lists(obj)
    )


def keras_2_parts(obj: Optimizer) -> Parts:
    """Return an optimizer's variables as Keras 2 writes them."""
    lists = _lists(obj)
    del lists["_trainable_variables"]
    variables = numbered(list(map(_stored, obj._variables)), skip=True)
    return Parts(_attributes(obj) | {"_variables": variables}, lists)


def numbered(variables: list[object], skip: bool = False) -> Group:
    """Return an optimizer's variables by number; `skip` leaves out the second, which is the learning rate."""
    if skip and len(variables) > 1 and _variable(variables[1]).name == "learning_rate":
        variables = [variables[0], *variables[2:]]
    return Group(Parts({str(i): each for i, each in enumerate(variables)}))


def _variable(leaf: object) -> Variable:
    return leaf.variable if isinstance(leaf, Typed) else leaf  # type: ignore[return-value]


def _stored(variable: Variable) -> object:
    """Return a counter as one of 64 bits, which TensorFlow's optimizers have."""
    is_counter = variable.stored_dtype.name == "int32" and not variable.shape
    return Typed(variable, int64) if is_counter else variable


def _attributes(obj: Optimizer) -> dict[str, object]:
    """Return the variables that are attributes, and optimizers inside."""
    found = {f"_{name}": variable for name, variable in obj._shared.items()} | vars(obj)
    return {
        name: _stored(value) if isinstance(value, Variable) else value
        for name, value in found.items()
        if isinstance(value, (Variable, Optimizer))
    }


def _lists(obj: Optimizer) -> dict[str, object]:
    """Return the lists that an optimizer of Keras holds besides its list of all variables."""
    known = _LISTS | _OTHER_LISTS.get(type(obj).__name__, {})
    found: dict[str, object] = {"_trainable_variables": obj._trainable_variables}
    for name, variables in obj._slots.items():
        found[known.get(name, name)] = variables
        if name == "momentum":  # Keras 2's Lion
            found.setdefault("momentums", variables)
    if obj._averages:
        found["_model_variables_moving_average"] = obj._averages
    if obj._accumulators:
        found["_accumulated_gradients"] = obj._accumulators
    return found


def _old_parts(obj: Optimizer, names: Iterable[str]) -> Parts:
    """Return the parts for a file of TensorFlow before 2.11; the other numbers there are arguments of the optimizer."""
    named: dict[str, object] = dict.fromkeys(names, IGNORED)
    named["iter"] = _stored(obj._iterations)
    if isinstance(obj._learning_rate, Variable):
        named["learning_rate"] = obj._learning_rate
    if "u_product" in obj._shared:
        named["momentum_cache"] = obj._shared["u_product"]
    return Parts(named)


@slot_of.register(Optimizer)
def _(obj: Optimizer, name: str, variable: Variable) -> Variable | None:
    """Return an optimizer's slot of a variable by the name that TensorFlow before 2.11 gave it."""
    index = obj._indices.get(variable)
    for each in _OLD_SLOTS.get(name, (name,)):
        if index is not None and each in obj._slots:
            return obj._slots[each][index]
    return None
