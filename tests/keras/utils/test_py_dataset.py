"""PyDataset: what a subclass must and need not define."""

from __future__ import annotations

import itertools

import pytest

from hornbeam.keras import utils


class Three(utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index * 10


def test_the_number_of_batches_is_the_length():
    data = Three(workers=4, use_multiprocessing=True, max_queue_size=2)
    assert (data.workers, data.use_multiprocessing, data.max_queue_size) == (4, True, 2)
    assert data.num_batches == 3
    assert list(data) == [0, 10, 20]
    assert data.on_epoch_begin() is None and data.on_epoch_end() is None


def test_without_super_init_it_has_the_defaults():
    class Careless(Three):
        def __init__(self):
            self.rows = 5

    data = Careless()
    assert (data.workers, data.use_multiprocessing, data.max_queue_size) == (1, False, 10)


def test_one_without_an_end():
    class Endless(Three):
        num_batches = None

    assert list(itertools.islice(Endless(), 5)) == [0, 10, 20, 30, 40]


def test_what_is_missing_is_named():
    class Empty(utils.PyDataset):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define __len__"):
        _ = Empty().num_batches
    with pytest.raises(NotImplementedError, match="Empty must define __getitem__"):
        Empty()[0]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="Three: workers must be at least 0, got -1"):
        Three(workers=-1)
    with pytest.raises(ValueError, match="Three: max_queue_size must be at least 1, got 0"):
        Three(max_queue_size=0)
    with pytest.raises(TypeError, match="queue"):
        Three(queue=3)


def test_sequence_is_its_older_name():
    assert utils.Sequence is utils.PyDataset
