"""`minimize` is a tape and `apply_gradients`."""

import pytest

import hornbeam as tf
from hornbeam.keras import optimizers
from tests.tolerances import assert_close


def loss(x, y):
    return tf.square(x - 1.0) * y


def by_hand(optimizer, steps=2):
    """The variables after some steps with a tape."""
    x, y = tf.Variable(3.0), tf.Variable(2.0)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            value = loss(x, y)
        optimizer.apply_gradients(zip(tape.gradient(value, [x, y]), [x, y], strict=True))
    return [x.numpy(), y.numpy()]


def by_function(optimizer, x, y):
    return optimizer.minimize(lambda: loss(x, y), [x, y])


def by_tape(optimizer, x, y):
    with tf.GradientTape() as tape:
        value = loss(x, y)
    return optimizer.minimize(value, [x, y], tape=tape)


def by_function_on_a_tape(optimizer, x, y):
    tape = tf.GradientTape()
    return optimizer.minimize(lambda: loss(x, y), lambda: [x, y], tape)


WAYS = [by_function, by_tape, by_function_on_a_tape]
OPTIMIZERS = {
    "SGD": lambda: optimizers.SGD(0.1),
    "Adam": lambda: optimizers.Adam(0.1),
    "factor": lambda: optimizers.SGD(0.1, loss_scale_factor=128.0),
    "scaled": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1)),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_ways_agree(way):
    optimizer = optimizers.Adam(0.1)
    x, y = tf.Variable(3.0), tf.Variable(2.0)
    assert [int(way(optimizer, x, y)) for _ in range(2)] == [1, 2]
    assert_close([x.numpy(), y.numpy()], by_hand(optimizers.Adam(0.1)))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("way", [by_function, by_tape])
def test_losses_are_scaled_where_the_optimizer_divides(way, name):
    optimizer = OPTIMIZERS[name]()
    plain = optimizers.Adam(0.1) if name == "Adam" else optimizers.SGD(0.1)
    x, y = tf.Variable(3.0), tf.Variable(2.0)
    for _ in range(2):
        way(optimizer, x, y)
    assert_close([x.numpy(), y.numpy()], by_hand(plain))


def test_what_is_not_trainable_is_watched():
    x = tf.Variable(3.0, trainable=False)
    optimizers.SGD(0.1).minimize(lambda: x * x, x)
    assert_close(x.numpy(), 2.4)


def test_inside_of_a_program():
    x, y, optimizer = tf.Variable(3.0), tf.Variable(2.0), optimizers.SGD(0.1)
    step = tf.function(lambda: by_function(optimizer, x, y))
    assert [int(step()), int(step())] == [1, 2]
    assert_close([x.numpy(), y.numpy()], by_hand(optimizers.SGD(0.1)))


def test_a_tensor_needs_its_tape():
    x = tf.Variable(1.0)
    with pytest.raises(ValueError, match="`tape` is required when a `Tensor` loss is passed"):
        optimizers.SGD(0.1).minimize(x * x, [x])
