"""What a case is: a model, its data, and how much of it makes a round."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 2026

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A model trained on made-up data that has something to learn.

    The Keras model is written once and handed each framework's own `keras` module; PyTorch's
    counterpart, under the same name, is in `frameworks/pytorch_models.py`.
    """

    name: str
    title: str
    batch: int
    steps: int  # training steps in a round: enough that `fit`'s fixed cost is small beside them
    build: Callable[[Any], Any]  # keras module -> compiled model
    make_data: Callable[[np.random.Generator, int], Arrays]  # rows -> x, y
    predict_rows: int = 4096
    predict_batch: int = 256
    operations: float = 0  # multiplications and additions of matrix products, per row and step
    policy: str = "float32"  # Hornbeam's dtype policy; the peers run at their best, in float32
    model: str = ""  # the case whose PyTorch model this is; "" is its own

    @property
    def model_name(self) -> str:
        """Under which name PyTorch's counterpart is found."""
        return self.model or self.name

    def data(self) -> Arrays:
        """The same x and y, for every framework and every run."""
        rows = max(self.batch * self.steps, self.predict_rows)
        return self.make_data(np.random.default_rng(SEED), rows)

    def variant(self, suffix: str, title: str, **changes: Any) -> "Case":
        """The same model otherwise, as a case of its own."""
        return dataclasses.replace(
            self,
            name=f"{self.name}-{suffix}",
            title=f"{self.title}, {title}",
            model=self.model_name,
            **changes,
        )

    def in_bfloat16(self) -> "Case":
        """The same in mixed bfloat16, against peers in float32."""
        return self.variant("bf16", "mixed_bfloat16", policy="mixed_bfloat16")

    def with_steps(self, steps: int | None) -> "Case":
        """This case with another length of round (None: as it is)."""
        return self if steps is None else dataclasses.replace(self, steps=steps)


def blurred_digits(generator: np.random.Generator, rows: int) -> Arrays:
    """Ten fixed 28 x 28 patterns under noise: x (b, 28, 28) float32 in [0, 1], y (b,) int32.

    A tenth of the labels is random, so that the loss keeps a floor to compare frameworks by.
    """
    patterns = generator.random((10, 7, 7), dtype=np.float32).repeat(4, axis=1).repeat(4, axis=2)
    y = generator.integers(0, 10, rows, dtype=np.int32)
    noise = generator.random((rows, 28, 28), dtype=np.float32)
    x = 0.5 * patterns[y] + 0.5 * noise
    wrong = generator.random(rows) < 0.1
    y[wrong] = generator.integers(0, 10, wrong.sum(), dtype=np.int32)
    return x, y
