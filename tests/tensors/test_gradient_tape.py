"""`tf.GradientTape` outside of programs."""

import gc
import threading

import jax
import numpy as np
import pytest

import hornbeam as tf
from tests.tolerances import assert_close

X = 3.0


def gradient(fn, *values, **options):
    """The gradients of `fn` at watched tensors."""
    tensors = [tf.constant(value) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        target = fn(*tensors)
    return tape.gradient(target, tensors, **options)


def test_structures_are_kept():
    x, y, z = tf.constant(2.0), tf.constant(5.0), tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch([x, {"y": y}])
        target = [x * y, {"square": x * x}]
    found = tape.gradient(target, {"b": [x, z], "a": (y,)})
    assert float(found["b"][0]) == 5.0 + 4.0
    assert found["b"][1] is None
    assert float(found["a"][0]) == 2.0


def test_variables_are_watched_when_they_are_read():
    v, frozen, unread = (
        tf.Variable(2.0),
        tf.Variable(3.0, trainable=False),
        tf.Variable(1.0),
    )
    with tf.GradientTape(persistent=True) as tape:
        y = v * v * frozen
    assert [each is v for each in tape.watched_variables()] == [True]
    assert float(tape.gradient(y, v)) == 12.0
    assert tape.gradient(y, [frozen, unread]) == [None, None]


def test_only_what_is_watched_by_hand():
    v, w = tf.Variable(2.0), tf.Variable(3.0, trainable=False)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = v * w
    assert tape.watched_variables() == (w,)
    first, second = tape.gradient(y, [v, w])
    assert first is None
    assert float(second) == 2.0


def test_a_variable_that_is_assigned_in_between():
    """The gradients at both values are added; no gradient flows through the assignment."""
    v, x = tf.Variable(2.0), tf.constant(7.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        a = v * v
        v.assign(x)
        y = a + 3.0 * v * v
    dv, dx = tape.gradient(y, [v, x])
    assert float(dv) == 4.0 + 42.0
    assert dx is None


def test_no_gradient_flows_through_an_assignment_in_a_program():
    state = tf.Variable(1.0, trainable=False)

    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            square = x * x
            state.assign(square)
            y = state * x + square
        return tape.gradient(y, x)

    assert float(slope(tf.constant(3.0))) == 9.0 + 6.0


def test_what_is_between_source_and_target_is_a_source_too():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y + x
    dx, dy = tape.gradient(z, [x, y])
    assert (float(dx), float(dy)) == (4 * 27 + 1, 18)


def test_a_target_that_is_a_source():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    assert float(tape.gradient(x, x)) == 1.0
    assert float(tape.gradient([y, x, y], x)) == 6 + 1 + 6
    assert [float(each) for each in tape.gradient([y, x], [y, x])] == [1.0, 7.0]
    assert tape.gradient(tf.constant(1.0), tf.constant(2.0)) is None


def test_output_gradients():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = x * x, x[0]
    assert_close(tape.gradient(y, x, [3.0, 5.0]), [6.0, 20.0])
    assert_close(tape.gradient(y, x, [tf.constant([3.0, 5.0])]), [6.0, 20.0])
    assert_close(tape.gradient([y, z], x, [None, 2.0]), [4.0, 4.0])
    with pytest.raises(ValueError, match=r"shape \(3,\) for a target of shape \(2,\)"):
        tape.gradient(y, x, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="another structure than `target`"):
        tape.gradient([y, z], x, [[1.0, 2.0]])


def test_unconnected_gradients():
    x, y = tf.constant(3.0), tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        z = x * x
    assert tape.gradient(z, y) is None
    assert_close(tape.gradient(z, y, unconnected_gradients="zero"), [0.0, 0.0])
    zero = tf.UnconnectedGradients.ZERO
    assert_close(tape.gradient(z, y, unconnected_gradients=zero), [0.0, 0.0])
    assert_close(tape.jacobian(z, y, unconnected_gradients=zero), [0.0, 0.0])
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients: 'no'"):
        tape.gradient(z, y, unconnected_gradients="no")


def test_stop_recording():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            hidden = tf.identity(x) * x
        z = y + hidden
    assert float(tape.gradient(z, x)) == 6.0


def test_stop_recording_needs_a_tape_that_records():
    with tf.GradientTape() as tape:
        pass
    with pytest.raises(ValueError, match="Tape is not recording"), tape.stop_recording():
        pass


def test_reset_forgets():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        tape.reset()
        tape.watch(x)
        z = x * 2.0
    assert tape.gradient(y, x) is None
    assert float(tape.gradient(z, x)) == 2.0


def test_entering_twice():
    with tf.GradientTape() as tape, pytest.raises(ValueError, match="Tape is still recording"):
        tape.__enter__()


def test_a_persistent_tape_goes_on_recording():
    x = tf.constant(3.0)
    tape = tf.GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        y = x * x
    with tape:
        z = y * x
    assert float(tape.gradient(z, x)) == 27.0
    assert float(tape.gradient(y, x)) == 6.0


@pytest.mark.parametrize("use", ["gradient", "jacobian"])
def test_a_spent_tape(use):
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert float(getattr(tape, use)(y, x)) == 6.0
    with pytest.raises(RuntimeError, match=r"can only be used to compute one set.*persistent=True"):
        tape.gradient(y, x)


def test_a_tape_that_has_recorded_nothing():
    x, tape = tf.constant(3.0), tf.GradientTape()
    for use in (lambda: tape.jacobian(x, x), lambda: tape.watch(x)):
        with pytest.raises(RuntimeError, match="recorded nothing yet: use it as a context"):
            use()
    with pytest.raises(
        RuntimeError, match="Trying to stop recording a tape which is not recording"
    ):
        tape.stop_recording().__enter__()


def test_what_can_not_be_watched():
    with tf.GradientTape() as tape:
        with pytest.raises(ValueError, match=r"Passed in object 3\.0 of type 'float'"):
            tape.watch(3.0)
        with pytest.warns(UserWarning, match="watched tensor must be floating"):
            tape.watch(tf.constant(1))


def test_wrong_targets_and_sources():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    with pytest.raises(TypeError, match="source of a gradient is a tensor or a variable"):
        tape.gradient(y, 3.0)
    with pytest.raises(TypeError, match="target of a gradient is a tensor"):
        tape.gradient(9.0, x)
    with pytest.warns(UserWarning, match="target tensor must be floating"):
        assert tape.gradient(tf.cast(y, "int32"), x) is None


def test_second_and_third_order():
    x = tf.constant(2.0)
    with tf.GradientTape() as third:
        third.watch(x)
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = x**4
            dy = first.gradient(y, x)
        ddy = second.gradient(dy, x)
    assert [float(each) for each in (dy, ddy, third.gradient(ddy, x))] == [32.0, 48.0, 48.0]


def test_higher_order_with_one_persistent_tape():
    x = tf.constant(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**3
        with pytest.warns(UserWarning, match="persistent tape inside its context"):
            dy = tape.gradient(y, x)
    assert float(tape.gradient(dy, x)) == 12.0


def test_a_gradient_inside_of_the_block_ends_the_recording():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        dy = tape.gradient(y, x)
    assert float(dy) == 4.0


def test_jacobians_against_their_definition():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    w = tf.Variable([[1.0, 0.5], [2.0, -1.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.square(x @ w)
    dx, dw = tape.jacobian(y, [x, w])
    product = (x @ w).numpy()
    expected = 2 * np.einsum("ij,kj,il->ijlk", product, w.numpy(), np.eye(3))
    assert_close(dx, expected)
    assert dw.shape == (3, 2, 2, 2)
    assert_close(tape.batch_jacobian(y, x), np.einsum("ijik->ijk", expected))
    assert tape.jacobian(y, tf.constant(1.0)) is None
    assert_close(tape.batch_jacobian(tf.ones((3, 2)), x), np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match="first dimension of target shape"):
        tape.batch_jacobian(y[:2], x)


def test_a_hessian():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x[0] ** 2 * x[1]
        dy = inner.gradient(y, x)
    assert_close(outer.jacobian(dy, x), [[4.0, 2.0], [2.0, 0.0]])


def test_a_jacobian_of_a_jacobian():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x**3
        first = inner.jacobian(y, x)
    second = outer.jacobian(first, x)
    assert_close(
        second, np.einsum("ij,ik->ijk", np.eye(2), np.eye(2)) * [[[6.0], [12.0]]] * np.eye(2)
    )


@pytest.mark.parametrize("name", ["stop_gradient", "round", "floor", "zeros_like", "argmax"])
def test_ops_without_gradients(name):
    (found,) = gradient(lambda x: tf.cast(getattr(tf, name)(x), "float32"), [1.0, 2.0])
    assert found is None


def test_what_shares_the_array_of_a_stopped_one():
    (found,) = gradient(lambda x: tf.stop_gradient(x) * x, 3.0)
    assert float(found) == 3.0


def test_another_tensor_around_the_same_array():
    (found,) = gradient(lambda x: jax.tree.map(lambda leaf: leaf, x) * x, 3.0)
    assert float(found) == 6.0


def test_complex_numbers_as_in_tensorflow():
    z = np.complex64(1 + 2j)
    (square,) = gradient(lambda z: z * z, z)
    (size,) = gradient(lambda z: tf.abs(z) ** 2, z)
    assert_close(square, np.complex64(2 - 4j))
    assert_close(size, np.complex64(2 + 4j))


def test_each_thread_has_its_own_tape():
    x = tf.constant(3.0)
    found = {}

    def work(factor):
        for _ in range(20):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = x * x * factor
            found.setdefault(factor, []).append(float(tape.gradient(y, x)))

    threads = [threading.Thread(target=work, args=(factor,)) for factor in (1.0, 2.0)]
    with tf.GradientTape() as mine:
        mine.watch(x)
        for thread in threads:
            thread.start()
        y = x * 5.0
        for thread in threads:
            thread.join()
    assert found == {1.0: [6.0] * 20, 2.0: [12.0] * 20}
    assert float(mine.gradient(y, x)) == 5.0


def test_a_replay_draws_the_same():
    layer = tf.keras.layers.Dropout(0.5, seed=1)
    x = tf.ones((4, 8))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    before = layer.seed_generator.state.numpy()
    assert_close(tape.gradient(y, x), y)
    assert np.array_equal(layer.seed_generator.state.numpy(), before), "the replay drew once more"


@pytest.mark.slow
def test_memory_stays_level_over_many_steps():
    """Losses that are kept keep no graph alive."""
    model = tf.keras.Sequential(
        [tf.keras.Input((4,)), tf.keras.layers.Dense(3), tf.keras.layers.Dense(1)]
    )
    optimizer = tf.keras.optimizers.SGD(0.001)
    x, losses = tf.ones((8, 4)), []

    def steps(count):
        for _ in range(count):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x) - 1.0))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            losses.append(loss)
        gc.collect()
        return len(gc.get_objects()), len(jax.live_arrays())

    first = steps(200)
    objects, arrays = (new - old for new, old in zip(steps(10_000), first, strict=True))
    assert arrays < 10_000 + 100
    assert objects < 3 * 10_000


def test_higher_derivatives_in_a_program():
    """What the inner tape replays is still known to the outer one, through other tensors around it, too."""
    same = tf.function(lambda t: t)

    @tf.function
    def derivatives(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x**3
            slope = inner.gradient(y, x)
            z = slope * same(y)  # 3 x^5
        with tf.GradientTape() as tape:
            tape.watch(x)
            w = tf.stack([x * x, x**3])
        return outer.gradient(z, x), tape.jacobian(w, x)

    second, rows = derivatives(tf.constant(2.0))
    assert_close(second, 240.0)
    assert_close(rows, [4.0, 12.0])
