"""Python run once, as a pure function of arrays and of the variables that it turns out to read.

`trace` runs a function of tensors while JAX writes down what it computes. All variables that live are inputs of the
trace, for nobody can tell beforehand which ones Python code will read; those that it did not read are dropped
afterwards. So Python's side effects happen once, a variable needs no registration, and a value that Python asks for too
early is an error and never a constant. What the function assigns comes out beside what it returns.

A block inside of another one (a branch, the body of a loop) closes over the values around it, which JAX lists as constants.
"""

# `_spec` and `_value` are private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, cast

import jax
import numpy as np

from hornbeam.core import effects, recording, rng, scope
from hornbeam.core.jax_typed import ClosedJaxpr, Jaxpr, array_type, eval_jaxpr, jit, make_jaxpr
from hornbeam.core.leaks import name_as
from hornbeam.core.outputs import Form, flat_outputs
from hornbeam.core.scope import StateScope
from hornbeam.core.tensor import Tensor, is_traced
from hornbeam.core.variable import Variable
from hornbeam.core.wide import on_device

Values: TypeAlias = Sequence[Any]
"""Raw arrays, or tracers."""

# A trace that meets variables which another thread made meanwhile is made again, but not for ever.
_ROUNDS = 20
# Whose gradients are not those of the primitives inside.
_WITH_GRADIENTS = frozenset({"custom_jvp_call", "custom_vjp_call"})
# Constants above this many elements are arguments of the compiled program instead of parts of it.
_LARGE = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What one run of a Python function computes."""

    name: str
    jaxpr: ClosedJaxpr
    """From the values of `reading` and the arrays to the outputs, the values of `assigned` and those of `drawn`."""
    reading: list[Variable]
    assigned: list[Variable]
    made: list[Variable]
    """The variables that were made meanwhile, which the block knows nothing of."""
    drawn: list[Variable]
    """Those of `made` whose first value the block computes; they have none before `draw`."""
    form: Form
    """Of the outputs."""
    places: list[int]
    """Which inputs of `jaxpr` the variables are; the others are not used."""
    inputs: int
    """The number of inputs of `jaxpr` before the arrays."""

    def run(self, values: Values, arrays: Values) -> tuple[list[Any], list[Any]]:
        """Return the raw outputs and the new values of `assigned`: a pure function."""
        return self.run_on(self.jaxpr.consts, values, arrays)

    def run_on(
        self, constants: Values, values: Values, arrays: Values
    ) -> tuple[list[Any], list[Any]]:
        """Return what `run` does, with other values in the places of what the function closed over."""
        outputs = self._all_outputs(constants, values, arrays)
        count = self.form.count
        return outputs[:count], outputs[count : count + len(self.assigned)]

    def _all_outputs(self, constants: Values, values: Values, arrays: Values) -> list[Any]:
        return _evaluate(self.jaxpr, self.inputs, self.places, constants, values, arrays)

    def draw(self, arrays: Values) -> None:
        """Compute the first values of `drawn`."""
        if not self.drawn:
            return

        def program(values: Values, arrays: Values) -> list[Any]:
            return self._all_outputs(self.jaxpr.consts, values, arrays)[-len(self.drawn) :]

        values = [variable._value for variable in self.reading]
        with effects.muted():
            first = cast("list[jax.Array]", jit()(program)(values, arrays))
        for variable, value in zip(self.drawn, first, strict=True):
            variable._value = value

    def handed_on(self) -> list[Variable]:
        """Return the variables whose values are outputs as they are: the very same arrays."""
        inputs, outputs = self.jaxpr.jaxpr.invars, set(map(id, self.jaxpr.jaxpr.outvars))
        pairs = zip(self.reading, self.places, strict=True)
        return [variable for variable, place in pairs if id(inputs[place]) in outputs]

    def has_gradient(self) -> bool:
        """Return whether the outputs can be differentiated going backwards: no loop ends by a condition."""
        return "while" not in primitives(self.jaxpr.jaxpr, _WITH_GRADIENTS)

    def types(self) -> list[Any]:
        """Return the shapes and types of the outputs."""
        return [atom.aval for atom in self.jaxpr.jaxpr.outvars[: self.form.count]]

    def compiled(
        self, given: Sequence[int] = ()
    ) -> Callable[[Values, Values], tuple[list[Any], list[Any]]]:
        """Return `run` as a compiled program; nothing is compiled before its first call.

        The program keeps no variable alive. `given` are places in `reading` whose values it takes over: their memory is
        used again, and the arrays are deleted.
        """
        evaluate = partial(_evaluate, self.jaxpr, self.inputs, self.places)
        count, end = self.form.count, self.form.count + len(self.assigned)
        constants = self.jaxpr.consts
        places = [i for i, each in enumerate(constants) if np.size(each) > _LARGE]
        large = [on_device(constants[i]) for i in places]

        def program(large: Values, values: Values, arrays: Values, taken: Values = ()) -> Any:
            filled = _put(constants, places, large)
            outputs = evaluate(filled, _put(values, given, taken), arrays)
            return outputs[:count], outputs[count:end]

        program.__name__ = self.name
        if not given:
            return partial(jit()(program), large)
        run = jit(donate_argnums=(3,))(program)
        nothing = [None] * len(given)

        def call(values: Values, arrays: Values) -> tuple[list[Any], list[Any]]:
            taken = [values[place] for place in given]
            return run(large, _put(values, given, nothing), arrays, taken)

        return call


def _put(values: Values, places: Sequence[int], news: Values) -> list[Any]:
    """Return the values with others at some places."""
    filled = list(values)
    for place, new in zip(places, news, strict=True):
        filled[place] = new
    return filled


def _evaluate(
    jaxpr: ClosedJaxpr,
    inputs: int,
    places: Sequence[int],
    constants: Values,
    values: Values,
    arrays: Values,
) -> list[Any]:
    """Return all outputs; `values` are the inputs at `places`, and the others of the first `inputs` are not used."""
    given: list[Any] = [None] * inputs
    for place, value in zip(places, values, strict=True):
        given[place] = value
    return eval_jaxpr(jaxpr.jaxpr, constants, *given, *arrays)


def trace(
    fn: Callable[..., Any],
    arrays: Values,
    refusal: str | None = None,
    variables: Sequence[Variable] | None = None,
    refuses_weights: bool = False,
) -> Block:
    """Run `fn` on tensors that stand for `arrays`, and return what it computes of them and of variables.

    With a `refusal` it raises ValueError where `fn` makes a variable; the text has `{}` in the place of its path. Where it
    `refuses_weights`, variables that are not trainable may be made. A function without side effects may run again: then `variables` can name those that it reads, most likely.
    """
    rng.global_generator()  # made inside of the trace, it would be a reason to run the function twice
    candidates = scope.living() if variables is None else list(variables)
    for _ in range(_ROUNDS):
        block, missing = _trace(
            fn, arrays, candidates, records=True, refusal=refusal, refuses_weights=refuses_weights
        )
        if not missing:
            return _pruned(block)
        candidates += missing
    raise RuntimeError(
        f"The function met new variables in each of {_ROUNDS} traces, the last one {candidates[-1].path!r}. "
        "Make variables once, outside of the function that is compiled, and keep them."
    )


def inner(fn: Callable[..., Any], arrays: Values, variables: Sequence[Variable]) -> Block:
    """Run `fn` as a part of what is being traced: what it reads around it are constants of its program.

    Of `variables`, those that it reads are inputs instead.
    """
    return _pruned(_trace(fn, arrays, list(variables), records=False)[0])


def _trace(
    fn: Callable[..., Any],
    arrays: Values,
    variables: list[Variable],
    records: bool,
    refusal: str | None = None,
    refuses_weights: bool = False,
) -> tuple[Block, list[Variable]]:
    """Return the block, and the variables that it should have had as inputs."""
    found: list[Any] = []
    scopes: list[StateScope] = []

    def pure(values: Values, arrays: Values) -> Any:
        pairs = zip(variables, values, strict=True)
        with StateScope(pairs, records=records) as opened, recording.paused():
            scopes.append(opened)
            opened.refusal, opened.refuses_weights = refusal, refuses_weights
            outputs, form = flat_outputs(fn(*map(Tensor, arrays)))
        made = set(map(id, opened.made))
        updates = [(v, x) for v, x in opened.updates if id(v) not in made]
        missing = [v for key, v in opened.unknown.items() if key not in made]
        known = set(map(id, variables))
        if records:
            missing += [v for v, _ in updates if id(v) not in known]
        drawn = [v for v in opened.made if v.is_drawn and is_traced(v._value)]
        found[:] = (
            form,
            [v for v, _ in updates],
            opened.made,
            drawn,
            missing,
        )
        return outputs, [value for _, value in updates], [v._value for v in drawn]

    pure.__name__ = pure.__qualname__ = getattr(fn, "__name__", type(fn).__name__)
    name_as(pure, fn)
    try:
        jaxpr = make_jaxpr(pure)(
            list(map(_type, map(Variable._spec, variables))), list(map(_type, arrays))
        )
    except BaseException as error:
        _drop_note_of_jax(error)
        for variable in scopes[0].made if scopes else ():
            if variable.is_drawn and is_traced(variable._value):
                variable.lose_value(
                    f"it was made by {pure.__name__}, which then failed while it was traced. Make it anew, or set a "
                    "value with `assign`."
                )
        raise
    form, assigned, made, drawn, missing = found
    places = list(range(len(variables)))
    block = Block(pure.__name__, jaxpr, variables, assigned, made, drawn, form, places, len(places))
    return block, missing


def _drop_note_of_jax(error: BaseException) -> None:
    """Take off the note in which JAX says that it hid its frames from the traceback: users did not call JAX."""
    notes: list[str] | None = getattr(error, "__notes__", None)
    if notes:
        error.__notes__ = [each for each in notes if "JAX has removed" not in each]


def _type(array: Any) -> Any:
    """Return the shape and type of what is like an array, such as a value that is not drawn yet."""
    dtype = array.dtype
    return array_type(tuple(array.shape), np.dtype(dtype) if isinstance(dtype, str) else dtype)


def _pruned(block: Block) -> Block:
    """Return the block without the variables that it does not use."""
    jaxpr = block.jaxpr.jaxpr
    used = {id(atom) for eqn in jaxpr.eqns for atom in eqn.invars} | set(map(id, jaxpr.outvars))
    inputs = jaxpr.invars[: len(block.reading)]
    places = [place for place, each in enumerate(inputs) if id(each) in used]
    return replace(block, reading=[block.reading[i] for i in places], places=places)


def primitives(jaxpr: Jaxpr, closed: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the names of all primitives, those of inner functions included, but not those inside of `closed` ones."""
    return (equation.primitive.name for equation in equations(jaxpr, closed))


def equations(jaxpr: Jaxpr, closed: frozenset[str] = frozenset()) -> Iterator[Any]:
    """Yield all operations of a program, those of inner functions included, but not those inside of `closed` ones."""
    for equation in jaxpr.eqns:
        yield equation
        if equation.primitive.name not in closed:
            for within in inner_functions(equation):
                yield from equations(within, closed)


def inner_functions(equation: Any) -> Iterator[Jaxpr]:
    """Yield the functions that an operation calls: the body of a loop, the branches of a condition."""
    for parameter in equation.params.values():
        for inner in jax.tree.leaves(parameter, is_leaf=lambda x: hasattr(x, "eqns")):
            within = getattr(inner, "jaxpr", inner)
            if hasattr(within, "eqns"):
                yield within
