"""Variables that a program was not told of: found while it is traced, read anew at each call."""

import copy
import threading

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import program_state, scope
from hornbeam.core.program_state import ProgramState
from hornbeam.core.variable import Variable
from hornbeam.keras import ops


class Compiled:
    """A function over tensors as a compiled program over the variables that it uses."""

    def __init__(self, fn, known=()):
        self.fn, self.state, self.traces = fn, ProgramState(known), 0
        self._compiled = jax.jit(self._pure)

    def _pure(self, values, *args):
        self.traces += 1
        with self.state.scope(values) as opened:
            outputs = self.fn(*args)
        return _raw(outputs), self.state.settle(opened)

    def __call__(self, *args):
        outputs, updates = self.state.run(lambda values: self._compiled(values, *args))
        self.state.write_back(updates)
        return np.asarray(outputs)


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
    """Wherever the read is written, and however often the program was traced before."""
    v.assign(2.0)
    program = Compiled(READS[name])
    assert program(10.0) == 20
    assert any(each is v for each in program.state.variables)
    v.assign(3.0)
    assert program(10.0) == 30
    v.assign(4.0)
    assert program(np.float32(5.0)) == 20


def test_what_is_known_costs_no_second_trace():
    program = Compiled(lambda x: v * x, known=[v])
    program(1.0), program(2.0)
    assert program.traces == 1
    program = Compiled(lambda x: v * x)
    program(1.0), program(2.0)
    assert program.traces == 2 and program.state.variables[0] is v


def test_what_is_found_later_is_added():
    """A Python branch that the first trace did not take."""
    first, second = Variable(1.0), Variable(10.0)
    program = Compiled(lambda x: x * first if not x.shape else x * first + second)
    assert program(1.0) == 1
    assert program(np.ones(1, "float32")) == [11]
    first.assign(2.0), second.assign(20.0)
    assert program(1.0) == 2 and program(np.ones(1, "float32")) == [22]


def test_assignments_come_out():
    """Of a variable that is read first, of one that is only assigned, and in turn with a seed."""
    count, last, seeds = Variable(0), Variable(0.0), keras.random.SeedGenerator(1)

    def fn(x):
        count.assign_add(1)
        last.assign(x)
        return seeds.next()[1]

    program = Compiled(fn)
    assert [int(program(float(i))) for i in (5, 6, 7)] == [0, 1, 2]
    assert int(count) == 3 and float(last) == 7


def test_variables_made_in_a_trace():
    """Those that are kept are state from then on; those that every trace makes are its own."""
    kept = []

    def fn(x):
        if not kept:
            kept.append(Variable(0.0))
        own = Variable(1.0)
        own.assign_add(x)
        kept[0].assign_add(own)
        return kept[0] + 0.0

    program = Compiled(fn)
    assert [float(program(1.0)) for _ in range(3)] == [2, 4, 6]
    assert float(kept[0]) == 6 and program.state.variables == kept


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
        Compiled(lambda x: copy.deepcopy(secret) * x)(1.0)


def test_a_value_that_python_needs_is_an_error_and_not_a_constant():
    for use in (float, bool, int, np.asarray, lambda x: x.numpy()):
        with pytest.raises(RuntimeError, match="being compiled"):
            Compiled(lambda x, use=use: x * float(use(v)))(1.0)


def test_a_lost_value_is_told():
    gone = Variable(1.0, name="gone")
    program = Compiled(lambda x: gone * x)
    program(1.0)
    gone._value.delete()
    with pytest.raises(RuntimeError, match=r"'gone', which has lost its value.*`assign`"):
        program(1.0)
    gone.assign(5.0)
    assert program(1.0) == 5


def test_two_threads_find_the_same_variables():
    names = [Variable(float(i)) for i in range(20)]
    program, results = Compiled(lambda x: sum((each * x for each in names), start=0.0)), []
    threads = [
        threading.Thread(target=lambda: results.append(float(program(1.0)))) for _ in range(4)
    ]
    [each.start() for each in threads], [each.join() for each in threads]
    assert results == [190] * 4 and len(program.state.variables) == 20


def test_a_found_variable_is_never_given_away():
    """What another program would destroy while this one reads it must be copied there first."""
    w = Variable(1.0)
    program = Compiled(lambda x: w * x)
    program(1.0)
    w.is_lent = False
    program(1.0)
    assert w.is_lent


def test_two_traces_that_began_together_find_a_variable_once():
    v, state = Variable(1.0), ProgramState()
    values = state.values()
    scopes = [state.scope(values) for _ in range(2)]
    for each in scopes:
        with each:
            v.read_value()
    for each in scopes:
        with pytest.raises(program_state._TraceAgain):
            state.settle(each)
    assert [id(each) for each in state.variables] == [id(v)]
