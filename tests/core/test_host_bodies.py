"""What NumPy computes in the place of programs: the same bits and types, in memory of its own, without compiling."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import host_bodies, plans
from hornbeam.core.host_bodies import HOST_BODIES
from hornbeam.core.op import registry
from tests.ops import cases

X = np.arange(24, dtype="float32").reshape(4, 6) / 7
I, WIDE = np.array([2, 0, 3], "int32"), np.array([[1, 2, 3]])  # noqa: E741
# Calls beside those of tests/ops.
MORE = [
    ("arange", (5,), {}),
    ("arange", (2, 9, 3), {"dtype": "int64"}),
    ("empty", ((2, 3),), {}),
    ("eye", (3,), {"M": 4, "k": 1, "dtype": "int32"}),
    ("gather", (X, I, 0, 0), {}),
    ("gather", (X, [0, 3], 1, 0), {}),
    ("get_item", (X, 2), {}),
    ("get_item", (X, (slice(1, 3), None, ..., -1)), {}),
    ("get_item", (X, I), {}),
    ("get_item", (WIDE, slice(None)), {}),
    ("identity", (3,), {}),
    ("one_hot", (I, 5), {"dtype": "bool"}),
    ("ones", ((2,),), {"dtype": "bfloat16"}),
    ("pad", (X, ((1, 0), (0, 2))), {"constant_values": 0}),
    ("pad", (X, 1), {"constant_values": 0.1}),
    ("pad", (X, 1), {"mode": "reflect"}),
    ("reshape", (WIDE, -1), {}),
    ("tensor_scatter_nd_update", (X, [[1], [3]], X[:2]), {}),
    ("tensor_scatter_nd_update", (X, [[1, 2]], [0.1]), {}),
    ("tf.strided_slice_assign", (X, (1, slice(2, 4)), X[0, :2]), {}),
    ("tf.strided_slice_assign", (X, 0, 0.1), {}),
    ("tri", (3, 4, 1), {}),
    ("zeros", (3,), {"dtype": "int8"}),
]


def rows():
    arrays = cases.arrays()
    for case in cases.CASES:
        if case.name in HOST_BODIES:
            yield case.name, case.arguments([arrays[each] for each in case.places()]), case.kwargs
    yield from MORE


def both(name, args, kwargs):
    """The results of the NumPy body and of the op's own."""
    args, kwargs = jax.tree.map(
        lambda x: tf.constant(x)._value if isinstance(x, np.ndarray) else x, (args, kwargs)
    )
    leaves, tree = jax.tree.flatten((tuple(args), kwargs))
    return host_bodies.call(HOST_BODIES[name], leaves, tree), registry[name].raw(*args, **kwargs)


def test_the_bits_are_those_of_the_op():
    results = [(name, *both(name, args, kwargs)) for name, args, kwargs in rows()]
    done = [each for each in results if each[1] is not None]  # the others are left to the op
    assert {name for name, _, _ in done} == set(HOST_BODIES)
    for name, got, want in done:
        pairs = zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True)
        for one, other in pairs:
            assert (one.shape, one.dtype, one.weak_type) == (other.shape, other.dtype, False), name
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes(), name


LEFT_TO_THE_OP = {
    "a range of fractions": ("arange", (0.5, 3.0), {}),
    "a range beyond 32 bits": ("arange", (2**31, 2**31 + 2), {}),
    "an index out of range": ("gather", (X, [9], 0, 0), {}),
    "an index from the end": ("take", (X, [-1], 0), {}),
    "arrays of two types": ("concatenate", ([X, np.ones((1, 6), "int32")],), {}),
    "a list": ("reshape", ([1.0, 2.0], (2, 1)), {}),
    "a list as a key": ("get_item", (X, [0, 1]), {}),
    "a list in a key": ("tf.strided_slice_assign", (X, (0, [0, 1]), 1.0), {}),
    "means": ("pad", (X, 1), {"mode": "mean"}),
    "fractions into whole numbers": ("tf.strided_slice_assign", (I, 0, 0.5), {}),
    "a shape that does not fit": ("reshape", (X, (5, 5)), {}),
}


