"""The session of every framework that speaks Keras."""

from typing import Any

import numpy as np

from benchmarks.cases.base import SEED, Case


class KerasSession:
    """`fit` and `predict` as users call them, all settings at their defaults.

    Those defaults are `jit_compile="auto"` and `steps_per_execution=1`; the bar is off
    (`verbose=0`), for its cost depends on the terminal.
    """

    def __init__(self, keras: Any, case: Case, x: np.ndarray, y: np.ndarray) -> None:
        keras.utils.set_random_seed(SEED)
        self.model = case.build(keras)
        self.batch = case.batch
        self.x, self.y = x, y

    def fit(self, steps: int) -> float:
        """One epoch over the first `steps` batches, shuffled."""
        rows = steps * self.batch
        history = self.model.fit(self.x[:rows], self.y[:rows], batch_size=self.batch, verbose=0)
        return float(history.history["loss"][-1])

    def predict(self, rows: int, batch: int) -> None:
        """`model.predict` of the first rows."""
        self.model.predict(self.x[:rows], batch_size=batch, verbose=0)
