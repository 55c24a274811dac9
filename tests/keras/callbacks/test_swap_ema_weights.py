"""SwapEMAWeights: averages in the model where it is looked at, weights where it trains."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import callbacks, optimizers

X = np.zeros((2, 1), "float32")


def compiled(**options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    loss = lambda y_true, y_pred: keras.ops.mean(y_pred, axis=-1)  # noqa: E731
    model.compile(optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5), loss, **options)
    return model


def bias(model) -> float:
    return float(model.get_weights()[1][0])


class Look(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(("begin", bias(self.model)))

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(("end", bias(self.model)))


# The bias goes down by 1 in each of four steps; its average is -1, -1.5, -2.25, -3.125.
@pytest.mark.parametrize(("swap", "ends"), [(False, (-2.0, -4.0)), (True, (-1.5, -3.125))])
def test_validation_and_later_callbacks_see_averages(swap, ends):
    model, look = compiled(), Look()
    history = model.fit(
        X, X, batch_size=1, epochs=2, verbose=0, validation_data=(X, X),
        callbacks=[callbacks.SwapEMAWeights(swap_on_epoch=swap), look],
    )  # fmt: skip
    assert history.history["val_loss"] == [-1.5, -3.125]
    assert look.seen == [("begin", 0.0), ("end", ends[0]), ("begin", -2.0), ("end", ends[1])]


def test_evaluation_and_prediction_put_the_weights_back():
    model = compiled()
    model.train_on_batch(X, X)
    model.train_on_batch(X, X)
    swap = callbacks.SwapEMAWeights()
    assert model.evaluate(X, X, verbose=0, callbacks=[swap]) == -1.5
    assert model.predict(X, verbose=0, callbacks=[swap]).tolist() == [[-1.5], [-1.5]]
    assert bias(model) == -2.0


def test_averages_behind_a_loss_scale():
    model = compiled()
    model.optimizer = optimizers.LossScaleOptimizer(model.optimizer, initial_scale=2.0)
    model.train_on_batch(X, X)
    model.train_on_batch(X, X)
    assert model.evaluate(X, X, verbose=0, callbacks=[callbacks.SwapEMAWeights()]) == -1.5


def test_an_optimizer_without_averages_is_an_error():
    model = compiled()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"needs an optimizer that averages weights.*use_ema=True"):
        model.evaluate(X, X, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
