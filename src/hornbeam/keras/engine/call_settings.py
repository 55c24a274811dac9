"""What the Python of a layer's call may look at, apart from its arguments: all attributes of the layer and what is in it.

A call that is kept as a compiled program (`engine.kept_calls`) is valid as long as nothing of it has changed. `CallSettings`
looks at the objects themselves and compares by identity, so it does not depend on anybody telling it of a change.
"""

from __future__ import annotations

import dataclasses
import operator
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import numpy as np
from jax.core import Tracer

from hornbeam.core.call_keys import Unkeyed, call_key
from hornbeam.core.dtypes import DType
from hornbeam.core.op import is_box
from hornbeam.core.symbolic import FunctionCall, KerasTensor
from hornbeam.core.variable import Variable
from hornbeam.keras.engine import tracking

if TYPE_CHECKING:
    from hornbeam.core.typing import NumpyArray
    from hornbeam.keras.engine.graph import Graph
    from hornbeam.keras.engine.layer import Layer

    Container: TypeAlias = list[Any] | dict[Any, Any] | set[Any]

_PLAIN = frozenset(
    {type(None), bool, int, float, complex, str, bytes, type(Ellipsis), slice, DType, Variable}
)
# Objects that a call does not use, whoever has written them.
_NOT_CALLED = ("_initializer", "_constraint", "_regularizer")
_CALLED = "activity_regularizer"
# Of a model that is made of a graph only these have a meaning for its call.
_OF_GRAPHS = (
    "_graph",
    "_name",
    "_trainable",
    "activity_regularizer",
    "autocast",
    "call",
    "compute_mask",
    "dtype_policy",
    "input_spec",
    "run_eagerly",
    "supports_masking",
)
# What a user's class may define without a change of its call. Names that no model has are its own helpers.
_OF_TRAINING = frozenset(
    [
        "__annotations__",
        "__dict__",
        "__doc__",
        "__init__",
        "__module__",
        "__qualname__",
        "__signature__",
        "__weakref__",
        "_call_signature",
        "compile",
        "compile_from_config",
        "compute_loss",
        "compute_metrics",
        "evaluate",
        "fit",
        "from_config",
        "get_compile_config",
        "get_config",
        "get_metrics_result",
        "make_predict_function",
        "make_test_function",
        "make_train_function",
        "metrics",
        "predict",
        "predict_step",
        "reset_metrics",
        "save",
        "summary",
        "test_step",
        "train_step",
    ]
)
# Elements of an array that is compared at each call.
_MOST_ELEMENTS = 1024
_MISSING = object()


class NotOwn(Exception):
    """Raised for a layer whose call may run Python of the user's, or whose settings can't be compared."""


