"""History: what each epoch measured."""

from __future__ import annotations

import numpy as np

from hornbeam.keras.callbacks import History
from tests.keras.callbacks.fakes import train


def test_lists_of_floats_by_name():
    history = History()
    train(history, [{"loss": np.float32(1.5)}, {"loss": 0.5, "val_loss": 2}])
    assert history.history == {"loss": [1.5, 0.5], "val_loss": [2.0]}
    assert all(type(value) is float for values in history.history.values() for value in values)
    assert history.epoch == [0, 1]


def test_a_second_fit_with_the_same_object_goes_on():
    history = History()
    train(history, [{"loss": 2.0}])
    train(history, [{"loss": 1.0}])
    assert history.history == {"loss": [2.0, 1.0]}
    assert history.epoch == [0]
