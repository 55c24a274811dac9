"""What a step computes, kept by the form of its data; the variables that its program was not told of."""

import threading

import numpy as np
import pytest

from hornbeam.core.variable import Variable
from hornbeam.keras.training.traces import Found, Traces, Untraced, form_of

DATA = (None, np.ones((2, 3), "float32"))


def traces_of(fn):
    """The traces of a step, and a list that grows when its Python runs."""
    runs = []

    def step(data):
        runs.append(data[1].shape)
        return fn(data[1])

    return Traces(step), runs


def test_a_step_runs_once_for_each_form():
    traces, runs = traces_of(lambda x: x * 2)
    for data in (DATA, (None, np.ones((1, 3), "float32")), (None, np.ones((2, 3), "int32"))):
        with pytest.raises(Untraced) as missing:
            traces.block(data)
        for _ in range(2):
            traces.add(missing.value.form, data, pytest.fail)
        block, arrays = traces.block(data)
        (result,), _ = block.run([], arrays)
        assert result.dtype == data[1].dtype and np.asarray(result).tolist() == (data[1] * 2).tolist()  # fmt: skip
    assert runs == [(2, 3), (1, 3), (2, 3)]


def test_threads_that_meet_a_form_together_run_the_step_once():
    traces, runs = traces_of(lambda x: x * 2)
    start = threading.Barrier(3)

    def add():
        start.wait()
        traces.add(form_of(DATA), DATA, pytest.fail)

    threads = [threading.Thread(target=add) for _ in range(3)]
    [each.start() for each in threads], [each.join() for each in threads]
    assert len(runs) == 1


def test_what_the_step_makes_is_told_once_and_read_by_the_second_run():
    kept, told = [], []

    def fn(x):
        if not kept:
            kept.append(Variable(3.0))
        Variable(1.0, trainable=False).assign_add(1.0)  # anew each time
        return kept[0] * x

    traces, runs = traces_of(fn)
    block = traces.add(form_of(DATA), DATA, lambda: told.append(1))
    assert len(runs) == 2 and told == [1] and block.reading == kept


def test_a_found_variable_is_never_given_away():
    """What another program would destroy while this one reads it must be copied there first."""
    found, w = Found(), Variable(1.0)
    found.add([w, w])
    w.is_lent = False
    assert [float(x) for x in found.values()] == [1] and w.is_lent
    assert not found.has_changed(w)
    w.assign(2.0)
    assert found.has_changed(w)
    found.keep(lambda variable: False)
    assert found.variables == []


def test_a_lost_value_is_told():
    found, gone = Found(), Variable(1.0, name="gone")
    found.add([gone])
    gone._value.delete()
    with pytest.raises(RuntimeError, match=r"'gone', which has lost its value.*`assign`"):
        found.values()
