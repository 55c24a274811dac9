"""Calls of ops are compiled once and kept, and compute what their bodies compute."""

from __future__ import annotations

import gc
import math
import threading
import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import config, plans
from hornbeam.core.kept import Kept
from hornbeam.core.op import op, registry
from hornbeam.core.plans import MANY_VALUES, WORTH_COMPILING
from hornbeam.core.scope import StateScope
from hornbeam.kernels import native
from tests.recorder import Record

ops = keras.ops
A = tf.constant([[1.0, -2.0], [3.0, 4.0]])
B = tf.constant([[5.0, 6.0], [7.0, -8.0]])


@pytest.fixture(autouse=True)
def _no_plans():
    plans.clear()
    yield
    plans.clear()


@pytest.fixture
def traced():
    """An op, and the list of the arguments that its body was called with; the op's name is not kept."""
    seen: list[Any] = []

    @op(name="tests.traced")
    def traced(x, *rest, **named):
        seen.append((x, *rest, *named.values()))
        return x + 1

    yield traced, seen
    del registry["tests.traced"]


def plan_of(fn, *args, **kwargs):
    return plans.find(fn, args, kwargs)[0]


def test_a_call_is_compiled_once(traced):
    fn, seen = traced
    for _ in range(3):
        np.testing.assert_array_equal(fn(A), A.numpy() + 1)
        fn(B)
    assert len(seen) == 1
    assert isinstance(seen[0][0], jax.core.Tracer)
    fn(tf.constant([1.0]))  # another shape: compiled, under the same plan
    assert len(seen) == 2
    assert plan_of(fn, A) is plan_of(fn, tf.constant([1.0]))


# Pairs of arguments that are equal for Python, or look so, and are not the same call.
DIFFERENT = [
    (1, 1.0),
    (1, True),
    (1.0, True),
    (0.0, -0.0),
    (0, False),
    (0, None),
    ("1", 1),
    ((1, 2), [1, 2]),
    ((1, 2), (1, (2,))),
    (((1, 2), 3), ((1,), 2, 3)),
    ((1, 2), (1.0, 2)),
    (slice(1), slice(1.0)),
    (slice(0, 1), slice(0, True)),
    (slice(1, None), slice(None, 1)),
    (np.int32(1), 1),
    (np.int32(1), np.int16(1)),
    (1 + 0j, complex(1.0, -0.0)),
    ("float32", tf.float32),
    (np.float32, np.float64),
    (np.dtype("int8"), np.dtype("uint8")),
    (..., None),
    (tf.shape(A), (2, 2)),
    (tf.shape(A), tf.shape(tf.zeros((3, 2)))),
    (float("inf"), -float("inf")),
]


@pytest.mark.parametrize("one, other", DIFFERENT, ids=repr)
def test_different_arguments_have_different_plans(traced, one, other):
    fn, seen = traced
    first, second = plan_of(fn, A, one), plan_of(fn, A, other)
    assert first is not second
    assert first is plan_of(fn, B, one)
    for _ in range(2):
        fn(A, one)
        fn(A, other)
    assert len(seen) == 2
    assert [type(each[1]) for each in seen] == [
        type(tf.core.tensor.unwrap(each)) for each in (one, other)
    ]


def test_nan_is_the_same_argument_each_time(traced):
    fn, _ = traced
    assert plan_of(fn, A, math.nan) is plan_of(fn, A, float("nan"))


def test_zeros_keep_their_sign():
    for _ in range(WORTH_COMPILING + 1):
        signs = [math.copysign(1, float(ops.multiply(tf.constant(1.0), z))) for z in (0.0, -0.0)]
        assert signs == [1, -1]


def test_keywords_in_any_order_are_one_call(traced):
    fn, _ = traced
    assert plan_of(fn, A, a=1, b=2) is plan_of(fn, B, b=2, a=1)
    assert plan_of(fn, A, a=1, b=2) is not plan_of(fn, A, a=2, b=1)
    assert plan_of(fn, A, a=1) is not plan_of(fn, A, b=1)
    assert plan_of(fn, A, "a", 1) is not plan_of(fn, A, a=1)


