"""One step as a pure, compiled function `(state, batch) -> (state, logs)`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import jax

from hornbeam.core import effects
from hornbeam.core.changes import change_count
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.handover import has_met_step, make_lock, no_step, to_give
from hornbeam.core.op import wrap
from hornbeam.core.ordered import sealed, tree_map
from hornbeam.core.rng import global_generator
from hornbeam.core.shield import Shield
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import Structure
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.contents import Contents
from hornbeam.keras.engine.context import call_context
from hornbeam.keras.engine.tracking import attribute_values, unique
from hornbeam.keras.sources.source import DEFAULT, Data, Placement
from hornbeam.keras.training.traces import Form, Found, Traces, Untraced, form_of

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
        gather: Gather | None,
        reach: Reach,
        find_reach: Callable[[], Reach],
        placement: Placement = DEFAULT,
    ) -> None:
        """`gather(resident, batch)` makes the data of a step; None: they are the batch.

        `find_reach` is asked where the step has made variables.
        """
        self.placement = placement
        self.made_at = 0  # the count of changes when the reach was last compared
        self.forms: set[object] = set()  # of the batches that the model was prepared for
        self._step = step
        self._gather = gather
        self._find_reach = find_reach
        self._traces = Traces(self._on_data)
        self._found = Found()
        self._lock = make_lock()
        # Of a step that takes nothing over: the Python that it calls back may wait for the steps of others.
        self._calling_back = threading.RLock()
        open_cache()
        self._run = jax.jit(self.pure, donate_argnums=(0,))
        self._take(reach)

    def _take(self, reach: Reach) -> None:
        self.reach = reach
        self.changing, self.shared = reach.changing, reach.shared
        self.contents = reach.contents  # as they were when the reach was last compared
        self._told = set(map(id, (*reach.changing, *reach.shared, *reach.reading)))
        self._found.keep(lambda variable: id(variable) not in self._told)
        self.blocks: Any = None  # the same step in blocks; False where that would be slow

    @property
    def reading(self) -> list[Variable]:
        """The variables that are only read: those that the model holds, then those found while tracing."""
        return [*self.reach.reading, *self._found.variables]

    def _read(self) -> Values:
        return [*(v._value for v in self.reach.reading), *self._found.values()]

    def found(self) -> list[Variable]:
        """Return the variables that the step uses and the model does not hold, as far as it was traced."""
        return self._found.variables

    def has_changed(self, variable: Variable) -> bool:
        """Return whether a found variable was assigned since it was found."""
        return self._found.has_changed(variable)

    # Tracing

    def find(self, resident: Data, batch: Data) -> None:
        """Trace the step on data of this form, if it was not; nothing is compiled."""
        form = jax.eval_shape(lambda *data: data, resident, batch)
        self._trace(form, (resident, batch))

    def with_state(
        self, run: Callable[[Values, Values, Values], Any], data: tuple[Data, ...]
    ) -> Any:
        """Return `run(changing, shared, reading)` on current values, where nothing is donated.

        It is called again where it needs the step on data of a form that was not traced; `data` is an example.
        """
        while True:
            changing, shared = ([v._value for v in each] for each in (self.changing, self.shared))
            try:
                return run(changing, shared, self._read())
            except Untraced as missing:
                form = missing.form
            self._trace(form, data)  # out here, so that an error of the user's stands alone

    def _trace(self, form: Form, data: tuple[Data, ...]) -> None:
        # JAX's own state would not survive an interruption at any place of a trace.
        with Shield() as shield, shield.step():
            block = self._traces.add(form, data, self._take_made)
        used = (*block.reading, *block.assigned)
        self._found.add(v for v in used if id(v) not in self._told)

    def _take_made(self) -> None:
        self.made_at = change_count()
        self._take(self._find_reach())

    def _on_data(self, data: tuple[Data, Data]) -> Any:
        resident, batch = data
        with call_context(fresh=True):
            return self._step(
                wrap(batch if self._gather is None else self._gather(resident, batch))
            )

    def pure(
        self, changing: Values, shared: Values, reading: Values, resident: Data, batch: Data
    ) -> tuple[Any, tuple[Values, Values], dict[int, jax.Array]]:
        """The step as a function of all that it reads: return (logs, new values, other new values).

        The new values are those of `changing` and of `shared`, two lists; the other ones of what is only read, by
        place. Raises Untraced for data of another form than those that the step was traced on.
        """
        block, arrays = self._traces.block((resident, batch))
        groups = zip(
            (self.changing, self.shared, self.reading), (changing, shared, reading), strict=True
        )
        # Another thread may have found more variables since `reading` was taken: zip ends with the values.
        before = {id(v): x for pair in groups for v, x in zip(*pair, strict=False)}
        if not before.keys() >= set(map(id, (*block.reading, *block.assigned))):
            raise Untraced(form_of((resident, batch)))
        outputs, new = block.run([before[id(v)] for v in block.reading], arrays)
        after = {id(v): x for v, x in zip(block.assigned, new, strict=True)}
        logs = sealed(block.form.fill(outputs, lambda raw: raw))
        new_of = lambda variables: [after.get(id(v), before[id(v)]) for v in variables]  # noqa: E731
        rest = {place: after[id(v)] for place, v in enumerate(self.reading) if id(v) in after}
        return logs, (new_of(self.changing), new_of(self.shared)), rest

    # Running

    def __call__(self, resident: Data, batch: Data, shield: Shield | None = None) -> Any:
        """Run one step and return what it returns, on the device."""
        if not self._traces.has((resident, batch)):
            # Not left to `Untraced`: JAX keeps the quick way to a program closed where its first call raised.
            self.find(resident, batch)
        return self.run(self._run, (resident, batch), shield)

    def run(
        self,
        compiled: Callable[..., Any],
        arguments: tuple[Data, ...],
        shield: Shield | None = None,
    ) -> Any:
        """Call a compiled form of the step with its state and `arguments`, and keep the new state.

        A step in another thread may take over values between the moment that they
        are read here and the call: then it is made once more, while no other step runs.
        """
        has_read = False

        def call(changing: Values, shared: Values, reading: Values) -> Any:
            nonlocal has_read
            has_read = True
            return compiled(changing, shared, reading, *arguments)

        try:
            return self._run_once(call, shield)
        except Untraced as missing:
            form = missing.form
        except (ValueError, RuntimeError) as error:
            if has_read and not has_met_step(error):
                raise
            with no_step():
                held = *self.changing, *self.shared, *self.reading
                if any(variable._value.is_deleted() for variable in held):
                    raise  # this very step was broken off
                return self._run_once(call, shield)
        self._trace(form, arguments)  # out here, so that an error of the user's stands alone
        return self.run(compiled, arguments, shield)

    def _run_once(self, call: Callable[..., Any], shield: Shield | None) -> Any:
        if not self.changing:
            shared = [v._value for v in self.shared]
            outputs, _, rest = call([], shared, self._read())
            self._settle()
            self._write_rest(rest)
            return outputs
        calls_back = self._traces.errors is not None
        lock = self._calling_back if calls_back else self._lock
        with lock, shield.step() if shield else Shield().step():
            if calls_back:
                for variable in self.changing:
                    variable.is_lent = True  # what Python reads meanwhile is whole, and what is left after its error
            changing, copied = to_give(self.changing, [v._value for v in self.changing])
            shared = [v._value for v in self.shared]
            outputs, new, rest = call(changing, shared, self._read())
            self._settle()
            for variables, values in zip((self.changing, self.shared), new, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable._value = value
            for variable in copied:
                variable.is_lent = False
            self._write_rest(rest)
        return outputs

    def _settle(self) -> None:
        """Wait for the Python that the step calls back, and raise what it raises."""
        if self._traces.errors is not None:
            effects.settle(self._traces.errors)

    def _write_rest(self, rest: dict[int, jax.Array]) -> None:
        if rest:
            reading = self.reading
            for place, value in rest.items():
                reading[place]._value = value


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
    return tree_map(
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
