"""LossScaleOptimizer: the factor, skipped steps, state, and what `compile` makes of a mixed_float16 model."""

from __future__ import annotations

import inspect
import json

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import scope
from hornbeam.keras import optimizers
from tests.tolerances import assert_close

FINITE, BAD = np.float32([4.0, 8.0]), np.float32([4.0, np.nan])


def scaled(**kwargs):
    inner = kwargs.pop("inner", None) or optimizers.SGD(0.5, momentum=0.5)
    optimizer = optimizers.LossScaleOptimizer(inner, **kwargs)
    weight = keras.Variable([1.0, 2.0])
    optimizer.build([weight])
    return optimizer, weight


def step(optimizer, weight, gradient, compiled: bool) -> None:
    if not compiled:
        optimizer.apply([gradient], [weight])
        return
    state = [weight, *optimizer.variables]
    run = jax.jit(scope.pure(lambda g: optimizer.apply([g], [weight]), state))
    _, new = run([scope.read(v) for v in state], gradient)
    for variable, value in zip(state, new, strict=True):
        variable.assign(value)


both_ways = pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])


@both_ways
def test_the_factor_grows_and_shrinks_and_bad_steps_change_nothing_else(compiled):
    optimizer, weight = scaled(initial_scale=4.0, dynamic_growth_steps=2)
    seen = []
    for gradient in (FINITE, BAD, FINITE, FINITE, FINITE, BAD, np.float32([np.inf, 1.0])):
        before = [weight.numpy(), *(v.numpy() for v in optimizer.inner_optimizer.variables)]
        step(optimizer, weight, gradient, compiled)
        after = [weight.numpy(), *(v.numpy() for v in optimizer.inner_optimizer.variables)]
        unchanged = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        assert unchanged == (not np.isfinite(gradient).all())
        seen.append((float(optimizer.dynamic_scale), int(optimizer.step_counter)))
    assert seen == [(4, 1), (2, 0), (2, 1), (4, 0), (4, 1), (2, 0), (1, 0)]
    assert int(optimizer.iterations) == 4


@both_ways
def test_a_scaled_step_is_a_plain_step(compiled):
    optimizer, weight = scaled(initial_scale=4.0)
    plain, other = optimizers.SGD(0.5, momentum=0.5), keras.Variable([1.0, 2.0])
    for _ in range(3):
        step(optimizer, weight, FINITE, compiled)
        plain.apply([FINITE / 4], [other])
    assert_close(weight.numpy(), other.numpy())


@both_ways
def test_options_of_the_inner_optimizer_hold(compiled):
    inner = optimizers.Adam(0.5, gradient_accumulation_steps=2, use_ema=True, loss_scale_factor=9.0)
    optimizer, weight = scaled(inner=inner, initial_scale=4.0)
    plain = optimizers.Adam(0.5, gradient_accumulation_steps=2, use_ema=True)
    other = keras.Variable([1.0, 2.0])
    for _ in range(4):
        step(optimizer, weight, FINITE, compiled)
        plain.apply([FINITE / 4], [other])
    optimizer.finalize_variable_values([weight])
    plain.finalize_variable_values([other])
    assert_close(weight.numpy(), other.numpy())


def test_gradients_that_are_missing_or_taken_as_they_are():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=4.0)
    weight, none, factor = (keras.Variable([1.0], name=name) for name in ("w", "none", "factor"))
    factor.overwrite_with_gradient = True
    with pytest.warns(UserWarning, match="Gradients do not exist for variables 'none'"):
        optimizer.apply([np.float32([4]), None, np.float32([7])], [weight, none, factor])
    assert [float(v.numpy()[0]) for v in (weight, none, factor)] == [0.5, 1.0, 7.0]
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None, None])


def test_learning_rate_is_that_of_the_inner_optimizer():
    optimizer, _ = scaled()
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25
    assert optimizer.learning_rate is optimizer.inner_optimizer.learning_rate


def test_the_loss_is_scaled_before_and_after_build():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(), initial_scale=4.0)
    assert float(optimizer.scale_loss(2.0)) == 8.0
    optimizer.build([keras.Variable([1.0])])
    optimizer.dynamic_scale.assign(16.0)
    assert float(optimizer.scale_loss(2.0)) == 32.0


def test_state_and_config_come_back():
    optimizer, weight = scaled(initial_scale=4.0, dynamic_growth_steps=3, name="scaler")
    step(optimizer, weight, FINITE, False)
    store: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(store)
    config = json.loads(json.dumps(optimizers.serialize(optimizer)))
    again = optimizers.deserialize(config)
    assert again.get_config() == optimizer.get_config()
    again.build([weight])
    again.load_own_variables(store)
    assert_close([v.numpy() for v in again.variables], [v.numpy() for v in optimizer.variables])
    new, state = optimizer.stateless_apply(
        [v.numpy() for v in optimizer.variables], [FINITE], [weight.numpy()]
    )
    step(optimizer, weight, FINITE, False)
    assert_close(new[0].numpy(), weight.numpy())
    assert_close([v.numpy() for v in state], [v.numpy() for v in optimizer.variables])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dynamic": False}, "does not support `dynamic=False`.*`loss_scale_factor`"),
        ({"clipnorm": 1.0}, "does not support `clipnorm`; received 1.0. Set it on the `inner_"),
        ({"factor": 1.0}, "LossScaleOptimizer does not know the arguments 'factor'"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        optimizers.LossScaleOptimizer(optimizers.SGD(), **arguments)
    assert "clipnorm" not in inspect.signature(optimizers.LossScaleOptimizer).parameters


def small_slope(y_true, y_pred):
    return 2.0**-27 * keras.ops.cast(keras.ops.mean(y_pred, axis=-1), "float32")


def half_model(**kwargs):
    dense = keras.layers.Dense(1, kernel_initializer="zeros", dtype="mixed_float16")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.dtype_policy = keras.DTypePolicy("mixed_float16")
    model.compile(optimizers.SGD(2.0**20), small_slope, **kwargs)
    return model


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_gradients_below_float16_reach_the_weights(run_eagerly):
    model = half_model(run_eagerly=run_eagerly)
    model.fit(np.zeros((4, 1)), np.zeros((4, 1)), batch_size=2, verbose=0)
    assert model.get_weights()[1] == -(2.0**-6)
    assert float(model.optimizer.dynamic_scale) == 2.0**15


def test_compile_wraps_once_and_only_where_asked():
    model = half_model()
    assert type(model.optimizer) is optimizers.LossScaleOptimizer
    assert model.optimizer.name == "loss_scale_optimizer"
    mine = optimizers.LossScaleOptimizer(optimizers.Adam())
    model.compile(mine, "mse")
    assert model.optimizer is mine
    assert type(half_model(auto_scale_loss=False).optimizer) is optimizers.SGD
    model.compile(None, "mse")
    assert model.optimizer is None
    for policy in ("float32", "mixed_bfloat16", "float16"):
        model.dtype_policy = keras.DTypePolicy(policy)
        model.compile("sgd", "mse")
        assert type(model.optimizer) is optimizers.SGD


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_loaded_model_goes_on_scaling_whatever_the_policy_then(name, tmp_path, recwarn):
    """The file says that the loss is scaled: the policy of the process that loads it is another one."""
    model = half_model()
    model.fit(np.zeros((2, 1)), np.zeros((2, 1)), verbose=0)
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name, {"small_slope": small_slope})
    assert type(again.optimizer) is optimizers.LossScaleOptimizer
    assert int(again.optimizer.iterations) == 1
    assert not recwarn.list
