"""Models made of graphs: several inputs and outputs, shared and nested, in any structure."""

import json

import jax
import numpy as np
import pytest

import hornbeam as tf
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
    flat = keras.Model(y := keras.Input((4,)), y * 2)
    assert_close(flat(X[..., None]), 2 * X)  # an axis is taken off
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
        (lambda x, y: keras.Model([x, X], y), "inputs must be symbolic tensors"),
        (lambda x, y: keras.Model(x, [y, X]), "outputs must be symbolic tensors"),
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
    model.check_batch(([good, X[:1], X],))
    assert seen == [
        [(2, 4), (1, 4)]
    ]  # not the layer behind another one, whose inputs are not known
    with pytest.raises(ValueError, match="the index 5"):
        model.check_batch(([good + 5, X, X],))
    with pytest.raises(ValueError, match="negative"):
        model.check_batch(([good, -1 - X, X],))
    with pytest.raises(ValueError, match="takes 3 input"):
        model.check_batch(([good, X],))


def test_a_model_without_a_graph_checks_nothing_by_itself():
    class Words(keras.Model):
        def __init__(self):
            super().__init__()
            self.table = layers.Embedding(5, 2)

        def call(self, x):
            return self.table(x)

    Words().check_batch(np.array([[7]]))


def same_results(model, data, *, custom_objects=None):
    again = keras.Model.from_config(
        json.loads(json.dumps(model.get_config())), custom_objects=custom_objects
    )
    again.set_weights(model.get_weights())
    wanted, found = model(data), again(data)
    assert jax.tree.structure(wanted) == jax.tree.structure(found)
    assert_close(found, wanted)
    return again


def test_the_calls_of_a_layer_keep_their_order():
    """The first call of `shared` in the file needs a layer that is listed after it."""
    x = keras.Input((4,), name="x")
    shared = layers.Dense(4, name="shared")
    late = layers.Dense(4, name="late", use_bias=False)(x)
    first, second = shared(late), shared(x)
    model = keras.Model(x, {"first": first, "second": second})
    config = json.loads(json.dumps(model.get_config()))
    config["layers"].sort(key=lambda entry: entry["name"] != "shared")
    again = keras.Model.from_config(config)
    weights = {w.path: w.numpy() for w in model.weights}
    for weight in again.weights:
        weight.assign(weights[weight.path])
    assert_close(again(X)["first"], model(X)["first"])
    assert_close(again(X)["second"], model(X)["second"])


def test_constants_keywords_and_keys_come_back():
    x = keras.Input((3, 4))
    y = np.float32([1, 2, 3, 4]) * x + [1, 2, 3, 4]
    y = keras.ops.where(y > 0, y, keras.ops.convert_to_tensor(-1.0))
    parts = keras.ops.split(y[:, None, ..., ::2], 2, axis=-1)
    mean, variance = keras.ops.moments(y, axes=[1])
    values, places = keras.ops.top_k(y, k=2, sorted=False)
    rows = keras.ops.take(y, np.int32([0, 2]), axis=1)
    outputs = {"parts": parts, "stats": [mean, variance], "top": [values, places], "rows": rows}
    same_results(keras.Model(x, outputs), np.random.default_rng(0).normal(size=(2, 3, 4)))


def test_arguments_of_calls_come_back():
    x = keras.Input((5, 4))
    state = keras.Input((3,))
    mask = keras.Input((5,), dtype="bool")
    h = layers.GRU(3, return_sequences=True, name="gru")(x, initial_state=state, mask=mask)
    h = layers.Dropout(0.5)(h, training=False)
    h = layers.MultiHeadAttention(2, 2, name="heads")(h, value=h, use_causal_mask=True)
    model = keras.Model({"x": x, "state": state, "mask": mask}, h)
    draw = np.random.default_rng(0)
    data = {
        "x": draw.normal(size=(2, 5, 4)).astype("float32"),
        "state": draw.normal(size=(2, 3)).astype("float32"),
        "mask": np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool),
    }
    same_results(model, data)


@pytest.mark.parametrize(("given", "drops"), [({}, True), ({"training": False}, False)])
def test_a_mode_of_training_is_kept_where_the_user_gave_it(given, drops):
    x = keras.Input((100,))
    model = keras.Model(x, layers.Dropout(0.5)(x, **given))
    for _ in range(2):
        model = keras.Model.from_config(json.loads(json.dumps(model.get_config())))
        assert (model(np.ones((1, 100)), training=True).numpy() == 0).any() == drops