def test_arrays_in_lists_and_keywords_are_arguments(traced):
    fn, seen = traced
    for x in (A, B):
        fn(x, [x, (x, 2)], named=x)
    ((_, listed, named),) = seen
    assert listed[1][1] == 2
    assert all(isinstance(each, jax.core.Tracer) for each in (listed[0], listed[1][0], named))


@pytest.mark.parametrize(
    "array",
    [np.ones((2, 2), "float32"), jnp.ones((2, 2)), keras.Variable(np.ones((2, 2), "float32"))],
)
def test_every_kind_of_array_runs_the_plan_of_tensors(traced, array):
    fn, seen = traced
    fn(A)
    np.testing.assert_array_equal(fn(array), np.full((2, 2), 2.0))
    assert len(seen) == 1


def test_what_is_written_into_an_array_later_is_not_seen():
    x = np.ones(1000, "float32")
    results = []
    for i in range(20):
        x[:] = i
        results.append(ops.add(x, x))
    assert [float(r[-1]) for r in results] == [2.0 * i for i in range(20)]


# Pitfall: sizes must stay numbers, or what is made of them would be traced.
def test_calls_without_arrays_run_the_body(traced):
    fn, seen = traced
    sizes = tf.shape(A)
    for _ in range(2):
        fn(sizes)
    assert len(seen) == 2
    assert type(tf.shape(A)[0] * 2) is np.int32
    assert tf.reshape(A, (tf.shape(A)[0] * 2, -1)).shape == (4, 1)


# Pitfall: settings that bodies read.
def test_settings_are_part_of_the_key():
    def found():
        return ops.mean(tf.constant([1, 2])).dtype, float(
            ops.normalize(ops.zeros(2), epsilon=None)[0]
        )

    try:
        assert found()[0] == "float32"
        config.set_floatx("bfloat16")
        assert found()[0] == "bfloat16"
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize(
    "change, back",
    [
        (lambda: config.set_floatx("float16"), lambda: config.set_floatx("float32")),
        (lambda: config.set_epsilon(0.5), lambda: config.set_epsilon(1e-7)),
        (
            lambda: config.set_image_data_format("channels_first"),
            lambda: config.set_image_data_format("channels_last"),
        ),
    ],
)
def test_each_setting_has_its_own_plans(traced, change, back):
    fn, _ = traced
    first = plan_of(fn, A)
    change()
    try:
        assert plan_of(fn, A) is not first
    finally:
        back()
    assert plan_of(fn, A) is first


def test_native_kernels_that_are_switched_off_have_their_own_plans(traced):
    fn, _ = traced
    first = plan_of(fn, A)
    with native.switched_off():
        assert plan_of(fn, A) is not first


def test_settings_of_jax_are_seen(traced):
    fn, seen = traced
    fn(A)
    with jax.default_matmul_precision("float32"):
        fn(A)
    assert len(seen) == 2


# Pitfall: numbers that change from call to call.
def test_a_number_with_many_values_becomes_an_argument(traced):
    fn, seen = traced
    for i in range(3 * MANY_VALUES):
        fn(A, 0.5**i, "text", axis=1)
    assert len(seen) == MANY_VALUES + 1
    _, number, text, axis = seen[-1]
    assert isinstance(number, jax.core.Tracer)
    assert (text, axis) == ("text", 1)


def test_numbers_become_arguments_with_the_same_values():
    for i in range(3 * MANY_VALUES):
        number = 0.9**i
        np.testing.assert_array_equal(A * number, A.numpy() * np.float32(number))
        np.testing.assert_array_equal(tf.range(50)[i], i)
        np.testing.assert_array_equal(A**i, jnp.asarray(A.numpy()) ** i)
        assert ops.leaky_relu(A, 0.01 * i).numpy()[0, 1] == np.float32(-2 * np.float32(0.01 * i))


