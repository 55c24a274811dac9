"""The cases' models in PyTorch, with Keras's initialisers and optimizer settings.

Initialisers matter to the loss, by which the report checks that all frameworks train the same
thing, and not to the time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.cases import lstm, resnet, transformer

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

    def __init__(self, recurrent: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(lstm.WORDS, lstm.UNITS)
        self.recurrent = recurrent(lstm.UNITS, lstm.UNITS, batch_first=True)
        self.dense = nn.Linear(lstm.UNITS, 1)
        self.apply(_keras_initial)

    def forward(self, x: Tensor) -> Tensor:
        """Logit of the last hidden state."""
        outputs, _ = self.recurrent(self.embedding(x))
        return self.dense(outputs[:, -1])


class MaskedClassifier(nn.Module):
    """(b, t) word numbers, 0 behind the last -> (b, 1) logits; packed sequences are PyTorch's masks"""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(lstm.WORDS, lstm.UNITS)
        self.recurrent = nn.LSTM(
            lstm.UNITS, lstm.UNITS // 2, num_layers=2, bidirectional=True, batch_first=True
        )
        self.dense = nn.Linear(lstm.UNITS, 1)
        self.apply(_keras_initial)

    def forward(self, x: Tensor) -> Tensor:
        """Logit of the last hidden states of both directions."""
        lengths = (x != 0).sum(dim=1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(x), lengths, batch_first=True, enforce_sorted=False
        )
        _, (hidden, _) = self.recurrent(packed)
        return self.dense(torch.cat([hidden[-2], hidden[-1]], dim=1))


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolution(channels, filters, 3, stride),
            nn.ReLU(),
            _convolution(filters, filters, 3, 1),
        )
        self.shortcut = _convolution(channels, filters, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """relu(body + shortcut)"""
        return F.relu(self.body(x) + self.shortcut(x))


def _convolution(channels: int, filters: int, size: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, filters, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01),
    )


def resnet20() -> nn.Module:
    """(b, 3, 32, 32) -> (b, 10) logits; channels last in memory"""
    parts: list[nn.Module] = [_convolution(3, 16, 3, 1), nn.ReLU()]
    channels = 16
    for filters, stride in resnet.STAGES:
        for number in range(resnet.BLOCKS):
            parts.append(Block(channels, filters, stride if number == 0 else 1))
            channels = filters
    model = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return model.apply(_keras_initial).to(memory_format=torch.channels_last)


class Transformer(nn.Module):
    """(b, t) word numbers -> (b, 2) logits"""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(transformer.WORDS, transformer.WIDTH)
        layer = nn.TransformerEncoderLayer(
            transformer.WIDTH, transformer.HEADS, transformer.HIDDEN, dropout=0.0, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, transformer.LAYERS, enable_nested_tensor=False)
        self.dense = nn.Linear(transformer.WIDTH, 2)
        self.apply(_keras_initial)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the mean over time."""
        return self.dense(self.encoder(self.embedding(x)).mean(dim=1))


def _keras_initial(module: nn.Module) -> None:
    """Glorot uniform kernels, zero biases, orthogonal recurrent kernels, forget bias 1."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, nn.LSTM | nn.GRU):
        for name, parameter in module.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
                if isinstance(module, nn.LSTM) and name.startswith("bias_ih"):
                    nn.init.ones_(parameter.data[module.hidden_size : 2 * module.hidden_size])


def _adam(parameters: Iterable[nn.Parameter], rate: float = 1e-3) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=rate, eps=EPSILON, fused=True)


def _rmsprop(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=EPSILON)


def _sgd(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9, fused=True)


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
    **{
        name: Recipe(
            model=model,
            optimizer=_adam,
            loss=F.binary_cross_entropy_with_logits,
            correct=_right_side,
            activation=torch.sigmoid,
            inputs=lambda x: x,
            targets=lambda y: y,
        )
        for name, model in {
            "lstm": lambda: TextClassifier(nn.LSTM),
            "gru": lambda: TextClassifier(nn.GRU),
            "bilstm": MaskedClassifier,
        }.items()
    },
    "resnet20": Recipe(
        model=resnet20,
        optimizer=_sgd,
        loss=F.cross_entropy,
        correct=_most_likely,
        activation=lambda logits: logits.softmax(dim=1),
        inputs=lambda x: x.permute(0, 3, 1, 2),
        targets=Tensor.long,
    ),
    "transformer": Recipe(
        model=Transformer,
        optimizer=partial(_adam, rate=transformer.RATE),
        loss=F.cross_entropy,
        correct=_most_likely,
        activation=lambda logits: logits.softmax(dim=1),
        inputs=lambda x: x,
        targets=Tensor.long,
    ),
}
