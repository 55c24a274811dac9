"""`tf.custom_gradient`, `tf.recompute_grad`, `tf.IndexedSlices`, `tf.autodiff.ForwardAccumulator`."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.kernels import native
from tests.tolerances import assert_close

ops = keras.ops


@tf.custom_gradient
def log1pexp(x):
    e = tf.exp(x)
    return tf.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))


@tf.custom_gradient
def many(x, y):
    """Two results, of which the gradients are 10 and 100 times what they were given."""
    return (x * y, x + y), lambda a, b: (a * 10.0, b * 100.0)


def grads(fn, *values, sources=()):
    tensors = [tf.constant(value) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        target = fn(*tensors)
    return tape.gradient(target, [*tensors, *sources])


def in_program(fn, *values, sources=()):
    """The same inside of a compiled function."""
    return tf.function(lambda: grads(fn, *values, sources=sources))()


WAYS = pytest.mark.parametrize("way", [grads, in_program])


@WAYS
def test_the_gradient_is_that_of_the_function(way):
    assert_close(way(log1pexp, 100.0)[0], 1.0)
    assert_close(way(lambda x: 2.0 * log1pexp(x * 3.0), 0.5)[0], 6 / (1 + np.exp(-1.5)))


@WAYS
def test_several_results(way):
    assert [float(each) for each in way(lambda x, y: many(x, y)[0], 2.0, 3.0)] == [10.0, 0.0]
    both = way(lambda x, y: sum(many(x, y)), 2.0, 3.0)
    assert [float(each) for each in both] == [10.0, 100.0]


@WAYS
def test_variables(way):
    v = tf.Variable(2.0)

    @tf.custom_gradient
    def scaled(x):
        def gradient(upstream, variables):
            assert [each is v for each in variables] == [True]
            return upstream * 7, [upstream * 11]

        return x * v, gradient

    assert [float(each) for each in way(scaled, 3.0, sources=[v])] == [7.0, 11.0]


@WAYS
def test_what_gradient_functions_return(way):
    v = tf.Variable(2.0)
    few = tf.custom_gradient(lambda x, y: (x * y, lambda upstream: upstream))
    with pytest.raises(ValueError, match="expected to return 2 gradients, but returned 1"):
        way(few, 1.0, 2.0)
    blind = tf.custom_gradient(lambda x: (x * v, lambda upstream: upstream))
    with pytest.raises(TypeError, match="must accept keyword argument 'variables'"):
        way(blind, 1.0)
    lone = tf.custom_gradient(lambda x: x * 2)
    with pytest.raises(TypeError, match=r"returns \(outputs, grad_fn\)"):
        way(lone, 1.0)


def test_a_gradient_that_is_none():
    none = tf.custom_gradient(lambda x, y: (x * y, lambda upstream: (None, upstream)))
    assert grads(lambda x, y: none(x * 2.0, y), 1.0, 2.0)[0] is None


def test_no_tape_no_gradient():
    assert_close(log1pexp(tf.constant(0.0)), np.log(2.0))


def test_keywords_are_settings():
    @tf.custom_gradient
    def scaled(x, *, k=2.0):
        return x * k, lambda upstream: upstream * k * 100

    assert float(grads(lambda x: scaled(x, k=3.0), 1.0)[0]) == 300.0


def test_second_derivatives_are_those_of_the_gradient_function():
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = log1pexp(x)
        dy = inner.gradient(y, x)
    share = 1 / (1 + np.exp(-3.0))
    assert_close(dy, share)
    assert_close(outer.gradient(dy, x), share * (1 - share))


def test_its_input_and_its_result_are_sources():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        a = x * x
        b = log1pexp(a)
        c = b * b
    da, db, dx = tape.gradient(c, [a, b, x])
    assert_close(db, 2 * np.log1p(np.exp(4.0)))
    assert_close(da, float(db) / (1 + np.exp(-4.0)))
    assert_close(dx, float(da) * 4)


def test_its_gradient_and_that_of_what_is_beside_it_are_added():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = log1pexp(x) + x * x * x
    assert_close(tape.gradient(y, x), 1 / (1 + np.exp(-2.0)) + 12.0)


def test_jacobians_through_it():
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = log1pexp(x)
    assert_close(tape.jacobian(y, x), np.diag(1 / (1 + np.exp(-x.numpy()))))


class Clipped(keras.layers.Layer):
    """A layer whose gradient is clipped, as in gradient reversal."""

    def call(self, x):
        return tf.custom_gradient(lambda x: (x * 1.0, lambda up: tf.clip_by_value(up, -0.1, 0.1)))(
            x
        )


def test_in_fit_and_in_a_functional_model():
    inputs = keras.Input((2,))
    dense = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    model = keras.Model(inputs, Clipped()(dense(inputs)))
    model.compile(keras.optimizers.SGD(1.0), loss=lambda y, p: ops.sum(p))
    model.fit(np.ones((1, 2)), np.ones((1, 1)), verbose=0)
    assert_close(dense.kernel, [[0.9], [0.9]])
    clipped = tf.custom_gradient(lambda x: (x * 1.0, lambda up: up * 0.1))
    graph = keras.Model(inputs, clipped(inputs))
    assert_close(grads(graph, np.ones((1, 2), "float32"))[0], [[0.1, 0.1]])


@WAYS
def test_recompute_grad(way):
    calls = []
    v = tf.Variable(2.0)
    seen = tf.Variable(0.0, trainable=False)
    draws = keras.random.SeedGenerator(1)

    @tf.recompute_grad
    def block(x, training):
        calls.append(training)
        seen.assign_add(1.0)
        mask = keras.random.uniform((3,), seed=draws)
        return tf.sin(x * v) * mask

    x = np.array([1.0, 2.0, 3.0], "float32")
    dx, dv = way(lambda x: block(x, True), x, sources=[v])
    mask = keras.random.uniform((3,), seed=keras.random.SeedGenerator(1)).numpy()
    assert_close(dx, 2 * np.cos(2 * x) * mask)
    assert_close(dv, np.sum(x * np.cos(2 * x) * mask))
    assert set(calls) == {True}
    assert float(seen) == 1.0


ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
DENSE = np.array([[4.0, 6.0], [0.0, 0.0], [0.0, 0.0], [5.0, 6.0]], "float32")


def slices(shape=(4, 2)):
    return tf.IndexedSlices(tf.constant(ROWS), tf.constant([0, 0, 3]), shape)


def test_slices_stand_for_a_dense_tensor():
    rows = slices()
    assert (rows.shape, rows.dtype) == ((4, 2), "float32")
    assert_close(tf.convert_to_tensor(rows), DENSE)
    assert_close(tf.add(rows, 1.0), DENSE + 1)
    assert_close(tf.convert_to_tensor(-rows), -DENSE)
    assert_close(tf.clip_by_value(rows, -4.0, 4.0), np.clip(DENSE, -4, 4))
    assert_close(tf.linalg.global_norm([rows]), np.linalg.norm(DENSE))
    assert repr(rows).startswith("IndexedSlices(indices=tf.Tensor([0 0 3], shape=(3,)")
    with pytest.raises(ValueError, match="without dense_shape"):
        tf.convert_to_tensor(slices(None))


def test_optimizers_take_slices():
    v = tf.Variable(tf.zeros((4, 2)))
    keras.optimizers.SGD(1.0).apply_gradients([(slices(), v)])
    assert_close(v, -DENSE)


def forward(fn, primals, tangents):
    with tf.autodiff.ForwardAccumulator(primals, tangents) as acc:
        y = fn()
    return acc.jvp(y)


def test_forward_accumulators():
    x, v, n = tf.constant([1.0, 2.0]), tf.Variable([3.0, 4.0]), tf.constant(1.0)
    directions = [tf.constant([1.0, 0.5]), tf.constant([0.0, 2.0])]
    with tf.autodiff.ForwardAccumulator([x, v], directions) as acc:
        y = {"a": x * v, "b": [n * 2.0]}
        assert native.is_switched_off()
    assert not native.is_switched_off()
    found = acc.jvp(y)
    assert_close(found["a"], [3.0, 2.0 + 4.0])
    assert found["b"] == [None]
    assert_close(acc.jvp(y, unconnected_gradients="zero")["b"][0], 0.0)
    assert_close(acc.jvp(x), directions[0])


def test_forward_through_layers():
    layer = keras.layers.Conv2D(2, 3)
    x = np.random.default_rng(0).normal(size=(1, 6, 6, 1)).astype("float32")
    layer(x)
    x, direction = tf.constant(x), tf.ones((1, 6, 6, 1))
    found = forward(lambda: layer(x), x, direction)
    without_bias = layer(direction) - layer.bias  # it is linear but for that
    assert_close(found, without_bias)


@pytest.mark.parametrize("wrap", [lambda layer: layer, tf.function], ids=["eager", "function"])
def test_forward_through_kept_programs_with_native_kernels(wrap):
    layer = wrap(keras.layers.MaxPooling2D())
    x = tf.constant(np.random.default_rng(0).normal(size=(8, 14, 14, 8)).astype("float32"))
    layer(x)
    found = forward(lambda: layer(x), x, tf.ones(x.shape))
    assert_close(found, np.ones((8, 7, 7, 8)))
    assert_close(layer(x), tf.nn.max_pool2d(x, 2, 2, "VALID"))


def test_products_of_hessians_and_vectors():
    v = tf.Variable([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, -1.0])) as acc:
        with tf.GradientTape() as tape:
            y = v[0] ** 2 * v[1]
        gradient = tape.gradient(y, v)
    assert_close(acc.jvp(gradient), [4.0 - 2.0, 2.0])
    with tf.GradientTape() as tape:
        with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, 0.0])) as acc:
            y = v[0] ** 2 * v[1]
        slope = acc.jvp(y)
    assert_close(tape.gradient(slope, v), [4.0, 2.0])


def test_wrong_tangents():
    x = tf.constant([1.0, 2.0])
    with pytest.raises(ValueError, match="another structure than `primals`"):
        tf.autodiff.ForwardAccumulator([x], [x, x])
    with pytest.raises(ValueError, match=r"shape \(3,\) and its primal \(2,\)"):
        tf.autodiff.ForwardAccumulator(x, tf.ones(3))
    with pytest.raises(TypeError, match="A primal is a tensor or a variable"):
        tf.autodiff.ForwardAccumulator(1.0, 1.0)
