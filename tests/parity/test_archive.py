"""Whole models in `.keras` files, exchanged with Keras both ways.

Everything exported is in a few models together: their configurations and arrays are compared, as what layers and ops compute
from them is compared elsewhere. Representative models predict and train one more step on both sides.
"""

from __future__ import annotations

from typing import Any

import jax
import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from tests.contract import test_layers, test_losses, test_metrics
from tests.contract import test_optimizers as optimizers
from tests.contract.layer_cases import twice
from tests.parity import test_op_configs
from tests.parity.layer_parity import plain
from tests.parity.test_round_trips import DROPPED
from tests.tolerances import assert_close

peer.saving.register_keras_serializable("contract")(twice)

BOTH = pytest.mark.parametrize("way", ["to Keras", "from Keras"])
RNG = np.random.default_rng(0)


def sides(way: str) -> tuple[Any, Any]:
    """Return the library that writes and the one that reads."""
    return (keras, peer) if way == "to Keras" else (peer, keras)


def exchanged(made: Any, way: str, tmp_path: Any) -> Any:
    path = str(tmp_path / "m.keras")
    made.save(path)
    return sides(way)[1].models.load_model(path)


def assert_same_arrays(a: Any, b: Any) -> None:
    for v, w in zip(a, b, strict=True):
        np.testing.assert_array_equal(np.asarray(v.numpy()), np.asarray(w.numpy()))


def every_layer() -> Any:
    """Return a model with a branch for each exported layer."""
    inputs, outputs = [], []
    for name in test_layers.CALLED:
        given = test_layers.symbols(name)
        inputs += jax.tree.leaves(given, is_leaf=lambda x: isinstance(x, keras.KerasTensor))
        outputs.append(test_layers.make(name, name=name.lower())(*test_layers.given(name, given)))
    return keras.Model(inputs, outputs)


