"""The layer: state, and a computation that uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import jax
import numpy as np

from hornbeam.core import scope
from hornbeam.core.dtypes import as_dtype, canonical
from hornbeam.core.errors import did_you_mean
from hornbeam.core.names import auto_name, current_path, name_scope, snake_case
from hornbeam.core.op import is_box, wrap
from hornbeam.core.symbolic import PROBES, KerasTensor, Node, infer, symbolic_leaves
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.variable import Variable
from hornbeam.keras import constraints, dtype_policies, initializers, regularizers
from hornbeam.keras.engine import tracking
from hornbeam.keras.engine.calling import (
    CallSignature,
    call_context,
    convert_arguments,
    current_context,
    mask_of,
    shape_of,
    tensor_arguments,
)
from hornbeam.keras.engine.input_spec import check_inputs
from hornbeam.keras.registry import Configurable, constructor_arguments, serialize_keras_object, signature_parameters

# One lock for all: building a layer builds the layers inside it, and two threads may start from different ends.
_build_lock = threading.RLock()
_IN_LAYER = "In the layer"
# Written in Keras's own form, or (first values of weights) not at all.
_BASE_ARGUMENTS = ("name", "trainable", "dtype", "autocast", "weights")


class Layer(Configurable):
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
        self.supports_masking = hasattr(type(self), "compute_mask") and type(self).compute_mask is not Layer.compute_mask
        self.built = False
        self._variables: list[Variable] = []
        self._inbound_nodes: list[Node] = []
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

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the weights for inputs of that shape, `(None, ...)` with the batch axis."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(f"{type(self).__name__} has no `call` method. Write call(self, inputs).")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the outputs; by default that of the inputs."""
        return previous_mask

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _tracked_build(vars(cls)["build"])  # type: ignore[method-assign]

    # Names and types

    @property
    def name(self) -> str:
        """The name, unique among layers unless it was given."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def path(self) -> str:
        """The names of the layers around it and its own, joined by slashes."""
        return self._path or self._name

    @property
    def dtype(self) -> str:
        """The type that weights are kept in."""
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The type that weights are kept in."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The type that inputs are cast to and outputs come in."""
        return self.dtype_policy.compute_dtype

    input_dtype = compute_dtype

    # State

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a weight of this layer.

        `initializer` None means "glorot_uniform" for floating types and "zeros" for others.
        """
        if "_variables" not in vars(self):
            raise _no_super_init(self)
        if isinstance(shape, str):  # add_weight("kernel", shape=...) of old code
            raise TypeError(f"The first argument of add_weight is the shape; received {shape!r}. Use name={shape!r}.")
        dtype = as_dtype(dtype).name if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if as_dtype(dtype).is_floating else "zeros"
        with ExitStack() as stack:
            if not current_path():
                stack.enter_context(name_scope(self._name))
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
        self._variables.append(variable)
        return variable

    def add_variable(self, shape: Any, initializer: Any, **kwargs: Any) -> Variable:
        """The same as `add_weight`."""
        return self.add_weight(shape=shape, initializer=initializer, **kwargs)

    def sublayers(self) -> list[Layer]:
        """The layers directly inside this one, in the order in which they became attributes."""
        return tracking.unique(v for v in tracking.attribute_values(self) if isinstance(v, Layer) and v is not self)

    def flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        """This layer and all inside it, outer ones first."""

        def walk(layer: Layer) -> Iterator[Layer]:
            for each in layer.sublayers():
                yield each
                if recursive:
                    yield from walk(each)

        return tracking.unique([*([self] if include_self else []), *walk(self)])

    def _own_weights(self) -> list[Variable]:
        own = tracking.own_variables(self)
        return [v for v in own if v.trainable] + [v for v in own if not v.trainable]

    @property
    def weights(self) -> list[Variable]:
        """All weights: own trainable ones, own others, then those of the layers inside."""
        return tracking.unique(v for layer in self._depth_first() for v in layer._own_weights())

    def _depth_first(self) -> list[Layer]:
        found: dict[int, Layer] = {}

        def walk(layer: Layer) -> None:
            if id(layer) not in found:
                found[id(layer)] = layer
                for each in layer.sublayers():
                    walk(each)

        walk(self)
        return list(found.values())

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        frozen: set[int] = set()

        def freeze(layer: Layer, inside_frozen: bool) -> None:
            stopped = inside_frozen or not layer.trainable
            if stopped:
                frozen.update(id(v) for v in layer._own_weights())
            for each in layer.sublayers():
                freeze(each, stopped)

        freeze(self, False)
        return [v for v in self.weights if v.trainable and id(v) not in frozen]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trainable]

    @property
    def variables(self) -> list[Variable]:
        """All weights, then other state: of recurrent layers, of random generators, of metrics."""
        layers = self._depth_first()
        states = [v for layer in layers for v in tracking.own_variables(layer)]
        seeds = [g.state for layer in layers for g in tracking.own_seed_generators(layer)]
        return tracking.unique([*self.weights, *states, *seeds, *self.metrics_variables])

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves alone or that change by other means than gradients."""
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that this layer and the layers inside it hold."""
        return tracking.unique(m for layer in self._depth_first() for m in tracking.own_metrics(layer))

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of those metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._depth_first():
            layer._trainable = bool(value)

    def count_params(self) -> int:
        """The number of weights. Raises ValueError where they are not made yet."""
        if not self.built:
            raise ValueError(
                f"The layer {self.name!r} has no weights yet: call it on data or `build` it, then count."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """The values of all weights, as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set all weights, in the order of `weights`; nothing is changed unless every shape fits."""
        variables = self.weights
        values = [np.asarray(unwrap(value)) for value in weights]
        if len(values) != len(variables):
            raise ValueError(
                f"The layer {self.name!r} has {len(variables)} weights, received {len(values)} arrays."
                + ("" if self.built else " It is not built yet: call it on data first.")
            )
        for variable, value in zip(variables, values, strict=True):
            if value.shape != tuple(variable.shape):
                raise ValueError(
                    f"The weight {variable.path!r} of the layer {self.name!r} has shape {tuple(variable.shape)}, "
                    f"received an array of shape {value.shape}. No weight was changed."
                )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

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
            raise _no_super_init(self)
        signature = self._signature()
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
        cast = self.compute_dtype if self.autocast and self.compute_dtype != self.variable_dtype else None
        with call_context(training) as called, scope.autocast(cast):
            try:
                outputs = wrap(self._run(arguments))
            except Exception as error:
                if not any(note.startswith(_IN_LAYER) for note in getattr(error, "__notes__", ())):
                    error.add_note(_where(self, tensors))  # the innermost layer only
                raise
            if self.activity_regularizer is not None:
                for tensor in jax.tree.leaves(outputs, is_leaf=is_box):
                    self.add_loss(self.activity_regularizer(tensor) / tensor.shape[0])  # the mean of the batch
            self._set_output_masks(arguments, tensors, outputs)
            if called.is_outermost:
                self._keep_losses(called.context.losses)
        return outputs

    def _run(self, arguments: dict[str, Any]) -> Any:
        signature = self._signature()
        if signature.star is None:
            return self.call(**arguments)
        rest = dict(arguments)  # call(self, a, *others): what stands before the star goes by position
        before = [rest.pop(name) for name in signature.names[: signature.star_index] if name in rest]
        return self.call(*before, *rest.pop(signature.star, ()), **rest)

    def _keep_losses(self, losses: list[tuple[Any, Any]]) -> None:
        """Let `losses` tell them after the call; tracers would be of no use to anyone."""
        kept = [] if any(isinstance(unwrap(x), jax.core.Tracer) for _, x in losses) else losses
        self._call_losses = kept
        for layer in {id(layer): layer for layer, _ in kept}.values():
            layer._call_losses = [pair for pair in kept if pair[0] is layer] if layer is not self else kept

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
            cast = Tensor(x._value.astype(canonical(self.compute_dtype)))
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

    def _fill_masks(self, signature: CallSignature, arguments: dict[str, Any], tensors: dict[str, Any]) -> None:
        for index, (name, value) in enumerate(tensors.items()):
            for wanted in (["mask"] if index == 0 else []) + [f"{name}_mask"]:
                if wanted in signature.names and arguments.get(wanted) is None:
                    found = mask_of(value)
                    if found is not None:
                        arguments[wanted] = found

    def _set_output_masks(self, arguments: dict[str, Any], tensors: dict[str, Any], outputs: Any) -> None:
        if not tensors:
            return
        inputs = next(iter(tensors.values()))
        mask = arguments["mask"] if arguments.get("mask") is not None else mask_of(inputs)
        if mask is None and type(self).compute_mask is Layer.compute_mask or not self.supports_masking:
            return
        masks = jax.tree.leaves(self.compute_mask(inputs, mask), is_leaf=lambda x: x is None or is_box(x))
        tensors_out = jax.tree.leaves(outputs, is_leaf=is_box)
        for tensor, each in zip(tensors_out, masks, strict=False):
            if isinstance(tensor, Tensor) and each is not None and tensor._keras_mask is None:
                tensor._keras_mask = each

    # Building

    def _build(self, tensors: dict[str, Any]) -> None:
        with _build_lock:
            if self.built:  # another thread was faster
                return
            shapes = {name: _without_probes(shape_of(value)) for name, value in tensors.items()}
            if self._builds_in_call():
                self._build_shapes = shapes
            else:
                parameters = self._build_parameters()
                named = {f"{name}_shape": shape for name, shape in shapes.items()}
                if len(parameters) > 1 and set(parameters) & set(named):
                    self.build(**{k: v for k, v in named.items() if k in parameters})
                else:
                    self.build(next(iter(shapes.values()), None))
            self.built = True
            if self._first_weights is not None:
                self.set_weights(self._first_weights)

    def _builds_in_call(self) -> bool:
        """Whether there is nothing to build but the layers inside, which the call reaches."""
        return type(self).build is Layer.build

    def _build_parameters(self) -> list[str]:
        build = getattr(type(self).build, "__wrapped__", type(self).build)
        return list(build.__code__.co_varnames[1 : build.__code__.co_argcount])

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built for."""
        shapes = self._build_shapes
        if not shapes:
            return None
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Build for the shapes that `get_build_config` gave."""
        if config and not self.built:
            if "input_shape" in config:
                shape = config["input_shape"]
                self.build(tuple(shape) if isinstance(shape, list) else shape)
            elif "shapes_dict" in config:
                self.build(**{f"{k.removesuffix('_shape')}_shape": v for k, v in config["shapes_dict"].items()})

    # Symbolic calls and shapes

    def _symbolic_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        outputs = self.compute_output_spec(*args, **kwargs)
        node = Node(self, args, kwargs, outputs)
        self._inbound_nodes.append(node)
        return outputs

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs, with a node in the graph."""
        return self._symbolic_call(args, kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs for symbolic inputs, by tracing `call`."""

        def run(*inner_args: Any, **inner_kwargs: Any) -> Any:
            signature = self._signature()
            args, kwargs = convert_arguments((inner_args, inner_kwargs), self._convert_input)
            arguments = signature.bind(self, args, kwargs)
            with scope.StateScope(), call_context(fresh=True):
                return self._value_call(signature, arguments, tensor_arguments(arguments))

        return infer(run, *args, **kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the outputs for inputs of that shape (a tuple, or a structure of tuples)."""

        def placeholder(shape: Any) -> KerasTensor:
            return KerasTensor(shape, self.compute_dtype)

        def is_shape(x: Any) -> bool:
            return isinstance(x, (tuple, list)) and all(d is None or isinstance(d, int) for d in x)

        named = {key.removesuffix("_shape"): value for key, value in kwargs.items()}
        symbolic_args, symbolic_kwargs = jax.tree.map(placeholder, (args, named), is_leaf=is_shape)
        if args and "input_shape" in kwargs:
            raise TypeError("compute_output_shape received the input shape twice.")
        if not args and list(named) == ["input"]:
            symbolic_args, symbolic_kwargs = (symbolic_kwargs["input"],), {}
        if not self.built:
            with name_scope(self._name):
                self._build(tensor_arguments(self._signature().bind(self, symbolic_args, symbolic_kwargs)))
        outputs = self.compute_output_spec(*symbolic_args, **symbolic_kwargs)
        return jax.tree.map(lambda x: tuple(x.shape), outputs, is_leaf=is_box)

    def _from_first_node(self, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name!r} has no symbolic {what}: it was not called on a keras.Input, nor on what "
                "comes of one."
            )
        return self._inbound_nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic input of the first symbolic call. Raises AttributeError where there was none."""
        node = self._from_first_node("input")
        return node.args[0] if node.args else node.inputs[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the first symbolic call. Raises AttributeError where there was none."""
        return self._from_first_node("output").outputs

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
            raise ValueError(f"The layer {self.name!r} must be built before stateless_call: call it on data first.")
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        values = [unwrap(v) for v in (*trainable_variables, *non_trainable_variables)]

        def call() -> Any:
            with call_context(fresh=True) as called:
                outputs = self(*args, **kwargs)
                losses = [loss for _, loss in called.context.losses]
                losses += [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
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
        own = vars(type(self))["__init__"] if "__init__" in vars(type(self)) else None
        for name, value in constructor_arguments(self).items():
            listed = own is not None and name in own.__code__.co_varnames[: own.__code__.co_argcount]
            if name in _BASE_ARGUMENTS or (name == "activity_regularizer" and value is None and not listed):
                continue
            config[name] = serialize_keras_object(value)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A layer from what `get_config` gave."""
        accepted = signature_parameters(cls)
        rest = {key: value for key, value in config.items() if key not in _BASE_ARGUMENTS or key in accepted}
        layer = super().from_config(rest)
        if "name" not in accepted and "name" in config:  # a constructor that does not hand arguments on
            layer.name = config["name"]
        if "trainable" not in accepted:
            layer._trainable = config.get("trainable", True)
        return layer

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own weights (not those of layers inside) into a mapping."""
        for index, variable in enumerate(self._own_weights()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        own = self._own_weights()
        if len(store) != len(own):
            raise ValueError(f"The layer {self.name!r} has {len(own)} weights, the file holds {len(store)} for it.")
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self._name}, built={self.built}>"

    def __getattr__(self, name: str) -> Any:
        if "_inbound_nodes" not in vars(self) and name.startswith("_"):
            raise _no_super_init(self)
        found = getattr(type(self), name, None)
        if isinstance(found, property):  # it raised an AttributeError of its own, which Python hides: show that one
            return found.fget(self)  # type: ignore[misc]
        hint = did_you_mean(name, dir(self)) if not name.startswith("_") else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}.{hint}", name=name, obj=self)


