"""Rules: what an optimizer says of itself, when its kernel is used, and users' own `update_step`."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import scope
from hornbeam.keras import optimizers
from hornbeam.keras.optimizers.rule import Rule, Slot
from hornbeam.kernels import native, updates
from tests.contract.test_optimizers import WITHOUT_RULE
from tests.tolerances import assert_close

OTHERS = ("Optimizer", *WITHOUT_RULE)
NAMES = [
    name
    for name in optimizers.__all__
    if inspect.isclass(getattr(optimizers, name)) and name not in OTHERS
]
START = np.float32([[1.0, -2.0], [0.5, 3.0]])
GRADIENT = np.float32([[0.5, 1.0], [-1.0, 0.25]])


def moved(optimizer: optimizers.Optimizer, steps: int = 2) -> np.ndarray:
    weight = keras.Variable(START)
    for _ in range(steps):
        optimizer.apply([GRADIENT], [weight])
    return weight.numpy()


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_is_data_and_all_that_an_optimizer_does(name):
    optimizer = getattr(optimizers, name)(0.1)
    optimizer.weight_decay = None  # AdamW decays besides
    rule = optimizer.rule()
    assert rule == optimizer.rule() and hash(rule) == hash(optimizer.rule())
    value = jnp.asarray(START)
    slots = {
        slot.name: value
        if slot.first is None
        else jnp.full(slot.shape(value.shape) if slot.shape else value.shape, slot.first)
        for slot in rule.slots
    }
    shared = {slot.name: jnp.float32(slot.first) for slot in rule.shared}
    for step in (jnp.int32(1), jnp.int32(2)):
        if rule.advance is not None:
            shared = rule.advance(step, **shared, **dict(rule.constants))
        scalars = rule.scalars_at(jnp.float32(0.1), step, shared)
        value, slots = rule(jnp.asarray(GRADIENT), value, slots, scalars)
    assert_close(moved(optimizer), value)


def test_slots_in_groups():
    rule = Rule(
        updates.sgd, (Slot("a"), Slot("b"), Slot("c", apart=True), Slot("d"), Slot("e", apart=True))
    )
    assert [[slot.name for slot in group] for group in rule.slot_groups] == [
        ["a", "b"],
        ["c", "d"],
        ["e"],
    ]
    assert Rule(updates.sgd).slot_groups == []
    assert Rule(updates.sgd, (Slot("a", apart=True),)).slot_groups == [[Slot("a", apart=True)]]


WITH_KERNEL: dict[str, Any] = {
    "SGD": {},
    "SGD momentum": {"momentum": 0.9},
    "SGD nesterov": {"momentum": 0.9, "nesterov": True},
    "RMSprop": {},
    "RMSprop momentum": {"momentum": 0.9},
    "Adam": {},
    "AdamW": {},
}


class OwnAdam(optimizers.Adam):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate)


def calls_of_kernels(
    optimizer: optimizers.Optimizer, size: int, dtype: str, monkeypatch: Any
) -> list:
    """Return the number of variables that each call of `updates.update_all` updates."""
    calls: list[int] = []

    def update_all(rule, rate, decay, decays, gradients, values, slots):
        calls.append(len(values))
        return list(values), list(slots)

    monkeypatch.setattr(updates, "update_all", update_all)
    monkeypatch.setattr(native, "suits", lambda *arrays: True)
    shapes = ((size,), (3,))
    weights = [keras.Variable(np.ones(shape), dtype=dtype) for shape in shapes]
    optimizer.apply([np.ones(shape, dtype="float32") for shape in shapes], weights)
    return calls


@pytest.mark.parametrize("name", WITH_KERNEL)
def test_kernels_update_all_variables_at_once(name, monkeypatch):
    optimizer = getattr(optimizers, name.split()[0])(**WITH_KERNEL[name])
    assert calls_of_kernels(optimizer, 5000, "float32", monkeypatch) == [2]


@pytest.mark.parametrize(
    ("make", "size", "dtype"),
    [
        (optimizers.Adam, 100, "float32"),
        (optimizers.Adam, 5000, "bfloat16"),
        (lambda: optimizers.Adam(amsgrad=True), 5000, "float32"),
        (lambda: optimizers.RMSprop(centered=True), 5000, "float32"),
        (optimizers.Lion, 5000, "float32"),
        (OwnAdam, 5000, "float32"),
    ],
    ids=["few", "bfloat16", "amsgrad", "centered", "no kernel", "own step"],
)
def test_what_kernels_leave_to_formulas(make, size, dtype, monkeypatch):
    assert calls_of_kernels(make(), size, dtype, monkeypatch) == []


# Own optimizers


def test_an_own_step_around_the_inherited_one():
    class Halved(optimizers.Nadam):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient * 0.5, variable, learning_rate)

    plain, weight = optimizers.Nadam(0.1), keras.Variable(START)
    for _ in range(2):
        plain.apply([GRADIENT * 0.5], [weight])
    assert_close(moved(Halved(0.1)), weight.numpy())


def test_the_nearest_class_decides():
    class Steps(optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, 1.0)

    class Ruled(Steps):
        def rule(self):
            return Rule(updates.sgd, (), (("momentum", 0.0), ("nesterov", False)))

    assert_close(moved(Steps(0.1)), START - 2)
    assert_close(moved(Ruled(0.1)), moved(optimizers.SGD(0.1)))


def test_a_step_with_two_parameters_reads_the_rate_itself():
    class Old(optimizers.Optimizer):
        def update_step(self, gradient, variable):
            variable.assign_sub(self.learning_rate * gradient)

    assert_close(moved(Old(0.1)), moved(optimizers.SGD(0.1)))


@pytest.mark.parametrize("options", [{}, {"gradient_accumulation_steps": 2}, {"weight_decay": 0.1}])
def test_own_steps_compiled(options):
    class Own(optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.speeds = self.add_optimizer_variables(variables, "speed")

        def update_step(self, gradient, variable, learning_rate):
            speed = self.speeds[self._get_variable_index(variable)]
            self.assign(speed, speed * 0.9 + gradient)
            self.assign_sub(variable, learning_rate * speed)

    optimizer, weight = Own(0.1, **options), keras.Variable(START)
    optimizer.build([weight])
    state = [weight, *optimizer.variables]
    step = jax.jit(scope.pure(lambda: optimizer.apply([GRADIENT], [weight]), state))
    values = [scope.read(v) for v in state]
    for _ in range(4):
        _, values = step(values)
    assert_close(values[0], moved(Own(0.1, **options), 4))


def test_an_optimizer_without_a_step_says_what_to_write():
    class Empty(optimizers.Optimizer):
        pass

    class Dense(optimizers.Optimizer):
        def _resource_apply_dense(self, grad, var, apply_state=None):
            return None

    with pytest.raises(NotImplementedError, match=r"Empty must implement `update_step\(gradient, "):
        moved(Empty(0.1))
    with pytest.raises(NotImplementedError, match="was its name in Keras 2: rename it"):
        moved(Dense(0.1))


def test_steps_of_matrices_by_hand():
    muon, matrix = optimizers.Muon(), np.float32([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    near = muon.zeropower_via_newtonschulz5(matrix, 5).numpy()
    values = np.linalg.svd(near, compute_uv=False)
    assert near.shape == matrix.shape and (values > 0.6).all() and (values < 1.3).all()
    assert muon.transpose_last_axis(matrix).shape == (2, 3)
    assert_close(muon.lr_adjust(matrix), matrix * np.float32(3**0.5 * 0.2))
    assert_close(optimizers.Muon(rms_rate=None).lr_adjust(matrix), matrix)
