"""What a layer and the layers inside it share during a call: whether they train, and the losses that they add."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hornbeam.core.typing import TensorLike
    from hornbeam.keras.engine.layer import Layer


class CallContext:
    """Shared by a layer and all layers inside it while the outermost one is being called."""

    def __init__(self, training: bool | None) -> None:
        """`training` None leaves each layer its own default."""
        self.training = training
        self.losses: list[tuple[Layer, TensorLike]] = []


class _Local(threading.local):
    def __init__(self) -> None:
        self.context: CallContext | None = None


_local = _Local()


def current_context() -> CallContext | None:
    """The context of the call in progress in this thread; None outside of calls."""
    return _local.context


class call_context:
    """Join the call in progress, or open a new context where there is none."""

    def __init__(self, training: bool | None = None, fresh: bool = False) -> None:
        """`fresh` opens a new context even inside a call: what is added there stays there."""
        self._outer = _local.context
        self.is_outermost = fresh or self._outer is None
        self.context = (
            CallContext(training) if self.is_outermost or self._outer is None else self._outer
        )
        self._training = training
        self._saved_training = self.context.training

    def __enter__(self) -> call_context:
        self.context.training = self._training
        _local.context = self.context
        return self

    def __exit__(self, *exception: object) -> None:
        self.context.training = self._saved_training
        _local.context = self._outer
