"""Models, layers, optimizers and metrics in checkpoints: the names that they have there, and values that come later."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import changes
from hornbeam.train.graph import GRAPH_KEY, read_graph

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@pytest.fixture(autouse=True)
def nothing_waits():
    yield
    changes.waiting.clear()


def names(path):
    """Return the names of what a checkpoint holds."""
    found = [name for name, _ in tf.train.list_variables(path)]
    return [name.removesuffix(VALUE) for name in found if name.endswith(VALUE)]


def numbered(obj):
    """Set the variables to numbers that tell them apart; return these."""
    for number, variable in enumerate(obj.variables):
        variable.assign(np.full(variable.shape, number + 1))
    return [float(v.numpy().max()) for v in obj.variables]


def values(obj):
    return [float(v.numpy().max()) for v in obj.variables]


def stack(built=True):
    layers = [keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.BatchNormalization()]
    return keras.Sequential(([keras.Input((3,))] if built else []) + layers)


class Net(keras.Model):
    """Layers in attributes, lists and dicts."""

    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(3)
        self.blocks = [keras.layers.Dense(2), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        self.named = {"a": keras.layers.Embedding(3, 2)}
        self.scale = tf.Variable(1.0)
        self.total = keras.metrics.Mean()

    def call(self, x):
        return self.blocks[2](self.blocks[0](self.first(x))) * self.scale


def test_a_stack(tmp_path):
    model = stack()
    weights = list(model.weights)
    path = tf.train.Checkpoint(model=model).write(tmp_path / "c")
    assert names(path) == [
        "model/layer_with_weights-0/bias",
        "model/layer_with_weights-0/kernel",
        "model/layer_with_weights-1/beta",
        "model/layer_with_weights-1/gamma",
        "model/layer_with_weights-1/moving_mean",
        "model/layer_with_weights-1/moving_variance",
    ]
    other = stack()
    tf.train.Checkpoint(model=other).read(path).assert_consumed()
    for a, b in zip(weights, other.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_graph_with_a_model_inside(tmp_path):
    def graph():
        x = keras.Input((3,))
        return keras.Model(x, keras.layers.LSTM(2)(keras.layers.Reshape((2, 2))(stack()(x) * 2)))

    model = graph()
    path = tf.train.Checkpoint(model).write(tmp_path / "c")
    assert names(path)[0] == "layer_with_weights-0/layer_with_weights-0/bias"
    assert names(path)[-1] == "layer_with_weights-1/cell/recurrent_kernel"
    other = graph()
    tf.train.Checkpoint(other).read(path).assert_consumed()
    for a, b in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_class(tmp_path):
    model = Net()
    model(np.ones((1, 4)))
    model.named["a"].build()
    path = tf.train.Checkpoint(net=model).write(tmp_path / "c")
    assert names(path) == [
        "net/blocks/0/bias",
        "net/blocks/0/kernel",
        "net/blocks/2/bias",
        "net/blocks/2/kernel",
        "net/first/bias",
        "net/first/kernel",
        "net/named/a/embeddings",
        "net/scale",
        "net/total/count",
        "net/total/total",
    ]


def test_a_weight_that_keras_2_calls_otherwise(tmp_path):
    layer = keras.layers.DepthwiseConv2D(3, use_bias=False)
    layer.build((None, 8, 8, 2))
    path = tf.train.Checkpoint(layer=layer).write(tmp_path / "c")
    assert names(path) == ["layer/depthwise_kernel"]
    edges = read_graph(tf.train.load_checkpoint(path).get_tensor(GRAPH_KEY), "c")[1].children
    assert set(edges) == {"depthwise_kernel", "kernel", "_depthwise_kernel"}
    other = keras.layers.DepthwiseConv2D(3, use_bias=False)
    status = tf.train.Checkpoint(layer=other).read(path)
    other.build((None, 8, 8, 2))
    status.assert_consumed()


def test_layers_that_are_built_later(tmp_path):
    """Their first call sees the values; the checkpoint object may be gone by then."""
    x = np.ones((1, 4), "float32")
    model = Net()
    model.scale.assign(3.0)
    expected = model(x).numpy()
    path = tf.train.Checkpoint(net=model).write(tmp_path / "c")
    later = Net()
    status = tf.train.Checkpoint(net=later).read(path)
    np.testing.assert_array_equal(later(x).numpy(), expected)
    status.assert_consumed()
    assert not changes.waiting


def test_an_attribute_that_is_set_later(tmp_path):
    layer = keras.layers.Layer()
    layer.scale = tf.Variable(3.0)
    path = tf.train.Checkpoint(layer).write(tmp_path / "c")
    later = keras.layers.Layer()
    tf.train.Checkpoint(later).read(path)
    later.scale = tf.Variable(0.0)
    assert later.scale.numpy() == 3


def test_a_stack_that_is_built_later(tmp_path):
    model = stack()
    path = tf.train.Checkpoint(model).write(tmp_path / "c")
    later = stack(built=False)
    tf.train.Checkpoint(later).read(path)
    later.build((None, 3))
    for a, b in zip(model.weights, later.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


OPTIMIZERS = {
    "SGD": {"momentum": 0.9},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adam": {"amsgrad": True, "use_ema": True, "gradient_accumulation_steps": 2},
    "Adadelta": {},
    "Adagrad": {},
    "Adamax": {},
    "Ftrl": {},
    "Nadam": {},
    "Lion": {},
}


def make(name):
    optimizer = getattr(keras.optimizers, name)(**OPTIMIZERS[name])
    return optimizer, [keras.Variable([1.0, 2.0]), keras.Variable([[3.0]])]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_before_and_after_they_are_built(tmp_path, name):
    optimizer, weights = make(name)
    optimizer.build(weights)
    expected = numbered(optimizer)
    path = tf.train.Checkpoint(optimizer=optimizer).write(tmp_path / "c")
    reader = tf.train.load_checkpoint(path)
    assert reader.get_tensor(f"optimizer/_iterations{VALUE}").dtype == "int64"
    last = "_u_product" if name == "Nadam" else f"_variables/{len(expected) - 1}"
    assert reader.has_tensor(f"optimizer/{last}{VALUE}")
    built, others = make(name)
    built.build(others)
    # The weights are in the checkpoint too, since the optimizer lists them.
    tf.train.Checkpoint(optimizer=built).read(path).assert_consumed()
    assert values(built) == expected and others[1].numpy() == [[3]]
    later, others = make(name)
    status = tf.train.Checkpoint(optimizer=later).read(path)
    assert values(later) == expected[:2]
    later.build(others)
    assert values(later) == expected
    status.assert_consumed()


def test_a_loss_scale_optimizer(tmp_path):
    def wrapped():
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(momentum=0.9))

    optimizer = wrapped()
    optimizer.build([keras.Variable([1.0, 2.0])])
    optimizer.step_counter.assign(7)
    path = tf.train.Checkpoint(optimizer=optimizer).write(tmp_path / "c")
    assert "optimizer/inner_optimizer/_variables/2" in names(path)
    later = wrapped()
    status = tf.train.Checkpoint(optimizer=later).read(path)
    later.build([keras.Variable([1.0, 2.0])])
    status.assert_consumed()
    assert later.step_counter.numpy() == 7


def test_fit_goes_on_with_the_restored_state(tmp_path):
    """Neither the model nor its optimizer is built when the checkpoint is restored."""
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")

    def compiled():
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        return model, tf.train.Checkpoint(model=model, optimizer=model.optimizer)

    model, checkpoint = compiled()
    model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    path = checkpoint.save(tmp_path / "c")
    model.fit(x, y, verbose=0)
    later, checkpoint = compiled()
    status = checkpoint.restore(path)
    later.fit(x, y, verbose=0)
    status.assert_consumed()
    assert later.optimizer.iterations.numpy() == 3
    for a, b in zip(model.variables, later.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_metrics_and_seeds(tmp_path):
    metric, seeds = keras.metrics.Mean(), keras.random.SeedGenerator(3)
    metric.update_state([1.0, 2.0])
    seeds.next()
    path = tf.train.Checkpoint(metric=metric, seeds=seeds).write(tmp_path / "c")
    other = tf.train.Checkpoint(metric=keras.metrics.Mean(), seeds=keras.random.SeedGenerator(5))
    other.read(path).assert_consumed()
    assert other.metric.result() == 1.5
    np.testing.assert_array_equal(other.seeds.state.numpy(), [3, 1])


def test_a_weight_that_is_computed_from_others(tmp_path):
    class Product:
        def __init__(self):
            self.a, self.b = keras.Variable([[2.0]]), keras.Variable([[3.0]])
            self.variables = [self.a, self.b]

        def read_raw(self):
            return self.a.read_raw() @ self.b.read_raw()

    layer = keras.layers.Layer()
    layer.kernel = Product()
    path = tf.train.Checkpoint(layer=layer).write(tmp_path / "c")
    assert names(path) == ["layer/kernel/a", "layer/kernel/b"]
