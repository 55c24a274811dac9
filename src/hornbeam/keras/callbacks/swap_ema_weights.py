"""Averaged weights while a model is evaluated."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import Logs


class SwapEMAWeights(Callback):
    """Puts the optimizer's averages in the place of the weights for each evaluation and prediction.

    Args:
        swap_on_epoch: put them there at the end of each epoch too, until the next epoch begins, so that callbacks that
            come later (`ModelCheckpoint`) see and save the averages.

    Raises:
        ValueError: the model's optimizer keeps no averages; make it with `use_ema=True`.

    >>> from hornbeam import keras
    >>> keras.callbacks.SwapEMAWeights(swap_on_epoch=True).swap_on_epoch
    True
    """

    _state_names = ("_weights",)

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._weights: list[Any] | None = None  # the weights, while averages are in their place

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._restore()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._use_averages()

    def on_train_end(self, logs: Logs = None) -> None:
        self._weights = None  # `fit` ends with the averages

    def on_test_begin(self, logs: Logs = None) -> None:
        self._use_averages()

    def on_test_end(self, logs: Logs = None) -> None:
        self._restore()

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._use_averages()

    def on_predict_end(self, logs: Logs = None) -> None:
        self._restore()

    def _close(self) -> None:
        self._restore()

    def _pairs(self) -> list[tuple[Any, Any]]:
        """Return the variables and their averages."""
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                f"SwapEMAWeights needs an optimizer that averages weights; {optimizer!r} does not. Make it with "
                "`use_ema=True`."
            )
        return optimizer.average_pairs()

    def _use_averages(self) -> None:
        pairs = self._pairs()
        if self._weights is None and pairs:
            self._weights = [variable.numpy() for variable, _ in pairs]
            for variable, average in pairs:
                variable.assign(average.value)

    def _restore(self) -> None:
        if self._weights is not None:
            for (variable, _), weight in zip(self._pairs(), self._weights, strict=True):
                variable.assign(weight)
            self._weights = None
