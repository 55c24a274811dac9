"""What a worker asks of a framework."""

from typing import Protocol


class Session(Protocol):
    """A built model with its data, ready to be timed."""

    def fit(self, steps: int) -> float:
        """Train one epoch of `steps` batches as a user would; the epoch's mean loss."""
        ...

    def predict(self, rows: int, batch: int) -> None:
        """Predictions of the first rows, as a NumPy array, in the framework's usual way."""
        ...
