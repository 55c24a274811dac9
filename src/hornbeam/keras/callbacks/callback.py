"""The hooks through which code looks into `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, ClassVar

from hornbeam.keras.callbacks.background import BackgroundSave
from hornbeam.keras.callbacks.logs import Logs


class Callback:
    """Base of all callbacks: override the hooks of interest, leave the others.

    The training loop sets `self.model` and `self.params` (`{"verbose", "epochs", "steps"}`, `steps` may be None) and calls
    each hook with positional arguments. `logs` is a dict of Python floats by metric name; in batch hooks its values leave
    the device when they are first read. Epochs and batches count from 0. `model.stop_training = True` ends the training.

    Overriding a batch hook makes the loop run one step at a time instead of many in one program.

    When an interrupted training is resumed (`BackupAndRestore`), what has changed among the callback's attributes is set
    again: numbers, text, arrays, lists and dicts of these. A callback that has to remember something else implements
    `get_state()`, which returns a dict of such data, and `set_state(state)`.

    >>> from hornbeam import keras
    >>> class BestLoss(keras.callbacks.Callback):
    ...     best = float("inf")
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.best = min(self.best, logs["loss"])
    >>> callback = BestLoss()
    >>> callback.on_epoch_end(0, {"loss": 0.5})
    >>> callback.best
    0.5
    """

    # Attributes that a resumed training needs, for callbacks without a `get_state` of their own; see state.py.
    _state_names: ClassVar[tuple[str, ...]] = ()
    # Whether the hooks are called after those of all other callbacks, whatever the order in the list.
    _comes_last: ClassVar[bool] = False

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any] | None) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    @property
    def model(self) -> Any:
        """Return the model being trained, None before training."""
        # A subclass that forgets super().__init__() still works, as it does in Keras.
        return getattr(self, "_model", None)

    @model.setter
    def model(self, model: Any) -> None:
        self._model = model

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Old name of `on_train_batch_begin`; called by it."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Old name of `on_train_batch_end`; called by it."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before each epoch of `fit`; `logs` is empty."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After each epoch of `fit` and its validation; validation results have the prefix `val_`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before each training step; `logs` is empty."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After each training step; `logs` has the metrics over the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before each step of `evaluate` and of validation; `logs` is empty."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After each step of `evaluate` and of validation; `logs` has the metrics so far."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before each step of `predict`; `logs` is empty."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After each step of `predict`; `logs` has `"outputs"`."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """Before `fit` starts; `logs` is empty."""

    def on_train_end(self, logs: Logs = None) -> None:
        """After `fit` has ended; `logs` is that of the last epoch."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Before `evaluate` or validation; `logs` is empty."""

    def on_test_end(self, logs: Logs = None) -> None:
        """After `evaluate` or validation; `logs` has its results."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Before `predict`; `logs` is empty."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """After `predict`; `logs` is empty."""

    def _relaxed_hooks(self) -> Collection[Callable[..., Any]]:
        """Batch hooks, as functions of the class, that don't need to see every batch.

        They are called once for each block of steps, with the index of its last step. Functions and not names, so that
        an override in a user's subclass isn't taken for one.
        """
        return ()

    def _unfinished(self) -> BackgroundSave | None:
        """What the callback may still be writing, and a checkpoint of training says is there."""
        return None

    def _close(self) -> None:
        """Called however the loop ends, interruption included; may be called twice."""
