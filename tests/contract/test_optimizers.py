"""What holds for every optimizer and schedule that is exported. One without an entry fails."""

from __future__ import annotations

import inspect
import json
from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import scope
from hornbeam.core.tensor import unwrap
from hornbeam.keras import optimizers
from hornbeam.keras.optimizers import schedules
from tests.tolerances import assert_close

# Arguments of each optimizer, with every slot variable it can have.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "Adadelta": {"learning_rate": 1.0, "epsilon": 1e-3},
    "Adafactor": {"learning_rate": 0.5},
    "Adagrad": {"learning_rate": 0.5},
    "Adam": {"learning_rate": 0.1, "amsgrad": True},
    "AdamW": {"learning_rate": 0.1, "weight_decay": 0.01},
    "Adamax": {"learning_rate": 0.1},
    "Ftrl": {"learning_rate": 0.5},
    "Lamb": {"learning_rate": 0.1},
    "Lion": {"learning_rate": 0.05},
    "Muon": {"learning_rate": 0.5},
    "Nadam": {"learning_rate": 0.1},
    "RMSprop": {"learning_rate": 0.1, "momentum": 0.5, "centered": True},
    "SGD": {"learning_rate": 0.1, "momentum": 0.5, "nesterov": True},
    "ScheduleFreeAdamW": {"learning_rate": 0.1, "warmup_steps": 2},
}
SCHEDULES: dict[str, tuple[Any, ...]] = {
    "CosineDecay": (0.1, 10),
    "CosineDecayRestarts": (0.1, 4),
    "ExponentialDecay": (0.1, 10, 0.5),
    "InverseTimeDecay": (0.1, 10, 0.5),
    "PiecewiseConstantDecay": ([3, 6], [0.3, 0.2, 0.1]),
    "PolynomialDecay": (0.1, 10),
}
WITHOUT_RULE = ("LossScaleOptimizer", "MultiOptimizer", "OptimizerMap")
START = np.float32([[1.0, -2.0], [0.5, 3.0]])

each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)
each_schedule = pytest.mark.parametrize("name", SCHEDULES)


def make(name: str, /, **more: Any) -> optimizers.Optimizer:
    return getattr(optimizers, name)(**{**OPTIMIZERS[name], **more})


def descend(optimizer: optimizers.Optimizer, weight: keras.Variable, steps: int) -> None:
    """Minimise the sum of squares of a weight."""
    for _ in range(steps):
        optimizer.apply([2 * weight.value], [weight])


def state(optimizer: optimizers.Optimizer, weight: keras.Variable) -> list[np.ndarray]:
    return [variable.numpy() for variable in (weight, *optimizer.variables)]


def test_everything_exported_has_an_entry():
    for module, entries, others in (
        # Those without a rule: tests/keras/optimizers/test_loss_scale.py and test_multi_optimizer.py.
        (optimizers, OPTIMIZERS, ("Optimizer", *WITHOUT_RULE)),
        (schedules, SCHEDULES, ("LearningRateSchedule",)),
    ):
        assert {n for n in module.__all__ if inspect.isclass(getattr(module, n))} == {
            *entries,
            *others,
        }


@each_optimizer
def test_config_goes_through_json(name: str):
    config = json.loads(json.dumps(optimizers.serialize(make(name, clipnorm=0.5))))
    again = optimizers.deserialize(config)
    assert type(again).__name__ == name
    assert again.get_config() == config["config"]


@each_optimizer
def test_found_by_name(name: str):
    for identifier in (name, name.lower()):
        assert type(optimizers.get(identifier)).__name__ == name


@each_optimizer
def test_repr_names_class_and_learning_rate(name: str):
    assert (
        repr(make(name, name="mine", learning_rate=0.25))
        == f"<{name} name=mine, learning_rate=0.25>"
    )


@each_optimizer
def test_loss_falls(name: str):
    weight = keras.Variable(START)
    descend(make(name), weight, 10)
    assert (weight.numpy() ** 2).sum() < (START**2).sum()


