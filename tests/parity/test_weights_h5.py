"""Files of weights, exchanged with Keras both ways."""

import json

import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from tests.tolerances import assert_close


def stack(k):
    return k.Sequential(
        [
            k.Input((8,)),
            k.layers.Dense(4, name="foo"),
            k.layers.Dropout(0.5),
            k.layers.BatchNormalization(),
            k.layers.Dense(2),
        ]
    )


def graph(k):
    x = k.Input((8,))
    inner = k.Sequential([k.Input((8,)), k.layers.Dense(3)], name="inner")
    return k.Model(x, k.layers.Add()([inner(x), k.layers.Dense(3, name="bar")(x)]))


def recurrent(k):
    x = k.Input((8,), dtype="int32")
    h = k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True))(
        k.layers.Embedding(10, 4)(x)
    )
    return k.Model(x, k.layers.Dense(1)(k.layers.GRU(2)(h)))


def subclass(k):
    class Net(k.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [k.layers.Dense(2), k.layers.Dense(3)]
            self.out = k.layers.Dense(1)

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.out(x)

    model = Net()
    model(np.ones((1, 8), "float32"))
    return model


def attention(k):
    x = k.Input((5, 8))
    h = k.layers.MultiHeadAttention(2, 3, dropout=0.1, use_gate=True)(x, x)
    h = k.layers.GroupQueryAttention(3, 2, 1, use_gate=True)(h, h)
    h = k.layers.AdditiveAttention()([h, k.layers.Attention(use_scale=True)([h, x])])
    return k.Model(x, k.layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(h))


def private(k):
    class Block(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self._hidden = k.layers.Dense(3)
            self.out = k.layers.Dense(2)
            self._more = [k.layers.Dense(2)]

        def build(self, input_shape):
            self._hidden.build(input_shape)
            self.out.build((None, 3))
            self._more[0].build((None, 2))

        def call(self, x):
            return self._more[0](self.out(self._hidden(x)))

    return k.Sequential([k.Input((8,)), Block()])


@pytest.mark.parametrize("make", [stack, graph, recurrent, subclass, attention, private])
@pytest.mark.parametrize("way", ["to Keras", "from Keras"])
def test_exchange(make, way, tmp_path):
    path = str(tmp_path / "model.weights.h5")
    source, target = (keras, peer) if way == "to Keras" else (peer, keras)
    written, read = make(source), make(target)
    written.set_weights(
        [np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(written.get_weights())]
    )
    written.save_weights(path)
    read.load_weights(path)
    for a, b in zip(written.get_weights(), read.get_weights(), strict=True):
        assert_close(a, b)


def owner(k):
    """A layer that writes under names of its own, and more than its weights."""

    class Owner(k.layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), name="scale")
            self.counts = np.zeros(3)

        def call(self, x):
            return x * self.scale

        def save_own_variables(self, store):
            store["the scale"] = self.scale
            store["counts"] = self.counts

        def load_own_variables(self, store):
            self.scale.assign(store["the scale"])
            self.counts = np.array(store["counts"])

    layer = Owner()
    model = k.Sequential([k.Input((8,)), layer, k.layers.Dense(2)])
    return model, layer


@pytest.mark.parametrize("way", ["to Keras", "from Keras"])
def test_a_layer_that_saves_itself(way, tmp_path):
    path = str(tmp_path / "model.weights.h5")
    source, target = (keras, peer) if way == "to Keras" else (peer, keras)
    (written, mine), (read, other) = owner(source), owner(target)
    mine.counts = np.array([1.0, 2.0, 3.0])
    written.save_weights(path)
    read.load_weights(path)
    assert_close(other.counts, mine.counts)
    for a, b in zip(written.get_weights(), read.get_weights(), strict=True):
        assert_close(a, b)


@pytest.mark.parametrize("way", ["to Keras", "from Keras"])
@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "RMSprop"])
def test_the_optimizer_of_a_compiled_model(way, optimizer, tmp_path):
    path = str(tmp_path / "model.weights.h5")
    source, target = (keras, peer) if way == "to Keras" else (peer, keras)
    x = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
    models = []
    for k in (source, target):
        extra = {"momentum": 0.9} if optimizer == "SGD" else {}
        made = k.Sequential([k.Input((8,)), k.layers.Dense(2)])
        made.compile(getattr(k.optimizers, optimizer)(**extra), "mse")
        made.optimizer.build(made.trainable_variables)
        models.append(made)
    written, read = models
    written.fit(x, x[:, :2], epochs=2, batch_size=4, verbose=0, shuffle=False)
    written.save_weights(path)
    read.load_weights(path)
    for a, b in zip(written.optimizer.variables, read.optimizer.variables, strict=True):
        assert_close(np.asarray(a.numpy()), np.asarray(b.numpy()))
    for each in models:
        each.fit(x, x[:, :2], batch_size=4, verbose=0, shuffle=False)
    for a, b in zip(written.get_weights(), read.get_weights(), strict=True):
        assert_close(a, b)


def test_several_files_both_ways(tmp_path):
    size = 300 / 1024**3  # in GB
    ours, theirs = recurrent(keras), recurrent(peer)
    ours.save_weights(tmp_path / "ours.weights.json", max_shard_size=size)
    theirs.load_weights(tmp_path / "ours.weights.json")
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    theirs.set_weights([w + 1 for w in theirs.get_weights()])
    theirs.save_weights(tmp_path / "theirs.weights.json", max_shard_size=size)
    ours.load_weights(tmp_path / "theirs.weights.json")
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert files_of(tmp_path, "ours") == files_of(tmp_path, "theirs")
    assert len(list(tmp_path.glob("ours_*.weights.h5"))) > 1


def files_of(folder, name):
    """Return what an index says; Keras writes one file as a text or as a list."""
    index = json.loads((folder / f"{name}.weights.json").read_text().replace(f"{name}_", ""))
    names = {k: [v] if isinstance(v, str) else v for k, v in index["weight_map"].items()}
    index["metadata"].pop("hornbeam.crc32", None)  # which Keras does not have
    return index["metadata"], names
