"""A plain stack of layers."""

from __future__ import annotations

from typing import Any

from hornbeam.core.names import name_scope
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras.engine.graph import Graph
from hornbeam.keras.engine.input_layer import InputLayer
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.engine.trainability import freeze, restore_trainable
from hornbeam.keras.models.model import Model, registry
from hornbeam.keras.registry import deserialize_keras_object, serialize_keras_object


@registry.add
class Sequential(Model):
    """Layers in a row: the outputs of each are the inputs of the next.

    With an `Input`, or `input_shape=` on the first layer, the model is built at once; otherwise on its first use.

    >>> from hornbeam import keras
    >>> model = keras.Sequential([
    ...     keras.layers.Dense(8, activation="relu", input_shape=(4,)),
    ...     keras.layers.Dense(1),
    ... ])
    >>> model.output_shape, model.count_params()
    ((None, 1), 49)
    """

    _takes_other_sizes = True  # as its layers decide: sentences are of any length

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        """`layers` is a list of layers; more can be added with `add`."""
        super().__init__(trainable=trainable, name=name)
        self._layers: list[Layer] = []
        if layers is not None:
            for layer in layers if isinstance(layers, (list, tuple)) else [layers]:
                self._append(layer)
            self._maybe_build()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Add a layer at the end. Raises TypeError for anything but a layer, ValueError for a name that is taken."""
        self._append(layer)
        if not rebuild:
            return
        if self._graph is not None and len(self._layers) > 1:
            self._extend(self._layers[-1])
        else:
            self._maybe_build()

    def _append(self, layer: Any) -> None:
        if (
            isinstance(layer, KerasTensor)
            and layer.node
            and isinstance(layer.node.operation, InputLayer)
        ):
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            hint = " Wrap a function in keras.layers.Lambda." if callable(layer) else ""
            raise TypeError(
                f"Sequential takes layers; received {layer!r} of type {type(layer).__name__}.{hint}"
            )
        if any(each.name == layer.name for each in self._layers):
            raise ValueError(
                f"The model {self.name!r} has a layer named {layer.name!r} already: give each layer a name of its own."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(
                f"An Input can only be the first layer of {self.name!r}; it has {len(self._layers)}."
            )
        if not self._layers and (shape := _known_shape(layer)) is not None:
            self._layers.append(InputLayer(batch_shape=shape, dtype=layer._input_dtype))
        self._layers.append(layer)
        if self._trainable is False:
            freeze(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it."""
        if not self.layers:
            raise ValueError(f"The model {self.name!r} has no layers to take off.")
        layer = self._layers.pop()
        self._graph, self.built = None, False
        if rebuild:
            self._maybe_build()
        return layer

    def _maybe_build(self) -> None:
        if len(self._layers) > 1 and isinstance(self._layers[0], InputLayer):
            self.build(self._layers[0].batch_shape)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of that shape, the batch axis included."""
        if not self.layers:
            raise ValueError(
                f"The model {self.name!r} has no layers: add some before it is built or called."
            )
        if not isinstance(self._layers[0], InputLayer):
            if input_shape is None:
                raise ValueError(
                    f"The model {self.name!r} does not know the shape of its input. Begin it with keras.Input(shape), "
                    "give build(input_shape), or call it on data."
                )
            shape = (None, *tuple(input_shape)[1:])
            self._layers.insert(
                0, InputLayer(batch_shape=shape, dtype=self._input_dtype or self.compute_dtype)
            )
        x = inputs = self._layers[0].output
        for layer in self._layers[1:]:
            x = layer(x)
        self._set_graph(Graph(inputs, x))

    @property
    def _is_functional(self) -> bool:
        return False

    def _symbolic_outputs(self, x: Any) -> Any:
        if self._graph is None:
            self.build(tuple(x.shape))
        return self.output

    def _extend(self, layer: Layer) -> None:
        graph = self._graph_or_raise("outputs")
        with name_scope(self.name):
            self._set_graph(Graph(graph.inputs, layer(graph.outputs)))

    def sublayers(self) -> list[Layer]:
        """Return the layers in order, the input layer included."""
        return list(self._layers)

    @property
    def layers(self) -> list[Layer]:
        """Return the layers, without the input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def get_config(self) -> dict[str, Any]:
        """Return what the model can be made from again, without the values of the weights."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._layers],
        }
        if self._graph is not None:
            config["build_input_shape"] = self.input_shape
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Return a model made from what `get_config` returned."""
        model = cls(name=config.get("name"))
        for layer in config["layers"]:
            model.add(deserialize_keras_object(layer, custom_objects), rebuild=False)
        shape = config.get("build_input_shape")
        if model.layers and (shape is not None or isinstance(model._layers[0], InputLayer)):
            model.build(shape)
        restore_trainable(model, config.get("trainable", True))
        return model


def _known_shape(layer: Layer) -> Any:
    if isinstance(layer, InputLayer):
        return None
    if layer._batch_input_shape is not None:
        return layer._batch_input_shape
    if (
        isinstance(layer, Model)
        and layer._graph is not None
        and isinstance(layer.input, KerasTensor)
    ):
        return tuple(layer.input.shape)
    return None
