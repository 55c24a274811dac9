"""Rules that change weights along their gradients."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.optimizers import schedules
from hornbeam.keras.optimizers.adadelta import Adadelta
from hornbeam.keras.optimizers.adafactor import Adafactor
from hornbeam.keras.optimizers.adagrad import Adagrad
from hornbeam.keras.optimizers.adam import Adam, AdamW
from hornbeam.keras.optimizers.adamax import Adamax
from hornbeam.keras.optimizers.ftrl import Ftrl
from hornbeam.keras.optimizers.lamb import Lamb
from hornbeam.keras.optimizers.lion import Lion
from hornbeam.keras.optimizers.lookup import deserialize, get, serialize
from hornbeam.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.keras.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from hornbeam.keras.optimizers.muon import Muon
from hornbeam.keras.optimizers.nadam import Nadam
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.optimizers.rmsprop import RMSprop
from hornbeam.keras.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from hornbeam.keras.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

__getattr__ = missing_names(__name__)