def test_a_number_that_the_body_needs_stays_a_number(traced):
    del traced

    @op(name="tests.needs")
    def needs(x, number):
        return x * 2 if number > 0.5 else x

    try:
        for i in range(3 * MANY_VALUES):
            number = i / 20
            assert float(needs(tf.constant(1.0), number)) == (2.0 if number > 0.5 else 1.0)
    finally:
        del registry["tests.needs"]


# What a plan can't do.
def test_bodies_that_look_at_values_are_called_with_values():
    for x in ([3, 1, 3], [2, 2, 2], [1, 2, 3]):
        for _ in range(WORTH_COMPILING + 1):
            np.testing.assert_array_equal(ops.unique(tf.constant(x)), np.unique(x))
            np.testing.assert_array_equal(ops.nonzero(tf.constant(x))[0], [0, 1, 2])
            np.testing.assert_array_equal(ops.bincount(tf.constant(x)), np.bincount(x))


def test_a_body_that_cannot_be_traced_is_tried_once():
    seen = []

    @op(name="tests.looks")
    def looks(x):
        seen.append(type(x))
        return x if x[0, 0] > 0 else -x

    try:
        for _ in range(4):
            np.testing.assert_array_equal(looks(A), A)
        assert [issubclass(each, jax.core.Tracer) for each in seen] == [True] + 4 * [False]
        assert plan_of(looks, A).run is None
    finally:
        del registry["tests.looks"]


def test_bodies_return_what_is_no_array():
    for _ in range(WORTH_COMPILING + 1):
        assert ops.size(A) == 4
        assert type(ops.size(A)) is int


def test_an_error_is_told_by_the_body_and_leaves_the_plan():
    for _ in range(WORTH_COMPILING + 1):
        ops.add(A, B)
        with pytest.raises(ValueError, match=r"`add`: .*x1: float32 of shape \(2, 2\)"):
            ops.add(A, tf.zeros((3, 3)))
    assert plan_of(ops.add, A, B).run is not None


def test_an_error_has_no_trace_of_the_program_behind_it():
    with pytest.raises(ValueError) as caught:
        ops.softmax(A, axis=7)
    error: BaseException | None = caught.value
    while error is not None:
        assert not isinstance(error.__context__, jax.errors.JAXTypeError)
        error = error.__context__


def test_variables_read_inside_of_a_body_do_not_become_constants():
    v = keras.Variable(1.0)

    @op(name="tests.reads")
    def reads(x):
        return x * v.read_raw()

    try:
        for value in (1.0, 2.0, 3.0):
            v.assign(value)
            assert float(reads(tf.constant(1.0))) == value
    finally:
        del registry["tests.reads"]


# Pitfall: random numbers.
@pytest.mark.parametrize(
    "draw",
    [
        lambda **seed: keras.random.normal((4,), **seed),
        lambda **seed: keras.random.uniform((4,), 0.0, 1.0, **seed),
        lambda **seed: keras.random.dropout(tf.ones(50), 0.5, **seed),
        lambda **seed: keras.random.shuffle(tf.range(50), **seed),
        lambda **seed: tf.random.normal((4,), **seed),
        lambda **seed: keras.random.gamma((4,), tf.constant(2.0), **seed),
    ],
)
def test_each_draw_is_new(draw):
    seeds = keras.random.SeedGenerator(3)
    for given in ({"seed": seeds}, {}, {"seed": None}):
        draws = [draw(**given).numpy() for _ in range(4)]
        for i in range(1, 4):
            assert not np.array_equal(draws[0], draws[i])
    same = [draw(seed=5).numpy() for _ in range(4)]
    np.testing.assert_array_equal(same, [same[0]] * 4)
    assert not np.array_equal(draw(seed=6), same[0])