class CallSettings:
    """The settings of a layer at one moment.

    >>> from hornbeam import keras
    >>> layer = keras.layers.LeakyReLU(0.3)
    >>> settings = CallSettings(layer)
    >>> settings.are_current()
    True
    >>> layer.negative_slope = 0.5
    >>> settings.are_current()
    False
    """

    def __init__(self, layer: Layer) -> None:
        """Raises NotOwn where other code than Hornbeam's may run in the call of `layer`."""
        self.layers: list[Layer] = []
        self._known: set[int] = set()
        # Each attribute dict with its values; of models made of a graph, a few attributes.
        self._dicts: list[tuple[dict[str, Any], list[Any]]] = []
        self._graphs: list[tuple[dict[str, Any], list[Any]]] = []
        self._containers: list[tuple[Container, list[Any]]] = []
        self._arrays: list[tuple[NumpyArray, NumpyArray]] = []
        self._classes: list[tuple[Layer, type[Layer], Callable[..., Any]]] = []
        self._add_layer(layer)
        holders = [each for each in self.layers if checks_values(each)]
        self.checks_values = bool(holders)
        if holders and not _are_checked(layer):
            raise NotOwn(holders[0])

    def are_built(self) -> bool:
        """Return whether all layers have their weights."""
        return all(each.built for each in self.layers)

    def are_current(self) -> bool:
        """Return whether nothing has changed since."""
        same = operator.is_
        for attributes, values in self._dicts:
            if len(attributes) != len(values) or not all(map(same, attributes.values(), values)):
                return False
        for attributes, values in self._graphs:
            for name, value in zip(_OF_GRAPHS, values, strict=True):
                if attributes.get(name, _MISSING) is not value:
                    return False
        for container, items in self._containers:
            if len(container) != len(items) or not all(map(same, _items(container), items)):
                return False
        for layer, cls, call in self._classes:
            if type(layer) is not cls or cls.call is not call:
                return False
        return all(array.tobytes() == copy.tobytes() for array, copy in self._arrays)

    def _is_new(self, value: object) -> bool:
        is_new = id(value) not in self._known
        self._known.add(id(value))
        return is_new

    def _add_layer(self, layer: Layer) -> None:
        cls = type(layer)
        if not calls_own_code(layer):
            raise NotOwn(cls)
        if not self._is_new(layer):
            return
        self.layers.append(layer)
        self._classes.append((layer, cls, _own_method(cls)))
        attributes = vars(layer)
        graph = attributes.get("_graph")
        if graph is not None:
            if "call" in attributes or "compute_mask" in attributes or layer.run_eagerly:  # type: ignore[attr-defined]
                raise NotOwn(layer)
            self._graphs.append((attributes, [attributes.get(n, _MISSING) for n in _OF_GRAPHS]))
            self._add(attributes["activity_regularizer"])
            self._add_graph(graph)
            return
        self._dicts.append((attributes, list(attributes.values())))
        for name, value in list(attributes.items()):
            if name in tracking.UNTRACKED or (name.endswith(_NOT_CALLED) and name != _CALLED):
                continue
            self._add(value)

    def _add_graph(self, graph: Graph) -> None:
        """Add what the nodes call. The graph itself is not changed once it is made."""
        for node in graph.nodes:
            operation: Any = node.operation
            if isinstance(operation, FunctionCall):
                if (
                    not operation.fn.planned
                ):  # it computes something else where values are not known
                    raise NotOwn(operation.fn)
                self._add(operation.fn)
            else:
                self._add(operation)
            for leaf in jax.tree.leaves((node.args, node.kwargs), is_leaf=is_box):
                if not isinstance(leaf, KerasTensor):
                    self._add(leaf)

    def _add(self, value: Any) -> None:
        kind = type(value)
        if kind in _PLAIN:
            return
        if hasattr(kind, "sublayers"):
            self._add_layer(value)
        elif isinstance(value, (list, dict, set)):
            self._add_container(value)
        elif isinstance(value, tuple):
            self._add_all(value)
        elif isinstance(value, np.ndarray):
            self._add_array(value)
        elif isinstance(value, (np.generic, np.dtype, jax.Array)) and not isinstance(value, Tracer):
            return
        elif isinstance(value, type):
            if not is_own_class(value):
                raise NotOwn(value)
        elif is_own_class(kind):
            self._add_object(value)
        elif callable(value):
            try:
                call_key(value)
            except Unkeyed:
                raise NotOwn(value) from None
        else:
            raise NotOwn(value)

    def _add_all(self, values: Iterable[Any]) -> None:
        for each in values:
            self._add(each)

    def _add_container(self, container: Container) -> None:
        if self._is_new(container):
            items = list(_items(container))
            self._containers.append((container, items))
            self._add_all(items)

    def _add_array(self, array: NumpyArray) -> None:
        if array.size > _MOST_ELEMENTS or array.dtype.hasobject:
            raise NotOwn(array)
        self._arrays.append((array, array.copy()))

    def _add_object(self, value: Any) -> None:
        """Add an object of a class of Hornbeam's: an `InputSpec`, a `SeedGenerator`, a regularizer."""
        if isinstance(value, (KerasTensor, FunctionCall)) or is_box(value):
            raise NotOwn(value)  # tensors, which a tape may follow
        if not self._is_new(value):
            return
        attributes = getattr(value, "__dict__", None)
        if attributes is not None:
            self._dicts.append((attributes, list(attributes.values())))
            self._add_all(attributes.values())
        elif dataclasses.is_dataclass(value):
            self._add_all(getattr(value, field.name) for field in dataclasses.fields(value))
        else:
            raise NotOwn(value)


def _items(container: Container) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def is_own_class(cls: type) -> bool:
    """Return whether a class is one of Hornbeam's modules: not one that a user made of it."""
    module: str = cls.__module__
    if not module.startswith("hornbeam."):
        return False
    return getattr(sys.modules.get(module), cls.__qualname__, None) is cls


def calls_own_code(layer: Layer) -> bool:
    """Return whether no Python of the user's runs in a call, as far as the class tells.

    It is Hornbeam's, or one that a user made for a model of a graph and that changes only how the model is trained and saved.
    """
    cls = type(layer)
    if is_own_class(cls):
        return True
    if vars(layer).get("_graph") is None:
        return False
    base = next(each for each in cls.__mro__ if is_own_class(each))
    users = cls.__mro__[: cls.__mro__.index(base)]
    names = {name for each in users for name in vars(each)}
    return all(name in _OF_TRAINING or not hasattr(base, name) for name in names)


def _own_method(cls: type[Layer]) -> Callable[..., Any]:
    """Return the `call` of a class; it may have been replaced by a function of the user's."""
    call = cls.call
    if not call.__module__.startswith("hornbeam."):
        raise NotOwn(call)
    return call


def checks_values(layer: Layer) -> bool:
    """Return whether a layer itself looks at the values of its inputs, and not just at those of layers inside."""
    method = type(layer).check_values
    return method.__qualname__ not in ("Layer.check_values", "Model.check_values")


def _are_checked(layer: Layer) -> bool:
    """Return whether `layer.check_values` reaches all layers inside that look at the values of their inputs.

    Of a graph it reaches those that take inputs of the model.
    """
    graph: Graph | None = vars(layer).get("_graph")
    if graph is None:
        return checks_values(layer) or not any(map(checks_values, layer._depth_first()))
    given = set(map(id, graph.flat_inputs))
    for node in graph.nodes:
        operation: Any = node.operation
        if hasattr(type(operation), "sublayers") and any(
            map(checks_values, operation._depth_first())
        ):
            leaves = jax.tree.leaves(node.args[:1], is_leaf=is_box)
            if not leaves or any(id(leaf) not in given for leaf in leaves):
                return False
            if not _are_checked(operation):
                return False
    return True