def _tracked_build(build: Any) -> Any:
    """`build` as a subclass wrote it, so that it can also be called directly: named scopes, `built` set at the end."""
    if getattr(build, "_is_tracked", False):
        return build

    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> None:
        with _build_lock, scope.autocast(None), ExitStack() as stack:
            if current_path().rpartition("/")[2] != self._name:
                stack.enter_context(name_scope(self._name))
            if self._path is None:
                self._path = current_path()
            attributes, variables = dict(vars(self)), list(self._variables)
            try:
                build(self, *args, **kwargs)
            except BaseException:  # a build that failed leaves nothing behind and can be tried again
                vars(self).clear()
                vars(self).update(attributes)
                self._variables[:] = variables
                raise
            names = build.__code__.co_varnames[1 : build.__code__.co_argcount]
            self._build_shapes = {**dict(zip(names, args, strict=False)), **kwargs}
            self.built = True

    wrapped.__wrapped__ = getattr(build, "__wrapped__", build)  # type: ignore[attr-defined]
    wrapped.__doc__, wrapped.__name__ = build.__doc__, "build"
    wrapped._is_tracked = True  # type: ignore[attr-defined]
    return wrapped


def _without_probes(shape: Any) -> Any:
    """Sizes that stand for unknown dimensions while shapes are being traced, as None."""
    if isinstance(shape, dict):
        return {key: _without_probes(each) for key, each in shape.items()}
    if isinstance(shape, (list, tuple)):
        return type(shape)(map(_without_probes, shape))
    return None if shape in PROBES else shape


def _where(layer: Layer, tensors: dict[str, Any]) -> str:
    shapes = ", ".join(f"{name}: {shape_of(value)}" for name, value in tensors.items())
    return f"{_IN_LAYER} {layer.name!r} ({type(layer).__name__}), called with {shapes or 'no tensors'}."


def _no_super_init(layer: Any) -> RuntimeError:
    return RuntimeError(
        f"In the layer {type(layer).__name__}, call super().__init__() at the beginning of __init__, before anything else."
    )
