"""What every metric shares: state that is summed up over batches, and a result computed from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from hornbeam.core.config import floatx
from hornbeam.core.names import auto_name, name_scope, snake_case
from hornbeam.core.scope import pure
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.variable import Variable
from hornbeam.keras import dtype_policies, initializers
from hornbeam.keras.engine import tracking
from hornbeam.keras.engine.criteria import describe
from hornbeam.keras.registry import Configurable, Registry

registry = Registry("metric", "keras.metrics")


class Metric(Configurable):
    """A number that tells how good a model is, over as many batches as one likes.

    Own metrics derive from this class: make variables in `__init__` with `add_variable`, change them in
    `update_state(y_true, y_pred, sample_weight=None)`, and compute the value in `result()`. Metrics may be attributes of
    metrics.

    >>> from hornbeam import keras
    >>> class Positives(keras.metrics.Metric):
    ...     def __init__(self, name="positives", dtype=None):
    ...         super().__init__(name=name, dtype=dtype)
    ...         self.count = self.add_variable((), "zeros", name="count")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.count.assign_add(keras.ops.sum(keras.ops.cast(y_pred > 0.5, self.dtype)))
    ...     def result(self):
    ...         return self.count.value
    >>> metric = Positives()
    >>> metric.update_state([1, 0], keras.ops.array([0.7, 0.2])); metric.update_state([1], keras.ops.array([0.9]))
    >>> float(metric.result())
    2.0
    """

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        """`dtype` is the type to compute in, the default float type for None."""
        self.name = name or auto_name(snake_case(type(self).__name__))
        self._dtype_policy = dtype_policies.get(floatx() if dtype is None else dtype)
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """Return the type that the metric is computed in."""
        return self._dtype_policy.compute_dtype

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        aggregation: str | None = "sum",
        name: str | None = None,
    ) -> Variable:
        """Return a new variable of the metric's state; `reset_state` sets it to 0, whatever its first value was."""
        with name_scope(self.name.replace("/", ">")):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Return a new variable of the metric's state, as `add_variable`."""
        return self.add_variable(
            shape, "zeros" if initializer is None else initializer, dtype, name=name
        )

    @property
    def variables(self) -> list[Variable]:
        """Return the state: own variables, then those of metrics in attributes."""
        nested = (v for metric in tracking.own_metrics(self) for v in metric.variables)
        return tracking.unique([*tracking.own_variables(self), *nested])

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take one batch into account."""
        raise NotImplementedError(
            f"{type(self).__name__} must implement `update_state(self, y_true, y_pred, sample_weight=None)`."
        )

    def result(self) -> Any:
        """Return the value over all batches since the start or `reset_state`: a scalar tensor, or a dict of them."""
        raise NotImplementedError(f"{type(self).__name__} must implement `result(self)`.")

    def reset_state(self) -> None:
        """Begin anew: every variable becomes 0."""
        for variable in tracking.own_variables(self):
            variable.assign(np.zeros(tuple(variable.shape), jnp.dtype(variable.dtype.name)))
        for metric in tracking.own_metrics(self):
            metric.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take one batch into account and return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any
    ) -> list[Tensor]:
        """Return the state that `update_state` would leave if the variables had these values; nothing is changed.

        Raises ValueError unless there is one value for each of `variables`.
        """
        return self._pure(self.update_state, metric_variables, *args, **kwargs)[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """Return the value of `result` if the variables had these values."""
        return self._pure(self.result, metric_variables)[0]

    def stateless_reset_state(self) -> list[Tensor]:
        """Return the state that `reset_state` would leave; nothing is changed."""
        return self._pure(self.reset_state, self.variables)[1]

    def _pure(
        self, method: Any, values: Sequence[Any], *args: Any, **kwargs: Any
    ) -> tuple[Any, list[Tensor]]:
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                f"{self!r} has {len(variables)} variables ({', '.join(v.path for v in variables)}); "
                f"received {len(values)} values in `metric_variables`."
            )
        result, state = pure(method, variables)([unwrap(v) for v in values], *args, **kwargs)
        return result, [Tensor(value) for value in state]

    def __repr__(self) -> str:
        return describe(self)
