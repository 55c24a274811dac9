"""Loading compares first: every difference is told by path, and the model is changed wholly or not at all."""

import threading

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.handover import make_lock
from hornbeam.keras.saving.comparison import Entry, Part, Subject, fits, load, missing

SUBJECT = Subject("a.file", "net")


def variable(shape, name):
    return keras.Variable(np.zeros(shape, "float32"), name=name)


def entry(path, shape, dtype="float32", fails=False):
    def read():
        if fails:
            raise OSError("disk on fire")
        return np.ones(shape, dtype)

    return Entry(path, shape, dtype, read)


def test_all_differences_at_once_and_the_nearest_that_fits():
    a, b, c = variable((2, 3), "kernel"), variable((3,), "bias"), variable((4,), "gamma")
    parts = [
        Part("dense", [(a, missing("dense/0")), (b, entry("dense/1", (5,)))]),
        Part("norm", [(c, entry("norm/0", (4,)))], left_over=[entry("norm/1", (9,))]),
    ]
    others = [entry("dense_1/0", (2, 3)), entry("norm/0", (4,)), entry("other/7", (2, 3))]
    with pytest.raises(ValueError, match=r"a\.file does not fit the model 'net'") as caught:
        load(parts, SUBJECT, others=lambda: others)
    lines = [line.strip() for line in str(caught.value).splitlines()[1:]]
    assert lines == [
        "kernel (2, 3): dense/0 is not in the file; dense_1/0 has that shape, and nothing takes it",
        "bias (3,): dense/1 has shape (5,)",
        "norm: the file has norm/1 as well, the layer has 1 weights",
    ]
    assert not c.numpy().any()


def test_what_fits_is_loaded_with_skip_mismatch():
    a, b = variable((2,), "a"), variable((2,), "b")
    parts = [Part("one", [(a, entry("one/0", (3,)))]), Part("two", [(b, entry("two/0", (2,)))])]
    with pytest.warns(UserWarning, match=r"a \(2,\): one/0 has shape \(3,\)"):
        load(parts, SUBJECT, skip_mismatch=True)
    assert not a.numpy().any() and b.numpy().all()


def test_a_read_that_fails_takes_back_what_was_assigned():
    a, b = variable((2,), "a"), variable((2,), "b")
    parts = [Part("x", [(a, entry("x/0", (2,))), (b, entry("x/1", (2,), fails=True))])]
    with pytest.raises(OSError, match="disk on fire"):
        load(parts, SUBJECT)
    assert not a.numpy().any() and not b.numpy().any()


@pytest.mark.parametrize(
    ("found", "wanted", "right"),
    [
        ("float64", "float32", True),
        ("float32", "bfloat16", True),
        ("bfloat16", "float32", True),
        ("int64", "int32", True),
        ("int64", "uint32", True),
        ("int32", "float32", True),
        ("bool", "float32", True),
        ("float32", "int32", False),
        ("int32", "bool", False),
    ],
)
def test_types(found, wanted, right):
    assert fits(found, wanted) is right


def test_another_type_is_told():
    count = keras.Variable(np.zeros(2, "int32"), name="count")
    with pytest.raises(
        ValueError, match=r"count .*: x/0 holds float32, the weight is of type int32"
    ):
        load([Part("x", [(count, entry("x/0", (2,)))])], SUBJECT)


def test_a_long_list_is_cut():
    parts = [Part("x", [(variable((1,), f"v{i}"), missing(f"x/{i}")) for i in range(30)])]
    with pytest.raises(ValueError, match="and 10 more"):
        load(parts, SUBJECT)


class StopReadingError(BaseException):
    """As Ctrl-C, which is no Exception."""


def test_what_an_own_method_changed_before_it_was_interrupted_is_taken_back():
    class Own:
        def __init__(self):
            self.weight = variable((2,), "a")
            self.variables = [self.weight]
            self.names = "old"

    own = Own()

    def interrupted():
        own.weight.assign([1.0, 1.0])
        own.names = "new"
        raise StopReadingError

    with pytest.raises(StopReadingError):
        load([Part("own", load=interrupted, obj=own)], SUBJECT)
    assert not own.weight.numpy().any() and own.names == "old"


def test_integers_that_a_type_cannot_hold_are_refused():
    a, b = keras.Variable([1, 2], dtype="int32"), keras.Variable([3], dtype="uint8")
    large = Entry("a", (2,), "int64", lambda: np.array([1, 2**40]))
    negative = Entry("b", (1,), "int32", lambda: np.array([-1], "int32"))
    fitting = Entry("a", (2,), "int64", lambda: np.array([4, 5]))
    for wrong in ([(a, large)], [(a, fitting), (b, negative)]):
        with pytest.raises(ValueError, match=r"can't take the values of .*beyond"):
            load([Part("x", wrong)], SUBJECT)
        assert a.numpy().tolist() == [1, 2] and b.numpy().tolist() == [3]
    load([Part("x", [(a, fitting)])], SUBJECT)
    assert a.numpy().tolist() == [4, 5]


def test_proposals_are_sought_for_what_is_shown_alone(monkeypatch):
    sought = []
    monkeypatch.setattr(
        "hornbeam.keras.saving.comparison._Proposals.near", lambda *each: sought.append(each) or ""
    )
    needs = [(variable((2,), f"v{i}"), missing(f"x/{i}")) for i in range(100)]
    with pytest.raises(ValueError, match="and 80 more"):
        load([Part("x", needs)], SUBJECT)
    assert len(sought) == 20


def test_no_step_of_a_training_runs_meanwhile_and_what_is_kept_is_not_donated():
    lock, weight, free = make_lock(), variable((2,), "a"), []
    weight.is_lent = False  # as after a step

    def read():
        thread = threading.Thread(target=lambda: free.append(lock.acquire(blocking=False)))
        thread.start()
        thread.join()
        return np.ones(2, "float32")

    kept = weight.keep_value()
    assert weight.is_lent
    load([Part("x", [(weight, Entry("x", (2,), read=read))])], SUBJECT)
    assert free == [False] and weight.numpy().all()
    kept()
    assert not weight.numpy().any()
