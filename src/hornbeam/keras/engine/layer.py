"""The layer: state, and a computation that uses it."""

from __future__ import annotations

from typing import Any, Self

import jax

from hornbeam.core import scope
from hornbeam.core.errors import did_you_mean
from hornbeam.core.names import auto_name, current_path, name_scope, snake_case
from hornbeam.core.op import is_box, wrap
from hornbeam.core.symbolic import KerasTensor, symbolic_leaves
from hornbeam.core.tensor import Tensor, convert_to_tensor, is_traced, unwrap
from hornbeam.keras import dtype_policies, regularizers
from hornbeam.keras.engine.calling import (
    CallSignature,
    call_context,
    convert_arguments,
    current_context,
    is_number_list,
    mask_of,
    shape_of,
    tensor_arguments,
)
from hornbeam.keras.engine.input_spec import check_inputs
from hornbeam.keras.engine.symbolic_calls import SymbolicCalls
from hornbeam.keras.engine.weights import no_super_init
from hornbeam.keras.registry import (
    constructor_arguments,
    serialize_keras_object,
    signature_parameters,
)
from hornbeam.ops.core import cast as to_dtype

_IN_LAYER = "In the layer"
# Written in Keras's own form, or (first values of weights) not at all.
_BASE_ARGUMENTS = ("name", "trainable", "dtype", "autocast", "weights")


