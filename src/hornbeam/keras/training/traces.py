"""The step of a program as blocks: its Python runs once for each form of data that it meets.

A compiled form of the step computes what a block says. While JAX makes one, it may ask for a form of data on which the
Python has not run: `Untraced` then leaves JAX, the Python runs on its own, and the compilation begins anew.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import jax

from hornbeam.core import effects
from hornbeam.core.block import Block, trace
from hornbeam.core.jax_typed import array_type
from hornbeam.core.ordered import in_order, tree_map
from hornbeam.core.tensor import unwrap
from hornbeam.core.variable import Variable

Form: TypeAlias = Any
"""Data whose arrays are replaced by their shapes and types."""


_MADE_ANEW = (
    "{} is a trainable variable that is made anew on every call of a layer or step, so nothing trains it. Make it once: "
    "in `build` by `self.add_weight(...)`, in `__init__`, or by `if self.v is None: self.v = tf.Variable(...)`. For a "
    "value of this call alone, take a tensor, or trainable=False. "
    "(tf.function only supports singleton tf.Variables created on the first call.)"
)


class Untraced(Exception):
    """Leaves the compilation of a step for data of a form that it was not traced on."""

    def __init__(self, form: Form) -> None:
        """`form` is to be traced."""
        super().__init__("The step was not traced on data of this form.")
        self.form = form


class Traces:
    """What a step computes on data of each form, and the variables that it was not told of."""

    def __init__(self, step: Callable[[Any], Any]) -> None:
        """`step` takes data, raw arrays in a structure."""
        self.errors: list[BaseException] | None = None
        """What Python raised that the step calls back; None where it calls none back."""
        self._errors: list[BaseException] = []
        self._step = step
        self._blocks: dict[object, Block] = {}
        self._lock = threading.RLock()

    def has(self, data: Any) -> bool:
        """Return whether the step was traced on data of this form."""
        return _key(*jax.tree.flatten(data)) in self._blocks

    def block(self, data: Any) -> tuple[Block, list[Any]]:
        """Return the block for data of this form, and the arrays that it takes. Raises Untraced where there is none."""
        leaves, tree = jax.tree.flatten(data)
        found = self._blocks.get(_key(leaves, tree))
        if found is None:
            raise Untraced(form_of(data))
        return found, leaves

    def add(self, form: Form, data: Any, made: Callable[[], None]) -> Block:
        """Trace the step on data of this form, if that was not done meanwhile; return the block.

        `made` is called where the step makes variables on its way, such as the slots of an optimizer; what depends on
        values of `data` has them then. The step is traced once more, and may find them. What it makes anew each time is
        its own, and a ValueError where it is trainable.
        """
        leaves, tree = jax.tree.flatten(form)
        key = _key(leaves, tree)
        has_form = jax.tree.structure(data) == tree

        def run(*tensors: Any) -> Any:
            unflattened = tree.unflatten(map(unwrap, tensors))
            return self._step(in_order(unflattened, data) if has_form else unflattened)

        run.__name__ = "step"
        with self._lock:
            found = self._blocks.get(key)
            if found is None:
                with effects.collected(self._errors):
                    found = trace(run, leaves)
                    if found.made:
                        found.draw(jax.tree.leaves(data))
                        made()
                        found = trace(run, leaves, _MADE_ANEW, refuses_weights=True)
                if found.jaxpr.jaxpr.effects:
                    self.errors = self._errors
                self._blocks[key] = found
            return found


def form_of(data: Any) -> Form:
    """Return the form of data."""
    return tree_map(lambda x: array_type(x.shape, x.dtype), data)


def _key(leaves: Sequence[Any], tree: object) -> object:
    return tree, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


class Found:
    """Variables that a step uses and that its program was not told of."""

    def __init__(self) -> None:
        """None at first."""
        self.variables: list[Variable] = []
        # The values with which they were found, by identity.
        self._first: dict[int, jax.Array] = {}
        self._lock = threading.Lock()

    def add(self, variables: Iterable[Variable]) -> None:
        """Note variables that are not noted yet."""
        with self._lock:  # two threads may trace the same step
            for variable in variables:
                if id(variable) not in self._first:
                    self._first[id(variable)] = variable._value
                    self.variables = [*self.variables, variable]

    def keep(self, is_found: Callable[[Variable], bool]) -> None:
        """Forget the others."""
        with self._lock:
            self.variables = [each for each in self.variables if is_found(each)]
            self._first = {id(each): self._first[id(each)] for each in self.variables}

    def has_changed(self, variable: Variable) -> bool:
        """Return whether a variable was assigned since it was found, by a program or by other code."""
        return self._first.get(id(variable), variable._value) is not variable._value

    def values(self) -> list[jax.Array]:
        """Return the current values. Raises RuntimeError for a variable that has lost its value."""
        for variable in self.variables:
            # A program that changes the variable, in another thread, must leave the old value whole.
            variable.is_lent = True
            if variable._value.is_deleted():
                raise RuntimeError(
                    f"The program reads the variable {variable.path!r}, which has lost its value: a training step "
                    "of the model that holds it was interrupted. Set a value with `assign`, or let the program "
                    "read another variable."
                )
        return [variable._value for variable in self.variables]
