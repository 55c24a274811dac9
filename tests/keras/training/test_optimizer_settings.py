"""Settings of an optimizer that are changed between two calls of `fit` count in the second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import optimizers


def falling_weight(optimizer: Any) -> keras.Model:
    """A model with one weight, 0 at first, whose gradient is 2."""
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(optimizer, loss=lambda y, y_pred: 2 * y_pred, auto_scale_loss=False)
    return model


def step(model: keras.Model) -> float:
    """Train for one step; return how far the weight fell."""
    before = float(model.get_weights()[0].item())
    model.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    return before - float(model.get_weights()[0].item())


def always(rate: float) -> Any:
    """A schedule that is the same at every step."""
    return optimizers.schedules.PiecewiseConstantDecay([10_000], [rate, rate])


SETTINGS: list[tuple[str, Any, float]] = [
    ("learning_rate", 10.0, 20.0),
    ("learning_rate", always(10.0), 20.0),
    ("learning_rate", lambda: 10.0, 20.0),
    ("clipvalue", 0.5, 0.5),
    ("clipnorm", 0.25, 0.25),
    ("global_clipnorm", 0.25, 0.25),
    ("weight_decay", 0.5, 2.0 - 0.5 * 2.0),  # the weight is -2 before
]


@pytest.mark.parametrize(("name", "value", "fall"), SETTINGS)
@pytest.mark.parametrize("wrap", [lambda x: x, optimizers.LossScaleOptimizer], ids=["", "scaled"])
def test_a_changed_setting_counts(
    wrap: Callable[[Any], Any], name: str, value: Any, fall: float
) -> None:
    optimizer = optimizers.SGD(1.0)
    model = falling_weight(wrap(optimizer))
    assert step(model) == 2.0
    setattr(optimizer, name, value)
    assert step(model) == fall


def test_a_second_schedule_replaces_the_first() -> None:
    model = falling_weight(optimizers.SGD(always(1.0)))
    assert step(model) == 2.0
    model.optimizer.learning_rate = always(10.0)
    assert step(model) == 20.0


def test_momentum_that_was_there_may_change() -> None:
    model = falling_weight(optimizers.SGD(1.0, momentum=0.5))
    assert [step(model), step(model)] == [2.0, 3.0]
    model.optimizer.momentum = 0.0625
    assert step(model) == 2.0 + 3.0 * 0.0625


def test_momentum_without_its_variables_is_refused() -> None:
    model = falling_weight(optimizers.SGD(1.0))
    step(model)
    model.optimizer.momentum = 0.5
    with pytest.raises(ValueError, match="built without momentum"):
        step(model)
    model.optimizer.momentum = 0.0
    assert step(model) == 2.0


def test_excluded_variables_lose_nothing_from_then_on() -> None:
    model = falling_weight(optimizers.SGD(1.0, weight_decay=0.5))
    assert [step(model), step(model)] == [2.0, 1.0]
    model.optimizer.exclude_from_weight_decay(var_names=["kernel"])
    assert step(model) == 2.0


def test_an_equal_setting_compiles_nothing() -> None:
    model = falling_weight(optimizers.SGD(1.0))
    step(model)
    programs = dict(model._programs)
    model.optimizer.clipvalue = None
    model.optimizer.learning_rate = 0.5
    assert step(model) == 1.0
    assert model._programs == programs
