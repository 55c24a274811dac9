"""The variables of an optimizer: made, named, saved and loaded."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hornbeam.core import scope
from hornbeam.core.changes import note_change, note_contents
from hornbeam.core.names import auto_name, path_scope, snake_case
from hornbeam.core.tensor import Tensor
from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.keras import initializers
from hornbeam.keras.initializers import Constant
from hornbeam.keras.optimizers.schedules.base import LearningRateSchedule
from hornbeam.keras.registry import Configurable, signature_parameters


def _reference(variable: Variable) -> str:
    """Return what a slot is named after: the path of a layer's weight, the name of a bare `tf.Variable`, as in Keras."""
    is_bare = ":" in variable.name
    return (variable.name if is_bare else variable.path).replace("/", "_").replace(":", "_")


class OptimizerState(Configurable):
    """A named list of variables, in the order in which Keras saves them."""

    built = False
    _iterations: Variable
    _learning_rate: Any

    def __init__(self, name: str | None) -> None:
        self._variables: list[Variable] = []
        self.name = name or auto_name(snake_case(type(self).__name__))

    def __setattr__(self, name: str, value: Any) -> None:
        # A variable that a subclass keeps as an attribute is state: saved and threaded like the others.
        new = isinstance(value, Variable) and all(value is not each for each in self._variables)
        if new and not hasattr(type(self), name):
            self._variables.append(value)
        super().__setattr__(name, value)
        if (
            name != "learning_rate"
        ):  # a property, which assigns a variable or replaces `_learning_rate`
            note_change()
            note_contents(self)

    def settings(self) -> list[Any]:
        """Return what a compiled step holds as constants: arguments of the constructor, a schedule as learning rate.

        Variables are left out: their values are read anew at each step.
        """
        own = vars(self)
        values = [own[name] for name in signature_parameters(type(self)) if name in own]
        values += [self._learning_rate, own.get("_undecayed")]
        return [value for value in values if not isinstance(value, Variable)]

    @property
    def variables(self) -> list[Variable]:
        """Return the optimizer's own variables: step counter, learning rate, then those of `build`."""
        return list(self._variables)

    @property
    def learning_rate(self) -> Any:
        """Return the learning rate: a variable, or the present value of the schedule or function."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(Tensor(scope.read(self._iterations)))
        return self._learning_rate() if callable(self._learning_rate) else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(self._learning_rate, Variable):
            if not callable(value):
                self._learning_rate.assign(value)
                return
            self._variables = [v for v in self._variables if v is not self._learning_rate]
        elif not callable(value):
            raise TypeError(
                f"The learning rate of {self.name!r} is a schedule or a function; it can't be set to "
                f"{value!r}. Make the optimizer with a number as `learning_rate` to set it later."
            )
        self._learning_rate = value

    def _first_learning_rate(self, value: Any) -> Any:
        if callable(value) and not isinstance(value, Variable):
            return value
        if isinstance(value, bool) or not isinstance(value, (numbers.Real, Tensor, Variable)):
            raise ValueError(
                "`learning_rate` is a number, a keras.optimizers.schedules.LearningRateSchedule or a "
                f"function without arguments; received {value!r}."
            )
        return self.add_variable(
            (), Constant(float(value)), aggregation="only_first_replica", name="learning_rate"
        )

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Add a variable to the optimizer's state."""
        with path_scope(self.name):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_placeholder(self, name: str) -> None:
        """Add a variable that nothing uses, where Keras has one too: files list the state in its order."""
        zero = initializers.get("zeros")
        self._variables.append(Variable(zero, shape=(), dtype="int32", trainable=False, name=name))

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Add a variable of the shape and type of another, named after it."""
        return self.add_variable(
            reference_variable.shape,
            initializer,
            dtype=reference_variable.stored_dtype,
            name=f"{_reference(reference_variable)}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Return a list of new variables, one for each of `variables`; for a list of names, a tuple of such lists."""
        names = [name] if isinstance(name, str) else list(name)
        first = (
            initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        )
        rows = [
            [
                self.add_variable_from_reference(variable, each, start)
                for each, start in zip(names, first, strict=True)
            ]
            for variable in trainable_variables
        ]
        columns = tuple([row[i] for row in rows] for i in range(len(names)))
        return columns[0] if isinstance(name, str) else columns

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all of `variables`, in order. Raises ValueError for another number or shape."""
        if not self.built:
            raise ValueError(
                f"The optimizer {self.name!r} has no weights yet: call `optimizer.build(variables)` "
                "before `set_weights`."
            )
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(
                f"The optimizer {self.name!r} has {len(variables)} variables; received "
                f"{len(weights)} weights."
            )
        for variable, weight in zip(variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the values of `variables` in `store`, under "0", "1", ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.view()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the values from `store`; the state of another optimizer is left out, with a warning."""
        variables = self.variables
        if len(store.keys()) != len(variables):
            warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(variables)} variables whereas the saved optimizer has "
                f"{len(store.keys())} variables.",
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(np.asarray(store[str(i)]))

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)
