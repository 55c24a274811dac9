"""What programs with tapes do, as functions of the library: TensorFlow's results are in `tensorflow.json`.

`record.py` writes that file; `test_like_tensorflow.py` compares. Each script returns what JSON can hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

SCRIPTS: dict[str, Callable[[Any], Any]] = {}


def script(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    SCRIPTS[fn.__name__] = fn
    return fn


def plain(value: Any) -> Any:
    """Return a result as JSON holds it: arrays as lists of rounded numbers."""
    if hasattr(value, "read_value") or type(value).__name__ == "IndexedSlices":
        value = value + 0.0 if hasattr(value, "read_value") else _dense(value)
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value, "float64").tolist()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def _dense(slices: Any) -> np.ndarray:
    found = np.zeros(np.asarray(slices.dense_shape), "float64")
    np.add.at(found, np.asarray(slices.indices), np.asarray(slices.values))
    return found


def gradient(tf: Any, fn: Callable[..., Any], *values: Any, **options: Any) -> Any:
    """Return the gradients of `fn` for watched tensors."""
    tensors = [tf.constant(value) for value in values]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        target = fn(*tensors)
    return plain(tape.gradient(target, tensors, **options))


def raised(fn: Callable[[], Any]) -> str:
    try:
        fn()
    except Exception as error:
        return type(error).__name__
    return "nothing"


VECTOR = [1.0, 2.0, 3.0]
MATRIX = [[1.0, 2.0], [3.0, 4.0]]


# Functions of one argument: the gradient of their sum at a vector.
OF_A_VECTOR = {
    "a square": lambda tf, x: x * x,
    "a power": lambda tf, x: x**3,
    "a quotient": lambda tf, x: 1.0 / x + x / 2.0,
    "the remainder": lambda tf, x: x % 2.0,
    "floor division": lambda tf, x: x // 2.0,
    "an absolute value": lambda tf, x: tf.abs(x - 2.0),
    "relu at its corner": lambda tf, x: tf.nn.relu(x - 2.0),
    "relu6": lambda tf, x: tf.nn.relu6(x * 3.0),
    "maximum at a tie": lambda tf, x: tf.maximum(x, 2.0),
    "minimum at a tie": lambda tf, x: tf.minimum(x, 2.0),
    "the largest": lambda tf, x: tf.reduce_max(x),
    "the largest, twice": lambda tf, x: tf.reduce_max(tf.concat([x, x], 0)),
    "sign": lambda tf, x: tf.sign(x),
    "round": lambda tf, x: tf.round(x),
    "floor": lambda tf, x: tf.floor(x),
    "ceil": lambda tf, x: tf.math.ceil(x),
    "stop_gradient": lambda tf, x: tf.stop_gradient(x) * x,
    "a cast there and back": lambda tf, x: tf.cast(tf.cast(x, tf.float16), tf.float32) * 2.0,
    "a cast to integers": lambda tf, x: tf.cast(tf.cast(x, tf.int32), tf.float32),
    "argmax": lambda tf, x: tf.cast(tf.argmax(x), tf.float32),
    "a comparison": lambda tf, x: tf.cast(x > 1.5, tf.float32),
    "where": lambda tf, x: tf.where(x > 1.5, x * x, 5.0 * x),
    "where with an infinite branch": lambda tf, x: tf.where(x > 1.5, x, 1.0 / (x - 1.0)),
    "divide_no_nan": lambda tf, x: tf.math.divide_no_nan(x, x - 1.0),
    "clip_by_value": lambda tf, x: tf.clip_by_value(x, 1.5, 2.5),
    "clip_by_norm": lambda tf, x: tf.clip_by_norm(x, 2.0),
    "the norm": lambda tf, x: tf.norm(x),
    "the norm at zero": lambda tf, x: tf.norm(x - x),
    "sqrt": lambda tf, x: tf.sqrt(x - 1.0),
    "indexing": lambda tf, x: x[1] * x[-1],
    "a slice": lambda tf, x: x[::2] * 3.0,
    "gather": lambda tf, x: tf.gather(x, [0, 0, 2]) * [1.0, 2.0, 3.0],
    "gather_nd": lambda tf, x: tf.gather_nd(x, [[1], [1]]),
    "boolean_mask": lambda tf, x: tf.boolean_mask(x, [True, False, True]) * x[1],
    "unstack": lambda tf, x: tf.unstack(x)[1] * 2.0,
    "split": lambda tf, x: tf.split(x, 3)[0] * 2.0,
    "cumsum": lambda tf, x: tf.cumsum(x) * x,
    "cumprod": lambda tf, x: tf.math.cumprod(x),
    "prod": lambda tf, x: tf.reduce_prod(x - 2.0),
    "softmax": lambda tf, x: tf.nn.softmax(x) * x,
    "logsumexp": lambda tf, x: tf.reduce_logsumexp(x),
    "softplus": lambda tf, x: tf.nn.softplus(x),
    "zeros_like": lambda tf, x: tf.zeros_like(x),
    "ones_like": lambda tf, x: tf.ones_like(x) * x,
    "one_hot": lambda tf, x: tf.one_hot(tf.cast(x, tf.int32), 4) * x[0],
    "einsum": lambda tf, x: tf.einsum("i,j->ij", x, x),
    "matmul": lambda tf, x: tf.matmul(x[:, None], x[None, :]),
    "top_k": lambda tf, x: tf.nn.top_k(x, 2).values * x[:2],
    "sort": lambda tf, x: tf.sort(-x) * x,
    "segment_sum": lambda tf, x: tf.math.segment_sum(x, [0, 0, 1]) ** 2,
    "scatter": lambda tf, x: tf.tensor_scatter_nd_update(x, [[1]], [9.0]) * x,
    "scatter add": lambda tf, x: tf.tensor_scatter_nd_add(x, [[1]], [9.0]) * x,
    "map_fn": lambda tf, x: tf.map_fn(lambda each: each * each, x),
    "vectorized_map": lambda tf, x: tf.vectorized_map(lambda each: each * each, x),
    "cond": lambda tf, x: tf.cond(x[0] > 0.0, lambda: x * 2.0, lambda: x * 3.0),
    "while_loop": lambda tf, x: tf.while_loop(
        lambda i, y: i < 3, lambda i, y: (i + 1, y * x), [0, x]
    )[1],
    "a Python loop": lambda tf, x: sum(x * float(i) for i in range(4)),
    "a constant": lambda tf, x: tf.constant(VECTOR) * 2.0,
    "identity": lambda tf, x: tf.identity(x),
    "reshape": lambda tf, x: tf.reshape(x, [3, 1]) * x,
    "tile": lambda tf, x: tf.tile(x, [2]),
    "pad": lambda tf, x: tf.pad(x, [[1, 1]]) ** 2,
    "a moment": lambda tf, x: tf.nn.moments(x, [0])[1],
}


def _of_a_vector(name: str, fn: Callable[..., Any]) -> None:
    SCRIPTS[name] = lambda tf: gradient(tf, lambda x: fn(tf, x), VECTOR)


for _name, _fn in OF_A_VECTOR.items():
    _of_a_vector(_name, _fn)


# What tapes do


@script
def structures(tf):
    x, y = tf.constant(2.0), tf.constant(5.0)
    with tf.GradientTape() as tape:
        tape.watch({"x": x, "y": [y]})
        z = [x * y, {"a": x * x}]
    return plain(tape.gradient(z, {"first": x, "others": [y, tf.constant(1.0)]}))


@script
def integers_have_none(tf):
    return gradient(tf, lambda x, i: x * tf.cast(i, tf.float32), 2.0, 3)


@script
def variables(tf):
    v, w = tf.Variable(2.0), tf.Variable(3.0, trainable=False)
    with tf.GradientTape(persistent=True) as tape:
        y = v * v * w
    seen = [each is v for each in tape.watched_variables()]
    return seen, plain(tape.gradient(y, [v, w])), plain(tape.gradient(y, v))


@script
def variables_by_hand(tf):
    v, w = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = v * w
    return len(tape.watched_variables()), plain(tape.gradient(y, [v, w]))


@script
def assigned_in_between(tf):
    v, x = tf.Variable(2.0), tf.constant(7.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = v * v
        v.assign(x)
        y += 3.0 * v
    return plain(tape.gradient(y, [v, x]))


@script
def assign_add_is_no_path(tf):
    v, x = tf.Variable(2.0), tf.constant(7.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        v.assign_add(x * 2.0)
        y = v * x
    return plain(tape.gradient(y, [v, x]))


@script
def in_between_is_a_source(tf):
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = y * y + x
    return plain(tape.gradient(z, [x, y, z]))


@script
def a_target_twice(tf):
    return gradient(tf, lambda x: [x * x, x * x, x], 3.0)


@script
def the_same_source_twice(tf):
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return plain(tape.gradient(y, [x, x]))


@script
def unconnected(tf):
    zero = tf.UnconnectedGradients.ZERO
    return [
        gradient(tf, lambda x, y: x * 2.0, 1.0, MATRIX),
        gradient(tf, lambda x, y: x * 2.0, 1.0, MATRIX, unconnected_gradients="zero"),
        gradient(tf, lambda x, y: x * 2.0, 1.0, MATRIX, unconnected_gradients=zero),
    ]


@script
def output_gradients(tf):
    x = tf.constant(VECTOR)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = x * x, x * 3.0
    row = tf.constant([1.0, 10.0, 100.0])
    return plain([tape.gradient(y, x, row), tape.gradient([y, z], x, [row, row])])


@script
def stopped(tf):
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            z = x * x
        w = y + z
    return plain(tape.gradient(w, x))


@script
def a_reset(tf):
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        tape.reset()
        z = x * y
    return plain([tape.gradient(y, x), tape.gradient(z, x), tape.gradient(z, y)])


@script
def watched_late(tf):
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(y)
        z = y * y * x
    return plain(tape.gradient(z, [x, y]))


@script
def three_orders(tf):
    x = tf.constant(2.0)
    with tf.GradientTape() as c:
        c.watch(x)
        with tf.GradientTape() as b:
            b.watch(x)
            with tf.GradientTape() as a:
                a.watch(x)
                y = x**4 + tf.sin(x)
            dy = a.gradient(y, x)
        ddy = b.gradient(dy, x)
    return plain([dy, ddy, c.gradient(ddy, x)])


@script
def one_tape_for_two_orders(tf):
    x = tf.constant(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**3
        dy = tape.gradient(y, x)
    return plain([dy, tape.gradient(dy, x), tape.gradient(y, x)])


@script
def mixed_derivatives(tf):
    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            z = x**2 * y**3
        dx, dy = inner.gradient(z, [x, y])
    return plain([outer.gradient(dx, [x, y]), outer.gradient(dy, [x, y])])


@script
def jacobians(tf):
    x = tf.constant(MATRIX)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.matmul(x, x)
        z = x * x
    return plain([tape.jacobian(y, x), tape.batch_jacobian(z, x), tape.jacobian(z[0], x)])


@script
def jacobians_without_a_path(tf):
    x, y = tf.constant(MATRIX), tf.constant(MATRIX)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        z = x * 2.0
    return plain([tape.jacobian(z, y), tape.batch_jacobian(z, y)])


@script
def a_hessian(tf):
    x = tf.constant(VECTOR)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_prod(x)
        dy = inner.gradient(y, x)
    return plain(outer.jacobian(dy, x))


@script
def a_gradient_penalty(tf):
    w, x = tf.Variable(MATRIX), tf.constant([[0.5, -1.0]])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(tf.tanh(tf.matmul(x, w)))
        slope = inner.gradient(y, x)
        penalty = (tf.norm(slope) - 1.0) ** 2
    return plain(outer.gradient(penalty, w))


@script
def complex_numbers(tf):
    z = np.complex64(1 + 2j)
    found = [
        gradient_of_complex(tf, fn, z)
        for fn in (lambda z: z * z, lambda z: tf.abs(z) ** 2, lambda z: tf.math.real(z * z))
    ]
    return found


def gradient_of_complex(tf, fn, z):
    z = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = fn(z)
    found = tape.gradient(y, z).numpy()
    return [float(found.real), float(found.imag)]


@script
def rows_of_a_table(tf):
    table = tf.Variable(tf.ones([4, 2]))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.nn.embedding_lookup(table, [1, 1, 3]) * [[1.0], [2.0], [3.0]])
    return plain(tape.gradient(y, table))


@script
def custom_gradients(tf):
    @tf.custom_gradient
    def many(x, y):
        return (x * y, x + y), lambda a, b: (a * 10.0, b * 100.0)

    v = tf.Variable(2.0)

    @tf.custom_gradient
    def scaled(x):
        def grad(upstream, variables=None):
            return upstream * 7.0, [upstream * 11.0 for _ in variables]

        return x * v, grad

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = scaled(x)
    return [
        gradient(tf, lambda x, y: many(x, y)[0], 2.0, 3.0),
        gradient(tf, lambda x, y: sum(many(x, y)), 2.0, 3.0),
        plain(tape.gradient(y, [x, v])),
    ]


@script
def custom_gradients_of_second_order(tf):
    @tf.custom_gradient
    def log1pexp(x):
        e = tf.exp(x)
        return tf.math.log(1.0 + e), lambda upstream: upstream * (1.0 - 1.0 / (1.0 + e))

    x = tf.constant(2.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = log1pexp(x)
        dy = inner.gradient(y, x)
    return plain([dy, outer.gradient(dy, x)])


@script
def straight_through(tf):
    return gradient(tf, lambda x: 2.0 * tf.grad_pass_through(tf.round)(x), VECTOR)


@script
def recomputed(tf):
    v = tf.Variable(2.0)
    block = tf.recompute_grad(lambda x: tf.sin(x * v) * v)
    x = tf.constant(VECTOR)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = block(x)
    return plain(tape.gradient(y, [x, v]))


@script
def forwards(tf):
    x, v = tf.constant([1.0, 2.0]), tf.Variable([3.0, 4.0])
    directions = [tf.constant([1.0, 0.5]), tf.constant([0.0, 2.0])]
    with tf.autodiff.ForwardAccumulator([x, v], directions) as acc:
        y = tf.sin(x * v)
        z = tf.constant(1.0)
    return plain([acc.jvp(y), acc.jvp(z), acc.jvp(z, unconnected_gradients="zero"), acc.jvp(x)])


@script
def forwards_over_backwards(tf):
    v = tf.Variable([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, -1.0])) as acc:
        with tf.GradientTape() as tape:
            y = v[0] ** 2 * v[1]
        gradient = tape.gradient(y, v)
    return plain(acc.jvp(gradient))


@script
def inside_of_a_function(tf):
    v = tf.Variable(2.0)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((v * x - 1.0) ** 2)
        slope = tape.gradient(loss, v)
        v.assign_sub(0.1 * slope)
        return loss, slope

    return plain([step(tf.constant(VECTOR)) for _ in range(3)]), plain(v)


@script
def around_a_function(tf):
    v = tf.Variable(2.0)

    @tf.function
    def scaled(x):
        return v * x**2

    x = tf.constant(VECTOR)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(scaled(x)) * v
        dx, dv = tape.gradient(y, [x, v])
    return plain([dx, dv, outer.gradient(dx, [x, v])])


@script
def a_loop_by_hand(tf):
    w, b = tf.Variable([[1.0], [0.5]]), tf.Variable([0.0])
    x, y = tf.constant(MATRIX), tf.constant([[1.0], [2.0]])
    losses = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - y))
        for v, slope in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
            v.assign_sub(0.05 * slope)
        losses.append(loss)
    return plain([losses, w, b])


@script
def errors(tf):
    x = tf.constant(3.0)

    def spent():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        tape.gradient(y, x)
        tape.gradient(y, x)

    def again():
        with tf.GradientTape() as tape, tape:
            pass

    def outside():
        with tf.GradientTape().stop_recording():
            pass

    def watched():
        with tf.GradientTape() as tape:
            tape.watch(3.0)

    def unknown():
        with tf.GradientTape() as tape:
            tape.watch(x)
        tape.gradient(x, x, unconnected_gradients="perhaps")

    def batches():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.ones([2, 2])
        tape.batch_jacobian(y, tf.ones([3, 2]))

    found = (spent, again, outside, watched, unknown, batches)
    return [raised(each) for each in found], raised(lambda: tf.gradients(x, x))


def in_function(tf: Any, fn: Callable[..., Any], *values: Any) -> Any:
    """Return what a tf.function of `fn` returns for constants."""
    return plain(tf.function(fn)(*map(tf.constant, values or (VECTOR,))))


@script
def gradients_in_functions(tf):
    def weighed(x):
        return tf.gradients([x * x, x * 3.0], [x], grad_ys=[tf.ones_like(x) * 2.0, tf.ones_like(x)])

    def partly_made_of_each_other(x):
        y = x * x
        return tf.gradients(y * 3.0, [x, y])

    def unconnected(x):
        other = tf.constant(1.0)
        zeros = tf.gradients(x * x, [x, other], unconnected_gradients="zero")
        return zeros, tf.gradients(x * x, other)[0] is None

    def twice(x):
        return tf.gradients(tf.gradients(x**3, x)[0], x)

    def on_a_tape(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            slope = tf.gradients(x**3, x)[0]
        return tape.gradient(slope, x)

    def a_tape_in_it(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        return tf.gradients(tape.gradient(y, x), x)

    def from_a_stop(x):
        y = tf.stop_gradient(x * 2.0)
        return tf.gradients(y * x, y)

    found = (weighed, partly_made_of_each_other, unconnected, twice, on_a_tape, a_tape_in_it)
    return [in_function(tf, each) for each in (*found, from_a_stop)]


@script
def gradients_with_constants(tf):
    def one(x):
        y = x * x
        return tf.gradients(y * x, x, stop_gradients=y)

    def both(x):
        y = x * x
        return tf.gradients(y * x, [x, y], stop_gradients=[x, y])

    def between(x):
        y = tf.sin(x)
        z = y * tf.cos(y)
        return tf.gradients(z * y, [x, y, z], stop_gradients=[z])

    return [in_function(tf, each) for each in (one, both, between)]


@script
def gradients_of_variables_in_functions(tf):
    v, frozen = tf.Variable(2.0), tf.Variable(3.0, trainable=False)

    def squared(x):
        return tf.gradients(v * v * frozen * x, [v, frozen])

    def assigned(x):
        y = v * x
        v.assign_add(1.0)
        return tf.gradients(y * v, [v, x])

    return [in_function(tf, squared), in_function(tf, assigned, 5.0), float(v)]


@script
def gradients_in_loops_of_functions(tf):
    def descend(x):
        for _ in tf.range(3):
            x = x - 0.1 * tf.gradients(tf.reduce_sum(x * x), x)[0]
        return x

    def through(x):
        y = x
        for _ in tf.range(3):
            y = y * x
        return tf.gradients(y, x)

    def branch(x):
        y = x
        if tf.reduce_sum(x) > 0.0:
            y = tf.gradients(x * x, x)[0]
        return y

    return [in_function(tf, each) for each in (descend, through, branch)]


@script
def hessians_in_functions(tf):
    def cubes(x):
        return tf.hessians(tf.reduce_sum(x**3), x)

    def matrices(x):
        return tf.hessians(tf.reduce_prod(x), x)

    def several(x):
        return tf.hessians([tf.reduce_sum(x**3), tf.reduce_sum(x * x)], [x, x])

    return [in_function(tf, cubes), in_function(tf, matrices, MATRIX), in_function(tf, several)]


@script
def what_gradients_in_functions_refuse(tf):
    x = tf.constant(VECTOR)
    rows = [tf.ones(3), tf.ones(3)]
    found = (
        lambda: tf.gradients(x, x),
        lambda: tf.hessians(x, x),
        lambda: tf.function(lambda x: tf.gradients(x, x, grad_ys=rows))(x),
        lambda: tf.function(lambda x: tf.hessians(x * 3.0, tf.ones(3)))(x),
    )
    return list(map(raised, found))
