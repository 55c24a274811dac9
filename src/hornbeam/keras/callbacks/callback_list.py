"""Many callbacks called as one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from hornbeam.keras.callbacks import state
from hornbeam.keras.callbacks.background import BackgroundSave
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.history import History
from hornbeam.keras.callbacks.logs import LazyLogs, to_floats
from hornbeam.keras.callbacks.progbar_logger import ProgbarLogger
from hornbeam.keras.utils.remembered import ObjectState

TRAIN_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
TEST_BATCH_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
PREDICT_BATCH_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")


class CallbackList(Callback):
    """Calls the hooks of many callbacks, in order; `fit`, `evaluate` and `predict` make one, custom loops may.

    `add_history` and `add_progbar` append a `History` and a `ProgbarLogger` unless there is one; they come last, so that
    they show what other callbacks have added to the logs. `params` are those of `Callback.set_params`.

    For the loop: `needs_train_batches`, `needs_test_batches` and `needs_predict_batches` say whether every batch must be
    reported; where False, one call for each block of steps, with the index of its last step, is enough. `close()` goes into
    the loop's `finally`.

    >>> from hornbeam import keras
    >>> callbacks = keras.callbacks.CallbackList([keras.callbacks.TerminateOnNaN()], add_history=True)
    >>> callbacks.needs_train_batches, callbacks.needs_test_batches
    (True, False)
    >>> callbacks.on_train_begin()
    >>> callbacks.on_epoch_end(0, {"loss": 0.5})
    >>> callbacks.history.history
    {'loss': [0.5]}
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = [_checked(each) for each in _flatten(callbacks)]
        if add_history and self.history is None:
            self.callbacks.append(History())
        if add_progbar and not any(isinstance(each, ProgbarLogger) for each in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        self.callbacks.sort(key=_comes_last)
        self._watched: dict[int, ObjectState] = {}
        if model is not None:
            self.set_model(model)
        self.set_params(params)

    @property
    def history(self) -> History | None:
        """Return the first `History` of the list."""
        return next((each for each in self.callbacks if isinstance(each, History)), None)

    def append(self, callback: Any) -> None:
        """Add a callback, with the model and the parameters of the list."""
        callback = _checked(callback)
        self.callbacks.append(callback)
        self.callbacks.sort(key=_comes_last)
        if self.model is not None:
            callback.set_model(self.model)
        callback.set_params(self.params)

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        history = self.history
        if history is not None:
            # Set as an attribute of the model, it would count as state that the next `fit` has to look for.
            vars(model)["history"] = history
        for callback in self.callbacks:
            callback.set_model(model)

    def watch(self, known: Collection[int] = ()) -> None:
        """Have `get_state` tell what changes from now on in callbacks that don't say what they remember.

        `known` has the ids of variables that are stored elsewhere.
        """
        others = (each for each in self.callbacks if not state.tells(each))
        self._watched = {id(each): ObjectState(each, known) for each in others}

    def get_state(self) -> list[dict[str, Any]]:
        """Return the states of all callbacks, to store with a checkpoint of training."""
        return state.get_states(self.callbacks, self._watched)

    def set_state(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Set the stored states; after `on_train_begin`, which resets callbacks."""
        state.set_states(self.callbacks, states)

    def unfinished(self) -> list[BackgroundSave]:
        """Return what callbacks may still be writing."""
        found = [each._unfinished() for each in self.callbacks if isinstance(each, Callback)]
        return [each for each in found if each is not None]

    @property
    def needs_train_batches(self) -> bool:
        """Return whether a callback must see each training batch."""
        return self._any_needs(TRAIN_BATCH_HOOKS)

    @property
    def needs_test_batches(self) -> bool:
        """Return whether a callback must see each batch of `evaluate` and validation."""
        return self._any_needs(TEST_BATCH_HOOKS)

    @property
    def needs_predict_batches(self) -> bool:
        """Return whether a callback must see each batch of `predict`."""
        return self._any_needs(PREDICT_BATCH_HOOKS)

    def _any_needs(self, hooks: tuple[str, ...]) -> bool:
        return any(_needs(callback, hook) for callback in self.callbacks for hook in hooks)

    def close(self) -> None:
        """Finish open lines and files, however the loop ended; harmless when all is finished.

        An error in one of them, or Ctrl-C meanwhile, is raised after the others are closed as well.
        """
        with contextlib.ExitStack() as stack:
            for callback in reversed(self.callbacks):
                if isinstance(callback, Callback):
                    stack.callback(callback._close)

    def _close(self) -> None:
        self.close()

    def _call(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            # An object that only looks like a callback may lack hooks that newer loops call.
            method = getattr(callback, hook, None)
            if method is not None:
                method(*args)

    def on_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_batch_begin", batch, LazyLogs(logs))

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_batch_end", batch, LazyLogs(logs))

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_epoch_begin", epoch, to_floats(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_epoch_end", epoch, to_floats(logs))

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_train_batch_begin", batch, LazyLogs(logs))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_train_batch_end", batch, LazyLogs(logs))

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_test_batch_begin", batch, LazyLogs(logs))

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_test_batch_end", batch, LazyLogs(logs))

    def on_predict_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_predict_batch_begin", batch, dict(logs or {}))

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        # Predictions are no numbers to show: they are handed on as they are.
        self._call("on_predict_batch_end", batch, dict(logs or {}))

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_train_begin", to_floats(logs))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_train_end", to_floats(logs))

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_test_begin", to_floats(logs))

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_test_end", to_floats(logs))

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_predict_begin", to_floats(logs))

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._call("on_predict_end", to_floats(logs))


def _comes_last(callback: Any) -> bool:
    return getattr(callback, "_comes_last", False)


def _flatten(callbacks: Any) -> Iterator[Any]:
    """Return a flat list of the callbacks in nested lists, tuples and callback lists."""
    if callbacks is None:
        return
    if isinstance(callbacks, CallbackList):
        callbacks = callbacks.callbacks
    if isinstance(callbacks, list | tuple | set):
        for each in callbacks:
            yield from _flatten(each)
    else:
        yield callbacks


def _checked(callback: Any) -> Any:
    """Return `callback`. Raise TypeError, with the reason, if it is none."""
    if isinstance(callback, type):
        raise TypeError(
            f"`callbacks` must hold instances of `keras.callbacks.Callback`. Received the class `{callback.__name__}` "
            f"itself: write `{callback.__name__}(...)`."
        )
    if not callable(getattr(callback, "set_model", None)):
        raise TypeError(
            f"`callbacks` must hold instances of `keras.callbacks.Callback`. Received {callback!r} of type "
            f"{type(callback).__name__}: derive its class from `keras.callbacks.Callback`, or wrap a function in "
            "`keras.callbacks.LambdaCallback`."
        )
    return callback


def _needs(callback: Any, hook: str) -> bool:
    """Return whether `callback` really implements `hook` and wants it called for every batch."""
    if hook in getattr(callback, "__dict__", ()):
        return True  # a function stored on the instance, as LambdaCallback does
    implementation: Callable[..., Any] | None = getattr(type(callback), hook, None)
    if implementation is None or implementation is getattr(Callback, hook):
        return False
    return not isinstance(callback, Callback) or implementation not in callback._relaxed_hooks()
