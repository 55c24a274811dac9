"""A listener at the door that keeps all calls and can compute them again from other values."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.core import recording
from hornbeam.core.op import is_box
from hornbeam.core.tensor import Tensor


class Record:
    """The calls made within its context.

    `replay` computes outputs anew where the values of some tensors and variables are others: what did not come through
    the door keeps the old values, so the result differs from that of a new call.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[recording.Call, list[Any]]] = []

    def __call__(self, call: recording.Call, outputs: Any) -> None:
        self.calls.append((call, raw_leaves(outputs)))

    def __enter__(self) -> Record:
        recording.recorders().append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        recording.recorders().remove(self)

    def replay(self, changed: list[tuple[Any, Any]], outputs: Any) -> list[Any]:
        """Return the raw leaves of `outputs` for `changed`: pairs of an old raw value and a new one."""
        keep = [old for old, _ in changed]  # so that no identity is used again
        now = {id(old): new for old, new in changed}
        for call, outs in self.calls:
            values = [now.get(id(value), value) for value in call.values]
            results = raw_leaves(call.replay(values))
            assert len(results) == len(outs)
            now.update((id(old), new) for old, new in zip(outs, results, strict=True))
        del keep
        return [now.get(id(leaf), leaf) for leaf in raw_leaves(outputs)]


def raw_leaves(tree: Any) -> list[Any]:
    """The raw arrays in a structure of tensors and arrays."""
    leaves = jax.tree.leaves(tree, is_leaf=is_box)
    return [leaf._value if isinstance(leaf, Tensor) else leaf for leaf in leaves]
