"""Stop when the loss is no number any more."""

from __future__ import annotations

import math

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import Logs
from hornbeam.keras.utils.progbar import write


class TerminateOnNaN(Callback):
    """Stops training after the first batch whose loss is NaN or infinite.

    Args:
        raise_error: raise a RuntimeError instead of setting `model.stop_training`; the other callbacks then don't see
            the end of training.

    The loss is read after every batch, which makes the loop wait for the device at each step.

    >>> from hornbeam import keras
    >>> keras.callbacks.TerminateOnNaN(raise_error=True).on_train_batch_end(3, {"loss": float("nan")})
    Traceback (most recent call last):
        ...
    RuntimeError: NaN or Inf loss encountered at batch 3. Loss value: nan. Terminating training immediately.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(float(loss)):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {float(loss)}. "
                "Terminating training immediately."
            )
        write(f"\nBatch {batch}: Invalid loss, terminating training\n")
        self.model.stop_training = True
