"""Schedules: values at the joints, inside programs and inside optimizers. Curves are compared in tests/parity."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.optimizers import schedules
from tests.tolerances import assert_close


def test_piecewise_constant_changes_after_its_boundaries():
    schedule = schedules.PiecewiseConstantDecay([5, 10], [1.0, 0.5, 0.1])
    assert_close([float(schedule(i)) for i in (0, 5, 6, 10, 11)], np.float32([1, 1, 0.5, 0.5, 0.1]))


def test_polynomial_cycle_restarts_lower():
    schedule = schedules.PolynomialDecay(1.0, 10, 0.0, cycle=True)
    assert_close(
        [float(schedule(i)) for i in (0, 5, 10, 11, 15, 20)], np.float32([1, 0.5, 0, 0.45, 0.25, 0])
    )


def test_staircases():
    schedule = schedules.ExponentialDecay(1.0, 10, 0.5, staircase=True)
    assert_close([float(schedule(i)) for i in (0, 9, 10, 25)], np.float32([1, 1, 0.5, 0.25]))
    schedule = schedules.InverseTimeDecay(1.0, 10, 1.0, staircase=True)
    assert_close([float(schedule(i)) for i in (0, 9, 10, 25)], np.float32([1, 1, 1 / 2, 1 / 3]))


def test_warmup_rises_on_a_line_and_ends_at_the_target():
    schedule = schedules.CosineDecay(0.0, 10, warmup_target=1.0, warmup_steps=4)
    assert_close(
        [float(schedule(i)) for i in (0, 2, 4, 9, 14, 30)], np.float32([0, 0.5, 1, 0.5, 0, 0])
    )


def test_inside_a_program():
    schedule = schedules.CosineDecayRestarts(0.1, 5)
    compiled = jax.jit(lambda step: schedule(step).__jax_array__())
    assert_close([float(compiled(i)) for i in range(20)], [float(schedule(i)) for i in range(20)])


def test_an_optimizer_follows_its_schedule():
    weight = keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))
    for _ in range(3):
        optimizer.apply([np.float32([-1])], [weight])
    assert weight.numpy() == 2.0
    assert float(optimizer.learning_rate) == 0.5


def test_an_own_schedule_is_configured_from_its_signature():
    @keras.saving.register_keras_serializable("tests")
    class Root(schedules.LearningRateSchedule):
        def __init__(self, first: float):
            self.first = first

        def __call__(self, step):
            return self.first / keras.ops.sqrt(keras.ops.cast(step, "float32") + 1)

    config = keras.optimizers.serialize(keras.optimizers.SGD(Root(2.0)))
    assert float(keras.optimizers.deserialize(config).learning_rate) == 2.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: schedules.CosineDecay(0.1, 0), "`decay_steps` must be > 0; received 0"),
        (lambda: schedules.CosineDecayRestarts(0.1, -1), "`first_decay_steps` must be > 0"),
        (
            lambda: schedules.PiecewiseConstantDecay([5], [1.0]),
            "received 1 values and 1 boundaries",
        ),
        (
            lambda: schedules.PiecewiseConstantDecay([5, 3], [1.0, 2.0, 3.0]),
            "must be rising numbers",
        ),
        (
            lambda: schedules.deserialize("CosineDecai"),
            "Unknown learning-rate schedule.*CosineDecay",
        ),
    ],
)
def test_bad_input(call, message: str):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_subclass_must_say_how():
    with pytest.raises(NotImplementedError, match="must implement `__call__"):
        schedules.LearningRateSchedule()(3)
