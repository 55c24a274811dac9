"""Configurations of users' classes: `super().get_config()` returns the arguments of Hornbeam's class, as in Keras."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import constraints, initializers, layers, losses, metrics, optimizers
from hornbeam.keras import regularizers as reg

_BASES = {
    "layer": (layers.Layer, {}),
    "layer with arguments": (layers.Dense, {"units": 3}),
    "cell": (layers.LSTMCell, {"units": 3}),
    "wrapper": (layers.Wrapper, {"layer": layers.Dense(2)}),
    "model": (keras.Model, {}),
    "loss": (losses.Loss, {}),
    "loss of Hornbeam": (losses.Huber, {}),
    "metric": (metrics.Metric, {"name": "m"}),
    "metric of Hornbeam": (metrics.Mean, {}),
    "optimizer": (optimizers.Optimizer, {"learning_rate": 0.1}),
    "optimizer of Hornbeam": (optimizers.Adam, {}),
    "schedule": (optimizers.schedules.ExponentialDecay, {"initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 0.1}),
    "initializer": (initializers.Initializer, {}),
    "regularizer": (reg.L2, {"l2": 0.1}),
    "constraint": (constraints.MaxNorm, {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", _BASES)
def test_super_returns_the_arguments_of_the_class_below(kind):
    base, given = _BASES[kind]

    class Users(base):
        def __init__(self, mine, **kwargs):
            super().__init__(**kwargs)
            self.mine = mine

        def get_config(self):
            return dict(mine=self.mine, **super().get_config())

    class Inherits(Users):
        pass

    made = Users(2, **given)
    assert set(made.get_config()) == {"mine", *base(**given).get_config()}
    assert Users.from_config(made.get_config()).mine == 2
    assert set(Inherits(2, **given).get_config()) == set(made.get_config())


def test_a_fixed_argument_of_the_class_below_is_described():
    class Fixed(reg.L2):
        def __init__(self, mine):
            super().__init__(l2=0.25)
            self.mine = mine

        def get_config(self):
            return dict(mine=self.mine, **super().get_config())

    assert Fixed(2).get_config() == {"mine": 2, "l2": 0.25}


@pytest.mark.parametrize("twice", [(0, 1, 0, 1), (0, 1, 1, 0), (0, 0, 1, 1)])
def test_objects_described_several_times_stay_different_ones(twice, tmp_path):
    class Holder(layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x):
            for each in self.inner:
                x = each(x)
            return x

        @classmethod
        def from_config(cls, config):
            inner = [keras.layers.deserialize(each) for each in config.pop("inner")]
            return cls(inner, **config)

    pair = layers.Dense(4), layers.Dense(4)
    model = keras.Sequential([keras.Input((4,)), Holder([pair[i] for i in twice])])
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", {"Holder": Holder})
    inner = again.layers[0].inner
    assert [inner.index(each) for each in inner] == [twice.index(i) for i in twice]
    for new, old in zip(inner, (pair[i] for i in twice), strict=True):
        np.testing.assert_array_equal(new.kernel, old.kernel)
