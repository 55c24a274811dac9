"""Memory: ten thousand calls of native kernels leave the process no larger, and where there is none left they say so."""

import resource
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import (
    attention,
    bernoulli,
    conv,
    dense,
    embedding,
    matmul,
    native,
    normalization,
    pool,
    recurrent,
    updates,
)

TWO = (2, 2), (2, 2), "valid"
CALLS, SETTLED = 10_000, 1_000
ALLOWED = 16 << 20  # bytes; 4 KB lost in each call would be twice that
KERNELS = (
    *("conv_pool_forward", "conv_pool_weight_gradient", "dense_forward", "dense_weight_gradient"),
    *("lstm_forward", "lstm_backward", "gru_forward", "gru_backward"),
    *("attention_forward", "attention_backward", "layer_norm_forward", "layer_norm_backward"),
    *("batched_matmul", "embedding_table_gradient", "update_adam"),
    *("conv_forward", "conv_input_gradient", "conv_weight_gradient", "bernoulli"),
    *("conv_pool_value", "conv_pool_input_gradient", "dense_input_gradient", "max_pool_value"),
    *("max_pool_forward", "max_pool_gradient", "average_pool_forward", "average_pool_gradient"),
    *("moments", "batch_norm_forward", "batch_norm_backward", "update_sgd", "update_rmsprop"),
)
SGD = updates.UpdateRule(
    "sgd", updates.sgd, ("momentum",), (("momentum", 0.9), ("nesterov", False))
)
RMSPROP = updates.UpdateRule(
    "rmsprop",
    updates.rmsprop,
    ("velocity",),
    (("rho", 0.9), ("momentum", 0.0), ("epsilon", 1e-7)),
)
ADAM = updates.UpdateRule(
    "adam",
    updates.adam,
    ("momentum", "velocity"),
    (("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-7)),
)


def normal(*shape):
    return jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)


def pooled(x, kernel, bias):
    options = {"strides": (1, 1), "padding": "valid", "dilation": (1, 1), "window": (2, 2)}
    return conv.conv_max_pool(x, kernel, bias, **options)


def images_loss(x, kernel, bias, weights):
    y = pooled(x, kernel, bias).reshape(x.shape[0], -1)
    return dense.affine(y, weights, activation="relu").sum()


def layers_loss(x, kernel, window):
    """Convolution of both kinds, batch normalisation, both poolings and dropout."""
    y = conv.conv(x, kernel, (1, 1), "same", (1, 1))
    y = conv.depthwise_conv(y, window, (1, 1), "same", (1, 1))
    mean, variance = normalization.moments(y, (0, 1, 2))
    y = normalization.batch_normalization(y, mean, variance, None, None, 1e-3)
    y = pool.average_pool(pool.max_pool(y, *TWO), *TWO)
    return jnp.where(bernoulli.bernoulli(jax.random.key(0), 0.5, y.shape), y, 0).sum()


def words_loss(table, indices, weights, w, u):
    """LSTM, GRU, attention, layer normalisation and a product of pairs, on rows of a table."""
    words = embedding.take_rows(table, indices)
    h = jnp.zeros((words.shape[0], 16))
    last, _, _ = recurrent.lstm(words, h, h, weights, w, None, return_sequences=False)
    _, y, _ = recurrent.gru(words, h, weights[:, :48], u, None)
    assert y is not None
    heads = y.reshape(*y.shape[:2], 1, -1)
    y = attention.attention(heads, heads, heads).reshape(y.shape)
    y = normalization.layer_normalization(y, jnp.ones(16), jnp.zeros(16), 1e-3)
    return last.sum() + matmul.matmul(y, y, transpose_b=True).sum()


def step(images, words, indices, slots, window):
    """The gradients of all losses, values alone, an update of the table by its rows, and others."""
    x, kernel, bias, _ = images
    found = jax.value_and_grad(lambda a: images_loss(*a))(images)
    slopes = jax.value_and_grad(layers_loss, argnums=(0, 1, 2))(x, kernel, window)
    values = pooled(x, kernel, bias), pool.max_pool(x, *TWO)
    table, *weights = words
    loss = lambda table, *weights: words_loss(table, indices, *weights)  # noqa: E731
    slope, *rest = jax.grad(loss, argnums=(0, 1, 2, 3))(table, *weights)
    rate, decay = jnp.float32(0.01), jnp.float32(0)
    new = [
        updates.update_all(
            rule, rate, decay, [False], [each], [table], [{n: slots[n] for n in rule.slots}]
        )
        for rule, each in ((ADAM, slope), (SGD, table), (RMSPROP, table))
    ]
    return found, slopes, values, slope, rest, new


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.slow
def test_no_growth(monkeypatch):
    for module in (attention, bernoulli, conv, normalization, pool):
        monkeypatch.setattr(module, "pays", lambda *_: True)
    for kernel in (matmul.MATMUL, matmul.EINSUM, matmul.BATCHED):
        monkeypatch.setattr(kernel, "pays", lambda *_: True)
    table = normal(500, 16)
    arguments = (
        (normal(8, 10, 10, 8), normal(3, 3, 8, 16), normal(16), normal(256, 256)),
        (table, normal(16, 64), normal(16, 64), normal(16, 48)),
        jnp.arange(8 * 16).reshape(8, 16) % 77,
        {"momentum": table, "velocity": table**2},
        normal(5, 5, 16, 1),
    )
    program = jax.jit(step).lower(*arguments).compile()
    text = program.as_text() or ""
    for name in KERNELS:
        assert not native.available() or f"hornbeam_{name}" in text, name
    before = 0
    for call in range(CALLS):
        jax.block_until_ready(program(*arguments))
        if call == SETTLED:
            before = resident_bytes()
    assert resident_bytes() - before < ALLOWED


# The weights that the kernel lays out for itself, 67 MB, are more than is left.
WITHOUT_MEMORY = """
import resource
import jax, jax.numpy as jnp, numpy as np
from hornbeam.kernels import recurrent
from tests.tolerances import assert_close

x, h, w, u = (0.01 * jnp.ones(shape) for shape in ((32, 4, 8), (32, 2048), (8, 8192), (2048, 8192)))
last = lambda *arguments: recurrent.lstm(*arguments, None, return_sequences=False)[0]
program = jax.jit(last).lower(x, h, h, w, u).compile()
assert "lstm_forward" in program.as_text()

_, most = resource.getrlimit(resource.RLIMIT_AS)
taken, kept = [], [np.empty(1 << 20, "uint8") for _ in range(32)]

def take_all():
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), most))
    try:  # what malloc has kept, too
        while True:
            taken.append(np.empty(16 << 20, "uint8"))
    except MemoryError:
        pass

take_all()
for _ in range(40):
    try:
        program(x, h, h, w, u).block_until_ready()
        take_all()  # threads have given memory back late
    except jax.errors.JaxRuntimeError as error:
        if "allocating" not in str(error):
            print(error)
            break
        kept.pop()  # XLA itself had too little, for the result: the kernel was not reached
del taken, kept
resource.setrlimit(resource.RLIMIT_AS, (most, most))
wanted = recurrent.lstm_reference(x, h, h, w, u, None, return_sequences=False)[0]
assert_close(program(x, h, h, w, u), wanted)
"""


@pytest.mark.skipif(not native.available(), reason="the reference takes no memory of its own")
def test_out_of_memory():
    """The call raises as any of XLA's does, and the next one succeeds when there is memory again."""
    result = subprocess.run([sys.executable, "-c", WITHOUT_MEMORY], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("RESOURCE_EXHAUSTED: Out of memory.")
