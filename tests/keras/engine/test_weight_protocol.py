"""Objects made of variables in the place of a layer's weight: low-rank additions, quantised weights."""

import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.recorder import Record
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(16, 3)).astype("float32")


class LowRank:
    """base + a @ b, of which a and b are trained."""

    def __init__(self, base, rank):
        rows, columns = base.shape
        self.base = base
        base.trainable = False
        self.a = keras.Variable(np.full((rows, rank), 0.1, "float32"), name="a")
        self.b = keras.Variable(np.zeros((rank, columns), "float32"), name="b")

    @property
    def variables(self):
        return [self.base, self.a, self.b]

    @property
    def shape(self):
        return self.base.shape

    @property
    def dtype(self):
        return self.base.dtype

    def read_raw(self):
        return self.base.read_raw() + self.a.read_raw() @ self.b.read_raw()


class Quantised:
    """Integers and a scale."""

    def __init__(self, weight):
        values = weight.numpy()
        scale = np.abs(values).max() / 127
        self.shape, self.dtype = weight.shape, weight.dtype
        self.values = keras.Variable(np.round(values / scale).astype("int8"), trainable=False)
        self.scale = keras.Variable(np.float32(scale), trainable=False)

    @property
    def variables(self):
        return [self.values, self.scale]

    def read_raw(self):
        return self.values.read_raw().astype(jnp.float32) * self.scale.read_raw()


def ids(variables):
    return [id(variable) for variable in variables]


def test_fit_trains_the_variables_of_a_wrapped_weight():
    dense = layers.Dense(3)
    model = keras.Sequential([keras.Input((4,)), dense])
    before = model.predict(X, verbose=0)
    base = dense.kernel.numpy()
    dense.kernel = low = LowRank(dense.kernel, 2)
    assert_close(model.predict(X, verbose=0), before)  # b is zero
    assert ids(model.trainable_variables) == ids([dense.bias, low.a, low.b])
    assert ids(model.non_trainable_variables) == ids([low.base])
    model.compile("adam", "mse")
    losses = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[0]
    assert low.b.numpy().any() and (low.base.numpy() == base).all()
    kernel = base + low.a.numpy() @ low.b.numpy()
    expected = X @ kernel + dense.bias.numpy()
    assert_close(model.predict(X, verbose=0), expected)
    assert_close(model(X), expected)


@pytest.mark.parametrize("make", [lambda: layers.LSTM(3), lambda: layers.Conv1D(3, 2)])
def test_wrapped_weights_of_other_kernels(make):
    layer = make()
    x = np.ones((2, 5, 4), "float32")
    before = layer(x)
    kernel = layer.cell if isinstance(layer, layers.LSTM) else layer
    kernel.kernel = Quantised(kernel.kernel)
    assert np.abs(np.asarray(layer(x) - before)).max() < 0.1
    assert id(kernel.kernel.scale) in ids(layer.weights)


def test_a_replaced_weight_is_forgotten():
    dense = layers.Dense(3)
    before = dense(X)
    old = dense.kernel
    dense.kernel = quantised = Quantised(old)
    assert ids(dense.weights) == ids([dense.bias, *quantised.variables])
    assert np.abs(np.asarray(dense(X) - before)).max() < 0.1
    twin = layers.Dense(3)
    twin.build((None, 4))
    twin.kernel = Quantised(twin.kernel)
    twin.set_weights(dense.get_weights())
    assert_close(twin(X), dense(X))


def test_a_recorder_sees_the_variables_of_a_wrapped_weight():
    dense = layers.Dense(3, use_bias=False)
    dense(X)
    dense.kernel = low = LowRank(dense.kernel, 1)
    with Record() as record:
        outputs = dense(X)
    old, new = low.b._value, jnp.ones_like(low.b._value)
    (replayed,) = record.replay([(old, new)], outputs)
    low.b.assign(new)
    assert_close(replayed, dense(X))
