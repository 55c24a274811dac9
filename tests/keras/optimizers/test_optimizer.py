"""What all optimizers share: state, gradients, options, and the same result eagerly and compiled."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import scope
from hornbeam.keras import optimizers
from tests.tolerances import assert_close

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.5},
    "global_clipnorm": {"global_clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.1},
    "weight_decay": {"weight_decay": 0.1},
    "average": {"use_ema": True, "ema_overwrite_frequency": 2},
    "accumulation": {"gradient_accumulation_steps": 2},
    "schedule": {"learning_rate": optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)},
    "function": {"learning_rate": lambda: 0.1},
}


def weights() -> list[keras.Variable]:
    return [
        keras.Variable([[1.0, -2.0], [3.0, 0.5]], name="kernel"),
        keras.Variable([0.5, 1.0], name="bias"),
    ]


def gradients(count: int) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return [
        [rng.normal(size=(2, 2)).astype("float32"), rng.normal(size=2).astype("float32")]
        for _ in range(count)
    ]


def values(variables: list[Any]) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("cls", [optimizers.Adam, optimizers.Nadam], ids=lambda cls: cls.__name__)
def test_compiled_is_eager(cls: type, options: dict[str, Any]):
    eager, compiled = cls(**options), cls(**options)
    there, here = weights(), weights()
    for optimizer, variables in ((eager, there), (compiled, here)):
        optimizer.build(variables)
    state = [*here, *compiled.variables]
    step = jax.jit(scope.pure(lambda *grads: compiled.apply(grads, here), state))
    for grads in gradients(5):
        eager.apply(grads, there)
        _, new = step([scope.read(v) for v in state], *grads)
        for variable, value in zip(state, new, strict=True):
            variable.assign(value)
    assert_close(values(here), values(there))
    assert_close(values(compiled.variables), values(eager.variables))


def test_stateless_apply_is_apply():
    optimizer, variables = optimizers.Adam(0.1), weights()
    optimizer.build(variables)
    start = [np.array(v) for v in values(variables)]
    grads = gradients(1)[0]
    new, state = optimizer.stateless_apply(values(optimizer.variables), grads, start)
    assert_close(values(variables), start)  # nothing has happened to the variables themselves
    optimizer.apply(grads, variables)
    assert_close([x.numpy() for x in new], values(variables))
    assert_close([x.numpy() for x in state], values(optimizer.variables))


def test_updates_ignore_mixed_precision():
    plain, mixed = weights(), weights()
    optimizers.SGD(1e-3).apply(gradients(1)[0], plain)
    with scope.autocast("bfloat16"):
        optimizers.SGD(1e-3).apply(gradients(1)[0], mixed)
    np.testing.assert_array_equal(mixed[0].numpy(), plain[0].numpy())


def test_low_precision_weights_keep_their_type_and_the_count_of_steps():
    weight = keras.Variable([1.0], dtype="bfloat16")
    optimizer = optimizers.Adam(0.1)
    optimizer.build([weight])
    optimizer.variables[0].assign(1000)  # 1 - 0.999^1001 needs more than the 8 bits of bfloat16
    optimizer.apply([np.float32([1])])
    assert weight.dtype == "bfloat16"
    assert all(v.dtype == "bfloat16" for v in optimizer.variables[2:])
    assert 0 < weight.numpy()[0] < 1


def test_learning_rate_can_be_set():
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = 0.25
    assert isinstance(optimizer.learning_rate, keras.Variable)
    assert float(optimizer.learning_rate) == 0.25
    optimizer.learning_rate.assign(0.125)
    assert optimizer.get_config()["learning_rate"] == 0.125
    optimizer.learning_rate = keras.Variable(0.0625)
    assert float(optimizer.learning_rate) == 0.0625
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate"]
    optimizer.learning_rate = optimizers.schedules.InverseTimeDecay(1.0, 1, 1.0)
    assert float(optimizer.learning_rate) == 1.0
    assert [v.name for v in optimizer.variables] == ["iteration"]
    with pytest.raises(TypeError, match="is a schedule or a function; it can't be set"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize("rate", [1, 0.5, np.float32(0.5), np.float64(0.5), jnp.float32(0.5)])
def test_learning_rates_that_are_numbers(rate: Any):
    number = float(rate)
    optimizer = optimizers.SGD(rate if not isinstance(rate, jax.Array) else keras.ops.array(rate))
    assert float(optimizer.learning_rate) == number


def test_missing_gradients():
    variables = weights()
    optimizer = optimizers.SGD(0.5)
    with pytest.warns(UserWarning, match="Gradients do not exist for variables 'bias'"):
        optimizer.apply([np.ones((2, 2), "float32"), None], variables)
    assert_close(variables[0].numpy(), np.float32([[0.5, -2.5], [2.5, 0.0]]))
    assert_close(variables[1].numpy(), np.float32([0.5, 1.0]))
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None])


def test_apply_gradients_counts_updates():
    variables = weights()
    optimizer = optimizers.SGD(0.5)
    assert int(optimizer.apply_gradients(zip(gradients(1)[0], variables, strict=True))) == 1
    with pytest.raises(ValueError, match="received no pairs"):
        optimizer.apply_gradients([])


def test_constraints_hold_after_every_update():
    weight = keras.Variable([1.0, 1.0])
    weight.constraint = keras.constraints.NonNeg()
    optimizers.SGD(1.0).apply([np.float32([3, 0.5])], [weight])
    assert weight.numpy().tolist() == [0.0, 0.5]


def test_weight_decay_can_be_excluded():
    kernel, bias = weights()
    other = keras.Variable([1.0], name="other")
    optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[other], var_names=["bias"])
    optimizer.apply(
        [np.zeros(v.shape, "float32") for v in (kernel, bias, other)], [kernel, bias, other]
    )
    assert_close(kernel.numpy(), np.float32([[0.5, -1.0], [1.5, 0.25]]))
    assert bias.numpy().tolist() == [0.5, 1.0]
    assert other.numpy().tolist() == [1.0]


def test_averages_replace_weights_at_the_end():
    weight = keras.Variable([4.0])
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):  # weights 3 and 2, average 3 and 2.5
        optimizer.apply([np.float32([1])], [weight])
    assert weight.numpy() == 2
    optimizer.finalize_variable_values([weight])
    assert weight.numpy() == 2.5


def test_accumulation_updates_with_the_mean():
    weight = keras.Variable([4.0])
    optimizer = optimizers.SGD(1.0, gradient_accumulation_steps=2)
    seen = []
    for gradient in (1.0, 3.0, 5.0):
        optimizer.apply([np.float32([gradient])], [weight])
        seen.append((float(weight.numpy()[0]), int(optimizer.iterations)))
    assert seen == [(4.0, 0), (2.0, 1), (2.0, 1)]


def test_loss_scale():
    weight = keras.Variable([4.0])
    optimizer = optimizers.SGD(1.0, loss_scale_factor=8.0)
    assert optimizer.scale_loss(2.0) == 16.0
    optimizer.apply([np.float32([8])], [weight])
    assert weight.numpy() == 3


def test_variables_that_take_their_gradient():
    weight, scale = keras.Variable([1.0]), keras.Variable([1.0])
    scale.overwrite_with_gradient = True
    optimizers.SGD(0.5).apply([np.float32([1]), np.float32([7])], [weight, scale])
    assert (weight.numpy(), scale.numpy()) == (0.5, 7)


def test_saving_and_loading():
    optimizer, variables = optimizers.Adam(0.1), weights()
    optimizer.apply(gradients(1)[0], variables)
    store: dict[str, Any] = {}
    optimizer.save_own_variables(store)
    assert list(store) == [str(i) for i in range(6)]
    other = optimizers.Adam()
    other.build(variables)
    other.load_own_variables(store)
    assert_close(values(other.variables), values(optimizer.variables))
    other.set_weights([np.zeros_like(v) for v in values(other.variables)])
    assert not any(v.any() for v in values(other.variables))
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
        optimizers.SGD().load_own_variables(store)


def test_a_deep_copy_goes_its_own_way():
    optimizer, variables = optimizers.SGD(0.5, momentum=0.9), weights()
    optimizer.build(variables)
    twin = copy.deepcopy((optimizer, variables))
    twin[0].apply(gradients(1)[0], twin[1])
    assert int(optimizer.iterations) == 0
    assert int(twin[0].iterations) == 1


def test_an_own_optimizer_keeps_state_in_attributes():
    class Momentum(optimizers.Optimizer):
        def __init__(self, momentum=0.9, **kwargs):
            super().__init__(learning_rate=0.5, **kwargs)
            self.momentum = momentum

        def build(self, variables):
            super().build(variables)
            self.total = keras.Variable(0.0)
            self.speeds = self.add_optimizer_variables(variables, "speed")

        def update_step(self, gradient, variable, learning_rate):
            speed = self.speeds[self._get_variable_index(variable)]
            self.assign(
                speed,
                speed * self.momentum - keras.ops.cast(gradient, variable.dtype) * learning_rate,
            )
            self.assign_add(variable, speed)
            self.assign_add(self.total, 1)

    mine, real = Momentum(name="opt"), optimizers.SGD(0.5, momentum=0.9)
    here, there = weights(), weights()
    for grads in gradients(3):
        mine.apply(grads, here)
        real.apply(grads, there)
    assert_close(values(here), values(there))
    assert float(mine.total) == 6
    names = ["iteration", "learning_rate", mine.total.name, "kernel_speed", "bias_speed"]
    assert [v.name for v in mine.variables] == names
    assert mine.get_config()["momentum"] == 0.9
    assert inspect.signature(Momentum).parameters["clipnorm"].default is None


def unbuilt() -> optimizers.Optimizer:
    return optimizers.SGD(0.5)


def built() -> optimizers.Optimizer:
    optimizer = unbuilt()
    optimizer.build(weights())
    return optimizer


ONES = np.ones((2, 2), "float32")
ERRORS = [
    (
        lambda: optimizers.SGD(lr=0.1),
        r"SGD does not know the arguments 'lr'. `lr` is now `learning_rate`: SGD\(learning_rate=0.1\)",
    ),
    (lambda: optimizers.Adam(decay=1e-6), "In place of `decay`, pass a schedule.*InverseTimeDecay"),
    (lambda: optimizers.Adam(betas=1), "Adam does not know the arguments 'betas'"),
    (lambda: optimizers.Adam("fast"), "`learning_rate` is a number.*received 'fast'"),
    (lambda: optimizers.Adam(clipnorm=1, clipvalue=1), "At most one of `clipnorm`"),
    (
        lambda: optimizers.Adam(use_ema=True, ema_momentum=2),
        "`ema_momentum` must be between 0 and 1",
    ),
    (
        lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=0),
        "`ema_overwrite_frequency` is an integer >= 1",
    ),
    (
        lambda: optimizers.Adam(gradient_accumulation_steps=1),
        "`gradient_accumulation_steps` is an integer >= 2",
    ),
    (lambda: optimizers.SGD(momentum=2), "`momentum` lies between 0 and 1"),
    (lambda: optimizers.AdamW(weight_decay=None), "AdamW needs a number as `weight_decay`"),
    (lambda: optimizers.Lion(beta_1=0), "`beta_1` of Lion"),
    (lambda: optimizers.Ftrl(learning_rate_power=1), "`learning_rate_power` must be <= 0"),
    (
        lambda: optimizers.Ftrl(l1_regularization_strength=-1),
        "`l1_regularization_strength` must be >= 0",
    ),
    (lambda: unbuilt().apply([ONES]), "has none yet: call `optimizer.build"),
    (lambda: unbuilt().set_weights([1]), "has no weights yet"),
    (lambda: unbuilt().stateless_apply([], [ONES], [ONES]), "SGD must be built"),
    (lambda: built().apply([ONES]), "received 1 gradients for 2 variables"),
    (lambda: built().apply([ONES], [keras.Variable(ONES, name="new")]), "Unknown variable: 'new'"),
    (
        lambda: built().apply([ONES, ONES]),
        r"gradient of 'bias' has shape \(2, 2\); the variable has shape \(2,\)",
    ),
    (lambda: built().set_weights([1]), "has 2 variables; received 1 weights"),
    (
        lambda: built().stateless_apply([], [ONES], [ONES]),
        "`optimizer_variables` must hold 2 values; received 0",
    ),
    (lambda: optimizers.get("adamm"), "Unknown optimizer: 'adamm'. Did you mean 'adam'"),
    (lambda: optimizers.get(keras.losses.MeanSquaredError()), "as an optimizer: expected a name"),
]


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[message[:40] for _, message in ERRORS])
def test_bad_input(call: Any, message: str):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_tensor_in_the_place_of_a_variable_is_told():
    v, gradient = keras.Variable(ONES), tf.constant(ONES)
    for optimizer in (unbuilt(), built()):
        with pytest.raises(TypeError, match=r"zip\(gradients, variables\)"):
            optimizer.apply_gradients([(v, gradient)])


def test_lookup():
    for name, cls in {
        "adam": "Adam",
        "Adam": "Adam",
        "rmsprop": "RMSprop",
        "adamw": "AdamW",
        "ADAM": "Adam",
    }.items():
        assert type(optimizers.get(name)).__name__ == cls
    assert optimizers.get(None) is None
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer
    assert (
        float(
            optimizers.get({"class_name": "adam", "config": {"learning_rate": 0.5}}).learning_rate
        )
        == 0.5
    )
    assert repr(optimizers.SGD(0.5, name="s")) == "<SGD name=s, learning_rate=0.5>"


def test_a_variable_without_a_gradient_stays_whatever_came_before():
    a, b = keras.Variable([1.0]), keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(0.5, momentum=0.9)
    optimizer.apply([keras.ops.ones(1)] * 2, [a, b])
    before = b.numpy()
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([keras.ops.ones(1), None], [a, b])
    np.testing.assert_array_equal(b.numpy(), before)


def test_a_round_of_accumulation_leaves_nothing_for_the_next():
    a, b = keras.Variable([0.0]), keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(1.0, gradient_accumulation_steps=2)
    one = keras.ops.ones(1)
    optimizer.apply([one, one], [a, b])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([one, None], [a, b])
    before = b.numpy()
    optimizer.apply([one, one], [a, b])
    optimizer.apply([one, one], [a, b])
    np.testing.assert_array_equal(b.numpy(), before - 1)
