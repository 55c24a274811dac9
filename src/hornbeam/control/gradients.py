"""`tf.gradients` and `tf.hessians`: derivatives in a function that is being traced, without a tape around what is differentiated.

A function that asks for them is traced again, with a tape that keeps all of it; so is each branch and each body of a loop
in it.
"""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hornbeam.control.eagerness import executing_eagerly
from hornbeam.core import tree
from hornbeam.core.recording import recorders
from hornbeam.core.tape import Record, Slot, Tape, is_differentiable
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import RawArray, Structure
from hornbeam.core.variable import Variable
from hornbeam.tensors.gradient_tape import GradientTape, UnconnectedGradients

T = TypeVar("T")


class _Wanted(BaseException):
    """Raised where a function asks for gradients of what was not kept; no user's code catches it."""


class _Local(threading.local):
    is_kept: bool | None = None
    """Whether a function that is being traced is kept; None where none is traced."""


_local = _Local()


def traced(trace: Callable[[], T]) -> T:
    """Return trace(), which traces a function; a second one where the function asks for gradients."""
    saved, _local.is_kept = _local.is_kept, False
    try:
        return trace()
    except _Wanted:
        _local.is_kept = True
        return trace()
    finally:
        _local.is_kept = saved


def kept(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fn`, whose computations are kept for `tf.gradients` where the function around it asks for gradients."""
    if not _local.is_kept:
        return fn

    @functools.wraps(fn)
    def run(*args: Any) -> Any:
        whole = _Whole()
        whole.start()
        try:
            return fn(*args)
        finally:
            whole.stop()

    return run


class _Whole(Tape):
    """A tape that tracks everything."""

    def slot_of(self, box: Tensor) -> Slot | None:
        """Return what is known of a tensor; one that comes from elsewhere is watched from now on."""
        known = super().slot_of(box)
        if known is None and is_differentiable(box._value):
            known = self._by_box[id(box)] = Slot(box, box._value)
            self._by_raw.setdefault(id(box._value), known)
        return known

    def _output(self, record: Record, index: int, leaf: object, is_traced: bool) -> Slot | None:
        """Let gradients begin at what no gradient flows through."""
        slot = super()._output(record, index, leaf, is_traced)
        if slot is not None and is_differentiable(slot.raw):
            slot.is_tracked = True
        return slot

    def _slot_of_variable(self, variable: Variable, raw: RawArray) -> Slot | None:
        if id(variable) not in self._variables and is_differentiable(raw):
            self.watch(variable)
        return super()._slot_of_variable(variable, raw)

    def without(self, stopped: Sequence[Slot]) -> _Whole:
        """Return the tape without the records that make the values `stopped`: they are constants, or sources."""
        ids = set(map(id, stopped))

        def stays(record: Record) -> bool:
            made = [slot for slot in record.outputs if slot is not None and slot.is_tracked]
            return not made or any(id(slot) not in ids for slot in made)

        found = copy.copy(self)
        found.records = [record for record in self.records if stays(record)]
        return found


class _Asking(GradientTape):
    """The questions of a GradientTape, of what was kept of the function that is being traced."""

    def __init__(self, name: str) -> None:
        """`name` is that of the function that asks. Raises RuntimeError outside of functions."""
        super().__init__(persistent=True)
        if executing_eagerly():
            raise RuntimeError(
                f"tf.{name} is not supported when eager execution is enabled. Use tf.GradientTape instead."
            )
        whole = next((each for each in reversed(recorders()) if isinstance(each, _Whole)), None)
        if whole is None and _local.is_kept is not None:
            raise _Wanted
        if whole is None:
            raise RuntimeError(
                f"tf.{name} works in a tf.function, and here another program is being traced. Use tf.GradientTape instead."
            )
        self._tape = self.whole = whole

    def stop(self, tensors: Structure[Any]) -> None:
        """Let the values of `tensors` be constants."""
        slots = [slot for each in tree.flatten(tensors) for slot in self.whole.slots_of(each)]
        self._tape = self.whole.without(slots)


def gradients(
    ys: Structure[Any],
    xs: Structure[Any],
    grad_ys: Structure[Any] = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Structure[Any] = None,
    unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
) -> list[Any]:
    """Return the gradients of the sum of `ys` for each of `xs`, in a tf.function; None for what no `ys` depends on.

    `grad_ys` weigh `ys`. The values of `stop_gradients` are constants. Raises RuntimeError outside of functions, where a
    `tf.GradientTape` has the gradients. The function is traced twice.

    >>> import hornbeam as tf
    >>> @tf.function
    ... def slope(x):
    ...     y = x * x
    ...     return tf.gradients(y, x)
    >>> print(slope(tf.constant(3.0))[0].numpy())
    6.0
    """
    del name, gate_gradients, aggregation_method
    asking = _Asking("gradients")
    targets = tree.flatten(ys)
    if grad_ys is not None and len(tree.flatten(grad_ys)) != len(targets):
        raise ValueError(
            f"Length mismatch. Passed {len(tree.flatten(grad_ys))} grad_ys for {len(targets)} ys."
        )
    rows = None if grad_ys is None else tree.flatten(grad_ys)
    if stop_gradients is not None:
        asking.stop(stop_gradients)
    return asking.gradient(targets, tree.flatten(xs), rows, unconnected_gradients)


def hessians(
    ys: Structure[Any],
    xs: Structure[Any],
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    name: str = "hessians",
) -> list[Any]:
    """Return the second derivatives of the sum of `ys` for each of `xs`, x.shape + x.shape, in a tf.function.

    Raises ValueError where no second derivative exists, RuntimeError outside of functions.

    >>> import hornbeam as tf
    >>> @tf.function
    ... def curvature(x):
    ...     return tf.hessians(tf.reduce_sum(x**3), x)
    >>> print(curvature(tf.constant([1.0, 2.0]))[0].numpy())
    [[ 6.  0.]
     [ 0. 12.]]
    """
    del name, gate_gradients, aggregation_method
    asking = _Asking("hessians")
    sources = tree.flatten(xs)
    found: list[Any] = []
    for x, first in zip(sources, asking.gradient(tree.flatten(ys), sources), strict=True):
        second = None if first is None else asking.jacobian(first, x)
        if second is None:
            raise ValueError(
                f"tf.hessians: the second derivative for the source of shape {tuple(x.shape)} is None: `ys` do not depend on it, "
                "or only linearly."
            )
        found.append(second)
    return found
