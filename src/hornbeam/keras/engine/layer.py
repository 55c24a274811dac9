"""The layer: state, and a computation that uses it.

The class only holds the methods together; each stage of its work is a function in another file. `state` finds the
weights, `building` makes them, `trainability` freezes them, `calling` runs `call`, `symbolic` records calls in a graph,
`losses` collects what layers add to the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Self, Unpack

import numpy as np

from hornbeam.core.changes import note_change, note_contents
from hornbeam.core.errors import did_you_mean
from hornbeam.core.names import auto_name, current_path, name_scope, snake_case
from hornbeam.core.symbolic import KerasTensor, Node, symbolic_leaves
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import DTypeLike, Shape, Structure, TensorLike
from hornbeam.core.variable import Variable
from hornbeam.keras import dtype_policies, regularizers
from hornbeam.keras.engine import (
    building,
    calling,
    configuration,
    losses,
    state,
    symbolic,
    tracking,
    trainability,
)
from hornbeam.keras.engine.arguments import (
    AddWeightOptions,
    ConstraintLike,
    DTypePolicyLike,
    InitializerLike,
    RegularizerLike,
    UnlistedArguments,
    WeightOptions,
)
from hornbeam.keras.engine.call_signature import CallSignature
from hornbeam.keras.engine.contents import KeptWalk
from hornbeam.keras.engine.kept_calls import KeptCalls
from hornbeam.keras.registry import Configurable

# Attributes that may be set in any of their spellings: as text, as a configuration, or as what they stand for.
_SPELLED: dict[str, Callable[[Any], Any]] = {
    "activity_regularizer": regularizers.get,
    "dtype_policy": dtype_policies.get,
}


class Layer(Configurable):
    """State (weights) and a computation on tensors.

    Subclasses store their arguments in `__init__`, make weights in `build(input_shape)` with `add_weight` or
    `add_named_weight`, and compute in `call(inputs)`. If `call` takes `training` or `mask`, the layer fills them in.
    Subclasses need no `get_config` and no `compute_output_shape`: the configuration follows from the constructor's
    signature, and the shape of the outputs from tracing `call`.

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

    # True while `build` runs: `built` may already be true, but some weights are still missing.
    _is_building = False

    def __init__(
        self,
        *,
        activity_regularizer: RegularizerLike = None,
        trainable: bool = True,
        dtype: DTypePolicyLike = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Unpack[UnlistedArguments],
    ) -> None:
        """Raises ValueError for an unknown argument, TypeError for a name that is not a string."""
        configuration.check_name(name)
        self._name = name or auto_name(snake_case(type(self).__name__))
        # None: not set, so as in the layer around this one.
        self._trainable: bool | None = None if trainable else False
        self.dtype_policy = dtype_policies.get(dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.input_spec: Any = None
        self.supports_masking = self._makes_masks()
        self.built = False
        self._variables: list[Variable] = []
        self._inbound_nodes: list[Node] = []
        self._call_losses: list[tuple[Layer, Any]] = []
        self._kept_calls = KeptCalls()
        self._kept_weights = KeptWalk(trainability.find_trainable)
        self._build_shapes: dict[str, Any] | None = None
        self._path: str | None = None
        rest: dict[str, Any] = {**kwargs}
        self._first_weights: Sequence[TensorLike] | None = rest.pop("weights", None)
        self._input_dtype: DTypeLike | None = rest.pop("input_dtype", None)
        self._batch_input_shape = configuration.take_input_shape(rest)
        configuration.refuse_unknown(type(self), rest)

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = building.tracked(vars(cls)["build"])  # type: ignore[method-assign]

    # Methods for subclasses to override

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the weights for inputs of that shape, which includes the batch axis: `(None, ...)`."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(
            f"{type(self).__name__} has no `call` method. Define call(self, inputs)."
        )

    def compute_mask(
        self, inputs: Structure[TensorLike], previous_mask: Structure[TensorLike] = None
    ) -> Any:
        """Return the mask of the outputs; by default that of the inputs."""
        return previous_mask

    def check_values(self, inputs: Structure[TensorLike]) -> None:
        """Raise ValueError if the layer can't work on the values of the inputs; by default check nothing.

        Compiled programs can't raise errors, so models call this on the arrays of a batch before a program runs.
        """

    def sublayers(self) -> list[Layer]:
        """Return the layers directly inside this one, in the order in which they became attributes."""
        values = tracking.attribute_values(self)
        return tracking.unique(v for v in values if isinstance(v, Layer) and v is not self)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the layer's own weights (not those of layers inside) into a mapping."""
        for index, variable in enumerate(self._own_weights()):
            store[str(index)] = variable.view()

    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Read what `save_own_variables` wrote."""
        state.load_own_variables(self, store)

    # Calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_inbound_nodes" not in vars(self):
            raise state.no_super_init(self)
        kept = self._kept_calls.find(self, args, kwargs)
        if kept is not None:
            return kept()
        call = calling.bind(self, args, kwargs)
        with name_scope(self._name):
            if self._path is None:
                self._path = current_path()
            building.ensure_built(self, call.tensors)
            if call.is_symbolic:
                return symbolic.record_call(self, call.args, call.kwargs)
            kept = self._kept_calls.make(self, args, kwargs)
            return calling.run(self, call) if kept is None else kept()

    def stateless_call(
        self,
        trainable_variables: Sequence[TensorLike],
        non_trainable_variables: Sequence[TensorLike],
        *args: object,
        return_losses: bool = False,
        **kwargs: object,
    ) -> Any:
        """Call the layer as a pure function of the given state.

        Return `(outputs, new_non_trainable_variables)`, and the losses as a third value if `return_losses`.
        """
        outputs, rest, added = losses.stateless_call(
            self, trainable_variables, non_trainable_variables, args, kwargs
        )
        return (outputs, rest, added) if return_losses else (outputs, rest)

    def symbolic_call(self, *args: object, **kwargs: object) -> Any:
        """Return the symbolic outputs, and record the call as a node of the graph."""
        return symbolic.record_call(self, args, kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic outputs for symbolic inputs; found by tracing `call`."""
        return symbolic.output_spec(self, args, kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the outputs for inputs of that shape (a tuple, or a structure of tuples)."""
        return symbolic.output_shape(self, args, kwargs)

    @property
    def input(self) -> Any:
        """The symbolic input of the first symbolic call, a list if there are several.

        Raises AttributeError if there was no call.
        """
        return _one_or_list(symbolic.first_node(self, "input").inputs)

    @property
    def output(self) -> Any:
        """The symbolic output of the first symbolic call, a list if there are several.

        Raises AttributeError if there was no call.
        """
        return _one_or_list(symbolic_leaves(symbolic.first_node(self, "output").outputs))

    def _signature(self) -> CallSignature:
        cls = type(self)
        found = vars(cls).get("_call_signature")
        if found is None:
            found = CallSignature(cls.call)
            cls._call_signature = found  # type: ignore[attr-defined]
        return found

    def _convert_input(self, x: Tensor | KerasTensor) -> Tensor | KerasTensor:
        return calling.convert_input(self, x)

    def _makes_masks(self) -> bool:
        return type(self).compute_mask is not Layer.compute_mask

    # Losses

    def add_loss(self, loss: TensorLike | Sequence[TensorLike] | None) -> None:
        """Add a scalar, or several, to the loss that training minimises. Use it inside `call`."""
        losses.add(self, loss)

    @property
    def losses(self) -> list[Any]:
        """The losses that the last call added, then the penalties of the weights' regularizers."""
        return losses.of_layer(self)

    # Building

    def add_weight(
        self,
        shape: Shape | None = None,
        initializer: InitializerLike = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: RegularizerLike = None,
        constraint: ConstraintLike = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a weight of this layer.

        `initializer` None means "glorot_uniform" for floating types and "zeros" for others.
        """
        return state.add_weight(
            self,
            shape,
            initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            aggregation=aggregation,
            overwrite_with_gradient=overwrite_with_gradient,
            name=name,
        )

    def add_variable(
        self, shape: Shape, initializer: InitializerLike, **kwargs: Unpack[AddWeightOptions]
    ) -> Variable:
        """Do the same as `add_weight`."""
        return self.add_weight(shape=shape, initializer=initializer, **kwargs)

    def add_named_weight(
        self,
        name: str,
        shape: Shape,
        *,
        arguments: str | None = None,
        initializer: InitializerLike = None,
        **options: Unpack[WeightOptions],
    ) -> Variable:
        """Make a weight with the initializer, regularizer and constraint in the layer's attributes.

        The attributes are `<arguments>_initializer`, `<arguments>_regularizer` and `<arguments>_constraint`; `arguments`
        defaults to the weight's own name. The last two may be absent, and `initializer` replaces the first.

        >>> from hornbeam import keras
        >>> class Scale(keras.layers.Layer):
        ...     def __init__(self, scale_initializer="ones", scale_constraint=None, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.scale_initializer = keras.initializers.get(scale_initializer)
        ...         self.scale_constraint = keras.constraints.get(scale_constraint)
        ...     def build(self, input_shape):
        ...         self.scale = self.add_named_weight("scale", (input_shape[-1],))
        >>> layer = Scale(scale_constraint="non_neg")
        >>> layer.build((None, 3))
        >>> print(layer.scale.numpy(), type(layer.scale.constraint).__name__)
        [1. 1. 1.] NonNeg
        """
        prefix = arguments or name
        if initializer is None:
            initializer = getattr(self, f"{prefix}_initializer")
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=getattr(self, f"{prefix}_regularizer", None),
            constraint=getattr(self, f"{prefix}_constraint", None),
            **options,
        )

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes that the layer was built for."""
        return building.build_config(self)

    def build_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Build for the shapes that `get_build_config` returned."""
        building.build_from_config(self, config)

    def _builds_in_call(self) -> bool:
        """Return whether only the layers inside need building, which the call does."""
        return type(self).build is Layer.build

    # State

    def __setattr__(self, name: str, value: object) -> None:
        if name in _SPELLED:
            value = _SPELLED[name](value)
        stateless = state.STATELESS
        is_setting = isinstance(value, stateless) and isinstance(vars(self).get(name), stateless)
        if is_setting or name in tracking.UNTRACKED:
            super().__setattr__(name, value)
            return
        state.refuse_new_state(self, name, value)
        state.forget_replaced(self, name, value)
        super().__setattr__(name, value)
        if vars(self).get("_trainable") is False:
            trainability.freeze(value)
        note_change()
        note_contents(self)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        note_change()

    def flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        """Return this layer and all inside it, outer ones first."""
        return state.flatten_layers(self, include_self, recursive)

    def _depth_first(self) -> list[Layer]:
        return state.depth_first(self)

    def _own_weights(self) -> list[Variable]:
        return state.own_weights(self)

    @property
    def weights(self) -> list[Variable]:
        """All weights: the layer's own trainable ones, its other ones, then those of the layers inside."""
        return tracking.unique(v for layer in self._depth_first() for v in layer._own_weights())

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return trainability.trainable_weights(self)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not change."""
        return state.without(self.weights, self.trainable_weights)

    @property
    def variables(self) -> list[Variable]:
        """All weights, then the state of recurrent layers, random generators and metrics."""
        return state.all_variables(self)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training does not change by gradients."""
        return state.without(self.variables, self.trainable_weights)

    @property
    def metrics(self) -> list[Any]:
        """The metrics that this layer and the layers inside it hold."""
        return tracking.unique(
            m for layer in self._depth_first() for m in tracking.own_metrics(layer)
        )

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of those metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights.

        Setting it sets it for the weights and for all layers inside, some of which may then be set otherwise: the last
        value counts, also in a model around this layer. What the layer gets after `trainable=False` is frozen too.
        A compiled model trains what was trainable when it was compiled: call `compile` again after a change.
        """
        return trainability.is_trainable(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        trainability.set_trainable(self, bool(value))

    def count_params(self) -> int:
        """Return the number of elements of all weights. Raises ValueError if the layer is not built."""
        if not self.built:
            raise ValueError(
                f"The layer {self.name!r} has no weights yet: call it on data or `build` it, then count."
            )
        return sum(int(np.prod(v.shape)) for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Return the values of all weights, as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[TensorLike]) -> None:
        """Set all weights, in the order of `weights`. If a shape does not fit, raise ValueError and change none."""
        state.set_weights(self, weights)

    # Names, types, configuration

    @property
    def name(self) -> str:
        """The name; unless it was passed to the constructor, no other layer has it."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def path(self) -> str:
        """The names of the layers around this one, then its own, joined by slashes."""
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
        """The type that inputs are cast to and that outputs have."""
        return self.dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The type that inputs are cast to."""
        return self.compute_dtype

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as values that JSON can hold, in Keras's form."""
        return configuration.of_layer(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return a layer from what `get_config` returned."""
        accepted = configuration.accepted_arguments(cls)
        layer = super().from_config(configuration.arguments_in(config, accepted))
        configuration.restore_unaccepted(layer, config, accepted)
        return layer

    def __getstate__(self) -> dict[str, Any]:
        return state.to_copy(self)

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        kept = {"_kept_calls": KeptCalls(), "_kept_weights": KeptWalk(trainability.find_trainable)}
        vars(self).update(attributes, **kept)
        note_change()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self._name}, built={self.built}>"

    def __getattr__(self, name: str) -> Any:
        # Python's protocols (copying, pickling) ask for such names before `__init__` has run.
        is_special = name.startswith("__") and name.endswith("__")
        if "_inbound_nodes" not in vars(self) and name.startswith("_") and not is_special:
            raise state.no_super_init(self)
        found = getattr(type(self), name, None)
        if isinstance(found, property):
            # The property itself raised AttributeError, which Python hides: raise that one.
            return found.fget(self)  # type: ignore[misc]
        hint = did_you_mean(name, dir(self)) if not name.startswith("_") else ""
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}.{hint}", name=name, obj=self
        )


def _one_or_list(tensors: list[KerasTensor]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors
