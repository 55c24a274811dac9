"""A training that ends after a step, as if its process had."""

from hornbeam import keras


class Stop(Exception):
    """The end of a process."""


class StopAfter(keras.callbacks.Callback):
    """Ends a training after so many steps, counted from 1; before the epoch's end is reported."""

    _comes_last = True

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def get_state(self):
        return {}

    def set_state(self, state):
        """Go on counting."""

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Stop
