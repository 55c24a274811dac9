"""Models made of graphs: several inputs and outputs, shared and nested, in any structure."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.arange(8, dtype="float32").reshape(2, 4)


def test_a_chain():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(3)(layers.Dense(5)(x)))
    assert model.input_shape == (None, 4) and model.output_shape == (None, 3)
    dense = model.layers[1:]
    assert_close(model(X), dense[1](dense[0](X)))


def test_several_inputs_and_outputs():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    both = layers.Concatenate()([a, b])
    model = keras.Model([a, b], [layers.Dense(2)(both), both])
    first, second = model([X, X[:, :3]])
    assert first.shape == (2, 2)
    assert_close(second, np.concatenate([X, X[:, :3]], 1))
    by_name = model({"b": X[:, :3], "a": X})
    assert_close(by_name[1], second)


def test_dicts_of_inputs_and_outputs():
    inputs = {"left": keras.Input((4,)), "right": keras.Input((4,))}
    model = keras.Model(inputs, {"sum": inputs["left"] + inputs["right"], "left": inputs["left"]})
    out = model({"left": X, "right": 2 * X})
    assert sorted(out) == ["left", "sum"]
    assert_close(out["sum"], 3 * X)
    with pytest.raises(ValueError, match=r"missing \['right'\]"):
        model({"left": X})


def test_a_shared_layer_has_one_set_of_weights():
    a, b = keras.Input((4,)), keras.Input((4,))
    shared = layers.Dense(3)
    model = keras.Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    assert len(model.weights) == 2
    assert_close(model([X, X]), np.zeros((2, 3)))


def test_models_nest():
    inner_input = keras.Input((4,))
    inner = keras.Model(inner_input, layers.Dense(3)(inner_input), name="inner")
    stack = keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="stack")
    x = keras.Input((4,))
    model = keras.Model(x, stack(inner(x)))
    assert [layer.name for layer in model.layers[1:]] == ["inner", "stack"]
    assert_close(model(X), stack(inner(X)))
    assert len(model.weights) == 4


def test_ops_between_layers():
    x = keras.Input((4,))
    h = keras.ops.relu(layers.Dense(4)(x) - 1.0)
    model = keras.Model(x, h[:, :2] * 2)
    assert model.output_shape == (None, 2)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert_close(again(X), model(X))


def test_a_part_of_a_model_is_a_model():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, name="last")(layers.Dense(3, name="first")(x)))
    features = keras.Model(model.input, model.get_layer("first").output)
    assert features(X).shape == (2, 3)
    head = keras.Model(model.get_layer("first").output, model.output)
    assert [v.path for v in head.weights] == ["last/kernel", "last/bias"]
    assert_close(head(features(X)), model(X))


def test_a_graph_of_structures_comes_back_from_its_config():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    out = {"x": layers.Add()([shared(a), shared(b)]), "y": shared(a)}
    model = keras.Model({"a": a, "b": b}, out, name="m")
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    data = {"a": X, "b": 2 * X}
    for key in out:
        assert_close(again(data)[key], model(data)[key])
    assert again.name == "m" and [x.name for x in again.layers] == [x.name for x in model.layers]


def test_inputs_are_fitted_to_the_graph():
    x = keras.Input((1,), dtype="float32")
    model = keras.Model(x, x * 2)
    assert model(np.array([1, 2])).shape == (2, 1)  # an axis is added, integers become floats
    with pytest.raises(
        ValueError, match=r"expected its input .* of shape \(None, 1\), received shape \(2, 3\)"
    ):
        model(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"takes 1 input\(s\)"):
        model([np.ones((2, 1)), np.ones((2, 1))])


def test_get_layer():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, name="first"), layers.Dense(2, name="second")]
    )
    assert model.get_layer("second") is model.layers[1] is model.get_layer(index=1)
    with pytest.raises(ValueError, match="Did you mean 'second'"):
        model.get_layer("secnd")
    with pytest.raises(ValueError, match="number 7"):
        model.get_layer(index=7)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda x, y: keras.Model(X, y), "what keras.Input"),
        (lambda x, y: keras.Model(x, keras.Input((3,)) + y), "not among the model's inputs"),
    ],
)
def test_what_is_no_graph_is_refused(make, text):
    x = keras.Input((4,))
    with pytest.raises(ValueError, match=text):
        make(x, layers.Dense(3)(x))


def test_a_subclass_may_make_its_graph_in_init():
    class Doubler(keras.Model):
        def __init__(self):
            x = keras.Input((4,))
            super().__init__(inputs=x, outputs=x * 2)

    assert_close(Doubler()(X), 2 * X)


def test_a_subclass_with_a_call():
    class Net(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.units = units
            self.hidden = [layers.Dense(units), layers.Dense(units)]
            self.head = layers.Dense(1)

        def call(self, x, training=None):
            for layer in self.hidden:
                x = layer(x)
            return self.head(x)

    net = Net(3)
    with pytest.raises(ValueError, match="no weights yet"):
        net.count_params()
    assert net(X).shape == (2, 1)
    assert len(net.weights) == 6 and len(net.layers) == 3
    assert Net.from_config(net.get_config()).units == 3
    built = Net(3)
    built.build((None, 4))
    assert [tuple(v.shape) for v in built.weights] == [tuple(v.shape) for v in net.weights]


def test_summary(capsys):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model(
        [a, b], layers.Dense(2, name="out")(layers.Add(name="sum")([a, b])), name="pair"
    )
    model.summary()
    text = capsys.readouterr().out
    assert 'Model: "pair"' in text and "(None, 2)" in text
    assert "a[0][0], b[0][0]" in text.replace("\n", "")
    assert "Total params: 10 (40.00 B)" in text
    lines: list[str] = []
    model.summary(print_fn=lines.append, show_trainable=True)
    assert any("Trainable" in line for line in lines)


def test_layers_behind_the_inputs_check_their_values():
    seen = []

    class Positive(layers.Layer):
        def call(self, inputs):
            return inputs[0]

        def check_values(self, inputs):
            seen.append([np.shape(x) for x in inputs])
            if min(np.min(x) for x in inputs) < 0:
                raise ValueError("received a negative number")

    words, a, b = keras.Input((3,), dtype="int32"), keras.Input((4,)), keras.Input((4,))
    inner = keras.Sequential([keras.Input((3,), dtype="int32"), layers.Embedding(5, 2)])
    both = Positive()([b, a])
    model = keras.Model([words, a, b], [inner(words), Positive()([both, both])])
    good = np.zeros((2, 3), int)
    model.check_batch([good, X[:1], X])
    assert seen == [
        [(2, 4), (1, 4)]
    ]  # not the layer behind another one, whose inputs are not known
    with pytest.raises(ValueError, match="the index 5"):
        model.check_batch([good + 5, X, X])
    with pytest.raises(ValueError, match="negative"):
        model.check_batch([good, -1 - X, X])
    with pytest.raises(ValueError, match="takes 3 input"):
        model.check_batch([good, X])


def test_a_model_without_a_graph_checks_nothing_by_itself():
    class Words(keras.Model):
        def __init__(self):
            super().__init__()
            self.table = layers.Embedding(5, 2)

        def call(self, x):
            return self.table(x)

    Words().check_batch(np.array([[7]]))
