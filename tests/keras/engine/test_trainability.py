"""Which weights train: what was set last counts, for a layer, the layers inside it and the models around it."""

import keras as theirs
import numpy as np
import pytest

from hornbeam import keras as ours
from hornbeam.keras import layers

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def stack(keras, name="base"):
    dense = [keras.layers.Dense(3, name=f"{name}{i}") for i in range(4)]
    return keras.Sequential([keras.Input((3,)), *dense], name=name)


def around(keras, base):
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(1, name="head")(base(inputs)))


def names(model):
    return [w.path.split("/", 1)[-1] for w in model.trainable_weights]


def thaw_some(base):
    base.trainable = False
    for layer in base.layers[-2:]:
        layer.trainable = True


def freeze_some(base):
    base.trainable = True
    for layer in base.layers[:-1]:
        layer.trainable = False


def thaw_one_weight(base):
    base.trainable = False
    base.layers[1].bias.trainable = True


def freeze_one_weight_and_thaw_all(base):
    base.layers[1].bias.trainable = False
    base.trainable = True


def thaw_twice(base):
    thaw_some(base)
    base.trainable = False


CHANGES = [thaw_some, freeze_some, thaw_one_weight, freeze_one_weight_and_thaw_all, thaw_twice]


@pytest.mark.parametrize("change", CHANGES)
def test_the_last_setting_counts_as_in_keras(change):
    found = []
    for keras in (ours, theirs):
        base = stack(keras)
        model = around(keras, base)
        change(base)
        flags = [(layer.trainable, [w.trainable for w in layer.weights]) for layer in base.layers]
        found.append((names(base), names(model), len(model.non_trainable_weights), flags))
    assert found[0] == found[1]


def test_layers_thawed_in_a_frozen_base_are_trained_and_counted():
    base = stack(ours)
    model = around(ours, base)
    thaw_some(base)
    model.compile("sgd", "mse")
    before = [w.numpy() for w in model.weights]
    model.fit(X[0, :, :3], X[0, :, :1], verbose=0)
    changed = {
        w.path for w, old in zip(model.weights, before, strict=True) if (w.numpy() != old).any()
    }
    assert changed == {w.path for w in model.trainable_weights}
    assert len(changed) == 6
    lines = []
    model.summary(print_fn=lines.append)
    assert "Trainable params: 28 " in "".join(lines)


def test_a_model_that_is_frozen_itself_trains_nothing():
    base = stack(ours)
    thaw_some(base)
    assert base.trainable_weights == []


HOLDERS = {
    "MultiHeadAttention": lambda **kw: layers.MultiHeadAttention(2, 2, **kw),
    "GroupQueryAttention": lambda **kw: layers.GroupQueryAttention(2, 4, 2, **kw),
    "Bidirectional": lambda **kw: layers.Bidirectional(layers.LSTM(2), **kw),
    "TimeDistributed": lambda **kw: layers.TimeDistributed(layers.Dense(2), **kw),
    "RNN": lambda **kw: layers.RNN(layers.LSTMCell(2), **kw),
    "RNN of a list": lambda **kw: layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)], **kw),
    "LSTM": lambda **kw: layers.LSTM(2, **kw),
    "EinsumDense": lambda **kw: layers.EinsumDense("abc,cd->abd", (None, 3), **kw),
    "Dense": lambda **kw: layers.Dense(2, activation=layers.PReLU(), **kw),
    "BatchNormalization": lambda **kw: layers.BatchNormalization(**kw),
    "Sequential": lambda **kw: ours.Sequential([layers.Dense(2)], **kw),
}


def call(layer):
    attends = isinstance(layer, (layers.MultiHeadAttention, layers.GroupQueryAttention))
    return layer(X, X) if attends else layer(X)


