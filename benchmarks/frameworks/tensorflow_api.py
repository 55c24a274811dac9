"""The session of a framework that speaks `tensorflow` besides Keras: what users write by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases.base import Case
from benchmarks.frameworks.keras_api import KerasSession

CALLS = 100
"""Calls of a model or a function in one measurement."""


class TensorFlowSession(KerasSession):
    """A classifier in `fit`, in training loops, and in single calls."""

    def __init__(self, tf: Any, keras: Any, case: Case, x: np.ndarray, y: np.ndarray) -> None:
        super().__init__(keras, case, x, y)
        self.tf, self.keras, self.case = tf, keras, case
        self._kept: dict[str, Any] = {}

    def loop_eager(self, steps: int) -> float:
        """Train by a hand-written loop of `steps` batches, operation by operation; the mean loss."""
        return self._loop(self._made("step", self._step), steps)

    def loop_function(self, steps: int) -> float:
        """Train by the same loop with its step under `tf.function`."""
        return self._loop(self._made("function", lambda: self.tf.function(self._step())), steps)

    def fit_own_step(self, steps: int) -> float:
        """`fit` of the same model with a `train_step` of the user's."""
        rows = steps * self.batch
        model = self._made("own model", self._own_model)
        history = model.fit(self.x[:rows], self.y[:rows], batch_size=self.batch, verbose=0)
        return float(history.history["loss"][-1])

    def call_model(self) -> None:
        """Call the model on one row, as a function, and look at the result."""
        row = self._made("row", lambda: self.tf.constant(self.x[:1]))
        for _ in range(CALLS):
            self.model(row, training=False).numpy()

    def call_function(self) -> None:
        """Call a `tf.function` of one operation."""
        function = self._made("add", lambda: self.tf.function(lambda x: x + 1.0))
        x = self._made("x", lambda: self.tf.ones((8, 8)))
        for _ in range(CALLS):
            x = function(x)
        x.numpy()

    def _made(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what was made under the name, made at the first use."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def _step(self) -> Callable[[Any, Any], Any]:
        """Return the step of TensorFlow's guides, for a model and an optimizer of its own."""
        tf, keras = self.tf, self.keras
        model, optimizer = self.case.build(keras), keras.optimizers.Adam()
        loss_of = keras.losses.SparseCategoricalCrossentropy()
        accuracy = keras.metrics.SparseCategoricalAccuracy()

        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                predicted = model(x, training=True)
                loss = loss_of(y, predicted)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            accuracy.update_state(y, predicted)
            return loss

        return step

    def _loop(self, step: Callable[[Any, Any], Any], steps: int) -> float:
        losses = []
        for first in range(0, steps * self.batch, self.batch):
            rows = slice(first, first + self.batch)
            x, y = self.tf.constant(self.x[rows]), self.tf.constant(self.y[rows])
            losses.append(step(x, y))
        return float(np.mean([float(loss) for loss in losses]))

    def _own_model(self) -> Any:
        tf, base = self.tf, self.case.build(self.keras)

        class Own(self.keras.Model):
            def train_step(self, data: Any) -> Any:
                x, y = data
                with tf.GradientTape() as tape:
                    predicted = self(x, training=True)
                    loss = self.compute_loss(x=x, y=y, y_pred=predicted)
                gradients = tape.gradient(loss, self.trainable_variables)
                pairs = zip(gradients, self.trainable_variables, strict=True)
                self.optimizer.apply_gradients(pairs)
                for metric in self.metrics:
                    if metric.name == "loss":
                        metric.update_state(loss)
                    else:
                        metric.update_state(y, predicted)
                return {metric.name: metric.result() for metric in self.metrics}

        own = Own(base.inputs, base.outputs[0])
        own.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return own
