"""One step as a pure, compiled function `(state, batch) -> (state, logs)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbeam.core import scope
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.op import wrap
from hornbeam.core.program_state import ProgramState
from hornbeam.core.rng import global_generator
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.context import call_context
from hornbeam.keras.engine.tracking import attribute_values, unique
from hornbeam.keras.training.shield import Shield


class Program:
    """A compiled step over variables.

    `changing` variables are handed over to the program (their memory is reused) and get their new values after each
    call. So do `shared` ones, which other models' programs may be reading at the same time: their old values stay
    whole. The others are only read, and written back in the rare case that the step assigns them.
    """

    def __init__(
        self,
        step: Callable[[Any], Any],
        gather: Callable[[Any, Any], Any] | None,
        changing: Sequence[Variable],
        reading: Sequence[Variable],
        shared: Sequence[Variable] = (),
    ) -> None:
        """`step(data)` gives the logs. `gather(resident, batch)` makes the data of a step; None: they are the batch."""
        self.changing = list(changing)
        self.shared = list(shared)
        self._read_state = ProgramState(reading)
        self._step = step
        self._gather = gather
        self.frozen: tuple[int, ...] = ()
        self.settings: list[Any] = []  # of the optimizers, as they were when the program was made
        self.made_at = 0  # the count of changes when the variables were last compared
        self.blocks: Any = None  # the same step in blocks; False where that would be slow
        self._order: list[str] | None = None
        open_cache()
        self._run = jax.jit(self.pure, donate_argnums=(0,))

    def matches(self, changing: Sequence[Variable], reading: Sequence[Variable]) -> bool:
        """Whether the program was made for these variables."""
        return _same(self.changing, changing) and self._read_state.starts_with(reading)

    @property
    def reading(self) -> list[Variable]:
        """The variables that are only read: those that the model holds, then those found while tracing."""
        return self._read_state.variables

    def with_state(self, run: Callable[[list[Any], list[Any], list[Any]], Any]) -> Any:
        """Return `run(changing, shared, reading)` on current values, where nothing is donated.

        It is called again when its trace has found more variables to read.
        """
        changing, shared = ([v._value for v in each] for each in (self.changing, self.shared))
        return self._read_state.run(lambda reading: run(changing, shared, reading))

    def pure(
        self,
        changing: list[Any],
        shared: list[Any],
        reading: list[Any],
        resident: Any,
        batch: Any,
    ) -> Any:
        """The step as a function of all that it reads: return (logs, new values, other new values).

        The new values are those of `changing` and of `shared`, two lists; the other ones of what is only read, by
        place.
        """
        pairs = [
            *zip(self.changing, changing, strict=True),
            *zip(self.shared, shared, strict=True),
        ]
        opened = self._read_state.scope(reading, pairs)
        with opened, call_context(fresh=True):
            outputs = self._step(
                wrap(batch if self._gather is None else self._gather(resident, batch))
            )
            new = [scope.read(v) for v in self.changing], [scope.read(v) for v in self.shared]
        rest = self._read_state.settle(opened)
        self._order = list(outputs) if isinstance(outputs, dict) else None
        return unwrapped(outputs), new, rest

    def __call__(self, resident: Any, batch: Any, shield: Shield | None = None) -> Any:
        """Run one step and give what it gives, on the device."""
        return self.run(self._run, (resident, batch), shield)

    def run(self, compiled: Any, arguments: tuple[Any, ...], shield: Shield | None = None) -> Any:
        """Give a compiled form of the step its state and `arguments`, and keep the new state."""
        if not self.changing:
            outputs, _, rest = self.with_state(
                lambda _, shared, reading: compiled([], shared, reading, *arguments)
            )
            self._read_state.write_back(rest)
            return self._ordered(outputs)
        with shield.step() if shield else Shield().step():
            changing = _handed_over(self.changing)
            shared = [v._value for v in self.shared]
            outputs, new, rest = self._read_state.run(
                lambda reading: compiled(changing, shared, reading, *arguments)
            )
            for variables, values in zip((self.changing, self.shared), new, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable._value = value
            self._read_state.write_back(rest)
        return self._ordered(outputs)

    def _ordered(self, outputs: Any) -> Any:
        """A dict in the order in which the step made it: JAX gives it back sorted."""
        return outputs if self._order is None else {name: outputs[name] for name in self._order}


def _handed_over(variables: list[Variable]) -> list[Any]:
    """The values, for the program to destroy: copies of those that somebody else may still hold."""
    seen: set[int] = set()
    values = []
    for variable in variables:
        value = variable._value
        if variable.is_lent or id(value) in seen:
            value = value.copy()
            variable.is_lent = False
        seen.add(id(variable._value))
        values.append(value)
    return values


def _same(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def unwrapped(tree: Any) -> Any:
    """Return the structure with raw arrays in place of tensors."""
    return jax.tree.map(
        lambda x: x._value if isinstance(x, Tensor) else x,
        tree,
        is_leaf=lambda x: isinstance(x, Tensor),
    )


def _optimizers(model: Any) -> list[Any]:
    return [v for v in attribute_values(model) if hasattr(type(v), "apply_gradients")]


def optimizer_settings(model: Any) -> list[Any]:
    """Return the numbers, schedules and functions of the model's optimizers that a training step holds as constants."""
    return [value for optimizer in _optimizers(model) for value in optimizer.settings()]


def same_settings(a: Sequence[Any], b: Sequence[Any]) -> bool:
    """Whether two lists of settings are the same objects, or equal numbers and strings."""
    plain = (bool, int, float, str)
    return len(a) == len(b) and all(
        x is y or (type(x) is type(y) and isinstance(x, plain) and x == y)
        for x, y in zip(a, b, strict=True)
    )


def training_state(model: Any) -> list[Variable]:
    """All of a model that a training step may change: weights, seeds, metrics and optimizers' slots."""
    slots = [variable for optimizer in _optimizers(model) for variable in optimizer.variables]
    shared = global_generator().state
    return [v for v in unique([*model.variables, *slots]) if v is not shared]


def evaluation_state(model: Any) -> tuple[list[Variable], list[Variable]]:
    """What an evaluation step changes (metrics), and what it reads."""
    changing = unique(model.metrics_variables)
    ids = set(map(id, changing))
    return changing, [
        v for v in unique([*model.variables, global_generator().state]) if id(v) not in ids
    ]
