"""What every loss shares: types, masks, weights and the reduction to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.core.config import floatx
from hornbeam.core.errors import unknown_name
from hornbeam.core.names import auto_name, snake_case
from hornbeam.core.tensor import Tensor
from hornbeam.keras import dtype_policies
from hornbeam.keras.engine.criteria import (
    as_tensors,
    describe,
    function_config,
    masks_of,
    same_rank_pair,
)
from hornbeam.keras.registry import Configurable, Registry
from hornbeam.ops.losses.reduction import reduce

registry = Registry("loss", "keras.losses")
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none")


class Loss(Configurable):
    """A number that training minimises.

    Own losses derive from this class and implement `call(y_true, y_pred)`, which returns one number for each sample, (b,),
    or for each step of each sample, (b, t). What happens to these values says `reduction`:

    - "sum_over_batch_size" or "mean": their sum, each times its weight, divided by their count
    - "sum": the sum, each times its weight
    - "mean_with_sample_weight": the sum, each times its weight, divided by the sum of the weights
    - "none" or None: no reduction

    A mask that `y_pred` carries leaves values out, of the count too. Weights are for samples, (b,), or for all
    values; weight 0 leaves a value out of the sum even if it is NaN.

    >>> from hornbeam import keras
    >>> class Absolute(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return keras.ops.mean(abs(y_true - y_pred), axis=-1)
    >>> float(Absolute()([[1.0], [2.0]], [[1.0], [5.0]]))
    1.5
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        """`dtype` is the type to compute in, the default float type for None. Raises ValueError for an unknown
        reduction."""
        if reduction is not None and reduction not in REDUCTIONS:
            raise unknown_name("reduction", reduction, REDUCTIONS)
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.reduction = reduction
        self._dtype_policy = dtype_policies.get(floatx() if dtype is None else dtype)
        self._default_dtype = dtype is None

    @property
    def dtype(self) -> str:
        """Return the type that the loss is computed in."""
        return self._dtype_policy.compute_dtype

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values before reduction: (b,) or (b, t)."""
        raise NotImplementedError(
            f"{type(self).__name__} must implement `call(self, y_true, y_pred)`."
        )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the loss. Arguments may be dicts or lists if `call` takes them."""
        values = self.call(self._truth(y_true), as_tensors(y_pred, self.dtype))
        masks = masks_of(y_pred, values)
        return reduce(values, as_tensors(sample_weight), masks, self.reduction, self.dtype)

    def _truth(self, y_true: Any) -> Any:
        return as_tensors(y_true, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; like Keras, without a `dtype` that was not passed."""
        config = super().get_config()
        if self._default_dtype:
            config.pop("dtype", None)
        return config

    def __repr__(self) -> str:
        return describe(self)


class LossFunctionWrapper(Loss):
    """A loss made of a function `(y_true, y_pred, **kwargs)` that returns one number for each sample."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        """Keep `kwargs` for the calls of the function."""
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the function's values for tensors of one rank."""
        y_true, y_pred = same_rank_pair(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, those for the function included."""
        return {**super().get_config(), "fn": function_config(self.fn), **self._fn_kwargs}
