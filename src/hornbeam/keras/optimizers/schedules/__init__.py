"""Learning rates that depend on the number of updates so far."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.optimizers.schedules.base import LearningRateSchedule
from hornbeam.keras.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from hornbeam.keras.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from hornbeam.keras.optimizers.schedules.lookup import deserialize, serialize

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

__getattr__ = missing_names(__name__)
