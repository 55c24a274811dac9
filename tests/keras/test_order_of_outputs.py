"""Outputs in dicts keep the class and the order in which they were written, as in Keras and TensorFlow."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from tests.core.test_ordered import Named

Pair = namedtuple("Pair", ["z", "a"])
X = np.arange(6, dtype="float32").reshape(3, 2)
MAKERS = {
    "dict": lambda h: {"z": h, "a": h + 1, "m": {"q": h + 2, "b": h + 3}},
    "OrderedDict": lambda h: OrderedDict([("z", h), ("a", h + 1)]),
    "namedtuple": lambda h: Pair({"z": h, "a": h + 1}, h),
    "list": lambda h: [{"z": h, "a": h + 1}, (h, {"y": h, "c": h})],
    "own class": lambda h: Named(z=h, a=h + 1),
}
# What a graph can't be made of, in Keras neither.
IN_GRAPHS = [name for name in MAKERS if name != "own class"]


def form(value):
    if isinstance(value, dict):
        return type(value), [(key, form(each)) for key, each in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), list(map(form, value))
    return tuple(value.shape)


class Several(keras.Model):
    """A model of the user's with several outputs."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def call(self, x):
        return self.make(x)


@pytest.mark.parametrize("name", MAKERS)
def test_of_a_model_with_its_own_call(name):
    make = MAKERS[name]
    model = Several(make)
    expected = form(make(X))
    assert form(model(X)) == expected
    assert form(model.predict(X, batch_size=2, verbose=0)) == expected
    assert form(model.predict_on_batch(X)) == expected
    assert form(model(keras.Input((2,), batch_size=3))) == expected


@pytest.mark.parametrize("name", IN_GRAPHS)
def test_of_a_functional_model(name):
    make = MAKERS[name]
    inputs = keras.Input((2,))
    model = keras.Model(inputs, make(keras.layers.Activation("linear")(inputs)))
    expected = form(make(X))
    assert form(model(X)) == expected  # as one op
    with tf.GradientTape():
        assert form(model(tf.constant(X))) == expected
    assert form(tf.function(model)(X)) == expected
    assert form(model.predict(X, verbose=0)) == expected
    outer = keras.Model(again := keras.Input((2,)), model(again))
    assert form(outer(X)) == expected
    assert form(keras.models.clone_model(model)(X)) == expected


def test_outputs_pair_with_names_by_place():
    """The fault as it was met: weights zipped with values."""
    model = Several(lambda x: {"one": x, "half": x / 2})
    one, half = model.predict(X, verbose=0).values()
    assert (one == 2 * half).all()


def test_steps_see_data_in_the_order_in_which_they_were_given():
    seen = []

    class Watching(Several):
        def train_step(self, data):
            seen.append(list(data[0]))
            return {"loss": tf.reduce_sum(data[0]["z"])}

        def predict_step(self, data):
            seen.append(list(data))
            return data["z"]

    model = Watching(lambda x: x["z"])
    model.compile("sgd", "mse")
    data = {"z": X, "a": X}
    model.fit(data, X, verbose=0)
    model.predict(data, verbose=0)
    model.fit(((each, X) for each in [data, data]), steps_per_epoch=2, verbose=0)
    assert seen == [["z", "a"]] * 3


def test_layers_get_and_return_dicts_as_they_are():
    class Handing(keras.layers.Layer):
        def call(self, inputs):
            seen.append(list(inputs))
            return inputs

    seen = []
    assert list(Handing()({"z": X, "a": X})) == ["z", "a"]
    assert list(Handing()({n: keras.Input((2,)) for n in "za"})) == ["z", "a"]
    assert all(each == ["z", "a"] for each in seen) and seen


def test_a_loss_by_name_finds_its_output_in_an_ordered_dict():
    model = Several(lambda x: OrderedDict([("z", x), ("a", 0 * x)]))
    model.compile(loss={"z": "mse", "a": "mae"})
    logs = model.evaluate(X, {"z": X, "a": X}, verbose=0, return_dict=True)
    assert logs["z_loss"] == 0 and logs["a_loss"] > 0
    inputs = OrderedDict((n, keras.Input((2,), name=n)) for n in "za")
    model = keras.Model(inputs, inputs["z"] - 2 * inputs["a"])
    assert (model({"a": X, "z": 0 * X}) == -2 * X).numpy().all()


RESULTS = {"z": 1.0, "a": {"q": 2.0, "b": 3.0}}


@pytest.mark.parametrize(
    "call",
    [
        lambda v: keras.ops.map(lambda x: RESULTS | {"z": x}, v),
        lambda v: keras.ops.vectorized_map(lambda x: RESULTS | {"z": x}, v),
        lambda v: keras.ops.scan(lambda c, x: (c, x), dict(RESULTS), v)[0],
        lambda v: keras.ops.cond(v[0] > 0, lambda: dict(RESULTS), lambda: dict(RESULTS)),
        lambda v: keras.ops.while_loop(lambda d: d["z"] < 3, _more, (dict(RESULTS),))[0],
        lambda v: keras.ops.fori_loop(0, 2, lambda i, d: d, dict(RESULTS)),
        lambda v: tf.vectorized_map(lambda x: RESULTS | {"z": x}, v),
        lambda v: tf.recompute_grad(lambda x: RESULTS | {"z": x})(v),
        lambda v: tf.custom_gradient(lambda x: (RESULTS | {"z": x}, lambda *g: x))(v),
        lambda v: _gradients(RESULTS),
    ],
    ids=[
        "map",
        "vectorized_map",
        "scan",
        "cond",
        "while_loop",
        "fori_loop",
        "tf_map",
        "recompute",
        "custom",
        "tape",
    ],
)
def test_of_functions_that_take_functions(call):
    found = call(tf.constant([1.0, 2.0]))
    assert list(found) == ["z", "a"]
    assert list(found["a"]) == ["q", "b"]


def _more(values):
    return ({**values, "z": values["z"] + 1},)


def _gradients(values):
    sources = tf.nest.map_structure(tf.constant, Named(values))
    with tf.GradientTape() as tape:
        tape.watch(sources)
        loss = sum(each * each for each in tf.nest.flatten(sources))
    return tape.gradient(loss, sources)


def test_what_autograph_carries():
    @tf.function
    def run(n):
        held = Named(z=n, a=n)
        for _ in tf.range(n):
            held = tf.nest.map_structure(lambda x: x + 1, held)
        return held

    found = run(tf.constant(2))
    assert form(found) == (Named, [("z", ()), ("a", ())])
