"""Updates outside of programs are one program, and do what the same update does step by step."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.scope import StateScope
from hornbeam.keras.optimizers import compiled
from tests.tolerances import assert_close

optimizers = keras.optimizers
GRADIENTS = [np.linspace(-1, 2, 6, dtype="float32").reshape(2, 3), np.ones(3, "float32")]


def variables():
    return [keras.Variable(np.full((2, 3), 0.5)), keras.Variable(np.array([1.0, -2.0, 0.25]))]


def updated(optimizer, steps=3):
    """The values of variables and of the optimizer after some steps."""
    targets = variables()
    for step in range(steps):
        gradients = [tf.constant(each * np.float32(step + 1)) for each in GRADIENTS]
        optimizer.apply_gradients(zip(gradients, targets, strict=True))
    return [each.numpy() for each in (*targets, *optimizer.variables)]


MADE = {
    "SGD": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "Adam": lambda: optimizers.Adam(0.1, weight_decay=0.01, global_clipnorm=1.0),
    "averages": lambda: optimizers.RMSprop(0.1, use_ema=True, ema_overwrite_frequency=2),
    "accumulation": lambda: optimizers.Adam(0.1, gradient_accumulation_steps=2),
    "schedule": lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)),
    "loss scale": lambda: optimizers.SGD(0.1, loss_scale_factor=4.0),
}


@pytest.mark.parametrize("name", MADE)
def test_a_program_updates_as_the_steps_do(name, monkeypatch):
    optimizer = MADE[name]()
    got = updated(optimizer)
    assert len(compiled._programs[optimizer]) == 1
    monkeypatch.setattr(compiled, "can_be_compiled", lambda *_: False)
    for one, other in zip(got, updated(MADE[name]()), strict=True):
        assert_close(one, other)


def counted(monkeypatch):
    """A list that gets an entry whenever an update runs as Python: when it is traced, or where it is not compiled."""
    calls = []
    real = optimizers.Optimizer._apply

    def apply(*args):
        calls.append(1)
        return real(*args)

    monkeypatch.setattr(optimizers.Optimizer, "_apply", apply)
    return calls


def test_an_update_is_compiled_once(monkeypatch):
    calls = counted(monkeypatch)
    optimizer = optimizers.Adam(0.1)
    updated(optimizer, steps=5)
    # Once more, where the trace has found what it reads.
    assert len(calls) <= 2
    assert int(optimizer.iterations) == 5


def test_settings_and_the_rate_count_at_the_next_step():
    weight = keras.Variable([0.0])
    optimizer = optimizers.SGD(1.0)
    moves = []
    for change in (
        lambda: None,
        lambda: setattr(optimizer, "learning_rate", 0.5),
        lambda: setattr(optimizer, "clipvalue", 0.5),
        lambda: setattr(optimizer, "clipvalue", None),
    ):
        change()
        before = float(weight[0])
        optimizer.apply([tf.constant([1.0])], [weight])
        moves.append(before - float(weight[0]))
    assert moves == [1.0, 0.5, 0.25, 0.5]


def test_a_schedule_that_is_changed_counts_at_the_next_step():
    weight = keras.Variable([0.0])
    schedule = optimizers.schedules.ExponentialDecay(1.0, 10, 1.0)
    optimizer = optimizers.SGD(schedule)
    optimizer.apply([tf.constant([1.0])], [weight])
    schedule.initial_learning_rate = 0.25
    optimizer.apply([tf.constant([1.0])], [weight])
    assert float(weight[0]) == -1.25


def test_python_of_a_users_runs_at_each_step():
    rates, weight = [1.0, 0.5, 0.25], keras.Variable([0.0])
    optimizer = optimizers.SGD(lambda: rates.pop(0))
    for _ in range(3):
        optimizer.apply([tf.constant([1.0])], [weight])
    assert float(weight[0]) == -1.75

    class Own(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            steps.append(float(gradient[0]))
            variable.assign_sub(gradient * learning_rate)

    steps, optimizer = [], Own(0.5)
    for _ in range(2):
        optimizer.apply([tf.constant([1.0])], [weight])
    assert steps == [1.0, 1.0]
    assert float(weight[0]) == -2.75

    limits = [0.5, 0.125]
    weight.constraint = lambda value: tf.clip_by_value(value, -limits[0], limits.pop(0))
    for limit in list(limits):
        optimizers.SGD(0.0).apply([tf.constant([0.0])], [weight])
        assert float(weight[0]) == -limit


def test_constraints_of_ours_are_in_the_program():
    weight = keras.Variable([1.0])
    weight.constraint = keras.constraints.NonNeg()
    optimizer = optimizers.SGD(1.0)
    optimizer.apply([tf.constant([3.0])], [weight])
    assert float(weight[0]) == 0.0
    assert len(compiled._programs[optimizer]) == 1


def test_lists_of_variables_in_turn_have_their_own_programs():
    a, b = keras.Variable([0.0]), keras.Variable([0.0])
    optimizer = optimizers.SGD(1.0)
    optimizer.build([a, b])
    for _ in range(2):
        optimizer.apply([tf.constant([1.0])], [a])
        optimizer.apply([tf.constant([2.0])], [b])
    assert (float(a[0]), float(b[0])) == (-2.0, -4.0)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([tf.constant([1.0]), None], [a, b])
    assert (float(a[0]), float(b[0]), int(optimizer.iterations)) == (-3.0, -4.0, 5)


def test_values_that_a_tape_holds_stay_whole():
    weight = keras.Variable([3.0])
    optimizer = optimizers.SGD(1.0)
    with tf.GradientTape(persistent=True) as tape:
        loss = weight * weight
    for _ in range(2):
        optimizer.apply([tape.gradient(loss, weight)], [weight])
    assert float(tape.gradient(loss, weight)[0]) == 6.0
    assert float(weight[0]) == -9.0


def test_inside_of_a_scope_nothing_is_compiled():
    weight = keras.Variable([1.0])
    optimizer = optimizers.SGD(1.0)
    optimizer.build([weight])
    with StateScope() as scope:
        optimizer.apply([tf.constant([1.0])], [weight])
    assert float(weight[0]) == 1.0
    assert [float(value[0]) for variable, value in scope.updates if variable is weight] == [0.0]


def test_a_program_goes_with_its_optimizer():
    optimizer = optimizers.SGD(1.0)
    optimizer.apply([tf.constant([1.0])], [keras.Variable([1.0])])
    reference = weakref.ref(optimizer)
    del optimizer
    gc.collect()
    assert reference() is None
