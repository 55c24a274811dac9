"""Cross-entropies behind a sigmoid or softmax: computed from the logits, whatever lies between the two."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import scope
from hornbeam.core.origins import Probabilities, made_of, origin_of
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.keras import losses, ops
from tests.tolerances import assert_close

layers = keras.layers
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(6, 4)).astype("float32")
LABELS = np.array([0, 3, 1, 2, 2, 0])
ONE_HOT = np.eye(4, dtype="float32")[LABELS]
YES = (RNG.random((6, 4)) < 0.5).astype("float32")
SATURATED = np.array([[60.0, -60.0, 30.0, 0.0], [-90.0, 200.0, 3.0, 1.0]], "float32")

# name: (activation, labels, loss of (y, p, options), the same of float64 logits)
log_sigmoid = lambda z: -np.logaddexp(0, -z)  # noqa: E731
log_softmax = lambda z: z - np.logaddexp.reduce(z, -1, keepdims=True)  # noqa: E731


def binary(y, z):
    return -np.mean(y * log_sigmoid(z) + (1 - y) * log_sigmoid(-z), -1)


def categorical(y, z):
    return -np.sum(y * log_softmax(z), -1)


def sparse(y, z):
    return -log_softmax(z)[np.arange(len(y)), y]


KINDS = {
    "binary_crossentropy": ("sigmoid", YES, binary),
    "categorical_crossentropy": ("softmax", ONE_HOT, categorical),
    "sparse_categorical_crossentropy": ("softmax", LABELS, sparse),
}
ROWS = [(name, dtype) for name in KINDS for dtype in ("float32", "bfloat16")]


def through(activation, z, dtype):
    return getattr(ops, activation)(ops.cast(z, dtype))


@pytest.mark.parametrize(("name", "dtype"), ROWS)
def test_value_and_gradient_are_those_of_the_logits(name, dtype):
    activation, y, by_definition = KINDS[name]
    z = jnp.asarray(Z, dtype)
    expected = by_definition(y, np.asarray(z, "float64"))
    loss = losses.get(name)

    def of(z):
        p = ops.cast(through(activation, Tensor(z), dtype), "float32")
        return unwrap(ops.sum(loss(y, p)))

    p = ops.cast(through(activation, Tensor(z), dtype), "float32")
    assert_close(loss(y, p), expected)
    value, gradient = jax.value_and_grad(of)(z)
    assert_close(value, expected.sum())
    wide = z.astype("float32")
    exact = jax.grad(lambda z: unwrap(ops.sum(loss(y, Tensor(z), from_logits=True))))(wide)
    assert_close(gradient, exact, dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "name", [*KINDS, "binary_focal_crossentropy", "categorical_focal_crossentropy"]
)
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_saturated_outputs_have_gradients(activation, name, dtype):
    """Also where a loss stands behind the other activation: what is wrong has a gradient, and all are finite."""
    z = jnp.asarray(SATURATED, dtype)
    y = np.eye(4, dtype="float32")[[1, 0]]  # the two least likely classes

    def of(z):
        p = through(activation, Tensor(z), dtype)
        return unwrap(ops.sum(losses.get(name)(y.argmax(-1) if "sparse" in name else y, p)))

    value, gradient = jax.value_and_grad(of)(z)
    assert np.isfinite(value) and np.isfinite(np.asarray(gradient, "float32")).all()
    assert (np.asarray(gradient, "float32")[[0, 1], [1, 0]] != 0).all()


FORMS = {
    "cast": lambda p: ops.cast(ops.cast(p, "bfloat16"), "float32"),
    "reshape": lambda p: ops.reshape(ops.reshape(p, (2, 3, 4)), (-1, 4)),
    "expand and squeeze": lambda p: ops.squeeze(ops.expand_dims(p, 1), 1),
    "transposed": lambda p: ops.transpose(ops.transpose(p)),
    "layers": lambda p: layers.Flatten()(layers.Reshape((4, 1))(p)),
    "an identity in another type": lambda p: layers.Activation("linear", dtype="bfloat16")(p),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_the_origin_stays_through_a_change_of_form(activation, form):
    z = ops.convert_to_tensor(Z)
    origin = origin_of(unwrap(FORMS[form](getattr(ops, activation)(z))), Probabilities)
    assert origin is not None and origin.axis == (None if activation == "sigmoid" else 1)
    assert_close(origin.logits, Z)


def test_the_axis_of_classes_moves_with_the_shape():
    z = ops.convert_to_tensor(np.zeros((2, 3, 4, 5), "float32"))
    axis_of = lambda p: getattr(origin_of(unwrap(p), Probabilities), "axis", "none")  # noqa: E731
    p = ops.softmax(z, axis=1)
    assert axis_of(p) == 1
    assert axis_of(ops.reshape(p, (2, 3, 20))) == 1
    assert axis_of(ops.reshape(p, (2, 1, 3, 20))) == 2
    assert axis_of(ops.transpose(p, (0, 2, -1, 1))) == 3
    assert axis_of(ops.reshape(p, (6, 20))) == "none"  # classes are no axis any more
    assert axis_of(ops.reshape(ops.softmax(z), (5, 24))) == "none"  # nor an axis as long as they
    assert axis_of(ops.softmax(z, axis=(2, 3))) == "none"


def test_what_changes_values_ends_the_origin():
    p = ops.sigmoid(Z)
    for changed in (
        p * 1.0,
        p + 0.0,
        1 - p,
        ops.cast(p, "int32"),
        ops.clip(p, 0.1, 0.9),
        ops.copy(p),
    ):
        assert origin_of(unwrap(changed), Probabilities) is None


def test_the_origin_goes_with_its_value():
    p = ops.sigmoid(Z)
    raw = unwrap(p)
    assert origin_of(raw, Probabilities) is not None
    del p, raw
    assert origin_of(unwrap(ops.convert_to_tensor(Z)), Probabilities) is None


def test_a_gradient_with_respect_to_the_probabilities_is_that_of_the_definition():
    p = unwrap(ops.sigmoid(Z))
    gradient = jax.grad(lambda p: unwrap(ops.sum(losses.binary_crossentropy(YES, Tensor(p)))))(p)
    q = np.asarray(p, "float64")
    assert_close(gradient, (q - YES) / (q * (1 - q)) / 4)


def test_a_stopped_gradient_stays_stopped():
    def of(z):
        return unwrap(ops.sum(losses.binary_crossentropy(YES, ops.stop_gradient(ops.sigmoid(z)))))

    assert not np.asarray(jax.jit(jax.grad(of))(jnp.asarray(Z))).any()
    assert not np.asarray(jax.grad(of)(jnp.asarray(Z))).any()


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (losses.BinaryCrossentropy(label_smoothing=0.2), YES),
        (losses.CategoricalCrossentropy(label_smoothing=0.2), ONE_HOT),
        (losses.CategoricalCrossentropy(axis=0), ONE_HOT),
        (losses.SparseCategoricalCrossentropy(axis=0), LABELS[:4] % 4),
        (losses.SparseCategoricalCrossentropy(ignore_class=2), LABELS),
        (losses.BinaryFocalCrossentropy(apply_class_balancing=True), YES),
        (losses.CategoricalFocalCrossentropy(), ONE_HOT),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_options_are_those_of_the_probabilities(loss, y):
    """Away from 0 and 1 both ways agree to rounding: with weights, a mask, smoothing, any axis."""
    axis = getattr(loss, "axis", -1)
    for activation in ("sigmoid", "softmax"):
        p = ops.softmax(Z, axis=axis) if activation == "softmax" else ops.sigmoid(Z)
        plain = ops.convert_to_tensor(p.numpy())
        weights = np.arange(1, 1 + len(unwrap(loss.call(y, plain))), dtype="float32")
        assert_close(loss(y, p, weights), loss(y, plain, weights))
        p._keras_mask = plain._keras_mask = ops.convert_to_tensor(weights > 2)
        assert_close(loss(y, p), loss(y, plain))


def test_labels_of_another_rank():
    z = ops.convert_to_tensor(SATURATED[:, :1])
    expected = losses.BinaryCrossentropy(from_logits=True)([0.0, 1.0], SATURATED[:, :1])
    assert_close(losses.BinaryCrossentropy()(np.array([0.0, 1.0]), ops.sigmoid(z)), expected)
    flat = ops.squeeze(ops.sigmoid(z), -1)
    assert_close(losses.BinaryCrossentropy()(np.array([[0.0], [1.0]]), flat), expected)


def test_logits_that_are_none_are_warned_of():
    with pytest.warns(UserWarning, match="comes from a softmax"):
        value = losses.SparseCategoricalCrossentropy(from_logits=True)(LABELS, ops.softmax(Z))
    assert_close(value, sparse(LABELS, Z).mean())


# Models

UNITS = {"sigmoid": 1, "softmax": 2}
NAMES = {"sigmoid": "binary_crossentropy", "softmax": "sparse_categorical_crossentropy"}
X = RNG.normal(size=(8, 3)).astype("float32")
Y = np.array([0, 1] * 4)


class Subclassed(keras.Model):
    def __init__(self, activation):
        super().__init__()
        self.dense = layers.Dense(UNITS[activation], kernel_initializer=large)
        self.activation = activation

    def call(self, x):
        return getattr(ops, self.activation)(self.dense(x))


def large(shape, dtype=None):
    """Weights of which each row saturates its output, to the wrong side."""
    signs = np.array([[-1.0]]) if shape[1] == 1 else np.array([[1.0, -1.0]])
    return np.repeat(100 * signs, shape[0], 0).astype("float32")


def ending(activation, last):
    inputs = keras.Input((3,))
    x = layers.Dense(UNITS[activation], kernel_initializer=large)
    return keras.Model(inputs, last(x(inputs)))


MODELS = {
    "argument": lambda a: keras.Sequential(
        [layers.Dense(UNITS[a], activation=a, kernel_initializer=large)]
    ),
    "layer": lambda a: ending(a, layers.Activation(a)),
    "function": lambda a: ending(a, getattr(keras.activations, a)),
    "op and reshape": lambda a: ending(
        a, lambda x: ops.reshape(getattr(ops, a)(x), (-1, UNITS[a]))
    ),
    "lambda": lambda a: ending(a, layers.Lambda(lambda x: getattr(keras.ops, a)(x))),
    "cast": lambda a: ending(a, layers.Activation(a, dtype="float32")),
    "nested": lambda a: ending(a, keras.Sequential([layers.Activation(a), layers.Identity()])),
    "subclassed": Subclassed,
}


@pytest.mark.parametrize("activation", UNITS)
@pytest.mark.parametrize(
    ("kind", "policy"),
    [*((kind, "mixed_bfloat16") for kind in MODELS), ("argument", "float32")],
)
def test_every_kind_of_model_learns_out_of_saturation(kind, activation, policy):
    """One step of gradient descent from outputs of exactly 0 or 1; eager, compiled and evaluated losses agree."""
    keras.config.set_dtype_policy(policy)
    try:
        model = MODELS[kind](activation)
        x, y = np.abs(X) + 1, np.ones((8, 1))
        loss = losses.get(NAMES[activation])
        model.compile(keras.optimizers.SGD(1.0), loss, metrics=["crossentropy"])
        eager = float(ops.mean(loss(y, ops.cast(model(x), "float32"))))
        assert eager > 100  # the clipped loss ends at 16
        before = model.get_weights()[0]
        evaluated = model.evaluate(x, y, verbose=0)
        assert_close(evaluated, [eager, eager])
        logs = model.fit(x, y, batch_size=8, verbose=0).history
        assert_close([logs["loss"][0], logs["crossentropy"][0]], [eager, eager])
        assert np.abs(model.get_weights()[0] - before).min() > 0.5
    finally:
        keras.config.set_dtype_policy("float32")


def test_outputs_of_a_gradient_keep_their_origin():
    v = keras.Variable(Z)

    def forward():
        p = ops.softmax(v)
        return ops.sum(p * p), p

    (_, p), _ = scope.value_and_grad(forward, [v])()
    assert_close(origin_of(unwrap(p), Probabilities).logits, Z)


def test_nothing_is_noted_of_what_is_not_known():
    x = jnp.ones(3)
    assert made_of(x, None) is x and origin_of(x, Probabilities) is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_transformer_in_mixed_precision_learns_random_labels(seed):
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(seed)
    try:
        x = inputs = keras.Input((64,), dtype="int32")
        x = layers.Embedding(8000, 256)(x)
        for _ in range(2):
            x = layers.LayerNormalization()(
                layers.Add()([x, layers.MultiHeadAttention(8, 32)(x, x)])
            )
            hidden = layers.Dense(256)(layers.Dense(1024, "gelu")(x))
            x = layers.LayerNormalization()(layers.Add()([x, hidden]))
        x = layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(x))
        model = keras.Model(inputs, x)
        model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
        rng = np.random.default_rng(seed)
        tokens, labels = rng.integers(0, 8000, (256, 64)), rng.integers(0, 2, (256, 1))
        history = model.fit(tokens, labels, batch_size=16, epochs=8, verbose=0).history
        assert history["loss"][-1] < 0.1
    finally:
        keras.config.set_dtype_policy("float32")