@pytest.mark.parametrize("name", LEFT_TO_THE_OP)
def test_what_is_left_to_the_op(name):
    op, args, kwargs = LEFT_TO_THE_OP[name]
    leaves, tree = jax.tree.flatten((jax.tree.map(np.asarray, args[:1]) + args[1:], kwargs))
    assert host_bodies.call(HOST_BODIES[op], leaves, tree) is None


def test_traces_and_other_devices_are_left_to_the_op():
    leaves, tree = jax.tree.flatten(((jnp.asarray(X), 0), {}))
    body = HOST_BODIES["get_item"]
    seen = []
    jax.make_jaxpr(lambda x: seen.append(host_bodies.call(body, leaves, tree)) or x)(1.0)
    assert seen == [None]
    with jax.default_device(jax.devices()[0]):
        assert host_bodies.call(body, leaves, tree) is None
    assert host_bodies.call(body, [jnp.float32(1) * jnp.asarray(2.0), ...], tree) is not None


V = tf.Variable(np.ones((16, 6), "float32"))
T = tf.constant(np.ones((16, 6), "float32"))
ROW = tf.constant(np.ones(6, "float32"))
GROWING = {
    "slices": lambda i: T[:i],
    "rows": lambda i: V[i],
    "zeros": lambda i: tf.zeros((i, 2)),
    "a range": lambda i: tf.range(i),
    "an identity": lambda i: tf.eye(i),
    "repeated": lambda i: tf.tile(T, (1, i)),
    "padded": lambda i: tf.pad(T, [[0, i], [0, 0]]),
    "joined": lambda i: tf.concat([T] * i, 0),
    "stacked": lambda i: tf.stack([T] * i),
    "looked up": lambda i: tf.gather(T, [0] * i),
    "classes": lambda i: tf.one_hot(I, i),
    "assigned": lambda i: V[i].assign(ROW),
    "scattered": lambda i: tf.tensor_scatter_nd_update(T, [[i]], T[:1]),
    "split": lambda i: tf.split(T, [i, 16 - i]),
}


@pytest.fixture
def compiled(caplog):
    """What is compiled."""
    jax.config.update("jax_log_compiles", True)
    with caplog.at_level("WARNING"):
        yield lambda: [each for each in caplog.messages if "Finished XLA" in each]
    jax.config.update("jax_log_compiles", False)


@pytest.mark.parametrize("name", GROWING)
def test_growing_shapes_are_not_compiled(name, compiled):
    """Numbers that have had eight values become arguments of a program, which is tried once."""
    plans.clear()
    for i in range(1, 14):
        GROWING[name](i)
    assert len(compiled()) <= 2


def test_what_is_compiled_is_seen(compiled):
    tf.nn.softmax(tf.constant(np.ones((1, 77), "float32")))
    assert compiled()


def test_a_shape_that_comes_again_is_compiled():
    plans.clear()
    plan, arrays = plans.find(registry["concatenate"], ([T, T], 0), {})
    other, longer = plans.find(registry["concatenate"], ([T, T[:2]], 0), {})
    assert other is plan
    for each in (arrays, longer, arrays, longer, arrays):
        plan(each)
        assert plan.run is None
    plan(arrays)
    assert plan.run is not None


def test_results_have_memory_of_their_own():
    v = tf.Variable(X)
    rows = v[:2]
    before = rows.numpy()
    v.assign(v * 2)
    jax.jit(lambda x: x + 1, donate_argnums=0)(v._value)
    assert (rows.numpy() == before).all()
    x = jnp.asarray(X)
    found, _ = both("reshape", (X, (24,)), {})
    view = HOST_BODIES["transpose"](np.asarray(x))
    assert not view.flags.owndata and np.asarray(found).flags.writeable is False
