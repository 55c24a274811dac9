"""`tf.GradientTape`: gradients of what was computed in a `with` block."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from enum import Enum
from types import TracebackType
from typing import Any

from hornbeam import ops
from hornbeam.core import leaks, tree
from hornbeam.core.backward import gradients, jacobian, route
from hornbeam.core.tape import Slot, Tape
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.typing import Structure, TensorLike
from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.tensors.lost_gradients import told_where


class UnconnectedGradients(Enum):
    """What stands for the gradient of a source that the target does not depend on: None, or zeros.

    >>> import hornbeam as tf
    >>> x, y = tf.constant(3.0), tf.constant([1.0, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch([x, y])
    ...     z = x * x
    >>> print(tape.gradient(z, y, unconnected_gradients=tf.UnconnectedGradients.ZERO).numpy())
    [0. 0.]
    """

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Record what is computed in a `with` block, and differentiate it.

    Trainable variables that are read are watched, unless `watch_accessed_variables` is False; tensors are watched by
    `watch`. A tape computes one set of gradients, a `persistent` one as many as are asked for. Tapes nest: the gradients
    that an inner tape computes are recorded by the outer ones.

    >>> import hornbeam as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = x * x
    >>> print(tape.gradient(y, x).numpy())
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        """Nothing is recorded before the `with` block."""
        self._persistent = persistent
        self._watches_reads = watch_accessed_variables
        self._tape: Tape | None = None
        self._recording = False
        self._is_spent = False

    def __enter__(self) -> GradientTape:
        if self._recording:
            raise ValueError(
                "Tape is still recording, This can happen if you try to re-enter an already-active tape: use a second "
                "GradientTape for the inner block."
            )
        if self._tape is None or not self._persistent:
            self._tape = self._new()
        self._tape.start()
        self._recording = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._recording:
            self._stop()

    def _new(self) -> Tape:
        return Tape(self._watches_reads)

    def _stop(self) -> None:
        self._existing().stop()
        self._recording = False

    def _existing(self) -> Tape:
        if self._tape is None and not self._is_spent:
            raise RuntimeError(
                "The tape has recorded nothing yet: use it as a context, `with tf.GradientTape() as tape:`, and compute "
                "there."
            )
        if self._tape is None:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians), within or "
                "after its `with` block. Ask for all gradients in one call, gradient(target, [a, b]), or make the tape with "
                "persistent=True."
            )
        return self._tape

    def watch(self, tensor: Structure[Any]) -> None:
        """Record what is made of `tensor`, a tensor, a variable, or a structure of them."""
        tape = self._existing()
        for each in tree.flatten(tensor):
            if not isinstance(each, (Tensor, Variable)):
                raise ValueError(
                    f"Passed in object {each!r} of type {type(each).__name__!r}, not tf.Tensor or tf.Variable or "
                    "ExtensionType: make a tensor of it first, x = tf.constant(x), and compute with that."
                )
            if not each.dtype.is_floating and not each.dtype.is_complex:
                warn(
                    "The dtype of the watched tensor must be floating (e.g. tf.float32), got "
                    f"{each.dtype!r}: it has no gradient."
                )
            else:
                tape.watch(each)

    @contextmanager
    def stop_recording(self) -> Generator[None]:
        """Record nothing within this context.

        >>> import hornbeam as tf
        >>> x = tf.Variable(3.0)
        >>> with tf.GradientTape() as tape:
        ...     y = x * x
        ...     with tape.stop_recording():
        ...         y.shape.assert_is_compatible_with(())
        >>> print(tape.gradient(y, x).numpy())
        6.0
        """
        if not self._recording:
            kind = ValueError if self._tape is not None else RuntimeError
            raise kind(
                "Trying to stop recording a tape which is not recording. Tape is not recording: `stop_recording` belongs "
                "into its `with` block."
            )
        tape = self._existing()
        tape.is_stopped = True
        try:
            yield
        finally:
            tape.is_stopped = False

    def reset(self) -> None:
        """Forget everything that was recorded and watched."""
        was_recording = self._recording
        if was_recording:
            self._stop()
        self._tape = self._new()
        if was_recording:
            self._tape.start()
            self._recording = True

    def watched_variables(self) -> tuple[Variable, ...]:
        """Return the variables that were watched or read, in that order."""
        return () if self._tape is None else tuple(self._tape.watched_variables())

    def gradient(
        self,
        target: Structure[Any],
        sources: Structure[Any],
        output_gradients: Structure[Any] = None,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """Return the gradient of the sum of `target` for each of `sources`, in their structure.

        None, or zeros with `unconnected_gradients="zero"`, for a source that no target depends on. `output_gradients`
        weigh the targets. Raises RuntimeError for a tape that is spent.
        """
        tape = self._start_gradient()
        unconnected = unconnected_of(unconnected_gradients)
        flat = tree.flatten(sources)
        boxes = [_source(each) for each in flat]
        slots = [tape.slots_of(box) for box in boxes]
        ends = _ends(tape, target, output_gradients)
        way = route(tape, [slot for each in slots for slot in each], [slot for slot, _ in ends])
        rows = [row for slot, row in ends if id(slot) in way.passed]
        caller = sys._getframe(1)
        with leaks.told():
            found = gradients(tape, way, rows, (caller.f_code, caller.f_lineno))
        self._finish_gradient()
        results = [
            _total([found[id(slot)] for slot in each if id(slot) in found]) for each in slots
        ]
        if unconnected is UnconnectedGradients.NONE and (lost := told_where(tape, boxes, results)):
            warn(lost)
        return tree.pack_like(sources, _connected(results, boxes, unconnected))

    def jacobian(
        self,
        target: Any,
        sources: Structure[Any],
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the derivatives of each element of `target` for `sources`: target.shape + source.shape.

        >>> import hornbeam as tf
        >>> x = tf.constant([1.0, 2.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> print(tape.jacobian(y, x).numpy())
        [[2. 0.]
         [0. 4.]]
        """
        del parallel_iterations, experimental_use_pfor  # all rows are computed at once
        tape = self._start_gradient()
        unconnected = unconnected_of(unconnected_gradients)
        boxes = [_source(each) for each in tree.flatten(sources)]
        target = _target(target)
        size = int(target.shape.num_elements() or 0)
        basis = ops.reshape(ops.eye(size, dtype=target.dtype), (size, *target.shape))
        results = [
            None if each is None else ops.reshape(each, (*target.shape, *box.shape))
            for each, box in zip(self._rows(tape, target, boxes, basis), boxes, strict=True)
        ]
        self._finish_gradient()
        if unconnected is UnconnectedGradients.NONE and (lost := told_where(tape, boxes, results)):
            warn(lost)
        shapes = [(*target.shape, *box.shape) for box in boxes]
        return tree.pack_like(sources, _connected(results, boxes, unconnected, shapes))

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return for each example the derivatives of its part of `target` for its part of `source`.

        (b, *t), (b, *s) -> (b, *t, *s). An example of the target must not depend on other examples of the source; zeros
        where it depends on none. Raises ValueError where the first axes differ.

        >>> import hornbeam as tf
        >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> tape.batch_jacobian(y, x).shape
        TensorShape([2, 2, 2])
        """
        del parallel_iterations, experimental_use_pfor
        tape = self._start_gradient()
        unconnected_of(unconnected_gradients)
        target, box = _target(target), _source(source)
        if not target.shape or not box.shape or target.shape[0] != box.shape[0]:
            raise ValueError(
                f"Need first dimension of target shape ({target.shape}) and source shape ({box.shape}) to match."
            )
        batch, *sizes = target.shape
        size = int(target.shape.num_elements() or 0) // max(batch, 1)
        eye = ops.reshape(ops.eye(size, dtype=target.dtype), (size, 1, *sizes))
        basis = ops.broadcast_to(eye, (size, batch, *sizes))
        (rows,) = self._rows(tape, target, [box], basis)
        self._finish_gradient()
        shape = (batch, *sizes, *box.shape[1:])
        if rows is None:
            return ops.zeros(shape, box.dtype)
        return ops.reshape(ops.moveaxis(rows, 0, 1), shape)

    def _rows(
        self, tape: Tape, target: Tensor, boxes: Sequence[Tensor | Variable], basis: Tensor
    ) -> list[Any]:
        """Return for each source its gradients for the rows of `basis`; None for one without a path."""
        slots = [tape.slots_of(box) for box in boxes]
        ends = tape.slots_of(target)
        way = route(tape, [slot for each in slots for slot in each], ends)
        with leaks.told():
            found = jacobian(tape, way, basis) if way.sources else {}
        return [_total([found[id(slot)] for slot in each if id(slot) in found]) for each in slots]

    def _start_gradient(self) -> Tape:
        tape = self._existing()
        if self._recording:
            if self._persistent:
                warn(
                    "Calling GradientTape.gradient on a persistent tape inside its context is slower and needs more "
                    "memory, for the gradient is recorded too. Do it only where you want higher derivatives from this tape."
                )
            else:
                self._stop()
        return tape

    def _finish_gradient(self) -> None:
        if not self._persistent:
            self._tape, self._is_spent = None, True


def _source(value: Any) -> Tensor | Variable:
    if not isinstance(value, (Tensor, Variable)):
        raise TypeError(
            f"A source of a gradient is a tensor or a variable; received {value!r} of type {type(value).__name__}. Pass the "
            "very object that the computation used: x = tf.constant(x), tape.watch(x)."
        )
    return value


def _target(value: Any) -> Tensor:
    if isinstance(value, Variable):
        return value.read_value()
    if not isinstance(value, Tensor):
        raise TypeError(
            f"The target of a gradient is a tensor that was computed while the tape recorded; received {value!r} of type "
            f"{type(value).__name__}."
        )
    return value


def _ends(
    tape: Tape, target: Structure[Any], output_gradients: Structure[Any]
) -> list[tuple[Slot, Tensor | None]]:
    """Return the slots of the targets that the tape tracks, each with the gradient that it is given."""
    targets = tree.flatten(target)
    rows = _rows_of(target, len(targets), output_gradients)
    found: list[tuple[Slot, Tensor | None]] = []
    for value, given in zip(targets, rows, strict=True):
        end = value if isinstance(value, Variable) else _target(value)
        if not end.dtype.is_floating and not end.dtype.is_complex:
            warn(
                "The dtype of the target tensor must be floating (e.g. tf.float32) when calling GradientTape.gradient, got "
                f"{end.dtype!r}: it has no gradient."
            )
            continue
        row = None if given is None else _row(given, end)
        found.extend((slot, row) for slot in tape.slots_of(end)[-1:])
    return found


def _rows_of(target: Structure[Any], count: int, given: Structure[Any]) -> list[Any]:
    """Return the entries of `output_gradients`, one for each target."""
    if given is None:
        return [None] * count
    if not tree.is_nested(target) and isinstance(given, (list, tuple)) and len(given) == 1:
        given = given[0]  # TensorFlow takes a list of one for one target
    try:
        return tree.flatten_up_to(target, given)
    except ValueError:
        raise ValueError(
            f"`output_gradients` has another structure than `target`: {given!r} for {count} targets. Each target needs an "
            "entry: a tensor of its shape, or None for ones."
        ) from None


def _row(given: TensorLike, end: Tensor | Variable) -> Tensor:
    row = convert_to_tensor(given, end.dtype)
    if row.shape != end.shape:
        raise ValueError(
            f"`output_gradients` has an entry of shape {row.shape} for a target of shape {end.shape}; the shapes must be equal."
        )
    return row


def _total(found: Sequence[Tensor]) -> Any:
    """Return the sum of the gradients of one source; None where there are none."""
    return sum(found[1:], start=found[0]) if found else None


def unconnected_of(value: UnconnectedGradients | str) -> UnconnectedGradients:
    """Return the choice that is meant. Raises ValueError for another."""
    try:
        return UnconnectedGradients(value)
    except ValueError:
        raise ValueError(
            f"Unknown value for unconnected_gradients: {value!r}. It is tf.UnconnectedGradients.NONE or ZERO."
        ) from None


def _connected(
    results: list[Any],
    boxes: Sequence[Tensor | Variable],
    unconnected: UnconnectedGradients,
    shapes: Sequence[Sequence[int]] | None = None,
) -> list[Any]:
    """Return the results with zeros in the place of None where that is asked for."""
    if unconnected is UnconnectedGradients.NONE:
        return results
    return [
        ops.zeros(box.shape if shapes is None else shapes[place], box.dtype)
        if result is None
        else result
        for place, (result, box) in enumerate(zip(results, boxes, strict=True))
    ]
