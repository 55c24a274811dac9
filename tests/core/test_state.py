"""Variables, scopes and seeds: code that changes state, as a pure function."""

import threading

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import rng, scope
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.variable import Variable
from tests.tolerances import assert_close


def test_a_variable_keeps_shape_and_type():
    v = Variable([1.0, 2.0], name="v")
    v.assign([3, 4])
    assert v.dtype == "float32"
    np.testing.assert_array_equal(v, [3, 4])
    with pytest.raises(ValueError, match=r"'v' has shape \(2,\).*shape \(3,\)"):
        v.assign([1, 2, 3])
    np.testing.assert_array_equal(v, [3, 4])


def test_assignments_add_and_subtract():
    v = Variable(np.ones(2))
    v.assign_add([1, 2])
    v.assign_sub(convert_to_tensor([0.5, 0.5]))
    np.testing.assert_array_equal(v, [1.5, 2.5])


def test_sizes_are_stored_as_jax_arrays():
    sizes = tf.shape(
        np.zeros((2, 3))
    )  # a tensor of NumPy numbers, which stay known inside a program
    assigned = Variable([0, 0])
    assigned.assign(sizes)
    for variable in (assigned, Variable(sizes), Variable(lambda shape, dtype: sizes, shape=(2,))):
        assert isinstance(variable._value, jax.Array)
        np.testing.assert_array_equal(variable, [2, 3])
    # A program that finds the variable asks whether its array is deleted, which NumPy's can't answer.
    assert not assigned._value.is_deleted()


def test_a_callable_initializer_needs_a_shape():
    v = Variable(lambda shape, dtype: np.full(shape, 2, dtype), shape=(2, 2), dtype="int32")
    assert v.shape == (2, 2) and v.dtype == "int32"
    with pytest.raises(ValueError, match="no shape"):
        Variable(lambda shape, dtype: np.zeros(shape))
    with pytest.raises(ValueError, match="returned shape"):
        Variable(lambda shape, dtype: np.zeros(3), shape=(2,))
    with pytest.raises(ValueError, match=r"needs a shape without None; received \(None, 2\)"):
        Variable(lambda shape, dtype: np.zeros(2), shape=(None, 2))


def test_a_variable_made_while_tracing_holds_a_value():
    made = []

    def build(x):
        made.append(Variable(lambda shape, dtype: np.ones(shape, dtype), shape=(3,)))
        return x

    jax.eval_shape(build, jax.ShapeDtypeStruct((2,), "float32"))
    np.testing.assert_array_equal(made[0].numpy(), np.ones(3))


def test_pure_threads_what_is_assigned():
    v = Variable(1.0)

    def count(x):
        v.assign(v + x)
        return v * 10

    out, (new,) = jax.jit(scope.pure(count, [v]))([v.read_raw()], 2.0)
    assert float(out) == 30 and float(new) == 3 and float(v) == 1


def test_pure_refuses_to_lose_an_assignment():
    v, other = Variable(1.0), Variable(1.0, name="forgotten")
    with pytest.raises(RuntimeError, match="forgotten"):
        scope.pure(lambda: other.assign(2.0), [v])([v.read_raw()])
    assert float(other) == 1


def test_a_compiled_function_cannot_leak_a_traced_value():
    v = Variable(1.0, name="leaky")
    with pytest.raises(RuntimeError, match="'leaky' was assigned inside a compiled function"):
        jax.jit(lambda x: v.assign(x)._value)(3.0)
    assert float(v) == 1


def test_scopes_nest():
    v, w = Variable(1.0), Variable(5.0)
    with scope.StateScope([(v, np.float32(2))]) as outer:
        with scope.StateScope([(w, np.float32(7))]) as inner:
            assert float(v) == 2 and float(w) == 7
            v.assign(3.0)
            assert float(v) == 3
        assert [x is v for x, _ in inner.updates] == [True]
        assert float(v) == 2 and float(w) == 5 and not outer.updates
    assert float(v) == 1


