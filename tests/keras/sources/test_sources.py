"""Every source of batches keeps the same promises: its length, its spec, checks, and going on where it stood."""

import itertools

import jax
import numpy as np
import pytest
import scipy.sparse

from hornbeam import keras
from hornbeam.core.rng import default_seed_state
from hornbeam.keras.sources.arrays import ArraySource
from hornbeam.keras.sources.source import Feed, Placement
from hornbeam.keras.sources.streams import IteratorSource, PyDatasetSource
from tests.buffers import shareable

X, Y = np.arange(22, dtype="float32").reshape(11, 2), np.arange(11)
BATCHES = [(X[i : i + 3], Y[i : i + 3]) for i in range(0, 11, 3)]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return len(BATCHES)

    def __getitem__(self, index):
        return BATCHES[index]


class Endless(Batches):
    num_batches = None

    def __getitem__(self, index):
        return BATCHES[index % 4]


class Again:
    """An iterable that begins anew each time."""

    def __iter__(self):
        return iter(BATCHES)


SOURCES = {
    "resident": lambda: ArraySource((X, Y), 3),
    "resident, shuffled": lambda: ArraySource((X, Y), 3, shuffle=True),
    "resident, batches shuffled": lambda: ArraySource((X, Y), 3, shuffle="batch"),
    "handed over": lambda: ArraySource((X, Y), 3, resident=False),
    "handed over, shuffled": lambda: ArraySource((X, Y), 3, shuffle=True, resident=False),
    "sparse": lambda: ArraySource((scipy.sparse.csr_matrix(X), Y), 3),
    "generator": lambda: IteratorSource(batch for batch in BATCHES),
    "iterable": lambda: IteratorSource(Again()),
    "list of batches": lambda: IteratorSource(itertools.chain(BATCHES)),
    "PyDataset": lambda: PyDatasetSource(Batches()),
    "PyDataset, shuffled": lambda: PyDatasetSource(Batches(), shuffle=True),
    "PyDataset, threads": lambda: PyDatasetSource(Batches(workers=3), shuffle=True),
    "PyDataset without an end": lambda: PyDatasetSource(Endless()),
}
draws_again = pytest.mark.filterwarnings(
    "ignore:The data, .* do not say where they stand:UserWarning"
)
each_source = pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)


def labels(source, batches):
    """The targets of batches, of row numbers too: they tell which rows a batch holds."""
    rows = source.as_rows()
    data = batches if rows is None else [rows.gather(rows.resident, batch) for batch in batches]
    return [np.asarray(y).tolist() for _, y in data]


@each_source
def test_a_pass_holds_each_row_once(make):
    source = make()
    found = labels(source, itertools.islice(source.open(), 4))
    assert sorted(map(len, found)) == [2, 3, 3, 3]
    assert sorted(itertools.chain(*found)) == list(range(11))


@each_source
def test_the_first_batch_is_not_used_up(make):
    source = make()
    x, y = source.first()
    again = source.first()
    np.testing.assert_array_equal(again[0], x)
    assert isinstance(x, np.ndarray) and y.tolist() == [0, 1, 2]
    spec = source.spec
    assert [(leaf.shape, str(leaf.dtype)) for leaf in spec] == [
        ((3, 2), "float32"),
        ((3,), "int32"),
    ]
    assert sorted(itertools.chain(*labels(source, itertools.islice(source.open(), 4)))) == list(
        range(11)
    )


@draws_again
@each_source
@pytest.mark.parametrize("used", [0, 1, 3])
def test_a_pass_goes_on_where_it_stood(make, used):
    keras.utils.set_random_seed(used)
    source = make()
    stream = source.open()
    before = labels(source, list(itertools.islice(stream, used)))
    state = source.state if used else {}
    rest = labels(source, itertools.islice(stream, 4 - used))
    if not used:  # nothing has begun: the state of the whole pass
        state = {**source.state, "used": 0}
    other = make()
    assert labels(other, itertools.islice(other.open(state), 4 - used)) == rest
    assert sorted(itertools.chain(*before, *rest)) == list(range(11))


@each_source
def test_a_check_sees_every_row(make):
    source, seen = make(), []
    source.check(lambda batch: seen.extend(batch[1].tolist()))
    for _ in itertools.islice(source.open(), 4):
        pass
    assert set(seen) == set(range(11))


@each_source
def test_what_a_check_raises_comes_through(make):
    def refuse(batch):
        if 10 in batch[1]:
            raise ValueError("ten")

    source = make()
    with pytest.raises(ValueError, match="ten"):
        source.check(refuse)
        list(itertools.islice(source.open(), 4))


def test_arrays_are_checked_once_by_one_check():
    seen = []
    source = ArraySource((X, Y), 3)
    for _ in range(3):
        source.check(seen.append)
    assert len(seen) == 1
    source.check(lambda batch: seen.append(batch))
    assert len(seen) == 2


@pytest.mark.parametrize("make", [SOURCES["resident, shuffled"], SOURCES["PyDataset, shuffled"]])
def test_each_pass_has_another_order(make):
    keras.utils.set_random_seed(0)
    source = make()
    first, second = (labels(source, source.open()) for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    "other",
    [
        lambda: ArraySource(X[:10], 3, True),
        lambda: ArraySource(X, 3, False),
        lambda: ArraySource(X, 3, "batch"),
        lambda: ArraySource(X, 4, True),
    ],
)
def test_a_pass_does_not_go_on_over_other_rows(other):
    source = ArraySource(X, 3, True)
    next(source.open())
    with pytest.raises(ValueError, match=r"in the middle of an epoch with \{'rows': 11"):
        other().open(source.state)


@draws_again
@each_source
def test_a_pass_may_be_stopped_again_before_its_first_batch(make):
    source = make()
    next(source.open())
    again = make()
    again.open(source.state)
    assert {**again.state, **source.state} == again.state


