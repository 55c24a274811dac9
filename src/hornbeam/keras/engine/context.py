"""What a layer and the layers inside it share during a call: the mode of training, and the losses that they add."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from hornbeam.core import config

if TYPE_CHECKING:
    from hornbeam.core.typing import TensorLike
    from hornbeam.keras.engine.layer import Layer


class CallContext:
    """The state of one call of an outermost layer, shared with all layers inside it."""

    def __init__(self, training: bool | None) -> None:
        """With `training` None each layer uses its own default."""
        self.training = training
        self.losses: list[tuple[Layer, TensorLike]] = []


class _Local(threading.local):
    def __init__(self) -> None:
        self.context: CallContext | None = None


_local = _Local()


def current_context() -> CallContext | None:
    """Return the context of the call that this thread is in, or None outside of calls."""
    return _local.context


def _training() -> bool | None:
    context = _local.context
    return None if context is None else context.training


config.add_surrounding(_training)


class call_context:
    """Join the call in progress, or open a new context if there is none."""

    def __init__(self, training: bool | None = None, fresh: bool = False) -> None:
        """`fresh` opens a new context even inside a call; losses added in it don't reach the outer one."""
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
