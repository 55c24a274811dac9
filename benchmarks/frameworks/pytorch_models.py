"""The cases' models in PyTorch, with Keras's initialisers and optimizer settings.

Initialisers matter to the loss, by which the report checks that all frameworks train the same
thing, and not to the time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.cases import lstm

EPSILON = 1e-7  # Keras's; PyTorch's own default is 1e-8


@dataclass(frozen=True)
class Recipe:
    """All that the training loop needs to know about a case."""

    model: Callable[[], nn.Module]
    optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    loss: Callable[[Tensor, Tensor], Tensor]
    correct: Callable[[Tensor, Tensor], Tensor]  # logits, targets -> how many are right
    activation: Callable[[Tensor], Tensor]  # logits -> what Keras's model returns
    inputs: Callable[[Tensor], Tensor]
    targets: Callable[[Tensor], Tensor]


def cnn() -> nn.Module:
    """(b, 1, 28, 28) -> (b, 10) logits; channels last in memory, its faster layout on CPU"""
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1600, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    return model.apply(_keras_initial).to(memory_format=torch.channels_last)


def mlp() -> nn.Module:
    """(b, 784) -> (b, 10) logits"""
    model = nn.Sequential(
        nn.Linear(784, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(512, 10),
    )
    return model.apply(_keras_initial)


class TextClassifier(nn.Module):
    """(b, t) word numbers -> (b, 1) logits"""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(lstm.WORDS, 128)
        self.lstm = nn.LSTM(128, 128, batch_first=True)
        self.dense = nn.Linear(128, 1)
        self.apply(_keras_initial)

    def forward(self, x: Tensor) -> Tensor:
        """Logit of the last hidden state."""
        _, (hidden, _) = self.lstm(self.embedding(x))
        return self.dense(hidden[-1])


def _keras_initial(module: nn.Module) -> None:
    """Glorot uniform kernels, zero biases, orthogonal recurrent kernels, forget bias 1."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, nn.LSTM):
        nn.init.xavier_uniform_(module.weight_ih_l0)
        nn.init.orthogonal_(module.weight_hh_l0)
        nn.init.zeros_(module.bias_ih_l0)
        nn.init.zeros_(module.bias_hh_l0)
        nn.init.ones_(module.bias_ih_l0.data[module.hidden_size : 2 * module.hidden_size])


def _adam(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=1e-3, eps=EPSILON, fused=True)


def _rmsprop(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=EPSILON)


def _most_likely(logits: Tensor, targets: Tensor) -> Tensor:
    return (logits.argmax(dim=1) == targets).sum()


def _right_side(logits: Tensor, targets: Tensor) -> Tensor:
    return ((logits > 0) == (targets > 0.5)).sum()


MODELS: dict[str, Recipe] = {
    "cnn": Recipe(
        model=cnn,
        optimizer=_adam,
        loss=F.cross_entropy,
        correct=_most_likely,
        activation=lambda logits: logits.softmax(dim=1),
        inputs=lambda x: x.permute(0, 3, 1, 2),  # b h w c -> b c h w, memory as it is
        targets=Tensor.long,
    ),
    "mlp": Recipe(
        model=mlp,
        optimizer=_rmsprop,
        loss=F.cross_entropy,
        correct=_most_likely,
        activation=lambda logits: logits.softmax(dim=1),
        inputs=lambda x: x,
        targets=Tensor.long,
    ),
    "lstm": Recipe(
        model=TextClassifier,
        optimizer=_adam,
        loss=F.binary_cross_entropy_with_logits,
        correct=_right_side,
        activation=torch.sigmoid,
        inputs=lambda x: x,
        targets=lambda y: y,
    ),
}
