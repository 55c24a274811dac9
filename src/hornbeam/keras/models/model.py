"""Models: layers that can be trained, evaluated and saved."""

from __future__ import annotations

import inspect
import json
from typing import Any, Self

import jax

from hornbeam.core.errors import did_you_mean
from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.user_code import warn
from hornbeam.keras.compiled.outputs import Tensors
from hornbeam.keras.engine.call_signature import is_shape
from hornbeam.keras.engine.graph import Graph
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.engine.tracking import unique
from hornbeam.keras.engine.trainability import freeze, restore_trainable
from hornbeam.keras.models.functional_config import graph_config, graph_from_config
from hornbeam.keras.models.summary import print_summary
from hornbeam.keras.optimizers import LossScaleOptimizer
from hornbeam.keras.registry import (
    Registry,
    deserialize_keras_object,
    serialize_keras_object,
)
from hornbeam.keras.saving.api import load_weights, save_model, save_weights
from hornbeam.keras.training.trainer import Trainer

registry = Registry("model", "keras")

COMPILE_ARGUMENTS = (
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
)


_GRAPH = ("layers", "input_layers", "output_layers")


def takes_a_graph(cls: type[Model]) -> bool:
    """Return whether a model class is made with (inputs, outputs): then its configuration is that of its graph."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    kinds = {p.kind for p in parameters}
    names = [p.name for p in parameters]
    open_ended = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds
    return open_ended or names[:2] == ["inputs", "outputs"]


def _is_functional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return len(args) >= 2 or ("outputs" in kwargs and (len(args) == 1 or "inputs" in kwargs))


class Model(Trainer):
    """A network, with `compile`, `fit`, `evaluate` and `predict`.

    Made from a graph, `Model(inputs, outputs)`, or by a subclass with a `call` method.

    >>> from hornbeam import keras
    >>> x = keras.Input((4,))
    >>> model = keras.Model(x, keras.layers.Dense(3)(x))
    >>> model.count_params()
    15
    >>> model.predict([[0.0, 0.0, 0.0, 0.0]], verbose=0).shape
    (1, 3)
    """

    _takes_other_sizes = False  # whether inputs may differ in size from those of the graph

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Model and _is_functional(args, kwargs):
            return super().__new__(Functional, *args, **kwargs)  # type: ignore[return-value]
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """`inputs` and `outputs` (structures of symbolic tensors), or neither; and the arguments of a layer."""
        self._graph: Graph | None = None
        if not _is_functional(args, kwargs):
            if args:
                raise TypeError(
                    f"{type(self).__name__} received positional arguments {args!r}; Model(inputs, outputs) takes two."
                )
            super().__init__(**kwargs)
            return
        named = dict(zip(("inputs", "outputs", "name"), args, strict=False))
        inputs, outputs = (kwargs.pop(key, named.get(key)) for key in ("inputs", "outputs"))
        super().__init__(name=kwargs.pop("name", named.get("name")), **kwargs)
        self._set_graph(Graph(inputs, outputs))

    def _set_graph(self, graph: Graph) -> None:
        self._graph = graph
        self.built = True
        if self._trainable is False:
            freeze(self.sublayers())

    @property
    def _is_functional(self) -> bool:
        """Return whether the model was made of a graph: Keras counts that graph as a first call."""
        return self._graph is not None

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of that shape, the batch axis included."""
        if self._graph is not None or input_shape is None:
            return
        self._build_by_call(_placeholders(input_shape, self.compute_dtype))

    def _builds_in_call(self) -> bool:
        return self._graph is None and type(self).build is Model.build

    def _symbolic_outputs(self, x: Tensors) -> Any:
        if self._graph is not None:
            return self._graph.outputs
        if type(self).call is Model.call:
            return None
        return super()._symbolic_outputs(x)

    def _computes_by_call(self) -> bool:
        return self._graph is None and type(self).call is not Model.call

    def _output_names(self) -> list[str] | None:
        return self.output_names if self._graph is not None else None

    def _build_by_call(self, symbolic_inputs: Any) -> None:
        """Trace `call` once on symbolic inputs, which builds the layers inside."""
        try:
            self.compute_output_spec(symbolic_inputs)
        except NotImplementedError:
            raise
        except Exception as error:
            error.add_note(f"While the model {self.name!r} was being built by tracing its `call`.")
            raise

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the outputs for `inputs`."""
        if self._graph is None:
            raise NotImplementedError(
                f"The model {type(self).__name__} has no `call` method. Write call(self, inputs), or make the model "
                "with Model(inputs, outputs)."
            )
        return self._graph.run(self._flat_inputs(inputs, mask))

    def _flat_inputs(self, inputs: Any, mask: Any) -> list[Any]:
        assert self._graph is not None
        flat = self._graph.arrange(inputs, self.name)
        masks = (
            [None] * len(flat)
            if mask is None
            else jax.tree.leaves(mask, is_leaf=lambda x: x is None or is_box(x))
        )
        return [
            _fit_input(value, symbol, each, self.name, self._takes_other_sizes)
            for value, symbol, each in zip(flat, self._graph.flat_inputs, masks, strict=True)
        ]

    def check_values(self, inputs: Any) -> None:
        """Ask the layers right behind the inputs to check their values."""
        if self._graph is not None:
            self._graph.check_values(inputs, self.name)

    # Structure

    def sublayers(self) -> list[Layer]:
        """Return the layers directly inside: those of the graph, then those among the attributes."""
        in_graph = self._graph.layers if self._graph is not None else []
        return unique([*in_graph, *super().sublayers()])

    @property
    def layers(self) -> list[Layer]:
        """Return the layers directly inside the model."""
        return self.sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of that name, or at that place. Raises ValueError where there is none."""
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError(
                f"Give get_layer a name or an index; received name={name!r}, index={index!r}."
            )
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"There is no layer number {index}: the model {self.name!r} has {len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ValueError(
            f"The model {self.name!r} has no layer {name!r}.{did_you_mean(str(name), names)} Its layers: "
            f"{', '.join(names)}."
        )

    def _graph_or_raise(self, what: str) -> Graph:
        if self._graph is None:
            raise AttributeError(
                f"The model {self.name!r} has no symbolic {what}: only models made of a graph do. "
                "Give Sequential an Input as its first layer, or use Model(inputs, outputs)."
            )
        return self._graph

    @property
    def inputs(self) -> list[KerasTensor]:
        """Return the symbolic inputs, as a flat list."""
        return self._graph_or_raise("inputs").flat_inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """Return the symbolic outputs, as a flat list."""
        return self._graph_or_raise("outputs").flat_outputs

    @property
    def input(self) -> Any:
        """Return the symbolic inputs, in the structure that was passed."""
        return self._graph_or_raise("inputs").inputs

    @property
    def output(self) -> Any:
        """Return the symbolic outputs, in the structure that was passed."""
        return self._graph_or_raise("outputs").outputs

    @property
    def input_shape(self) -> Any:
        """Return the shapes of the inputs, with None for the batch."""
        return tree_map(lambda x: tuple(x.shape), self.input, is_leaf=is_box)

    @property
    def output_shape(self) -> Any:
        """Return the shapes of the outputs, with None for the batch."""
        return tree_map(lambda x: tuple(x.shape), self.output, is_leaf=is_box)

    @property
    def input_names(self) -> list[str]:
        """Return the names of the inputs."""
        return [x.node.operation.name for x in self.inputs if x.node is not None]

    @property
    def output_names(self) -> list[str]:
        """Return the names of the operations that compute the outputs."""
        return [x.node.operation.name for x in self.outputs if x.node is not None]

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers, their output shapes and numbers of weights."""
        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    # Configuration

    def get_config(self) -> dict[str, Any]:
        """Return what the model can be made from again, without the values of the weights."""
        if self._graph is None or not takes_a_graph(type(self)):
            return super().get_config()
        base = {"name": self.name, "trainable": self.trainable}
        return {**base, **graph_config(self._graph)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Return a model made from what `get_config` returned."""
        if not set(_GRAPH) <= set(config) or not takes_a_graph(cls):
            return super().from_config(config)
        rest = {
            key: deserialize_keras_object(value, custom_objects)
            for key, value in config.items()
            if key not in (*_GRAPH, "trainable")
        }
        inputs, outputs = graph_from_config(config, custom_objects)
        model = cls(inputs=inputs, outputs=outputs, **rest)
        restore_trainable(model, config.get("trainable", True))
        return model

    def to_json(self, **kwargs: Any) -> str:
        """Return the configuration as JSON text; `kwargs` go to `json.dumps`.

        >>> from hornbeam import keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> keras.models.model_from_json(model.to_json()).count_params()
        8
        """
        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of `compile`, as values that JSON can hold; empty before `compile`.

        Warns, and returns nothing, where a part can't be written, such as a lambda.
        """
        if not self.compiled:
            return {}
        try:
            given = {name: getattr(self.compile_config, name) for name in COMPILE_ARGUMENTS}
            given["optimizer"] = self._compiled_optimizer()
            return {name: serialize_keras_object(value) for name, value in given.items()}
        except ValueError as error:
            warn(
                f"How the model {self.name!r} was compiled is left out of its configuration: {error} Or call compile() "
                "after loading.",
            )
            return {}

    def _compiled_optimizer(self) -> Any:
        """Return the optimizer as it is now, without the scaling of the loss that `compile` put around it."""
        given = self.compile_config.optimizer
        was_wrapped = isinstance(self.optimizer, LossScaleOptimizer) and self.optimizer is not given
        return self.optimizer.inner_optimizer if was_wrapped else self.optimizer

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what `get_compile_config` returned.

        Warns, and does nothing, where a subclass has a `compile` of its own: it must have this method too.
        """
        if type(self).compile is not Trainer.compile:
            warn(
                f"The model {self.name!r} is not compiled: {type(self).__name__} has its own compile(). Override "
                "get_compile_config() and compile_from_config() too, or call compile() after loading.",
            )
            return
        self.compile(**deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Write the whole model to a `.keras` (or `.h5`) file, or to a folder with `zipped=False`.

        See `keras.saving.save_model`.

        >>> import os, tempfile
        >>> from hornbeam import keras
        >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
        >>> keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
        >>> keras.models.load_model(path).count_params()
        8
        """
        save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Write the weights to a file: `.weights.h5` or `.weights.json`, which Keras 3 reads too, or `.safetensors`.

        Any other name that ends with `.h5` gets the format of before Keras 3.

        `.weights.json` is an index of several files, of `max_shard_size` GB at most (5 unless said otherwise).
        """
        save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self,
        filepath: Any,
        skip_mismatch: bool = False,
        objects_to_skip: Any = (),
        by_name: bool = False,
    ) -> Any:
        """Read the weights from a file of any of these formats or a `.keras`, Keras's included; nothing in it is run.

        Raises ValueError, and changes nothing, where the file does not fit the model. With `skip_mismatch` the layers
        that fit are loaded, and a warning lists the differences. `objects_to_skip` are layers to leave as they are. With
        `by_name`, only layers that a file of before Keras 3 (`.h5`) has under the same names are loaded.
        A TensorFlow checkpoint, of Keras 2 or `tf.train`, may hold less or more for the optimizer; the status that is returned
        then says so.
        """
        return load_weights(self, filepath, skip_mismatch, objects_to_skip, by_name)