def test_a_recorded_draw_is_drawn_again_alike():
    x = tf.ones(20)
    with Record() as record:
        y = keras.random.dropout(x, 0.5)
    new = tf.constant(np.full(20, 2.0, "float32"))
    (got,) = record.replay([(x._value, new._value)], y)
    np.testing.assert_array_equal(got, 2 * y.numpy())


# Pitfall: who listens.
def test_recorders_do_not_hear_a_plan_being_traced():
    @op(name="tests.outer")
    def outer(x):
        return ops.exp(ops.sin(tf.core.tensor.Tensor(x)))._value

    try:
        for _ in range(3):
            with Record() as record:
                outer(A)
            assert [call.fn for call, _ in record.calls] == [outer.raw]
    finally:
        del registry["tests.outer"]


def test_a_call_carries_its_plan():
    with Record() as record:
        y = ops.softmax(A)
        ops.map(lambda x: x * 2, A)
    plan = plan_of(ops.softmax, A)
    assert [call.plan for call, _ in record.calls] == [plan, None]
    call = record.calls[0][0]
    np.testing.assert_array_equal(plan([call.values[place] for place in plan.places]), y)
    np.testing.assert_array_equal(call.replay(call.values), y)


def test_tracers_call_the_body_itself():
    plans.find(ops.softmax, (A,), {})
    jaxpr = str(jax.make_jaxpr(lambda x: ops.softmax(x)._value)(A._value))
    assert jaxpr == str(jax.make_jaxpr(ops.softmax.raw)(A._value))


def test_constants_inside_of_a_program_call_the_body_itself():
    def run(x):
        with StateScope():
            return x * ops.softmax(A)._value

    def plain(x):
        return x * ops.softmax.raw(A._value)

    ops.softmax(A)
    assert str(jax.make_jaxpr(run)(1.0)) == str(jax.make_jaxpr(plain)(1.0))
    np.testing.assert_array_equal(jax.jit(lambda x: x * ops.softmax(A))(1.0), ops.softmax(A))


def test_losses_find_the_logits_of_probabilities():
    logits = tf.constant([[0.0, 120.0]])
    for _ in range(3):
        p = ops.reshape(ops.softmax(ops.expand_dims(logits, 0)), (1, 2))
        assert float(ops.sparse_categorical_crossentropy(tf.constant([0]), p)[0]) == 120.0
        q = tf.constant(p.numpy())
        assert float(ops.sparse_categorical_crossentropy(tf.constant([0]), q)[0]) < 20.0
    assert plan_of(ops.sparse_categorical_crossentropy, tf.constant([0]), p).run is not None


# Bounds.
def test_kept_things_are_bounded_and_the_least_used_go_first():
    kept = Kept(4)
    for i in range(100):
        kept.set(i, i)
        assert kept.get(0) == 0
        assert len(kept) <= 8
    assert kept.get(99) == 99
    assert kept.get(50) is None


def test_a_plan_that_is_forgotten_goes_with_its_program(traced):
    fn, _ = traced
    fn(A)
    plan = plan_of(fn, A)
    references = weakref.ref(plan), weakref.ref(plan.run)
    del plan
    plans.clear()
    gc.collect()
    assert [each() for each in references] == [None, None]


def test_the_number_of_plans_is_level(traced, monkeypatch):
    fn, _ = traced
    monkeypatch.setattr(plans, "_plans", Kept(8))
    monkeypatch.setattr(plans, "_families", Kept(8))
    for i in range(60):
        plans.find(fn, (A, str(i), i), {})
    assert len(plans._plans) <= 16
    assert len(plans._families) <= 16


def test_two_threads_call_the_same_op_at_once():
    start, results, errors = threading.Barrier(4), [], []

    def work():
        try:
            start.wait()
            for i in range(30):
                x = tf.constant(np.full((3,), i, "float32"))
                results.append(np.array_equal(ops.softplus(x * 2.0) - x, ops.softplus(x * 2.0) - x))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not errors
    assert results == 120 * [True]
