"""What of a user's object is stored with a training: attributes of plain data that have changed."""

from __future__ import annotations

import collections
import datetime
import enum
import pathlib
import random

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras.saving.plain_data import decode, encode
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


class Phase(enum.Enum):
    FIRST, SECOND = 1, 2


Point = collections.namedtuple("Point", "x y")


class Meter:
    def __init__(self):
        self.total, self.owner = 0.0, None


class Rich:
    """Holds what callbacks of users hold."""

    shared: list[int] = []

    def __init__(self):
        self.shared.clear()
        self.recent, self.count = collections.deque([1], maxlen=2), collections.Counter("a")
        self.lists = collections.defaultdict(list, a=[1])
        self.tensors, self.phase, self.point = [tf.constant(1.0)], Phase.FIRST, Point(1, [2])
        self.meter, self.metrics = Meter(), [keras.metrics.Mean()]
        self.meter.owner = self
        self.noise, self.seeds = keras.layers.GaussianNoise(1.0), keras.random.SeedGenerator(3)
        self.inner = keras.callbacks.EarlyStopping()


def use(each):
    each.shared.append(5)
    each.recent.extend([2, 3])
    each.count.update("ab")
    each.lists["b"].append(2)
    each.tensors.append(tf.constant([2.0]))
    each.phase, each.point = Phase.SECOND, Point(3, [4])
    each.meter.total += 1.5
    each.metrics[0].update_state(4.0)
    each.noise(np.ones((1, 2), "float32"), training=True)
    each.seeds.next()
    each.inner.wait = 3


def told(each):
    return (
        [*each.shared],
        each.recent,
        each.recent.maxlen,
        each.count,
        {**each.lists, "type": type(each.lists)},
        [(type(t), np.asarray(t).tolist()) for t in each.tensors],
        (each.phase, each.point, type(each.point)),
        (each.meter.total, each.meter.owner is each),
        float(each.metrics[0].result()),
        np.asarray(each.noise(np.ones((1, 2), "float32"), training=True)).tolist(),
        np.asarray(each.seeds.next()).tolist(),
        each.inner.wait,
    )


def test_what_callbacks_hold_is_set_in_place():
    one, other = Rich(), Rich()
    state = ObjectState(one)
    use(one)
    stored = encoded(state.get())
    expected = told(one)
    Rich.shared.clear()
    kept = {
        name: id(value) for name, value in vars(other).items() if name not in ("phase", "point")
    }
    ObjectState(other).set(stored)
    assert told(other) == expected and type(other.count) is collections.Counter
    assert kept == {name: id(getattr(other, name)) for name in kept}
    use(one)
    assert Remembered(other).changes() == {}


def encoded(state):
    """Return what is left of a state when it was written and read."""
    arrays: list[np.ndarray] = []

    def keep(array):
        arrays.append(array)
        return str(len(arrays) - 1)

    return decode(encode(state, keep), lambda name: arrays[int(name)])


def test_an_array_that_others_hold_too_is_set_in_place():
    one, other = Object(), Object()
    state, view = ObjectState(one), other.array
    one.array += 1
    ObjectState(other).set(encoded(state.get()))
    assert view.tolist() == [1, 2, 3]
    assert other.array is view


def test_variables_that_are_stored_elsewhere_are_left_out():
    one = Rich()
    ids = {id(v) for v in one.metrics[0].variables}
    state = ObjectState(one, ids)
    one.metrics[0].update_state(4.0)
    assert state.get() == {"attributes": {}}


def test_what_cannot_be_stored_is_told_once():
    one = Object()
    one.when, one.later, one.foreign = pathlib.Path("a"), datetime.date(2000, 1, 1), [Foreign()]
    one.handle, one.loaded = open(__file__), np.memmap(__file__)  # noqa: SIM115
    state = ObjectState(one)
    one.when, one.later = pathlib.Path("b"), datetime.date(2000, 1, 2)
    one.foreign[0].count += 1
    one.handle.close()
    one.handle, one.function, one.loaded = None, print, np.memmap(__file__, offset=1)
    with pytest.warns(UserWarning, match=r"Define get_state\(\) and set_state") as caught:
        state.get()
    names = [str(each.message).split("'")[1] for each in caught]
    assert names == ["when", "later", "foreign"]
    assert state.get() == {"attributes": {"handle": None}}


Foreign = type("Foreign", (), {"__module__": "jax.elsewhere", "count": 0})
Foreign.__init__ = lambda self: setattr(self, "count", 0)


def test_what_does_not_fit_is_told_and_stays():
    one, other = Rich(), Rich()
    state = ObjectState(one)
    use(one)
    other.meter, other.noise = None, keras.layers.Dense(1)
    with pytest.warns(UserWarning, match="It stays as it is") as caught:
        ObjectState(other).set(encoded(state.get()))
    assert ["'meter'" in str(each.message) for each in caught] == [True, False]
    assert other.meter is None and other.recent[-1] == 3