class Layer(SymbolicCalls):
    """State (weights) and a computation on tensors.

    Subclasses store their arguments in `__init__`, make weights in `build(input_shape)` with `add_weight`, and
    compute in `call(inputs)`. `call` may take `training` and `mask`, which are then filled in. The configuration is
    read off the constructor's signature, the output shape is found by tracing: neither is written by hand.

    >>> from hornbeam import keras
    >>> class Scale(keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight((input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> layer = Scale()
    >>> print(layer([[1.0, 2.0]]).numpy(), [w.path for w in layer.weights])
    [[1. 2.]] ['scale/factor']
    """

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for an unknown argument, TypeError for a name that is no string."""
        if name is not None and not isinstance(name, str):
            raise TypeError(f"The name of a layer is a string; received {name!r}.")
        if name is not None and "/" in name:
            raise ValueError(f"The name of a layer can't contain a slash; received {name!r}.")
        self._name = name or auto_name(snake_case(type(self).__name__))
        self._trainable = bool(trainable)
        self.dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec: Any = None
        self.supports_masking = (
            hasattr(type(self), "compute_mask")
            and type(self).compute_mask is not Layer.compute_mask
        )
        self.built = False
        self._variables = []
        self._inbound_nodes = []
        self._call_losses: list[tuple[Any, Any]] = []
        self._build_shapes: dict[str, Any] | None = None
        self._path: str | None = None
        self._first_weights = kwargs.pop("weights", None)
        self._batch_input_shape = self._take_input_shape(kwargs)
        if kwargs:
            known = signature_parameters(type(self))
            hint = "".join(did_you_mean(each, known) for each in kwargs)
            raise ValueError(
                f"{type(self).__name__} received unknown arguments: {', '.join(map(repr, kwargs))}.{hint}"
            )

    def _take_input_shape(self, kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
        """The shape that `input_shape=` and its kin on a first layer of Sequential say, batch axis included."""
        batch_size = kwargs.pop("batch_size", None)
        self._input_dtype = kwargs.pop("input_dtype", None)
        if "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_dim"),)
        for name in ("batch_input_shape", "batch_shape"):
            if name in kwargs:
                return tuple(kwargs.pop(name))
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
            return (batch_size, *(shape if isinstance(shape, (tuple, list)) else (shape,)))
        return None

    # What a subclass overrides

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `call` method. Write call(self, inputs)."
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the outputs; by default that of the inputs."""
        return previous_mask

    def check_values(self, inputs: Any) -> None:
        """Raise ValueError for values of the inputs that the layer can't work on; by default nothing is checked.

        Compiled programs can't raise errors, so models call this on the arrays of a batch before a program runs.
        """

    # Losses

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, or several, to what training minimises; meant to be used inside `call`."""
        context = current_context()
        for each in loss if isinstance(loss, (list, tuple)) else [loss]:
            if each is None:
                continue
            if context is None:
                self._call_losses.append((self, each))
            else:
                context.losses.append((self, each))

    @property
    def losses(self) -> list[Any]:
        """The losses that the last call added, then those of the weights' regularizers."""
        context = current_context()
        added = self._call_losses
        if context is not None:
            inside = {id(layer) for layer in self._depth_first()}
            added = [pair for pair in context.losses if id(pair[0]) in inside]
        weights = [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return [loss for _, loss in added] + weights

    # Calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_inbound_nodes" not in vars(self):
            raise no_super_init(self)
        signature = self._signature()
        if args and is_number_list(args[0]):  # layer([[1.0, 2.0]])
            args = (convert_to_tensor(args[0]), *args[1:])
        args, kwargs = convert_arguments((args, kwargs), self._convert_input)
        training = kwargs.pop("training", None) if not signature.accepts("training") else None
        arguments = signature.bind(self, args, kwargs)
        tensors = tensor_arguments(arguments)
        symbolic = bool(symbolic_leaves((args, kwargs)))
        self._fill_masks(signature, arguments, tensors)
        with name_scope(self._name):
            if self._path is None:
                self._path = current_path()
            self._check_inputs(tensors)  # before building: no weights for a wrong shape
            if not self.built:
                self._build(tensors)
                self._check_inputs(tensors)
            if symbolic:
                return self._symbolic_call(args, kwargs)
            return self._value_call(signature, arguments, tensors, training)

    def _check_inputs(self, tensors: dict[str, Any]) -> None:
        if self.input_spec is not None and tensors:
            check_inputs(self.input_spec, next(iter(tensors.values())), self)

    def _value_call(
        self,
        signature: CallSignature,
        arguments: dict[str, Any],
        tensors: dict[str, Any],
        training: bool | None = None,
    ) -> Any:
        """`training` is for the layers inside, where `call` does not take it itself."""
        training = self._resolve_training(signature, arguments, training)
        cast = (
            self.compute_dtype
            if self.autocast and self.compute_dtype != self.variable_dtype
            else None
        )
        with call_context(training) as called, scope.autocast(cast):
            try:
                outputs = wrap(self._run(arguments))
            except Exception as error:
                if not any(note.startswith(_IN_LAYER) for note in getattr(error, "__notes__", ())):
                    error.add_note(_where(self, tensors))  # the innermost layer only
                raise
            if self.activity_regularizer is not None:
                for tensor in jax.tree.leaves(outputs, is_leaf=is_box):
                    self.add_loss(
                        self.activity_regularizer(tensor) / tensor.shape[0]
                    )  # the mean of the batch
            self._set_output_masks(arguments, tensors, outputs)
            if called.is_outermost:
                self._keep_losses(called.context.losses)
        return outputs

    def _run(self, arguments: dict[str, Any]) -> Any:
        signature = self._signature()
        if signature.star is None:
            return self.call(**arguments)
        rest = dict(
            arguments
        )  # call(self, a, *others): what stands before the star goes by position
        before = [
            rest.pop(name) for name in signature.names[: signature.star_index] if name in rest
        ]
        return self.call(*before, *rest.pop(signature.star, ()), **rest)

    def _keep_losses(self, losses: list[tuple[Any, Any]]) -> None:
        """Let `losses` tell them after the call; tracers would be of no use to anyone."""
        kept = [] if any(is_traced(unwrap(x)) for _, x in losses) else losses
        self._call_losses = kept
        for layer in {id(layer): layer for layer, _ in kept}.values():
            layer._call_losses = (
                [pair for pair in kept if pair[0] is layer] if layer is not self else kept
            )

    def _signature(self) -> CallSignature:
        cls = type(self)
        found = vars(cls).get("_call_signature")
        if found is None:
            found = CallSignature(cls.call)
            cls._call_signature = found  # type: ignore[attr-defined]
        return found

    def _convert_input(self, x: Any) -> Any:
        if self.autocast and x.dtype.is_floating and x.dtype != self.compute_dtype:
            if isinstance(x, KerasTensor):
                return x
            cast = Tensor(to_dtype.raw(x._value, self.compute_dtype))
            cast._keras_mask = x._keras_mask
            return cast
        return x

    def _resolve_training(
        self, signature: CallSignature, arguments: dict[str, Any], training: bool | None
    ) -> bool | None:
        training = arguments.get("training", training)
        context = current_context()
        if training is None and context is not None:
            training = context.training
        if training is None:
            training = signature.defaults.get("training")
        if "training" in signature.names:
            arguments["training"] = training
        return training

    def _fill_masks(
        self, signature: CallSignature, arguments: dict[str, Any], tensors: dict[str, Any]
    ) -> None:
        for index, (name, value) in enumerate(tensors.items()):
            for wanted in (["mask"] if index == 0 else []) + [f"{name}_mask"]:
                if wanted in signature.names and arguments.get(wanted) is None:
                    found = mask_of(value)
                    if found is not None:
                        arguments[wanted] = found

    def _set_output_masks(
        self, arguments: dict[str, Any], tensors: dict[str, Any], outputs: Any
    ) -> None:
        if not tensors:
            return
        inputs = next(iter(tensors.values()))
        mask = arguments["mask"] if arguments.get("mask") is not None else mask_of(inputs)
        if (
            mask is None and type(self).compute_mask is Layer.compute_mask
        ) or not self.supports_masking:
            return
        masks = jax.tree.leaves(
            self.compute_mask(inputs, mask), is_leaf=lambda x: x is None or is_box(x)
        )
        tensors_out = jax.tree.leaves(outputs, is_leaf=is_box)
        for tensor, each in zip(tensors_out, masks, strict=False):
            if isinstance(tensor, Tensor) and each is not None and tensor._keras_mask is None:
                tensor._keras_mask = each

    # Pure calls

    def stateless_call(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call as a pure function: `(outputs, new_non_trainable_variables[, losses])` for given values of the state."""
        if not self.built:
            raise ValueError(
                f"The layer {self.name!r} must be built before stateless_call: call it on data first."
            )
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        values = [unwrap(v) for v in (*trainable_variables, *non_trainable_variables)]

        def call() -> Any:
            with call_context(fresh=True) as called:
                outputs = self(*args, **kwargs)
                losses = [loss for _, loss in called.context.losses]
                losses += [
                    v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None
                ]
            return outputs, losses

        (outputs, losses), new_values = scope.pure(call, variables)(values)
        rest = new_values[len(self.trainable_variables) :]
        return (outputs, rest, losses) if return_losses else (outputs, rest)

    # Configuration and saving

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as values that JSON can hold, in Keras's form."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
        }
        own = vars(type(self)).get("__init__")
        for name, value in constructor_arguments(self).items():
            listed = (
                own is not None and name in own.__code__.co_varnames[: own.__code__.co_argcount]
            )
            if name in _BASE_ARGUMENTS or (
                name == "activity_regularizer" and value is None and not listed
            ):
                continue
            config[name] = serialize_keras_object(value)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A layer from what `get_config` gave."""
        accepted = signature_parameters(cls)
        rest = {
            key: value
            for key, value in config.items()
            if key not in _BASE_ARGUMENTS or key in accepted
        }
        layer = super().from_config(rest)
        if (
            "name" not in accepted and "name" in config
        ):  # a constructor that does not hand arguments on
            layer.name = config["name"]
        if "trainable" not in accepted:
            layer._trainable = config.get("trainable", True)
        return layer

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self._name}, built={self.built}>"

    def __getattr__(self, name: str) -> Any:
        if "_inbound_nodes" not in vars(self) and name.startswith("_"):
            raise no_super_init(self)
        found = getattr(type(self), name, None)
        if isinstance(
            found, property
        ):  # it raised an AttributeError of its own, which Python hides: show that one
            return found.fget(self)  # type: ignore[misc]
        hint = did_you_mean(name, dir(self)) if not name.startswith("_") else ""
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}.{hint}", name=name, obj=self
        )


def _where(layer: Layer, tensors: dict[str, Any]) -> str:
    shapes = ", ".join(f"{name}: {shape_of(value)}" for name, value in tensors.items())
    return f"{_IN_LAYER} {layer.name!r} ({type(layer).__name__}), called with {shapes or 'no tensors'}."