def test_rows_in_order_go_on_where_they_stood():
    source = ArraySource((X, Y), 3, shuffle=True)
    rows = source.as_rows()
    whole, rest = rows.order()
    assert whole.shape == (3, 3) and rest.shape == (2,) and rows.whole_batches == 3
    rows.advance(2)
    other = ArraySource((X, Y), 3, shuffle=True)
    found = list(other.open(source.state))
    np.testing.assert_array_equal(found[0], whole[2])
    np.testing.assert_array_equal(found[1], rest)


@pytest.mark.parametrize("name", ["resident", "generator", "PyDataset"])
def test_a_feed_of_fewer_steps_goes_on_in_the_next_epoch(name):
    source = SOURCES[name]()
    feed = Feed(source, 3)
    first, second = (labels(source, feed.epoch()) for _ in range(2))
    assert first == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    again = [] if name == "generator" else [[0, 1, 2], [3, 4, 5]]
    assert second == [[9, 10], *again]


def test_arrays_go_where_they_are_placed():
    device = jax.devices("cpu")[0]
    placement = Placement(jax.sharding.SingleDeviceSharding(device))
    assert placement.platform == "cpu"
    rows = ArraySource((X, Y), 3, placement=placement).as_rows()
    streamed = next(PyDatasetSource(Batches(), placement=placement).open())
    for array in (*rows.resident, *streamed):
        assert array.sharding == placement.batch

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.placement = placement
    model.fit(X / 22, Y / 11, verbose=0, epochs=2)
    assert model._programs["train", True].placement is placement


class Reusing(keras.utils.PyDataset):
    """Writes all its batches into one buffer."""

    buffer = shareable((2048, 256), 0.0)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.buffer[:] = index
        return self.buffer

    def batches(self):
        yield from map(self.__getitem__, range(3))


@pytest.mark.parametrize(
    "make",
    [lambda: PyDatasetSource(Reusing()), lambda: IteratorSource(Reusing().batches())],
    ids=["PyDataset", "generator"],
)
@pytest.mark.parametrize("placed", [False, True])
def test_batches_may_share_one_buffer(make, placed):
    source = make()
    if placed:
        source._placement = Placement(jax.sharding.SingleDeviceSharding(jax.devices("cpu")[0]))
    batches = list(source.open())
    assert [float(batch[0, 0]) for batch in batches] == [0.0, 1.0, 2.0]


def test_shuffled_batches_keep_their_rows_together():
    rows = np.arange(23)
    orders = []
    for shuffle in ("batch", True):
        source = ArraySource(rows, 4, shuffle=shuffle, resident=False)
        *whole, rest = source.open()
        orders.append([(np.diff(each) == 1).all() for each in whole])
        assert sorted([*np.concatenate(whole), *rest]) == rows.tolist()
        assert shuffle != "batch" or (np.concatenate(whole) != rows[:20]).any()
    assert all(orders[0]) and not all(orders[1])


@pytest.mark.parametrize("workers", [1, 3])
def test_a_data_set_is_told_where_an_epoch_begins_and_ends(workers):
    told = []

    class Told(Batches):
        def on_epoch_begin(self):
            told.append("begin")

        def on_epoch_end(self):
            told.append("end")

    source = PyDatasetSource(Told(workers=workers))
    for _ in range(2):
        assert len(list(source.open())) == 4
    assert told == ["begin", "end"] * 2


class Noting(Batches):
    """Notes what is asked of it, and has one batch less in each pass."""

    def __init__(self, shrinks=False):
        super().__init__()
        self.shrinks, self.count, self.seen = shrinks, 4, []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.seen.append(index)
        assert index < self.count
        return BATCHES[index]

    def on_epoch_end(self):
        self.count -= self.shrinks
        self.seen.append("end")


def test_a_dataset_may_change_its_length():
    dataset = Noting(shrinks=True)
    source = PyDatasetSource(dataset)
    feed = Feed(source)
    assert [(len(list(feed.epoch())), feed.steps) for _ in range(3)] == [(4, 4), (3, 3), (2, 2)]


def test_a_dataset_of_another_length_than_at_first_goes_on():
    feed = Feed(PyDatasetSource(Noting(shrinks=True)))
    feed.source.watch()
    list(feed.epoch())
    next(feed.epoch())
    resumed = Feed(PyDatasetSource(Noting(shrinks=True)))
    resumed.source.watch()
    resumed.resume(feed.state(in_epoch=True), 1)
    assert (len(list(resumed.epoch())), resumed.steps) == (2, 3)


def test_a_pass_that_fills_its_epoch_ends_with_it():
    dataset = Noting()
    feed = Feed(PyDatasetSource(dataset), 4)
    for _ in range(2):
        assert len(list(feed.epoch())) == 4
        assert dataset.seen == [0, 1, 2, 3, "end"]
        dataset.seen.clear()


FOUR = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]


class Rounds:
    """An iterator without an end that says how many batches are one round."""

    def __init__(self):
        self.batches = itertools.cycle(BATCHES)

    def __len__(self):
        return 4

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.batches)


def test_an_iterator_with_a_length_is_read_in_rounds():
    source = IteratorSource(Rounds())
    source.first()
    for _ in range(2):
        assert labels(source, itertools.islice(source.open(), 6)) == FOUR


@pytest.mark.parametrize("name", ["resident, shuffled", "PyDataset, shuffled"])
def test_going_on_draws_no_seed(name):
    """Else the orders of the epochs after it would differ from those of a run that was not interrupted."""
    source = SOURCES[name]()
    next(source.open())
    before = default_seed_state()
    next(SOURCES[name]().open(source.state))
    assert default_seed_state() == before
