"""Where a training stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hornbeam.core.rng import default_seed_state, global_generator
from hornbeam.keras.callbacks import CallbackList
from hornbeam.keras.sources.source import Feed, State


@dataclass
class Run:
    """One call of `fit`. With the variables of the model, its `state` is all that an exact resume needs."""

    feed: Feed
    reports: CallbackList
    epoch: int = 0
    step: int = 0
    """The number of batches done in this epoch."""
    is_over: bool = False

    def begin(self, epoch: int) -> None:
        """Begin an epoch."""
        self.epoch, self.step = epoch, 0

    def state(self) -> State:
        """Return what a checkpoint stores: numbers, text, lists and dicts of these, and NumPy arrays."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "source": self.feed.source.state,
            "default_seeds": default_seed_state(),
            "global_seed": np.asarray(global_generator().state),
            "callbacks": self.reports.get_state(),
        }