@pytest.fixture
def zeros_in_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Keras begin with zeros: its initializers compile a program for each shape, and files replace the values."""

    def zeros(shape: Any, *_: Any, dtype: Any = None, **__: Any) -> np.ndarray:
        return np.zeros(shape, dtype or "float32")

    for name in ("uniform", "normal", "truncated_normal"):
        monkeypatch.setattr(peer.src.backend.random, name, zeros)


@pytest.mark.usefixtures("zeros_in_keras")
def test_every_layer(tmp_path: Any) -> None:
    """Written here, read and written by Keras, and read here: the same layers with the same arrays."""
    model = every_layer()
    for weight in model.weights:
        weight.assign(RNG.normal(size=weight.shape))
    there = exchanged(model, "to Keras", tmp_path)
    for layer in model.layers:
        assert_same_arrays(layer.weights, there.get_layer(layer.name).weights)
    back = exchanged(there, "from Keras", tmp_path)
    assert_same_arrays(back.weights, model.weights)
    weights = str(tmp_path / "m.weights.h5")
    for writer, reader in ((model, there), (there, back)):
        writer.save_weights(weights)
        for weight in reader.weights:
            weight.assign(np.zeros(weight.shape))
        reader.load_weights(weights)
    assert_same_arrays(back.weights, model.weights)
    assert [type(each) for each in back.layers] == [type(each) for each in model.layers]


def every_op() -> Any:
    """Return a model with a call of each op that Keras can write and read."""
    cases = {
        case.name: case
        for case in reversed(test_op_configs.IN_KERAS)
        if str(case) not in test_op_configs.UNREADABLE
    }
    names = sorted({place for case in cases.values() for place in case.places()})
    arrays = test_op_configs.ARRAYS
    inputs = {
        name: keras.Input(
            batch_shape=arrays[name].shape, dtype=str(arrays[name].dtype), name=f"in_{name}"
        )
        for name in names
    }
    outputs = [
        getattr(keras.ops, name)(
            *case.arguments([inputs[each] for each in case.places()]), **case.kwargs
        )
        for name, case in cases.items()
        if hasattr(keras.ops, name)
    ]
    return keras.Model(list(inputs.values()), outputs)


def test_every_op(tmp_path: Any) -> None:
    model = every_op()
    there = exchanged(model, "to Keras", tmp_path)
    back = exchanged(there, "from Keras", tmp_path)
    assert (
        plain(keras.saving.serialize_keras_object(back))["config"]
        == plain(keras.saving.serialize_keras_object(model))["config"]
    )


def many_outputs(k: Any, count: int) -> Any:
    x = k.Input((4,))
    h = k.layers.Dense(3, name="shared")(x)
    return k.Model(x, [k.layers.Activation("linear", name=f"out{i}")(h) for i in range(count)])


def kept(kind: str, names: list[str]) -> list[str]:
    """Return the names without those of which Keras drops an argument."""
    return [name for name in names if f"{kind}.{name}" not in DROPPED]


def test_every_loss_and_metric(tmp_path: Any) -> None:
    """The same objects in the compile configuration, there and back."""
    losses = [test_losses.make(name)[0] for name in kept("losses", test_losses.CLASSES)]
    metrics = [[test_metrics.make(name)[0]] for name in kept("metrics", test_metrics.CLASSES)]
    count = max(len(losses), len(metrics))
    losses += ["mse"] * (count - len(losses))
    metrics += [["mae"]] * (count - len(metrics))
    model = many_outputs(keras, count)
    model.compile("sgd", losses, [0.5] * count, metrics)
    there = exchanged(model, "to Keras", tmp_path)
    back = exchanged(there, "from Keras", tmp_path)
    for name in ("loss", "metrics"):
        made, again = (plain(each.get_compile_config()[name]) for each in (model, back))
        assert made == again
    assert back.get_compile_config()["loss_weights"] == [0.5] * count


def small(k: Any) -> Any:
    return k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.Dense(2)])


@pytest.mark.parametrize("name", [*optimizers.OPTIMIZERS, "LossScaleOptimizer"])
def test_every_optimizer(name: str, tmp_path: Any) -> None:
    """Its settings and its state, there and back."""
    if name == "LossScaleOptimizer":
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))
    else:
        optimizer = optimizers.make(name, clipnorm=0.5, use_ema=True)
    model = small(keras)
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    for variable in optimizer.variables:
        variable.assign(RNG.uniform(1, 9, variable.shape))
    there = exchanged(model, "to Keras", tmp_path)
    assert type(there.optimizer).__name__ == name
    assert_same_arrays(there.optimizer.variables, optimizer.variables)
    back = exchanged(there, "from Keras", tmp_path)
    assert_same_arrays(back.optimizer.variables, optimizer.variables)
    assert type(back.optimizer) is type(optimizer)


def convolutional(k: Any) -> Any:
    model = k.Sequential(
        [
            k.Input((6, 6, 2)),
            k.layers.Conv2D(4, 3, padding="same", activation="relu"),
            k.layers.BatchNormalization(),
            k.layers.MaxPooling2D(),
            k.layers.Flatten(),
            k.layers.Dense(3, activation="softmax", kernel_regularizer="l2"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, RNG.normal(size=(8, 6, 6, 2)).astype("float32"), RNG.integers(0, 3, 8)


def nested(k: Any) -> Any:
    x, y = k.Input((4,), name="x"), k.Input((4,), name="y")
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3, activation="tanh")], name="inner")
    inner.layers[0].trainable = False
    both = k.layers.Add()([inner(x), inner(y) * 2.0])
    outputs = {"a": k.layers.Dense(1, name="a")(both), "b": k.layers.Dense(2, name="b")(both)}
    model = k.Model({"x": x, "y": y}, outputs)
    rate = k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model.compile(
        k.optimizers.SGD(rate, momentum=0.9),
        {"a": "mse", "b": k.losses.Huber()},
        loss_weights={"a": 1.0, "b": 0.3},
        weighted_metrics={"a": ["mae"]},
    )
    inputs = {name: RNG.normal(size=(8, 4)).astype("float32") for name in "xy"}
    targets = {"a": RNG.normal(size=(8, 1)), "b": RNG.normal(size=(8, 2))}
    return model, inputs, {k: v.astype("float32") for k, v in targets.items()}


def recurrent(k: Any) -> Any:
    x = k.Input((5,), dtype="int32")
    h = k.layers.Embedding(10, 4, mask_zero=True)(x)
    h = k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True))(h)
    model = k.Model(x, k.layers.Dense(1)(k.layers.GRU(2)(h)))
    model.compile("rmsprop", "mse")
    return model, RNG.integers(0, 10, (8, 5)), RNG.normal(size=(8, 1)).astype("float32")


@BOTH
@pytest.mark.parametrize("make", [convolutional, nested, recurrent])
def test_a_model_predicts_and_trains_on(make: Any, way: str, tmp_path: Any) -> None:
    written, x, y = make(sides(way)[0])
    written.train_on_batch(x, y)
    read = exchanged(written, way, tmp_path)
    assert_same_arrays(read.weights, written.weights)
    assert_same_arrays(read.optimizer.variables, written.optimizer.variables)
    for a, b in zip(
        jax.tree.leaves(written.predict_on_batch(x)),
        jax.tree.leaves(read.predict_on_batch(x)),
        strict=True,
    ):
        assert_close(a, b)
    losses = [np.asarray(each.train_on_batch(x, y)).ravel() for each in (written, read)]
    assert_close(losses[0][0], losses[1][0])
    for a, b in zip(written.weights, read.weights, strict=True):
        assert_close(np.asarray(a.numpy()), np.asarray(b.numpy()))


def net(k: Any) -> dict[str, type]:
    """Return a subclassed model and its layer, written for either library."""

    class Block(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.inner = [k.layers.Dense(units), k.layers.LayerNormalization()]

        def build(self, input_shape):
            self.gain = self.add_weight(shape=(self.units,), initializer="ones", name="gain")
            self.inner[0].build(input_shape)
            self.inner[1].build((*input_shape[:-1], self.units))

        def call(self, x):
            return self.inner[1](self.inner[0](x)) * self.gain

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Net(k.Model):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.block = Block(units)
            self.heads = {"one": [k.layers.Dense(1)], "two": [k.layers.Dense(2)]}

        def call(self, x):
            h = self.block(x)
            return {key: head[0](h) for key, head in self.heads.items()}

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return {"Net": Net, "Block": Block}


@BOTH
def test_a_subclassed_model(way: str, tmp_path: Any) -> None:
    source, target = sides(way)
    path, x = str(tmp_path / "m.keras"), RNG.normal(size=(4, 5)).astype("float32")
    written = net(source)["Net"](4)
    written(x)
    written.save(path)
    read = target.models.load_model(path, custom_objects=net(target))
    assert_same_arrays(read.weights, written.weights)
    for key, value in written(x).items():
        assert_close(np.asarray(value), np.asarray(read(x)[key]))


def test_a_lambda_of_keras_is_not_run(tmp_path: Any) -> None:
    path = str(tmp_path / "m.keras")
    peer.Sequential([peer.Input((4,)), peer.layers.Lambda(lambda x: x * 2, name="double")]).save(
        path
    )
    with pytest.raises(ValueError, match="the Lambda 'double', which was saved as byte code"):
        keras.models.load_model(path, safe_mode=False)
    loaded = keras.models.load_model(path, custom_objects={"double": twice})
    assert_close(loaded(np.ones((1, 4))), np.full((1, 4), 2.0))


@BOTH
def test_folders(way: str, tmp_path: Any) -> None:
    written, target = small(sides(way)[0]), sides(way)[1]
    written.save(str(tmp_path / "folder"), zipped=False)
    assert_same_arrays(target.models.load_model(str(tmp_path / "folder")).weights, written.weights)