def test_value_and_grad_sees_variables_and_keeps_assignments():
    w, seen = Variable([1.0, 2.0]), Variable(0.0)

    def loss(x):
        seen.assign(seen + 1.0)
        return ((w * x) * (w * x))[0], "extra"

    def step(x):
        return scope.value_and_grad(loss, [w])(x)

    ((value, extra), (gradient,)), _ = scope.pure(step, [w, seen])(
        [w.read_raw(), seen.read_raw()], 3.0
    )
    assert extra == "extra" and float(value) == 9
    assert_close(gradient, [18.0, 0.0])
    (_, _), (gradient,) = step(3.0)
    assert float(seen) == 1
    assert_close(gradient, [18.0, 0.0])


def test_autocast_changes_reads_of_floats_only():
    v, n = Variable([1.0]), Variable([1])
    with scope.autocast("bfloat16"):
        assert v.read_raw().dtype == "bfloat16" and v.dtype == "bfloat16"
        assert n.read_raw().dtype == "int32"
    assert v.read_raw().dtype == "float32"


def test_a_seed_generator_repeats_and_advances():
    a, b = rng.SeedGenerator(3), rng.SeedGenerator(3)
    first = a.next().numpy()
    np.testing.assert_array_equal(first, b.next())
    assert not np.array_equal(first, a.next())
    with pytest.raises(ValueError, match="integer"):
        rng.SeedGenerator("seven")


def test_a_seed_generator_advances_inside_a_program():
    seeds = rng.SeedGenerator(3)
    run = jax.jit(scope.pure(lambda: jax.random.uniform(rng.draw_key(seeds)), [seeds.state]))
    first, state = run([seeds.state.read_raw()])
    second, _ = run(state)
    assert float(first) != float(second)
    assert float(first) == float(jax.random.uniform(rng.draw_key(seeds)))


def test_set_random_seed_repeats_everything():
    def draw():
        rng.set_random_seed(5)
        return rng.make_seed(), np.random.rand(), float(jax.random.uniform(rng.draw_key(None)))

    assert draw() == draw()
    with pytest.raises(ValueError, match="from 0"):
        rng.set_random_seed(-1)


def test_numpy_generators_follow_the_seed():
    assert rng.numpy_generator(1).random() == rng.numpy_generator(1).random()
    seeds = rng.SeedGenerator(1)
    assert rng.numpy_generator(seeds).random() != rng.numpy_generator(seeds).random()


def test_a_variable_made_under_mixed_precision_keeps_all_bits():
    wide = Variable(np.float32(1 + 2**-12))
    with scope.autocast("bfloat16"):
        copy = Variable(wide)
    assert copy.numpy() == wide.numpy()


@pytest.mark.parametrize("seed", [True, 1.5, "1", None, -1, 2**32])
def test_a_seed_that_is_none_is_refused_and_changes_nothing(seed):
    rng.set_random_seed(3)
    first = rng.make_seed()
    rng.set_random_seed(3)
    with pytest.raises(ValueError, match="A seed is an integer"):
        rng.set_random_seed(seed)
    assert rng.make_seed() == first


def test_a_scope_belongs_to_its_thread():
    v, seen = Variable(1.0), []
    with scope.StateScope([(v, np.float32(2.0))]), scope.autocast("bfloat16"):
        thread = threading.Thread(target=lambda: seen.append((float(v), v.value.dtype)))
        thread.start()
        thread.join()
        assert float(v) == 2
    assert seen == [(1.0, "float32")]


def test_a_scope_may_hold_arrays_of_numpy():
    v = Variable([1.0, 2.0])
    with scope.StateScope([(v, np.array([3.0, 4.0], "float32"))]) as opened:
        v.assign_add([1.0, 1.0])
        assert v.numpy().tolist() == [4.0, 5.0]
    ((_, value),) = opened.updates
    assert np.asarray(value).tolist() == [4.0, 5.0]
    assert v.numpy().tolist() == [1.0, 2.0]
