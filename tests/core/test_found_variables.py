"""Variables that a program was not told of: found by being read while it is traced, read anew at each call."""

import copy

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import block, compiled, scope
from hornbeam.core.variable import Variable
from hornbeam.keras import ops


def program_of(fn, *args):
    """Return a function over tensors as a program over the variables that it uses, traced once."""
    made = compiled.Compiled(block.trace(fn, [np.float32(each) for each in args]))

    def call(*args):
        return np.asarray(made([np.float32(each) for each in args]))

    call.reading = made.block.reading
    return call


def _raw(value):
    return getattr(value, "_value", value)


v = Variable(2.0, name="found")


class Cell(keras.layers.Layer):
    """An RNN's cell that reads a variable which it does not hold."""

    state_size = output_size = 1

    def __init__(self, read):
        super().__init__()
        self.read = read

    def call(self, inputs, states):
        state = states[0] + inputs * self.read()
        return state, [state]


def _scan_body(carry, x):
    """Of the module, so that JAX may keep what it traced of it."""
    return carry + x * v, carry


READS = {
    "plain": lambda x: v * x,
    "value": lambda x: v.value * x,
    "raw": lambda x: jax.numpy.multiply(jax.numpy.asarray(v), x),
    "converted": lambda x: ops.convert_to_tensor(v) * x,
    "assigned to itself": lambda x: v.assign(v * 1.0) * x,
    "inner scope": lambda x: scope.value_and_grad(lambda: (v * x, ()), [Variable(1.0)])()[0][0],
    "its own gradient": lambda x: scope.value_and_grad(lambda: (v * v * x / 2, ()), [v])()[1][0],
    "autocast": lambda x: ops.cast(_under_autocast(x), "float32"),
    "cond": lambda x: ops.cond(x > 0, lambda: v * x, lambda: -v),
    "switch": lambda x: ops.switch(1, [lambda: x, lambda: v * x]),
    "while_loop": lambda x: ops.while_loop(
        lambda i, y: i < 1, lambda i, y: (i + 1, y + v * x), (0, 0.0)
    )[1],
    "fori_loop": lambda x: ops.fori_loop(0, 1, lambda i, y: y + v * x, 0.0),
    "scan": lambda x: ops.scan(_scan_body, 0.0, ops.reshape(x, (1,)))[0],
    "raw scan": lambda x: jax.lax.scan(lambda c, y: (c + y * v.read_raw(), c), 0.0, _raw(x)[None])[
        0
    ],
    "map": lambda x: ops.map(lambda each: each * v, ops.reshape(x, (1,)))[0],
    "vectorized_map": lambda x: ops.vectorized_map(lambda each: each * v, ops.reshape(x, (1,)))[0],
    "associative_scan": lambda x: ops.associative_scan(
        lambda a, b: a + b * v, ops.stack([0 * x, x])
    )[1],
    "rnn": lambda x: keras.layers.RNN(Cell(lambda: v))(ops.reshape(x, (1, 1, 1)))[0, 0],
    "checkpoint": lambda x: jax.checkpoint(lambda y: y * v.read_raw())(_raw(x)),
    "jit": lambda x: jax.jit(lambda y: y * v.read_raw())(_raw(x)),
}


def _under_autocast(x):
    with scope.autocast("bfloat16"):
        return v * x


@pytest.mark.parametrize("name", READS)
def test_an_assignment_counts_at_the_next_call(name):
    """Wherever the read is written, and however often the function was traced before."""
    v.assign(2.0)
    first = program_of(READS[name], 1.0)
    program = program_of(READS[name], 1.0)
    assert first(10.0) == program(10.0) == 20
    assert [id(each) for each in program.reading] == [id(v)]
    v.assign(3.0)
    assert first(10.0) == program(10.0) == 30


class Secret(Variable):
    def __deepcopy__(self, memo):
        clone = object.__new__(Secret)
        clone.__dict__.update(self.__dict__)
        return clone


secret = Secret(1.0, name="secret")


def test_variables_that_appear_in_every_trace_are_an_error():
    """As an object that is copied behind our back would make them."""
    with pytest.raises(
        RuntimeError, match=r"new variables in each of .* 'secret'.*Make variables once"
    ):
        block.trace(lambda x: copy.deepcopy(secret) * x, [np.float32(1.0)])