def test_the_default_mode_that_keras_writes_is_none():
    """Keras writes `training: false` for every Dropout; such a layer follows the model around it."""
    x = keras.Input((100,))
    config = json.loads(json.dumps(keras.Model(x, layers.Dropout(0.5)(x)).get_config()))
    config["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": False}
    model = keras.Model.from_config(config)
    assert (model(np.ones((1, 100)), training=True).numpy() == 0).any()
    assert (model(np.ones((1, 100))).numpy() == 1).all()


def test_an_output_may_be_an_input():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    same_results(keras.Model([a, b], [b, a + b, a]), [X, 2 * X])


def test_models_in_models_in_models_come_back():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inner")
    y = keras.Input((4,))
    middle = keras.Model(y, inner(layers.Dense(3)(y)), name="middle")
    x = keras.Input((4,))
    once = middle(x)
    twice = layers.Dense(2)(once)
    outer = keras.Model(x, [once, twice, middle(x * 2)])
    again = same_results(outer, X)
    assert [layer.name for layer in again.layers] == [layer.name for layer in outer.layers]
    stack = keras.Sequential([keras.Input((4,)), middle, layers.Dense(2)])
    copy = keras.Sequential.from_config(json.loads(json.dumps(stack.get_config())))
    copy.set_weights(stack.get_weights())
    assert_close(copy(X), stack(X))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"class_name": "Addd"}, "Unknown op: 'keras.src.ops.numpy.Addd'"),
        ({"config": {"name": "add", "speed": 3}}, "does not take 'speed'"),
        ({"inbound_nodes": [{"args": [1], "kwargs": {}}]}, "does not say the argument 'x2'"),
        ({"inbound_nodes": [{"args": [1, 2, 3], "kwargs": {}}]}, "1 too many"),
    ],
)
def test_a_broken_op_is_named(change, text):
    x = keras.Input((4,))
    config = keras.Model(x, x + 1).get_config()
    config["layers"][1] = {**config["layers"][1], **change}
    with pytest.raises(ValueError, match=text):
        keras.Model.from_config(config)


def test_the_lambda_of_a_graph_is_asked_for_by_the_name_of_its_layer():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Lambda(lambda t: t * 2, name="twice")(x))
    with pytest.raises(ValueError, match="'twice' has no name by which"):
        keras.models.model_from_json(model.to_json())


def test_two_layers_of_one_name_are_refused():
    x = keras.Input((4,))
    with pytest.raises(ValueError, match="'a' is the name of 2 of them"):
        keras.Model(x, layers.Dense(3, name="a")(layers.Dense(3, name="a")(x)))


def test_a_mask_reaches_the_layers_inside():
    class Seeing(layers.Layer):
        def call(self, x, mask=None):
            self.seen = mask
            return x

    x, seeing = keras.Input((3,)), Seeing()
    model = keras.Model(x, seeing(x))
    mask = keras.ops.convert_to_tensor([[True, True, False]] * 2)
    model(np.ones((2, 3)), mask=mask)
    assert seeing.seen is mask
    seeing.seen = None
    data = keras.ops.ones((2, 3))
    data._keras_mask = mask
    model(data)
    assert seeing.seen is mask


def test_a_model_is_written_as_keras_writes_it():
    x = keras.Input((4,))
    inner = keras.Model(x, layers.Dense(2)(x))
    config = keras.saving.serialize_keras_object(inner)
    names = [config[key] for key in ("module", "class_name", "registered_name")]
    assert names == ["keras.src.models.functional", "Functional", "Functional"]
    assert config["config"]["layers"][1]["registered_name"] is None


def test_input_and_output_of_a_layer_are_a_tensor_or_a_list():
    """As in Keras, whatever the structure in which the layer was called."""
    x, state = keras.Input((6, 3)), [keras.Input((4,)), keras.Input((4,))]
    lstm = layers.LSTM(4, return_state=True)
    outputs = lstm(x, initial_state=state)
    assert lstm.input == [x, *state]
    assert lstm.output == list(outputs)
    add = layers.Add()
    y = add(state)
    assert add.input == state
    assert add.output is y
    model = keras.Model([x, *state], lstm.output[1:])
    assert [type(model.layers[0].input), model.layers[0].input] == [type(x), x]
    data = [np.zeros((2, 6, 3)), np.zeros((2, 4)), np.zeros((2, 4))]
    assert isinstance(model.predict(data, verbose=0), list)


def test_ops_that_keras_does_not_have_come_back_from_a_configuration():
    """Their arguments are in the call, whatever they are called."""
    x = keras.Input((2, 2))
    model = keras.Model(x, tf.linalg.matmul(x, x + 1.0, transpose_b=True))
    config = json.loads(json.dumps(model.get_config()))
    back, values = keras.Model.from_config(config), X.reshape(2, 2, 2)
    assert_close(back(values), values @ (values + 1).transpose(0, 2, 1))