@each_optimizer
def test_deterministic(name: str):
    ends = []
    for _ in range(2):
        optimizer, weight = make(name), keras.Variable(START)
        descend(optimizer, weight, 3)
        ends.append(state(optimizer, weight))
    for first, second in zip(*ends, strict=True):
        np.testing.assert_array_equal(first, second)


@each_optimizer
def test_compiled_is_eager(name: str):
    eager, there = make(name), keras.Variable(START)
    compiled, here = make(name), keras.Variable(START)
    compiled.build([here])
    variables = [here, *compiled.variables]
    step = jax.jit(scope.pure(lambda: compiled.apply([2 * here.value], [here]), variables))
    for _ in range(3):
        _, new = step([scope.read(v) for v in variables])
        for variable, value in zip(variables, new, strict=True):
            variable.assign(value)
    descend(eager, there, 3)
    assert_close(state(compiled, here), state(eager, there))


@each_optimizer
def test_training_goes_on_after_saving_and_loading(name: str):
    optimizer, weight = make(name), keras.Variable(START)
    descend(optimizer, weight, 2)
    store: dict[str, Any] = {}
    optimizer.save_own_variables(store)
    loaded, copy = make(name), keras.Variable(weight.numpy())
    loaded.build([copy])
    loaded.load_own_variables(store)
    descend(optimizer, weight, 2)
    descend(loaded, copy, 2)
    for first, second in zip(state(optimizer, weight), state(loaded, copy), strict=True):
        np.testing.assert_array_equal(first, second)


@each_optimizer
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_types_of_weights_are_kept(name: str, dtype: str):
    weight = keras.Variable(START, dtype=dtype)
    optimizer = make(name, learning_rate=0.01, clipnorm=1.0, weight_decay=0.01, use_ema=True)
    descend(optimizer, weight, 2)
    assert weight.dtype == dtype
    assert np.isfinite(weight.numpy().astype("float32")).all()
    assert {v.dtype for v in optimizer.variables[2:]} <= {dtype, "float32"}


@each_optimizer
def test_no_gradient_no_nan(name: str):
    weight = keras.Variable(np.zeros((2, 2), "float32"))
    optimizer = make(name, global_clipnorm=1.0)
    for _ in range(2):
        optimizer.apply([np.zeros((2, 2), "float32")], [weight])
    assert not weight.numpy().any()


@each_optimizer
def test_a_not_a_number_is_not_hidden(name: str):
    weight = keras.Variable(START)
    make(name).apply([np.full((2, 2), np.nan, "float32")], [weight])
    assert np.isnan(weight.numpy()).all()


@each_optimizer
def test_weights_of_any_rank(name: str):
    weights = [keras.Variable(np.ones(shape, "float32")) for shape in ((), (1,), (2, 3, 4), (0, 3))]
    optimizer = make(name)
    optimizer.apply([np.ones(w.shape, "float32") for w in weights], weights)
    assert all((w.numpy() < 1).all() for w in weights)


@each_schedule
def test_schedule_config_goes_through_json(name: str):
    schedule = getattr(schedules, name)(*SCHEDULES[name])
    config = json.loads(json.dumps(schedules.serialize(schedule)))
    again = schedules.deserialize(config)
    assert again.get_config() == schedule.get_config()
    assert float(again(5)) == float(schedule(5))


@each_schedule
def test_schedule_inside_an_optimizer(name: str):
    optimizer = optimizers.SGD(getattr(schedules, name)(*SCHEDULES[name]))
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert again.get_config() == optimizer.get_config()
    assert float(again.learning_rate) == float(optimizer.learning_rate)


@each_schedule
def test_schedule_is_finite_compiled_and_of_float32(name: str):
    schedule = getattr(schedules, name)(*SCHEDULES[name])
    compiled = jax.jit(lambda step: unwrap(schedule(step)))
    for step in (0, 1, 3, 1_000_000):
        value = schedule(step)
        assert value.dtype == "float32" and np.isfinite(value.numpy())
        assert_close(compiled(step), value)
