"""A new model of the same form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.symbolic import FunctionCall, KerasTensor, is_symbolic, symbolic_leaves
from hornbeam.keras.engine.input_layer import Input, InputLayer
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.engine.trainability import restore_trainable
from hornbeam.keras.models.model import COMPILE_ARGUMENTS, Functional, Model, takes_a_graph
from hornbeam.keras.models.sequential import Sequential
from hornbeam.keras.registry import deserialize_keras_object
from hornbeam.keras.registry.reading import sharing_objects
from hornbeam.keras.registry.writing import serialize_sharing
from hornbeam.keras.training.trainer import Trainer

CloneFunction = Callable[[Layer], Any]
CallFunction = Callable[..., Any]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: CloneFunction | None = None,
    call_function: CallFunction | None = None,
    recursive: bool = False,
) -> Any:
    """Return a model of the same layers with new weights, compiled as `model` is.

    `input_tensors` are symbolic tensors to build on, in the structure of `model.input`. `clone_function(layer)` makes
    the new layer for each, by default from its configuration; `call_function(layer, *args, **kwargs)` calls it, and may
    put other layers before or behind it (functional models only). With `recursive` both reach into the models inside.
    Raises ValueError for a subclassed model with any of these, as its form is code.

    >>> from hornbeam import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.clone_model(model).count_params()
    8
    """
    if call_function is not None and isinstance(model, Sequential):
        raise ValueError(
            f"clone_model takes `call_function` for functional models only; {model.name!r} is a Sequential, whose "
            "layers are not called one by one."
        )
    return _Cloner(clone_function, call_function, recursive).clone(model, input_tensors)


class _Cloner:
    """Clones models; a layer that occurs several times is cloned once."""

    def __init__(
        self,
        clone_function: CloneFunction | None,
        call_function: CallFunction | None,
        recursive: bool,
    ) -> None:
        self.clone_function = clone_function
        self.call_function = call_function
        self.recursive = recursive
        self.clones: dict[int, Any] = {}

    def clone(self, model: Model, input_tensors: Any = None) -> Any:
        """Return the clone of a model."""
        if isinstance(model, Sequential):
            made = self._sequential(model, input_tensors)
        elif isinstance(model, Model) and model._graph is not None:
            made = self._functional(model, input_tensors)
        else:
            return self._subclassed(model, input_tensors)
        _compile_like(made, model)
        return made

    def layer(self, layer: Layer) -> Any:
        """Return the clone of a layer."""
        if id(layer) not in self.clones:
            inside = self.recursive and isinstance(layer, Model) and layer._graph is not None
            if inside:
                self.clones[id(layer)] = self.clone(layer)  # type: ignore[arg-type]
            elif self.clone_function is not None:
                self.clones[id(layer)] = self.clone_function(layer)
            else:
                self.clones[id(layer)] = type(layer).from_config(layer.get_config())
        return self.clones[id(layer)]

    def _sequential(self, model: Sequential, input_tensors: Any) -> Sequential:
        layers = [self.layer(layer) for layer in model.layers]
        first = model._layers[0] if model._layers else None
        if input_tensors is not None:
            flat = symbolic_leaves(input_tensors)
            if len(flat) != 1:
                raise ValueError(
                    f"A Sequential model has one input; received input_tensors={input_tensors!r}."
                )
            layers.insert(0, Input(tensor=flat[0], name=first.name if first else None))
        elif isinstance(first, InputLayer):
            layers.insert(0, InputLayer.from_config(first.get_config()))
        made = type(model)(name=model.name)
        for layer in layers:
            made.add(layer)
        restore_trainable(made, model.trainable)
        return made

    def _functional(self, model: Model, input_tensors: Any) -> Any:
        graph = model._graph_or_raise("inputs")
        if input_tensors is None:
            inputs = tree_map(_new_input, graph.inputs, is_leaf=is_symbolic)
        else:
            inputs = input_tensors
            _check_structure(inputs, graph.inputs)
        outputs = graph.run(jax.tree.leaves(inputs, is_leaf=is_box), self._call)
        cls = type(model) if takes_a_graph(type(model)) else Functional
        made = cls(inputs=inputs, outputs=outputs, name=model.name)
        restore_trainable(made, model.trainable)
        return made

    def _call(self, operation: Any, args: Any, kwargs: Any) -> Any:
        is_op = isinstance(operation, FunctionCall)
        made = operation if is_op else self.layer(operation)
        if self.call_function is not None:
            return self.call_function(made, *args, **kwargs)
        outputs = made(*args, **kwargs)
        if is_op:
            for tensor in symbolic_leaves(outputs)[:1]:
                assert tensor.node is not None
                tensor.node.operation.name = operation.name
        return outputs

    def _subclassed(self, model: Any, input_tensors: Any) -> Any:
        given = {
            "input_tensors": input_tensors,
            "clone_function": self.clone_function,
            "call_function": self.call_function,
        }
        wrong = [name for name, value in given.items() if value is not None]
        if wrong or not isinstance(model, Model):
            what = f" with {', '.join(wrong)}" if wrong else ""
            raise ValueError(
                f"Only Sequential and functional models can be cloned{what}; received a {type(model).__name__}. Make "
                "it anew with type(model).from_config(model.get_config())."
            )
        custom = {type(model).__name__: type(model)}
        with sharing_objects():
            return deserialize_keras_object(serialize_sharing(model), custom)


def _new_input(tensor: KerasTensor) -> KerasTensor:
    operation = tensor.node.operation if tensor.node else None
    if isinstance(operation, InputLayer):
        return InputLayer.from_config(operation.get_config()).output
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _check_structure(given: Any, wanted: Any) -> None:
    trees = [jax.tree.structure(tree, is_leaf=is_symbolic) for tree in (given, wanted)]
    leaves = jax.tree.leaves(given, is_leaf=is_box)
    if trees[0] != trees[1] or not all(isinstance(leaf, KerasTensor) for leaf in leaves):
        raise ValueError(
            "`input_tensors` must be symbolic tensors in the structure of the model's inputs.\n"
            f"Received: {given!r}\nExpected: {wanted!r}"
        )


def _compile_like(made: Any, model: Model) -> None:
    """Compile with the arguments that `model` was compiled with; make anew what has a state of its own."""
    if not model.compiled or type(model).compile is not Trainer.compile:
        return

    def anew(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: anew(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(anew, value))
        if hasattr(value, "variables") and hasattr(value, "get_config"):
            return type(value).from_config(value.get_config())
        return value

    given = {name: getattr(model.compile_config, name) for name in COMPILE_ARGUMENTS}
    made.compile(**{name: anew(value) for name, value in given.items()})
