"""One step as a pure, compiled function `(state, batch) -> (state, logs)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbeam.core import scope
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.op import wrap
from hornbeam.core.rng import global_generator
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.calling import call_context
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
        eager: bool = False,
    ) -> None:
        """`step(data)` gives the logs. `gather(resident, batch)` makes the data of a step; None: they are the batch."""
        self.changing = list(changing)
        self.shared = list(shared)
        self.reading = list(reading)
        self._step = step
        self._gather = gather
        self.frozen: tuple[int, ...] = ()
        self.made_at = 0  # the count of changes when the variables were last compared
        self.blocks: Any = None  # the same step in blocks; False where that would be slow
        self._assigned: list[Variable] = []
        self._order: list[str] | None = None
        self.is_eager = eager
        open_cache()
        self._run = self.pure if eager else jax.jit(self.pure, donate_argnums=(0,))

    def matches(self, changing: Sequence[Variable], reading: Sequence[Variable]) -> bool:
        """Whether the program was made for these variables."""
        return _same(self.changing, changing) and _same(self.reading, reading)

    def pure(
        self,
        changing: list[Any],
        shared: list[Any],
        reading: list[Any],
        resident: Any,
        batch: Any,
    ) -> Any:
        """The step as a function of all that it reads: gives (logs, new values, other new values).

        The new values are those of `changing` and of `shared`, two lists; the other ones of what is only read.
        """
        pairs = [
            *zip(self.changing, changing, strict=True),
            *zip(self.shared, shared, strict=True),
            *zip(self.reading, reading, strict=True),
        ]
        with scope.StateScope(pairs) as state, call_context(fresh=True):
            outputs = self._step(
                wrap(batch if self._gather is None else self._gather(resident, batch))
            )
            new = [scope.read(v) for v in self.changing], [scope.read(v) for v in self.shared]
            own = set(map(id, [*self.changing, *self.shared]))
            rest = [(v, x) for v, x in state.updates if id(v) not in own]
        if state.strays:
            names = ", ".join(repr(v.path) for v in state.strays)
            raise RuntimeError(
                f"The training step assigned variables that the model does not hold: {names}. Make them attributes "
                "of the model, or of a layer, metric or optimizer in it."
            )
        self._assigned = [v for v, _ in rest]
        self._order = list(outputs) if isinstance(outputs, dict) else None
        return _unwrapped(outputs), new, [x for _, x in rest]

    def __call__(self, resident: Any, batch: Any, shield: Shield | None = None) -> Any:
        """Run one step and give what it gives, on the device."""
        return self.run(self._run, (resident, batch), shield)

    def run(self, compiled: Any, arguments: tuple[Any, ...], shield: Shield | None = None) -> Any:
        """Give a compiled form of the step its state and `arguments`, and keep the new state."""
        shared, reading = ([v._value for v in each] for each in (self.shared, self.reading))
        if not self.changing:
            outputs, _, rest = compiled([], shared, reading, *arguments)
            self._write_back(rest)
            return self._ordered(outputs)
        with shield.step() if shield else Shield().step():
            changing = _handed_over(self.changing)
            outputs, new, rest = compiled(changing, shared, reading, *arguments)
            for variables, values in zip((self.changing, self.shared), new, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable._value = value
            self._write_back(rest)
        return self._ordered(outputs)

    def _ordered(self, outputs: Any) -> Any:
        """A dict in the order in which the step made it: JAX gives it back sorted."""
        return outputs if self._order is None else {name: outputs[name] for name in self._order}

    def _write_back(self, values: list[Any]) -> None:
        for variable, value in zip(self._assigned, values, strict=True) if values else ():
            variable._value = value


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


def _unwrapped(tree: Any) -> Any:
    return jax.tree.map(
        lambda x: x._value if isinstance(x, Tensor) else x,
        tree,
        is_leaf=lambda x: isinstance(x, Tensor),
    )


def training_state(model: Any) -> list[Variable]:
    """All of a model that a training step may change: weights, seeds, metrics and optimizers' slots."""
    optimizers = [v for v in attribute_values(model) if hasattr(type(v), "apply_gradients")]
    slots = [variable for optimizer in optimizers for variable in optimizer.variables]
    shared = global_generator().state
    return [v for v in unique([*model.variables, *slots]) if v is not shared]


def evaluation_state(model: Any) -> tuple[list[Variable], list[Variable]]:
    """What an evaluation step changes (metrics), and what it reads."""
    changing = unique(model.metrics_variables)
    ids = set(map(id, changing))
    return changing, [
        v for v in unique([*model.variables, global_generator().state]) if id(v) not in ids
    ]
