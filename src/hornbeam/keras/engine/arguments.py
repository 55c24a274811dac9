"""Types of the arguments of layers' constructors, and the arguments that all layers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from hornbeam.core.typing import DTypeLike, Shape, TensorLike

if TYPE_CHECKING:
    from hornbeam.keras.constraints import Constraint
    from hornbeam.keras.dtype_policies import DTypePolicy
    from hornbeam.keras.initializers import Initializer
    from hornbeam.keras.regularizers import Regularizer

Config: TypeAlias = "Mapping[str, Any]"
"""The configuration of an object, as `get_config` and JSON hold it."""

ActivationLike: TypeAlias = "str | Config | Callable[..., Any] | None"
"""A function of tensors, a layer, or the name or configuration of one; None leaves the input unchanged."""

InitializerLike: TypeAlias = "Initializer | str | Config | Callable[..., Any] | TensorLike | None"
"""An initializer, a function `(shape, dtype)`, or the name or configuration of one."""

RegularizerLike: TypeAlias = "Regularizer | str | Config | Callable[[Any], Any] | None"
"""A regularizer, a function of a weight, or the name or configuration of one."""

ConstraintLike: TypeAlias = "Constraint | str | Config | Callable[[Any], Any] | None"
"""A constraint, a function of a weight, or the name or configuration of one."""

DTypePolicyLike: TypeAlias = "DTypePolicy | DTypeLike | Config | None"
"""A dtype policy, or an element type that stands for one."""

Sizes: TypeAlias = "int | Sequence[int]"
"""One integer for all spatial axes, or one for each."""


class InputArguments(TypedDict, total=False):
    """What the first layer of a Sequential model may be told about the input."""

    input_shape: Shape | int | None
    batch_size: int | None
    batch_shape: Shape
    batch_input_shape: Shape
    input_dtype: DTypeLike


class UnlistedArguments(InputArguments, total=False):
    """The keyword arguments that `Layer` takes without listing them in its signature."""

    input_dim: int
    weights: Sequence[TensorLike] | None  # the first values of all weights


class UnnamedArguments(InputArguments, total=False):
    """The keyword arguments of a layer that lists `name` among its own arguments."""

    trainable: bool
    dtype: DTypePolicyLike
    autocast: bool


class CommonArguments(UnnamedArguments, total=False):
    """The keyword arguments of a layer that lists `weights` among its own arguments."""

    name: str | None


class BaseArguments(CommonArguments, total=False):
    """The keyword arguments of a layer that lists `activity_regularizer` among its own arguments."""

    input_dim: int
    weights: Sequence[TensorLike] | None


class LayerArguments(BaseArguments, total=False):
    """The keyword arguments that every layer takes besides its own; `Layer` explains them."""

    activity_regularizer: RegularizerLike


class WeightOptions(TypedDict, total=False):
    """The arguments of `add_named_weight` that it does not take from the layer's attributes."""

    dtype: DTypeLike | None
    trainable: bool
    autocast: bool


class AddWeightOptions(WeightOptions, total=False):
    """The arguments of `add_weight` besides shape and initializer."""

    regularizer: RegularizerLike
    constraint: ConstraintLike
    aggregation: str | None
    overwrite_with_gradient: bool
    name: str | None
