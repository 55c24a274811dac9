"""Several optimizers, each for its own variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, NoReturn, Self

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.registry import deserialize_keras_object, serialize_keras_object


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Optimizers by the paths of variables, or by patterns that match a whole path.

    A path that is no key and that no pattern matches has the `default_optimizer`. Raises ValueError for one that several
    patterns match.

    >>> from hornbeam import keras
    >>> optimizers = keras.optimizers.OptimizerMap(keras.optimizers.SGD())
    >>> optimizers["encoder/.*"] = keras.optimizers.Adam()
    >>> [type(optimizers[path]).__name__ for path in ("encoder/dense/kernel", "head/kernel")]
    ['Adam', 'SGD']
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ) -> None:
        """Raises TypeError where `default_optimizer` is no optimizer, or `optimizer_map` no dict."""
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                f"`default_optimizer` must be an optimizer of Keras; received {default_optimizer!r}."
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"`optimizer_map` must be a dict; received {optimizer_map!r}.")
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = optimizer_map or {}

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of variables that no key matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        found = [each for each in self._optimizer_map if re.fullmatch(each, key)]
        if len(found) > 1:
            raise ValueError(
                f"Several patterns match the path {key!r}: {', '.join(map(repr, found))}. Make them exclude each other, or "
                "give the path itself an optimizer."
            )
        return self._optimizer_map[found[0]] if found else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if key in self._optimizer_map:
            raise ValueError(f"{key!r} has an optimizer already: {self._optimizer_map[key]!r}.")
        if not isinstance(key, str):
            raise ValueError(f"A key is the path of a variable, or a pattern; received {key!r}.")
        check_inner(optimizer, repr(key))
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        """Return the optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as configurations."""
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """Make a map from what `get_config` returned."""
        parts = ("default_optimizer", "optimizer_map")
        return cls(*(deserialize_keras_object(config[each], custom_objects) for each in parts))


def check_inner(optimizer: object, what: str) -> Optimizer:
    """Return an optimizer that may stand in a MultiOptimizer; raise ValueError for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"{what} needs an optimizer of Keras; received {optimizer!r}.")
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(
            f"{what} received a {type(optimizer).__name__}, which can't be used inside a MultiOptimizer."
        )
    return optimizer


class MultiOptimizer(Optimizer):
    """An optimizer that leaves each variable to one of several optimizers.

    `optimizer_map` is an `OptimizerMap`, or a function from a variable to its optimizer. Learning rates, clipping and averages
    are those of the `optimizers`; `loss_scale_factor` replaces theirs.

    >>> from hornbeam import keras
    >>> choice = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.5))
    >>> choice["slow"] = keras.optimizers.SGD(0.1)
    >>> weights = [keras.Variable([1.0], name=name) for name in ("slow", "fast")]
    >>> keras.optimizers.MultiOptimizer(choice).apply([keras.ops.ones(1)] * 2, weights)
    >>> print(*(weight.numpy() for weight in weights))
    [0.9] [0.5]
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        self._inner_optimizers: list[Optimizer] = []
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        self._owners: dict[Variable, int] = {}
        if isinstance(optimizer_map, OptimizerMap):
            for each in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._place_of(each)

    def _place_of(self, optimizer: Optimizer) -> int:
        """Return which of the optimizers one is, which becomes the last if it is new."""
        for i, each in enumerate(self._inner_optimizers):
            if each is optimizer:
                return i
        optimizer.loss_scale_factor = self.loss_scale_factor
        self._inner_optimizers.append(optimizer)
        return len(self._inner_optimizers) - 1

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers, in the order in which they were found."""
        return self._inner_optimizers

    @property
    def loss_scale_factor(self) -> float | None:  # type: ignore[override]
        """The factor of the loss, which all optimizers divide gradients by."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for each in self._inner_optimizers:
            each.loss_scale_factor = value

    def build(self, variables: Iterable[Variable]) -> None:
        """Give each variable to its optimizer, and make the state of all; does nothing if that has been done."""
        if self.built:
            return
        variables = list(variables)
        for each in variables:
            found = check_inner(self._optimizer_map(each), f"The variable {each.path!r}")
            self._owners[each] = self._place_of(found)
        for i, optimizer in enumerate(self._inner_optimizers):
            own = [each for each in variables if self._owners[each] == i]
            if own:
                optimizer.build(own)
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        """Return the own variables, then those of the optimizers."""
        return [*self._variables, *(v for each in self._inner_optimizers for v in each.variables)]

    def settings(self) -> list[Any]:
        """Return what a compiled step holds as constants, those of the optimizers too."""
        return [
            *super().settings(),
            *(value for each in self._inner_optimizers for value in each.settings()),
        ]

    @property
    def learning_rate(self) -> NoReturn:
        """Raises AttributeError: each of the `optimizers` has its own."""
        raise AttributeError(
            "A MultiOptimizer has no learning rate; each of its `optimizers` has its own."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> NoReturn:
        raise AttributeError(
            f"A MultiOptimizer has no learning rate to set to {value!r}; set those of its `optimizers`."
        )

    @property
    def iterations(self) -> Variable:
        """Return the number of updates so far."""
        return self._iterations

    def apply(
        self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None
    ) -> None:
        """Let each optimizer update its variables by their gradients."""
        grads = list(grads)
        if not grads:
            return
        targets = self._targets(grads, trainable_variables)
        for i, optimizer in enumerate(self._inner_optimizers):
            pairs = [p for p in zip(grads, targets, strict=True) if self._owners[p[1]] == i]
            optimizer.apply([gradient for gradient, _ in pairs], [own for _, own in pairs])
        self._iterations.assign_add(1)

    def average_pairs(self) -> list[tuple[Variable, Variable]]:
        """Return the variables and their averages, of the optimizers that keep these."""
        return [pair for each in self._inner_optimizers for pair in each.average_pairs()]

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Let the optimizers replace the variables by their averages, where they keep these."""
        variables = list(var_list)
        for i, optimizer in enumerate(self._inner_optimizers):
            optimizer.finalize_variable_values([v for v in variables if self._owners[v] == i])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, the map as a configuration."""
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """Make an optimizer from what `get_config` returned."""
        chosen = deserialize_keras_object(config["optimizer_map"], custom_objects)
        return cls(**{**config, "optimizer_map": chosen})

    def __repr__(self) -> str:
        return f"<MultiOptimizer name={self.name}, optimizers={self._inner_optimizers!r}>"


registry.add(OptimizerMap, "optimizermap")
registry.add(MultiOptimizer, "multioptimizer")