class Functional(Model):
    """A model made of a graph; what `Model(inputs, outputs)` returns."""


registry.add(Model)
registry.add(Functional, module="keras.src.models.functional")


def _placeholders(shapes: Any, dtype: str) -> Any:
    return tree_map(lambda shape: KerasTensor(tuple(shape), dtype), shapes, is_leaf=is_shape)


def _fit_input(
    value: Any, symbol: KerasTensor, mask: Any, model: str, takes_other_sizes: bool
) -> Any:
    """Return the value in the type that the graph expects, with an axis of size 1 added or removed at the end."""
    wanted = symbol.shape
    if isinstance(value, KerasTensor):
        shape = value.shape
    else:
        mask = mask if mask is not None else getattr(value, "_keras_mask", None)
        value = convert_to_tensor(value, symbol.dtype)
        shape = value.shape
        if len(shape) == len(wanted) + 1 and shape[-1] == 1:
            value = value[..., 0]
        elif len(shape) == len(wanted) - 1 and wanted[-1] == 1:
            value = value[..., None]
        shape = value.shape
        if mask is not None:
            value._keras_mask = mask
    if len(shape) != len(wanted) or (
        not takes_other_sizes
        and any(a is not None and b not in (None, a) for a, b in zip(wanted, shape, strict=True))
    ):
        name = symbol.node.operation.name if symbol.node else symbol.name
        raise ValueError(
            f"The model {model!r} expected its input {name!r} of shape {tuple(wanted)}, received shape {tuple(shape)}."
        )
    return value