@pytest.mark.parametrize("name", HOLDERS)
def test_an_argument_freezes_what_the_layer_holds(name):
    class Outer(layers.Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

    free, frozen = HOLDERS[name](), HOLDERS[name](trainable=False)
    call(free), call(frozen)
    assert Outer(free).trainable_weights == free.trainable_weights != []
    assert frozen.trainable_weights == Outer(frozen).trainable_weights == []
    assert not any(w.trainable for w in frozen.weights)
    assert not any(layer.trainable for layer in frozen.flatten_layers())
    again = type(frozen).from_config(frozen.get_config())
    call(again)
    assert Outer(again).trainable_weights == []
    frozen.trainable = True
    assert len(Outer(frozen).trainable_weights) == len(free.trainable_weights)


def test_frozen_inside_stays_frozen_in_a_wrapper():
    wrapper = layers.TimeDistributed(layers.Dense(2, trainable=False), trainable=True)
    wrapper(X)
    assert wrapper.trainable_weights == []


@pytest.mark.parametrize(
    "late", ["attribute", "list", "added", "weight", "variable in a list", "variable in a dict"]
)
def test_what_a_frozen_layer_gets_later_is_frozen(late):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.blocks = []
            self.scales = {"all": []}

        def call(self, inputs):
            return inputs

    block = ours.Sequential(name="block") if late == "added" else Block()
    outer = ours.Sequential([block])
    block.trainable = False
    dense = layers.Dense(2)
    dense.build((None, 4))
    if late == "attribute":
        block.dense = {"deep": [dense]}
    elif late == "list":
        block.blocks.append(dense)
    elif late == "added":
        block.add(dense)
    elif late == "variable in a list":
        block.blocks.append(ours.Variable([1.0, 2.0]))
    elif late == "variable in a dict":
        block.scales["all"].append(ours.Variable([1.0, 2.0]))
    else:
        block.add_weight((2,), name="late")
    assert not any(each.trainable for each in block._variables)
    assert len(outer.weights) in (1, 2)
    assert outer.trainable_weights == []
    block.trainable = True
    assert outer.trainable_weights == outer.weights


def test_state_is_never_thawed_and_keeps_its_place():
    layer = layers.BatchNormalization()
    layer.build((None, 3))
    order = [w.path for w in layer.weights]
    layer.trainable = False
    assert [w.path for w in layer.weights] == order
    layer.trainable = True
    assert [w.trainable for w in layer.weights] == [True, True, False, False]


def test_the_order_of_weights_does_not_change_when_some_are_frozen():
    layer = layers.Dense(2)
    layer.build((None, 3))
    layer.kernel.trainable = False
    assert layer.weights == [layer.kernel, layer.bias]


@pytest.mark.parametrize(
    "remake", [lambda m: type(m).from_config(m.get_config()), ours.models.clone_model]
)
def test_a_thawed_layer_in_a_frozen_base_survives_a_configuration(remake):
    base = stack(ours)
    thaw_some(base)
    model = remake(around(ours, base))
    trained = [w.path.removeprefix("base/") for w in model.trainable_weights]
    kinds = ("kernel", "bias")
    assert trained == [f"{layer}/{kind}" for layer in ("base2", "base3", "head") for kind in kinds]


@pytest.mark.parametrize("change", ["append", "freeze", "freeze a weight", "replace", "remove"])
def test_trainable_weights_are_found_anew_after_a_change(change: str):
    class Holder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(1), layers.Dense(1)]
            self.last = layers.Dense(1)
            for each in [*self.blocks, self.last]:
                each.build((None, 1))

    layer, other = Holder(), layers.Dense(1)
    other.build((None, 1))
    assert len(layer.trainable_weights) == len(layer.trainable_weights) == 6
    layer.trainable_weights.clear()  # a list of the caller's
    changes = {
        "append": lambda: layer.blocks.append(other),
        "freeze": lambda: setattr(layer.last, "trainable", False),
        "freeze a weight": lambda: setattr(layer.last.kernel, "trainable", False),
        "replace": lambda: setattr(layer.blocks[0], "trainable", False),
        "remove": lambda: setattr(layer, "last", None),
    }
    changes[change]()
    expected = {"append": 8, "freeze a weight": 5}.get(change, 4)
    assert len(layer.trainable_weights) == expected
