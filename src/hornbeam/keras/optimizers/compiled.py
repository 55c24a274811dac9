"""Updates outside of programs, as in a training loop of the user's: one compiled program for all variables of an optimizer."""

# `_value` and `_learning_rate` are private to the core and to the optimizers.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax

from hornbeam.core import config, recording, scope
from hornbeam.core.block import trace
from hornbeam.core.compiled import Compiled
from hornbeam.core.kept import Kept
from hornbeam.core.tensor import Tensor, is_traced
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.schedules.base import LearningRateSchedule

if TYPE_CHECKING:
    from hornbeam.keras.optimizers.optimizer import Optimizer

# Lists of variables that one optimizer updates in turn.
_MOST = 4

_programs: weakref.WeakKeyDictionary[Optimizer, Kept[_Program]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Program:
    """An update of a list of variables, with what it holds as constants."""

    compiled: Compiled
    settings: list[Any]


def can_be_compiled(optimizer: Optimizer, variables: Sequence[Variable]) -> bool:
    """Return whether an update may run as a program: here and now, and without Python of a user's.

    That may do something else at each call. A learning rate that is a function, for one, is called at each step.
    """
    rate = optimizer._learning_rate
    return (
        not scope.is_open()
        and not recording.is_watched()
        and _is_own(optimizer)
        and (
            isinstance(rate, Variable) or (isinstance(rate, LearningRateSchedule) and _is_own(rate))
        )
        and all(each.constraint is None or _is_own(each.constraint) for each in variables)
        and not any(is_traced(each._value) for each in variables)
    )


def _is_own(value: object) -> bool:
    module = getattr(value, "__module__", None) or type(value).__module__
    return module.startswith("hornbeam.")


def run(
    optimizer: Optimizer,
    update: Callable[[Optimizer, list[Any]], None],
    gradients: list[jax.Array],
    variables: Sequence[Variable],
    targets: Sequence[Variable],
) -> None:
    """Call `update(optimizer, gradients)` as a program, compiled when it is first called with these variables and settings.

    `gradients` are those of `variables`; `targets` may hold more of them, without a gradient.
    """
    programs = _programs.get(optimizer)
    if programs is None:
        programs = _programs.setdefault(optimizer, Kept(_MOST))
    types = tuple((each.shape, each.dtype) for each in gradients)
    key = (config.state(), tuple(map(id, variables)), tuple(map(id, targets)), types)
    settings = _settings(optimizer)
    program = programs.get(key)
    if program is None or not _equal(program.settings, settings):
        # The program must not keep the optimizer alive, which keeps the program.
        reference = weakref.ref(optimizer)

        def apply(*tensors: Tensor) -> None:
            living = reference()
            assert living is not None, "its own method calls it"
            update(living, [each._value for each in tensors])

        used = {id(each): each for each in (*optimizer.variables, *variables, *targets)}
        block = trace(apply, gradients, variables=list(used.values()))
        # In such a loop a tape, or who reads the model, holds the weights.
        program = _Program(Compiled(block, held=targets), settings)
        programs.set(key, program)
    program.compiled(gradients)


def _settings(optimizer: Optimizer) -> list[Any]:
    """Return what the program holds as constants, a schedule's attributes among them."""
    rate = optimizer._learning_rate
    return [*optimizer.settings(), *([] if isinstance(rate, Variable) else vars(rate).items())]


def _equal(some: list[Any], others: list[Any]) -> bool:
    return len(some) == len(others) and all(
        a is b or (type(a) is type(b) and a == b) for a, b in zip(some, others, strict=True)
    )
