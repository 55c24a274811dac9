"""One step as a pure, compiled function `(state, batch) -> (state, logs)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import jax

from hornbeam.core import scope
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.handover import make_lock, no_step
from hornbeam.core.op import wrap
from hornbeam.core.program_state import ProgramState
from hornbeam.core.rng import global_generator
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import Structure
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.contents import Contents
from hornbeam.keras.engine.context import call_context
from hornbeam.keras.engine.tracking import attribute_values, unique
from hornbeam.keras.sources.source import DEFAULT, Data, Placement
from hornbeam.keras.training.shield import Shield

if TYPE_CHECKING:
    from hornbeam.keras.optimizers import Optimizer
    from hornbeam.keras.training.trainer import Trainer

Step: TypeAlias = Callable[[Data], Any]
"""From a batch to logs by name, or to the outputs of a prediction."""

Gather: TypeAlias = Callable[[Data, Any], Data]
"""From resident arrays and row numbers to a batch."""

Values: TypeAlias = list[jax.Array]


@dataclass(frozen=True)
class Reach:
    """The variables that a step uses, and what it holds as constants of its program.

    `changing` variables are handed over to the program (their memory is reused) and get their new values after each
    call. So do `shared` ones, which other models' programs may be reading at the same time: their old values stay
    whole. The others are only read, and written back in the rare case that the step assigns them.
    """

    changing: list[Variable] = field(default_factory=list)
    shared: list[Variable] = field(default_factory=list)
    reading: list[Variable] = field(default_factory=list)
    trained: list[Variable] = field(default_factory=list)
    settings: list[Any] = field(default_factory=list)
    """Numbers, schedules and functions of the optimizers."""
    contents: Contents = field(default_factory=Contents)
    """The layers, whose order in lists and dicts the program follows."""

    def equals(self, other: Reach) -> bool:
        """Return whether a program made for this one serves the other."""
        return (
            _same(self.changing, other.changing)
            and _same(self.reading, other.reading)
            and _same(self.trained, other.trained)
            and _equal(self.settings, other.settings)
            and self.contents.equals(other.contents)
        )


class Program:
    """A compiled step over variables."""

    def __init__(
        self,
        step: Step,
        gather: Gather | None = None,
        reach: Reach | None = None,
        placement: Placement = DEFAULT,
    ) -> None:
        """`gather(resident, batch)` makes the data of a step; None: they are the batch."""
        self.reach = reach or Reach()
        self.changing, self.shared = self.reach.changing, self.reach.shared
        self.placement = placement
        self.made_at = 0  # the count of changes when the reach was last compared
        self.contents = self.reach.contents  # as they were then
        self.forms: set[object] = set()  # of the batches that the model was prepared for
        self.blocks: Any = None  # the same step in blocks; False where that would be slow
        self._read_state = ProgramState(self.reach.reading)
        self._step = step
        self._gather = gather
        self._order: list[str] | None = None
        self._lock = make_lock()
        open_cache()
        self._run = jax.jit(self.pure, donate_argnums=(0,))

    @property
    def reading(self) -> list[Variable]:
        """The variables that are only read: those that the model holds, then those found while tracing."""
        return self._read_state.variables

    def with_state(self, run: Callable[[Values, Values, Values], Any]) -> Any:
        """Return `run(changing, shared, reading)` on current values, where nothing is donated.

        It is called again when its trace has found more variables to read.
        """
        changing, shared = ([v._value for v in each] for each in (self.changing, self.shared))
        return self._read_state.run(lambda reading: run(changing, shared, reading))

    def find(self, batch: Data) -> None:
        """Trace the step on a batch, so that the variables that it reads are found; nothing is compiled."""

        def pure(changing: Values, shared: Values, reading: Values) -> Any:
            return self._pure(changing, shared, reading, lambda: batch)

        self.with_state(lambda *state: jax.eval_shape(pure, *state))

    def found(self) -> list[Variable]:
        """Return the variables that the step uses and the model does not hold, as far as it was traced."""
        return self._read_state.found()

    def has_changed(self, variable: Variable) -> bool:
        """Return whether a found variable was assigned since it was found."""
        return self._read_state.has_changed(variable)

    def pure(
        self, changing: Values, shared: Values, reading: Values, resident: Data, batch: Data
    ) -> tuple[Any, tuple[Values, Values], dict[int, jax.Array]]:
        """The step as a function of all that it reads: return (logs, new values, other new values).

        The new values are those of `changing` and of `shared`, two lists; the other ones of what is only read, by
        place.
        """
        gather = self._gather
        data = (lambda: batch) if gather is None else (lambda: gather(resident, batch))
        return self._pure(changing, shared, reading, data)

    def _pure(
        self, changing: Values, shared: Values, reading: Values, data: Callable[[], Data]
    ) -> tuple[Any, tuple[Values, Values], dict[int, jax.Array]]:
        pairs = [
            *zip(self.changing, changing, strict=True),
            *zip(self.shared, shared, strict=True),
        ]
        opened = self._read_state.scope(reading, pairs)
        with opened, call_context(fresh=True):
            outputs = self._step(wrap(data()))
            new = [scope.read(v) for v in self.changing], [scope.read(v) for v in self.shared]
        rest = self._read_state.settle(opened)
        self._order = list(outputs) if isinstance(outputs, dict) else None
        return unwrapped(outputs), new, rest

    def __call__(self, resident: Data, batch: Data, shield: Shield | None = None) -> Any:
        """Run one step and return what it returns, on the device."""
        return self.run(self._run, (resident, batch), shield)

    def run(
        self,
        compiled: Callable[..., Any],
        arguments: tuple[Data, ...],
        shield: Shield | None = None,
    ) -> Any:
        """Call a compiled form of the step with its state and `arguments`, and keep the new state.

        A step in another thread may take over values between the moment that they are read here and the call: then it
        is made once more, while no other step runs.
        """
        taken: list[Values] = []

        def call(changing: Values, shared: Values, reading: Values) -> Any:
            taken[:] = changing, shared, reading
            return compiled(changing, shared, reading, *arguments)

        try:
            return self._run_once(call, shield)
        except (ValueError, RuntimeError):
            if taken and not any(value.is_deleted() for values in taken for value in values):
                raise
            with no_step():
                held = *self.changing, *self.shared, *self.reading
                if any(variable._value.is_deleted() for variable in held):
                    raise  # this very step was broken off
                return self._run_once(call, shield)

    def _run_once(self, call: Callable[..., Any], shield: Shield | None) -> Any:
        if not self.changing:
            outputs, _, rest = self.with_state(call)
            self._read_state.write_back(rest)
            return self._ordered(outputs)
        with self._lock, shield.step() if shield else Shield().step():
            changing = _donated(self.changing)
            shared = [v._value for v in self.shared]
            outputs, new, rest = self._read_state.run(
                lambda reading: call(changing, shared, reading)
            )
            for variables, values in zip((self.changing, self.shared), new, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable._value = value
            self._read_state.write_back(rest)
        return self._ordered(outputs)

    def _ordered(self, outputs: Any) -> Any:
        """Return a dict in the order in which the step made it: JAX sorts the keys."""
        return outputs if self._order is None else {name: outputs[name] for name in self._order}


def _donated(variables: list[Variable]) -> Values:
    """Return the values to donate, copying arrays that the user may still hold."""
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


def _same(a: Sequence[object], b: Sequence[object]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _equal(a: Sequence[object], b: Sequence[object]) -> bool:
    """Return whether two lists hold the same objects, or equal numbers and strings."""
    plain = (bool, int, float, str)
    return len(a) == len(b) and all(
        x is y or (type(x) is type(y) and isinstance(x, plain) and x == y)
        for x, y in zip(a, b, strict=True)
    )


def unwrapped(tree: Structure[Any]) -> Structure[Any]:
    """Return the structure with raw arrays in place of tensors."""
    return jax.tree.map(
        lambda x: x._value if isinstance(x, Tensor) else x,
        tree,
        is_leaf=lambda x: isinstance(x, Tensor),
    )


def reach_of(model: Trainer, kind: str) -> Reach:
    """Return what a step of that kind, "train", "test" or "predict", uses of the model."""
    # The seeds that all models draw from, which another thread's program may be reading.
    seeds = global_generator().state
    contents = Contents(model.flatten_layers())
    if kind == "train":
        optimizers = _optimizers(model)
        slots = [variable for optimizer in optimizers for variable in optimizer.variables]
        settings = [value for optimizer in optimizers for value in optimizer.settings()]
        with model.as_compiled():
            trained = model.trainable_variables
        changing = [v for v in unique([*model.variables, *slots]) if v is not seeds]
        return Reach(
            changing, shared=[seeds], trained=trained, settings=settings, contents=contents
        )
    changing = unique(model.metrics_variables) if kind == "test" else []
    ids = set(map(id, changing))
    reading = [v for v in unique([*model.variables, seeds]) if id(v) not in ids]
    return Reach(changing, reading=reading, contents=contents)


def _optimizers(model: Trainer) -> list[Optimizer]:
    return [v for v in attribute_values(model) if hasattr(type(v), "apply_gradients")]
