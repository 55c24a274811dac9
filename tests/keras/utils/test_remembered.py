"""What of a user's object is stored with a training: attributes of plain data that have changed."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.utils.remembered import ObjectState, Remembered


class Object:
    def __init__(self):
        self.same, self.number, self.text = 1, 0, "a"
        self.array, self.list, self.nested = np.arange(3), [1, [2.0]], {"a": (1, {2})}
        self.numpy, self.old, self.python = (
            np.random.default_rng(0),
            np.random.RandomState(0),
            random.Random(0),
        )
        self.variable = keras.Variable(1.0)
        self.file, self.function, self.objects = open, len, np.array([len])


def number(each):
    each.number = np.float32(0.5)


def array(each):
    each.array[1] = 9


def nested(each):
    each.nested["a"][1].add(3)


def deep_list(each):
    each.list[1].append(float("nan"))


def new(each):
    each.later = b"x"


def numpy(each):
    each.numpy.random()


def old(each):
    each.old.normal()


def python(each):
    each.python.random()


def variable(each):
    each.variable.assign(2.0)


CHANGES = {
    number: "number",
    array: "array",
    nested: "nested",
    deep_list: "list",
    new: "later",
    numpy: "numpy",
    old: "old",
    python: "python",
    variable: "variable",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_has_changed_is_set_again(change):
    one, other = Object(), Object()
    state = ObjectState(one)
    assert state.get() == {"attributes": {}}
    change(one)
    stored = state.get()
    assert list(stored["attributes"]) == [CHANGES[change]]
    ObjectState(other).set(stored)
    assert Remembered(other).changes() == {}
    assert repr(drawn(other)) == repr(drawn(one))
    assert not ObjectState(one)._remembered.changes()


def drawn(each):
    return (
        each.number,
        each.array,
        each.nested,
        each.list,
        getattr(each, "later", None),
        each.numpy.random(),
        each.old.normal(),
        each.python.random(),
        float(each.variable),
    )


def test_what_was_stored_stays_as_it_was():
    one = Object()
    state = ObjectState(one)
    one.list.append(1)
    stored = state.get()
    one.list.append(2)
    assert stored["attributes"]["list"] == [1, [2.0], 1]
    ObjectState(one).set(stored)
    one.list.append(3)
    assert stored["attributes"]["list"] == [1, [2.0], 1]


def test_an_object_that_tells_is_asked():
    class Tells:
        def __init__(self):
            self.at, self.other = 0, 0

        def get_state(self):
            return self.at

        def set_state(self, state):
            self.at = state

    one, other = Tells(), Tells()
    state = ObjectState(one)
    one.at, one.other = 3, 4
    ObjectState(other).set(state.get())
    assert (other.at, other.other) == (3, 0)


def test_a_list_that_holds_itself_is_passed_over():
    one = Object()
    one.list.append(one.list)
    assert ObjectState(one).get() == {"attributes": {}}
