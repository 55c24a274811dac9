"""`tf.autodiff.ForwardAccumulator`: how results change with their inputs, computed forwards."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import jax

from hornbeam import ops
from hornbeam.core import recording, tree
from hornbeam.core.backward import Route, route
from hornbeam.core.call_keys import Unkeyed
from hornbeam.core.op import wrap
from hornbeam.core.programs import Program, program_of
from hornbeam.core.segments import Values, wire
from hornbeam.core.tape import Slot, Tape
from hornbeam.core.tensor import Tensor, convert_to_tensor, is_traced
from hornbeam.core.typing import Structure
from hornbeam.core.variable import Variable
from hornbeam.kernels import native
from hornbeam.tensors.gradient_tape import UnconnectedGradients, unconnected_of


class ForwardAccumulator:
    """Compute products of Jacobians and vectors: how what is computed in a `with` block changes along `tangents`.

    Where there are few inputs and many results this needs less than a `GradientTape`. A tape inside of the block yields
    products of Hessians and vectors.

    >>> import hornbeam as tf
    >>> x = tf.constant(3.0)
    >>> with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as acc:
    ...     y = x * x
    >>> print(acc.jvp(y).numpy())
    6.0
    """

    def __init__(self, primals: Structure[Any], tangents: Structure[Any]) -> None:
        """Raises ValueError where `tangents` differ from `primals` in structure, shape or type."""
        self._tape = Tape(watch_accessed_variables=False)
        self._recording = False
        self._kernels = ExitStack()
        self._pairs: list[tuple[Tensor | Variable, Tensor]] = []
        try:
            given = tree.flatten_up_to(primals, tangents)
        except ValueError as error:
            raise ValueError(
                f"`tangents` has another structure than `primals`: {error}. Each primal needs one tangent of its shape."
            ) from None
        for primal, value in zip(tree.flatten(primals), given, strict=True):
            if not isinstance(primal, (Tensor, Variable)):
                raise TypeError(
                    f"A primal is a tensor or a variable; received {primal!r} of type {type(primal).__name__}. Use the very "
                    "object that the computation uses."
                )
            tangent = convert_to_tensor(value, primal.dtype)
            if tangent.shape != primal.shape:
                raise ValueError(
                    f"A tangent has shape {tangent.shape} and its primal {primal.shape}; the shapes must be equal."
                )
            self._tape.watch(primal)
            self._pairs.append((primal, tangent))

    def __enter__(self) -> ForwardAccumulator:
        if self._recording:
            raise ValueError("Accumulator is already recording.")
        # A program that is traced meanwhile keeps its kernels; the gradients of native ones are made for reverse mode only.
        self._kernels.enter_context(native.switched_off())
        self._tape.start()
        self._recording = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tape.stop()
        self._recording = False
        self._kernels.close()

    def jvp(
        self,
        primals: Structure[Any],
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """Return how each of `primals`, results of the block, changes along the tangents.

        None, or zeros with `unconnected_gradients="zero"`, for a result that depends on no input.
        """
        unconnected = unconnected_of(unconnected_gradients)
        results = [self._change(box) for box in tree.flatten(primals)]
        if unconnected is UnconnectedGradients.ZERO:
            results = [
                ops.zeros_like(box) if result is None else result
                for box, result in zip(tree.flatten(primals), results, strict=True)
            ]
        return tree.pack_like(primals, results)

    def _change(self, target: Any) -> Any:
        known: dict[int, tuple[Slot, Tensor]] = {}
        for primal, tangent in self._pairs:
            if primal is target:
                return tangent
            known.update((id(slot), (slot, tangent)) for slot in self._tape.slots_of(primal))
        ends = self._tape.slots_of(target)
        way = route(self._tape, [slot for slot, _ in known.values()], ends)
        if not way.targets:
            return None
        return _pushed(way, [known[id(slot)][1] for slot in way.sources])


class _Push:
    """The derivative along tangents as the function of a call that other tapes record."""

    def __init__(self, program: Program) -> None:
        self._program = program

    @property
    def call_key(self) -> object:
        """Return what tells whether a program can be used again; see `core.call_keys`."""
        if not self._program.can_compile:
            raise Unkeyed
        return self._program, "push"

    def __call__(self, sources: Values, others: Values, tangents: Values) -> Any:
        with native.switched_off():  # whose gradients are made for reverse mode only
            return self._program.segment.push(sources, others, tangents)[0]


def _pushed(way: Route, tangents: Sequence[Tensor]) -> Tensor:
    wired = wire(way.records, way.sources, way.targets)
    sources = tuple(slot.raw for slot in wired.sources)
    others = tuple(raw for _, raw in wired.others)
    directions = tuple(each._value for each in tangents)
    program = program_of(wired, "forward")
    assert program is not None  # only places in the code are refused
    with recording.paused(), native.switched_off():
        if any(map(is_traced, (*sources, *others, *directions))):
            (change,) = program.segment.push(sources, others, directions)
        else:
            (change,) = program.call("push", sources, others, directions)
    result = wrap(change)
    leaves, form = jax.tree.flatten(((sources, others, directions), {}))
    boxes = [
        *(slot.box for slot in wired.sources),
        *(box for box, _ in wired.others),
        *tangents,
    ]
    recording.note(recording.Call(_Push(program), form, boxes, leaves), result)
    return result
