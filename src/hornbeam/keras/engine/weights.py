"""What a layer holds: weights, layers, seeds and metrics, found by looking at its attributes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, TypedDict, Unpack

import jax
import numpy as np

from hornbeam.core.changes import note_change
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.names import current_path, name_scope
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.typing import DTypeLike, Shape
from hornbeam.core.variable import Variable
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.dtype_policies import DTypePolicy
from hornbeam.keras.engine import tracking
from hornbeam.keras.engine.arguments import InitializerLike
from hornbeam.keras.engine.trainability import is_trainable
from hornbeam.keras.registry import Configurable

# Attributes of these types hold no variables.
_STATELESS = (type(None), bool, int, float, str, bytes, np.ndarray, jax.Array, Tensor)


class WeightOptions(TypedDict, total=False):
    """What a weight may have besides its name, its shape and the rules that the layer's arguments set."""

    dtype: DTypeLike | None
    trainable: bool
    autocast: bool


class WeightHolder(Configurable):
    """The part of a layer that knows its state."""

    _name: str
    _path: str | None
    _trainable: bool
    _variables: list[Variable]
    dtype_policy: DTypePolicy
    built: bool

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not isinstance(value, _STATELESS) and name not in tracking.UNTRACKED:
            note_change()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        note_change()

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
            raise no_super_init(self)
        if isinstance(shape, str):  # add_weight("kernel", shape=...) of old code
            raise TypeError(
                f"The first argument of add_weight is the shape; received {shape!r}. Use name={shape!r}."
            )
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

    def add_named_weight(
        self,
        name: str,
        shape: Shape,
        *,
        arguments: str | None = None,
        initializer: InitializerLike = None,
        **options: Unpack[WeightOptions],
    ) -> Variable:
        """Make a weight that starts, is penalised and is constrained as the layer's attributes say.

        The attributes are `<arguments>_initializer`, `<arguments>_regularizer` and `<arguments>_constraint`, with
        `arguments` the weight's own name unless it is given; the last two may be absent. `initializer` takes the place
        of the first.

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

    def add_variable(self, shape: Any, initializer: Any, **kwargs: Any) -> Variable:
        """The same as `add_weight`."""
        return self.add_weight(shape=shape, initializer=initializer, **kwargs)

    def sublayers(self) -> list[WeightHolder]:
        """The layers directly inside this one, in the order in which they became attributes."""
        return tracking.unique(
            v
            for v in tracking.attribute_values(self)
            if isinstance(v, WeightHolder) and v is not self
        )

    def flatten_layers(
        self, include_self: bool = True, recursive: bool = True
    ) -> list[WeightHolder]:
        """This layer and all inside it, outer ones first."""

        def walk(layer: WeightHolder) -> Iterator[WeightHolder]:
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

    def _depth_first(self) -> list[WeightHolder]:
        found: dict[int, WeightHolder] = {}

        def walk(layer: WeightHolder) -> None:
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

        def freeze(layer: WeightHolder, inside_frozen: bool) -> None:
            stopped = inside_frozen or not layer.trainable
            if stopped:
                frozen.update(id(v) for v in layer._own_weights())
            for each in layer.sublayers():
                freeze(each, stopped)

        freeze(self, False)
        return [v for v in self.weights if is_trainable(v) and id(v) not in frozen]

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
        metrics = [m for layer in layers for m in tracking.own_metrics(layer)]
        return tracking.unique(
            [
                *self.weights,
                *states,
                *seeds,
                *self.metrics_variables,
                *(v for metric in metrics for v in metric.variables),
            ]
        )

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
        return tracking.unique(
            m for layer in self._depth_first() for m in tracking.own_metrics(layer)
        )

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of those metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it for all layers inside.

        A compiled model trains what was trainable when it was compiled: call `compile` again after a change.
        """
        return is_trainable(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._depth_first():
            layer._trainable = bool(value)
        note_change()

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

    def save_own_variables(self, store: Any) -> None:
        """Write the layer's own weights (not those of layers inside) into a mapping."""
        for index, variable in enumerate(self._own_weights()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        own = self._own_weights()
        if len(store) != len(own):
            raise ValueError(
                f"The layer {self.name!r} has {len(own)} weights, the file holds {len(store)} for it."
            )
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])


def no_super_init(layer: Any) -> RuntimeError:
    """The error for a subclass that forgot the constructor of its base."""
    return RuntimeError(
        f"In the layer {type(layer).__name__}, call super().__init__() at the beginning of __init__, before anything else."
    )
