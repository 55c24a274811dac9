"""A function as a layer."""

from __future__ import annotations

import inspect
from typing import Any, Unpack

from hornbeam.keras import activations
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import without_unset
from hornbeam.keras.registry import deserialize_keras_object, find_custom
from hornbeam.keras.registry.unknown import unnamed
from hornbeam.keras.registry.writing import Anonymous

__all__ = ["Lambda"]


class Lambda(Layer):
    """A function of the inputs as a layer, for computations without weights.

    The function is given the inputs, the keyword `arguments`, and `mask` and `training` where it takes them. `mask` is
    the mask of the outputs, or a function (inputs, mask) that returns it. `output_shape` is accepted and kept; the shape
    is found by tracing.

    Saving a model writes the name of the function, never its code: use a function registered with
    `keras.saving.register_keras_serializable`. A lambda has no name, so it must be given again when the model is loaded:
    `load_model(path, custom_objects={"name of the layer": function})`. Code in a file of Keras isn't run.

    >>> from hornbeam import keras
    >>> print(keras.layers.Lambda(lambda x: x**2)([1.0, 3.0]).numpy())
    [1. 9.]
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"`function` is a function of the inputs; received {function!r}.")
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        try:
            self._accepted = set(inspect.signature(function).parameters)
        except ValueError:  # a builtin that doesn't tell
            self._accepted = set()

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """function(inputs)"""
        offered = {"mask": mask, "training": training}
        extra = {name: value for name, value in offered.items() if name in self._accepted}
        return self.function(inputs, **{**extra, **self.arguments})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that the argument `mask` says."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    @property
    def is_anonymous(self) -> bool:
        """Whether the function is a lambda, which has no name to be found by when a model is loaded."""
        return getattr(self.function, "__name__", "") == "<lambda>"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; in place of a lambda, a note that it must be given again."""
        if not self.is_anonymous:
            return without_unset(super().get_config(), "output_shape", "mask")
        like = Lambda(
            activations.linear,
            self._output_shape,
            self.mask,
            self.arguments,
            name=self.name,
            dtype=self.dtype_policy,
            trainable=self.trainable,
        )
        return {**like.get_config(), "function": Anonymous(self.function)}

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Lambda:
        """Return a layer from what `get_config` returned; the function is looked up by name.

        Python code is never run, whatever `safe_mode` says: raises ValueError for it, unless the user has given a
        function under the layer's name.
        """
        function = config["function"]
        if isinstance(function, Anonymous):  # of this process, as in cloning
            config = {**config, "function": function.function}
        elif isinstance(function, dict) and function.get("class_name") == "__lambda__":
            name = config.get("name")
            found = find_custom(name, custom_objects)
            if found is None:
                raise ValueError(
                    f"The Lambda layer {name!r} {unnamed(function)}. Give its function: "
                    f"custom_objects={{{name!r}: function}}, or register it with "
                    "@keras.saving.register_keras_serializable() and save the model anew."
                )
            config = {**config, "function": found}
        arguments = {
            key: deserialize_keras_object(value, custom_objects) for key, value in config.items()
        }
        if isinstance(arguments["function"], str):  # Hornbeam's own are written by their bare names
            arguments["function"] = activations.get(arguments["function"])
        return cls(**arguments)
