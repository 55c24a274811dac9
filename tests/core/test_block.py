"""Blocks: Python that is traced once, with the variables that it turns out to read."""

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import block, rng
from hornbeam.core.compiled import Compiled


def test_only_what_is_read_is_an_input_and_what_is_assigned_comes_out():
    read, assigned, other = (tf.Variable(x) for x in (2.0, 3.0, 4.0))
    traces = []

    def fn(x):
        traces.append(1)
        assigned.assign(x)
        return [read * x, None, "text"]

    made = block.trace(fn, [np.float32(5)])
    assert made.reading == [read] and made.assigned == [assigned] and made.made == []
    outputs, new = made.run([np.float32(2)], [np.float32(7)])
    assert made.form.fill(outputs)[1:] == [None, "text"]
    assert float(outputs[0]) == 14 and float(new[0]) == 7
    assert [float(v) for v in (read, assigned, other)] == [2, 3, 4] and len(traces) == 1


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_types_of_64_bits_stay(dtype):
    """JAX narrows a `ShapeDtypeStruct` where no x64 mode is on."""
    with jax.enable_x64(True):
        x = jax.numpy.asarray(3, dtype)
        made = block.trace(lambda x: x, [x])
    assert [each.dtype.name for each in made.types()] == [dtype]


def test_an_error_leaves_no_variable_changed():
    v = tf.Variable(1.0)

    def fn(x):
        v.assign(x)
        raise KeyError("own")

    with pytest.raises(KeyError) as told:
        block.trace(fn, [np.float32(5)])
    assert not getattr(
        told.value, "__notes__", []
    )  # about frames of JAX, which the user did not call
    assert float(v) == 1


def test_a_compiled_block_reads_and_stores():
    v = tf.Variable(1.0)
    program = Compiled(block.trace(lambda x: v.assign_add(x) * 2, [np.float32(0)]))
    assert [float(program([np.float32(x)])) for x in (1, 2)] == [4, 8] and float(v) == 4


def test_the_first_random_number_is_no_reason_to_run_twice(monkeypatch):
    monkeypatch.setattr(rng, "_global_generator", None)
    runs = []
    made = block.trace(lambda: (runs.append(1), tf.random.uniform([2]))[1], [])
    assert len(runs) == 1 and made.made == [] and len(made.assigned) == 1
