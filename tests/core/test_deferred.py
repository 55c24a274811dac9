"""Initial values that are drawn at their first read: nothing sees an unset variable, and shapes cost nothing."""

import copy
import threading
import time

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.deferred import deferred_values
from hornbeam.keras import layers

HUGE = (1 << 18, 1 << 18)


class Counted:
    """An initializer that counts its draws."""

    def __init__(self):
        self.draws = 0

    def __call__(self, shape, dtype=None):
        self.draws += 1
        return np.full(shape, 3.0, dtype)


def test_a_value_is_drawn_at_the_first_read_and_once():
    first = Counted()
    with deferred_values() as made:
        v = keras.Variable(first, shape=(2,), name="v")
        fixed = keras.Variable([1.0])
    assert made == [v] and fixed.is_drawn
    assert (first.draws, v.is_drawn, v.shape, v.ndim, v.dtype) == (0, False, (2,), 1, "float32")
    np.testing.assert_array_equal(v.numpy(), [3, 3])
    v.assign_add([1.0, 1.0])
    np.testing.assert_array_equal(v.value, [4, 4])
    assert first.draws == 1 and v.is_drawn


def test_an_assignment_takes_the_place_of_the_draw():
    first = Counted()
    with deferred_values():
        v = keras.Variable(first, shape=(2,))
    with pytest.raises(ValueError, match="it can't take a value of shape"):
        v.assign([1.0])
    restore = v.keep_value()
    v.assign([1.0, 2.0])
    np.testing.assert_array_equal(v.numpy(), [1, 2])
    assert not first.draws
    restore()
    assert not v.is_drawn and v.numpy()[0] == 3


@pytest.mark.parametrize(
    "read",
    [repr, copy.deepcopy, list, lambda v: v + 1, lambda v: keras.ops.add(v, 1), np.asarray],
)
def test_every_read_draws(read):
    with deferred_values():
        v = keras.Variable(lambda shape, dtype: np.ones(shape, dtype), shape=(1,))
    read(v)
    assert v.is_drawn


def test_threads_see_one_value():
    barrier, found, draws = threading.Barrier(8), [], []

    def draw(shape, dtype):
        draws.append(shape)
        time.sleep(0.1)  # the other threads come meanwhile
        return np.random.default_rng().normal(size=shape)

    with deferred_values():
        v = keras.Variable(draw, shape=(1000,))

    def read():
        barrier.wait()
        found.append(v.numpy())

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(draws) == 1
    for each in found:
        np.testing.assert_array_equal(each, found[0])


def test_the_scope_belongs_to_its_thread():
    made = []
    with deferred_values():
        thread = threading.Thread(
            target=lambda: made.append(keras.Variable(Counted(), shape=(1,)).is_drawn)
        )
        thread.start()
        thread.join()
    assert made == [True]


def test_a_huge_model_costs_nothing():
    """Its 2**36 weights of 256 GiB, and what the optimizer keeps for them, are shapes only."""
    with deferred_values() as made:
        model = keras.Sequential(
            [
                keras.Input((HUGE[0],)),
                layers.Dense(HUGE[1], activation="relu"),
                layers.BatchNormalization(),
                layers.Dense(3),
            ]
        )
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        assert model.output_shape == (None, 3)
        assert model.layers[0].kernel.shape == HUGE
    assert [v.path for v in made if v.is_drawn] == []


def test_unknown_attributes_are_told():
    v = keras.Variable([1.0])
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = v.nope
