"""A callback from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.core.errors import did_you_mean
from hornbeam.keras.callbacks.callback import Callback


class LambdaCallback(Callback):
    """Calls functions, each passed under the name of a hook of `Callback`.

    They get the hook's arguments by position: `(epoch, logs)`, `(batch, logs)` or `(logs)`.

    Raises:
        TypeError: there is no hook of that name, or its value can't be called.

    >>> from hornbeam import keras
    >>> callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> callback.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Callable[..., Any] | None,
    ) -> None:
        super().__init__()
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        hooks = [name for name in dir(Callback) if name.startswith(("on_", "set_"))]
        for name, function in functions.items():
            if name not in hooks:
                raise TypeError(
                    f"Callback has no hook {name!r}.{did_you_mean(name, hooks)} Hooks: {', '.join(hooks)}."
                )
            if function is None:
                continue
            if not callable(function):
                raise TypeError(
                    f"LambdaCallback needs a function for {name!r}. Received: {function!r}"
                )
            setattr(self, name, function)
