"""PyTorch: the eager loop that a careful user writes by hand."""

import numpy as np
import torch

from benchmarks.cases.base import SEED, Case
from benchmarks.frameworks.pytorch_models import MODELS
from benchmarks.machine import cores


class PyTorchSession:
    """Tensors made once, batches gathered by a permutation, nothing read back inside the epoch.

    It does what `fit` does: shuffle, step, and keep the epoch's mean loss and accuracy.
    """

    def __init__(self, case: Case, x: np.ndarray, y: np.ndarray, compiled: bool = False) -> None:
        torch.set_num_threads(cores())
        torch.manual_seed(SEED)
        recipe = MODELS[case.model_name]
        self.model = recipe.model()
        self.optimizer = recipe.optimizer(self.model.parameters())
        self.loss, self.correct, self.activation = recipe.loss, recipe.correct, recipe.activation
        self.x, self.y = recipe.inputs(torch.from_numpy(x)), recipe.targets(torch.from_numpy(y))
        self.batch = case.batch
        self.forward = torch.compile(self.model) if compiled else self.model

    def fit(self, steps: int) -> float:
        """One epoch over the first `steps` batches, shuffled."""
        self.model.train()
        total_loss, total_correct = torch.zeros(()), torch.zeros(())
        for rows in torch.randperm(steps * self.batch).split(self.batch):
            x, y = self.x[rows], self.y[rows]
            logits = self.forward(x)
            loss = self.loss(logits, y)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total_loss += loss.detach()
            total_correct += self.correct(logits.detach(), y)
        return float(total_loss) / steps

    def predict(self, rows: int, batch: int) -> None:
        """Forward passes in inference mode."""
        self.model.eval()
        with torch.inference_mode():
            parts = [self.activation(self.forward(x)) for x in self.x[:rows].split(batch)]
            torch.cat(parts).numpy()


def open_session(case: Case, x: np.ndarray, y: np.ndarray) -> PyTorchSession:
    """The case in PyTorch, eager."""
    return PyTorchSession(case, x, y)
