"""Optimizers in files that go from one library to the other and back, and the same steps of training before and after.

Both libraries run without compiling: a program of its own for each case would take longer than all else, and compiled
steps are compared elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from tests.contract import test_optimizers as contract
from tests.parity.exchange import check_there_and_back
from tests.parity.test_optimizers import ACCUMULATION, OWN, SHARED

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(6, 2)).astype("float32")

# Each optimizer as the contract has it, with every slot, and another of the arguments that all of them take.
EACH = {
    "Adadelta": {"clipnorm": 0.1},
    "Adafactor": {"clipnorm": 0.1},
    "Adagrad": {"clipvalue": 0.05},
    "Adam": {"gradient_accumulation_steps": 3},
    "AdamW": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
    "Adamax": {"global_clipnorm": 0.1},
    "Ftrl": {"loss_scale_factor": 4.0},
    "Lamb": {"weight_decay": 0.1},
    "Lion": {"learning_rate": ("PolynomialDecay", 0.1, 10)},
    "Muon": {"global_clipnorm": 0.1},
    "Nadam": {"use_ema": True, "ema_momentum": 0.7},
    "RMSprop": {"learning_rate": ("CosineDecayRestarts", 0.1, 4)},
    "SGD": {"learning_rate": ("ExponentialDecay", 0.1, 2, 0.5), "weight_decay": 0.1},
    "ScheduleFreeAdamW": {"weight_decay": 0.1},
}
FEW = [(name, f"{name}-slots", {**contract.OPTIMIZERS[name], **EACH[name]}) for name in EACH]
MANY = [
    *((name, f"{name}-{own}", {"learning_rate": 0.1, **own}) for name in OWN for own in OWN[name]),
    *(
        (name, f"{name}-{kind}", kwargs)
        for name in ("Adam", "SGD")
        for kind, kwargs in {**SHARED, **ACCUMULATION}.items()
    ),
    *(
        ("Adam", f"Adam-{name}", {"learning_rate": (name, *arguments)})
        for name, arguments in contract.SCHEDULES.items()
    ),
    *(
        (
            name,
            f"{name}-all",
            {**contract.OPTIMIZERS[name], **ACCUMULATION["accumulation_and_more"]},
        )
        for name in EACH
    ),
]
# Keras does not find Lamb by the name that it has in `.h5` files, and gives variables of Adafactor the same name there.
IN_FORMATS = {"Adafactor": ("keras",), "Lamb": ("keras",)}
cases = pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        *(pytest.param(name, kwargs, id=id) for name, id, kwargs in FEW),
        *(pytest.param(name, kwargs, id=id, marks=pytest.mark.slow) for name, id, kwargs in MANY),
    ],
)


def optimizer(k: Any, name: str, kwargs: dict[str, Any]) -> Any:
    rate = kwargs.get("learning_rate")
    if isinstance(rate, tuple):
        schedule = getattr(k.optimizers.schedules, rate[0])(*rate[1:])
        kwargs = {**kwargs, "learning_rate": schedule}
    return getattr(k.optimizers, name)(**kwargs)


def compiled(k: Any, made: Any, eager: bool = True) -> Any:
    """Return a model with two layers; the weights of one are constrained."""
    constraint = k.constraints.MinMaxNorm(0.2, 2.5, rate=0.5)
    hidden = k.layers.Dense(3, activation="tanh", kernel_constraint=constraint)
    model = k.Sequential([k.Input((4,)), hidden, k.layers.Dense(2)])
    model.compile(made, "mean_squared_error", run_eagerly=eager)
    return model


@cases
def test_there_and_back(name: str, kwargs: dict[str, Any], tmp_path: Path) -> None:
    model = compiled(keras, optimizer(keras, name, kwargs))
    check_there_and_back(model, X, Y, tmp_path, IN_FORMATS.get(name, ("keras", "h5")))


def test_loss_scale(tmp_path: Path) -> None:
    """Compiled: Keras's own steps of this optimizer leak tracers otherwise."""
    inner = keras.optimizers.Adam(0.1, amsgrad=True)
    made = keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)
    check_there_and_back(compiled(keras, made, eager=False), X, Y, tmp_path)
