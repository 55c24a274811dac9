"""Sixty training loops written with a tape: a function of the library for each, which returns a step.

A step computes a loss, moves the weights and returns the loss. `record_training.py` writes down what TensorFlow's losses
are over 20 steps; `test_training.py` compares them with those of three ways to run the same step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

# pyright: basic

STEPS = 20
PROGRAMS: dict[str, Callable[[Any], Callable[[], Any]]] = {}


def program(fn: Callable[[Any], Callable[[], Any]]) -> Callable[[Any], Callable[[], Any]]:
    PROGRAMS[fn.__name__] = fn
    return fn


def losses(tf: Any, name: str, compiled: bool) -> list[float]:
    """Return the losses of a program, its step a `tf.function` or not."""
    step = PROGRAMS[name](tf)
    if compiled:
        step = tf.function(step)
    return [float(step()) for _ in range(STEPS)]


def numbers(*shape: int, start: int = 1) -> Any:
    """Return numbers between -0.5 and 0.5 that look random and are the same everywhere."""
    count = int(np.prod(shape))
    return (0.5 * np.sin(1.7 * np.arange(start, start + count))).reshape(shape).astype("float32")


X, Y, LABELS = numbers(6, 4), numbers(6, 2, start=50), np.arange(6) % 3
PICTURES, SERIES = numbers(4, 5, 5, 2), numbers(4, 5, 3)


def variables(tf: Any, *shapes: Sequence[int]) -> list[Any]:
    return [tf.Variable(numbers(*shape, start=7 * i + 3)) for i, shape in enumerate(shapes)]


def descent(tf: Any, weights: Any, loss: Callable[[], Any], optimizer: Any = None) -> Any:
    """Return the step of a loop; `weights` may be a function, for layers that have none yet."""
    optimizer = optimizer or tf.keras.optimizers.SGD(0.1)

    def step():
        with tf.GradientTape() as tape:
            value = loss()
        known = weights() if callable(weights) else weights
        optimizer.apply_gradients(zip(tape.gradient(value, known), known))  # noqa: B905
        return value

    return step


def net(tf: Any, activation: Any = None, width: int = 2) -> tuple[list[Any], Callable[..., Any]]:
    w, b, v, c = variables(tf, (4, 3), (3,), (3, width), (width,))
    activation = activation or tf.tanh

    def forward(x):
        return tf.matmul(activation(tf.matmul(x, w) + b), v) + c

    return [w, b, v, c], forward


def mean_square(tf: Any, forward: Callable[..., Any]) -> Any:
    return tf.reduce_mean((forward(X) - Y) ** 2)


# A network with each of ten activations, ten optimizers, eight losses


def _with_activation(name: str, tf: Any) -> Any:
    weights, forward = net(tf, getattr(tf.nn, name))
    return descent(tf, weights, lambda: mean_square(tf, forward))


for _name in ("tanh", "relu", "sigmoid", "elu", "selu", "softplus", "gelu", "silu", "leaky_relu", "softsign"):  # fmt: skip
    PROGRAMS[f"activation_{_name}"] = partial(_with_activation, _name)


def _with_optimizer(name: str, options: dict[str, Any], tf: Any) -> Any:
    weights, forward = net(tf)
    optimizer = getattr(tf.keras.optimizers, name)(learning_rate=0.05, **options)
    return descent(tf, weights, lambda: mean_square(tf, forward), optimizer)


for _name, _options in {
    "SGD": {"momentum": 0.9, "nesterov": True},
    "Adam": {"clipnorm": 0.5},
    "AdamW": {},
    "Adamax": {},
    "Nadam": {},
    "RMSprop": {"centered": True},
    "Adagrad": {},
    "Adadelta": {},
    "Ftrl": {},
    "Lion": {},
}.items():
    PROGRAMS[f"optimizer_{_name}"] = partial(_with_optimizer, _name, _options)

SOFT = np.abs(Y) / np.abs(Y).sum(1, keepdims=True)
LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "softmax_cross_entropy": lambda tf, y: tf.nn.softmax_cross_entropy_with_logits(SOFT, y),
    "sparse_cross_entropy": lambda tf, y: tf.nn.sparse_softmax_cross_entropy_with_logits(
        LABELS % 2, y
    ),
    "sigmoid_cross_entropy": lambda tf, y: tf.nn.sigmoid_cross_entropy_with_logits(SOFT, y),
    "huber": lambda tf, y: tf.keras.losses.Huber(delta=0.2)(Y, y),
    "log_cosh": lambda tf, y: tf.keras.losses.LogCosh()(Y, y),
    "divergence": lambda tf, y: tf.keras.losses.KLDivergence()(SOFT, tf.nn.softmax(y)),
    "hinge": lambda tf, y: tf.keras.losses.Hinge()(np.sign(Y), y),
    "cosine": lambda tf, y: tf.keras.losses.CosineSimilarity()(Y, y),
}


def _with_loss(name: str, tf: Any) -> Any:
    weights, forward = net(tf)
    return descent(tf, weights, lambda: tf.reduce_mean(LOSSES[name](tf, forward(X))))


for _name in LOSSES:
    PROGRAMS[f"loss_{_name}"] = partial(_with_loss, _name)


# Layers


LAYERS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "dense": (lambda k: k.layers.Dense(2, "relu"), X),
    "conv": (lambda k: k.layers.Conv2D(2, 3, activation="relu"), PICTURES),
    "strided_conv": (lambda k: k.layers.Conv1D(2, 2, strides=2, padding="same"), SERIES),
    "transposed_conv": (lambda k: k.layers.Conv2DTranspose(2, 2, strides=2), PICTURES),
    "simple_rnn": (lambda k: k.layers.SimpleRNN(2), SERIES),
    "lstm": (lambda k: k.layers.LSTM(2), SERIES),
    "gru": (lambda k: k.layers.GRU(2, return_sequences=True), SERIES),
    "embedding": (lambda k: k.layers.Embedding(5, 2), LABELS),
    "layer_normalization": (lambda k: k.layers.LayerNormalization(), X),
    "batch_normalization": (lambda k: k.layers.BatchNormalization(), X),
    "model": (
        lambda k: k.Sequential([k.layers.Conv2D(2, 2), k.layers.Flatten(), k.layers.Dense(2)]),
        PICTURES,
    ),
}


def _with_layer(name: str, tf: Any) -> Any:
    make, x = LAYERS[name]
    layer = make(tf.keras)
    layer(x)
    for i, v in enumerate(layer.trainable_variables):
        v.assign(numbers(*v.shape, start=11 * i))
    return descent(
        tf,
        lambda: layer.trainable_variables,
        lambda: tf.reduce_mean((layer(x, training=True) - 0.3) ** 2),
    )


for _name in LAYERS:
    PROGRAMS[f"layer_{_name}"] = partial(_with_layer, _name)


# What people write into steps


@program
def moves_by_hand(tf):
    (w,) = variables(tf, (4, 2))

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.matmul(X, w) - Y) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    return step


@program
def momentum_by_hand(tf):
    w, speed = variables(tf, (4, 2), (4, 2))
    speed.assign(tf.zeros([4, 2]))

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(tf.matmul(X, w) - Y))
        speed.assign(0.9 * speed - 0.05 * tape.gradient(loss, w))
        w.assign_add(speed)
        return loss

    return step


@program
def a_rate_that_decays(tf):
    weights, forward = net(tf)
    rate = tf.keras.optimizers.schedules.ExponentialDecay(0.3, 4, 0.5, staircase=True)
    return descent(tf, weights, lambda: mean_square(tf, forward), tf.keras.optimizers.SGD(rate))


@program
def clips_by_global_norm(tf):
    weights, forward = net(tf)
    optimizer = tf.keras.optimizers.SGD(0.5)

    def step():
        with tf.GradientTape() as tape:
            loss = mean_square(tf, forward)
        clipped, norm = tf.clip_by_global_norm(tape.gradient(loss, weights), 0.1)
        optimizer.apply_gradients(zip(clipped, weights))  # noqa: B905
        return loss + 0.01 * norm

    return step


@program
def penalties_of_weights(tf):
    weights, forward = net(tf)
    return descent(tf, weights, lambda: mean_square(tf, forward) + 0.1 * tf.add_n([tf.nn.l2_loss(w) for w in weights]))  # fmt: skip


@program
def two_optimizers(tf):
    weights, forward = net(tf)
    pairs = [(tf.keras.optimizers.Adam(0.05), weights[:2]), (tf.keras.optimizers.SGD(0.1), weights[2:])]  # fmt: skip

    def step():
        with tf.GradientTape(persistent=True) as tape:
            loss = mean_square(tf, forward)
        for optimizer, part in pairs:
            optimizer.apply_gradients(zip(tape.gradient(loss, part), part))  # noqa: B905
        return loss

    return step


@program
def two_adversaries(tf):
    maker, make = net(tf)
    judge, score = net(tf, tf.nn.relu, 1)
    widen = tf.constant(numbers(2, 4))
    optimizers = tf.keras.optimizers.SGD(0.1), tf.keras.optimizers.SGD(0.1)

    def step():
        with tf.GradientTape() as tape, tf.GradientTape() as other:
            false, true = score(tf.matmul(make(X), widen)), score(X[::-1])
            wanted = -tf.reduce_mean(tf.math.log_sigmoid(false))
            judged = -tf.reduce_mean(tf.math.log_sigmoid(true) + tf.math.log_sigmoid(-false))
        found = tape.gradient(wanted, maker), other.gradient(judged, judge)
        for optimizer, each, part in zip(optimizers, found, (maker, judge)):  # noqa: B905
            optimizer.apply_gradients(zip(each, part))  # noqa: B905
        return wanted + judged

    return step


@program
def a_gradient_penalty(tf):
    weights, forward = net(tf)
    x = tf.constant(X)

    def loss():
        with tf.GradientTape() as inner:
            inner.watch(x)
            score = tf.reduce_sum(forward(x))
        slope = inner.gradient(score, x)
        return mean_square(tf, forward) + tf.reduce_mean((tf.norm(slope, axis=1) - 1.0) ** 2)

    return descent(tf, weights, loss)


@program
def a_penalty_of_jacobians(tf):
    weights, forward = net(tf)
    x = tf.constant(X)

    def loss():
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = forward(x)
        return mean_square(tf, forward) + tf.reduce_sum(inner.batch_jacobian(y, x) ** 2) / 10.0

    return descent(tf, weights, loss)


@program
def an_inner_step_of_learning(tf):
    (w,) = variables(tf, (4, 2))

    def loss():
        with tf.GradientTape() as inner:
            first = tf.reduce_mean((tf.matmul(X[:3], w) - Y[:3]) ** 2)
        moved = w - 0.5 * inner.gradient(first, w)
        return tf.reduce_mean((tf.matmul(X[3:], moved) - Y[3:]) ** 2)

    return descent(tf, [w], loss)


@program
def accumulated_gradients(tf):
    w, total = variables(tf, (4, 2), (4, 2))
    total.assign(tf.zeros([4, 2]))

    def step():
        loss = tf.constant(0.0)
        for i in range(3):
            with tf.GradientTape() as tape:
                part = tf.reduce_mean((tf.matmul(X[2 * i : 2 * i + 2], w) - Y[2 * i : 2 * i + 2]) ** 2)  # fmt: skip
            total.assign_add(tape.gradient(part, w))
            loss += part
        w.assign_sub(0.1 * total)
        total.assign(tf.zeros_like(total))
        return loss

    return step


@program
def a_moving_average_of_weights(tf):
    w, mean = variables(tf, (4, 2), (4, 2))

    def step():
        with tf.GradientTape() as tape:
            near = tf.reduce_sum((w - tf.stop_gradient(mean)) ** 2)
            loss = tf.reduce_mean((tf.matmul(X, w) - Y) ** 2) + 0.1 * near
        w.assign_sub(0.1 * tape.gradient(loss, w))
        mean.assign(0.9 * mean + 0.1 * w)
        return loss

    return step


@program
def rows_of_a_table(tf):
    (table,) = variables(tf, (5, 2))
    return descent(tf, [table], lambda: tf.reduce_mean((tf.gather(table, LABELS) - Y) ** 2))


@program
def attention_by_hand(tf):
    q, k, v = variables(tf, (3, 2), (3, 2), (3, 2))
    x = tf.constant(SERIES)

    def loss():
        scores = tf.matmul(x @ q, x @ k, transpose_b=True) / 1.5
        return tf.reduce_mean((tf.matmul(tf.nn.softmax(scores), x @ v) - 0.2) ** 2)

    return descent(tf, [q, k, v], loss)


@program
def normalization_by_hand(tf):
    weights, forward = net(tf)

    def loss():
        y = forward(X)
        mean, variance = tf.nn.moments(y, [0])
        return tf.reduce_mean(((y - mean) * tf.math.rsqrt(variance + 0.1) - Y) ** 2)

    return descent(tf, weights, loss)


@program
def a_recurrence_of_python(tf):
    w, u = variables(tf, (3, 2), (2, 2))
    x = tf.constant(SERIES)

    def loss():
        state = tf.zeros([4, 2])
        for t in range(5):
            state = tf.tanh(x[:, t] @ w + state @ u)
        return tf.reduce_mean((state - 0.3) ** 2)

    return descent(tf, [w, u], loss)


@program
def a_recurrence_over_a_tensor(tf):
    w, u = variables(tf, (3, 2), (2, 2))
    x = tf.transpose(tf.constant(SERIES), [1, 0, 2])

    def loss():
        state = tf.zeros([4, 2])
        for t in tf.range(5):
            state = tf.tanh(x[t] @ w + state @ u)
        return tf.reduce_mean((state - 0.3) ** 2)

    return descent(tf, [w, u], loss)


@program
def a_scan(tf):
    w, u = variables(tf, (3, 2), (2, 2))
    x = tf.transpose(tf.constant(SERIES), [1, 0, 2])

    def loss():
        states = tf.scan(lambda state, row: tf.tanh(row @ w + state @ u), x, tf.zeros([4, 2]))
        return tf.reduce_mean((states - 0.3) ** 2)

    return descent(tf, [w, u], loss)


@program
def a_branch_by_the_loss(tf):
    weights, forward = net(tf)

    def loss():
        value = mean_square(tf, forward)
        return tf.cond(value > 0.15, lambda: value, lambda: 0.5 * tf.sqrt(value))

    return descent(tf, weights, loss)


@program
def a_step_only_where_it_pays(tf):
    weights, forward = net(tf)
    taken = tf.Variable(0.0)

    def step():
        with tf.GradientTape() as tape:
            loss = mean_square(tf, forward)
        slopes = tape.gradient(loss, weights)
        if loss > 0.13:
            for w, slope in zip(weights, slopes):  # noqa: B905
                w.assign_sub(0.1 * slope)
            taken.assign_add(1.0)
        return loss + 0.01 * taken

    return step


@program
def metrics_within_the_tape(tf):
    weights, forward = net(tf)
    mean = tf.keras.metrics.Mean()

    def step():
        with tf.GradientTape() as tape:
            loss = mean_square(tf, forward)
            mean.update_state(loss)
        for w, slope in zip(weights, tape.gradient(loss, weights)):  # noqa: B905
            w.assign_sub(0.1 * slope)
        return mean.result()

    return step


# Sixty with these
