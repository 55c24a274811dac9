"""A computation made of inner blocks, as gradient tapes see it: one call of all that goes into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbeam.core import recording, scope
from hornbeam.core.op import wrap
from hornbeam.core.variable import Variable


def finished(
    run: Callable[..., list[Any]], arrays: tuple[Any, ...], around: Sequence[Variable]
) -> list[Any]:
    """Return `run(*arrays)` as tensors; recorders are told of the call, and of the variables `around` that it reads."""
    outputs = run(*arrays)
    made = list(map(wrap, outputs))
    if recording.is_recording():
        for variable in around:
            variable.note_read(scope.read(variable))
        leaves, tree = jax.tree.flatten((arrays, {}))
        recording.note(recording.Call(run, tree, list(map(wrap, leaves)), leaves), made)
    return made
