"""Weights in several files: whole sets, old or new, of files that stand beside the index."""

import errno
import functools
import json
import os

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from hornbeam.keras.saving import sharded
from tests.faults import faults

h5py = pytest.importorskip("h5py")
SIZE = 700 / 1024**3  # in GB


def make():
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(20), layers.Dense(3), layers.BatchNormalization()]
    )


def filled(model, value):
    model.set_weights([np.full(w.shape, value, w.dtype) for w in model.get_weights()])
    return model


reader = functools.cache(make)


def values_in(path):
    filled(reader(), -1).load_weights(path)
    return {float(each) for w in reader().get_weights() for each in w.ravel()}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.weights.json"
    filled(make(), 1).save_weights(path, max_shard_size=SIZE)
    return path


def test_round_trip_and_what_the_index_says(tmp_path):
    model, other, path = make(), make(), tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=SIZE)
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    index = json.loads(path.read_bytes())
    del index["metadata"]["hornbeam.crc32"]
    assert index == {
        "metadata": {"total_size": 4.0 * (160 + 20 + 60 + 3 + 12)},
        "weight_map": {
            "/layers/dense/vars": ["m_00000.weights.h5", "m_00001.weights.h5"],
            "/layers/dense_1/vars": "m_00001.weights.h5",
            "/layers/batch_normalization/vars": "m_00001.weights.h5",
        },
    }


def test_without_a_size_there_is_one_file(tmp_path):
    make().save_weights(tmp_path / "m.weights.json")
    assert sorted(os.listdir(tmp_path)) == ["m.weights.json", "m_00000.weights.h5"]


def test_the_second_set_replaces_the_first(saved):
    names = set(os.listdir(saved.parent))
    filled(make(), 2).save_weights(saved, max_shard_size=SIZE)
    assert values_in(saved) == {2}
    assert {name.replace("m-2_", "m_") for name in os.listdir(saved.parent)} == names
    filled(make(), 3).save_weights(saved, max_shard_size=SIZE)
    assert values_in(saved) == {3} and set(os.listdir(saved.parent)) == names


def test_files_of_others_are_neither_replaced_nor_removed(tmp_path):
    (tmp_path / "m_00000.weights.h5").write_bytes(b"mine")
    path = tmp_path / "m.weights.json"
    filled(make(), 1).save_weights(path, max_shard_size=SIZE)
    assert (tmp_path / "m_00000.weights.h5").read_bytes() == b"mine"
    index = json.loads(path.read_bytes())
    index["weight_map"]["/x"] = ["thesis_00001.weights.h5"]
    del index["metadata"]  # with the checksum, which would be that of another map
    path.write_text(json.dumps(index))
    (tmp_path / "thesis_00001.weights.h5").write_bytes(b"mine")
    filled(make(), 2).save_weights(path, max_shard_size=SIZE)
    assert (tmp_path / "thesis_00001.weights.h5").read_bytes() == b"mine"


def test_whatever_call_fails_the_set_is_the_old_or_the_new_one(saved):
    model, count = filled(make(), 2), len(os.listdir(saved.parent))
    for fault in faults():
        with fault:
            try:
                model.save_weights(saved, max_shard_size=SIZE)
            except OSError as error:
                assert error.errno == errno.ENOSPC
        # Once the new name is there, bringing it to the disk can still fail.
        done = fault.calls[-1:] == ["fsync"] and fault.calls.count("replace") == 3
        assert values_in(saved) == {2 if done else 1}
        assert len(os.listdir(saved.parent)) == count
    assert values_in(saved) == {2}


def test_an_array_larger_than_a_file_is_refused(saved):
    before = sorted(os.listdir(saved.parent))
    with pytest.raises(ValueError, match=r"layers/dense/vars/0 has 640 bytes.*pass a larger one"):
        make().save_weights(saved, max_shard_size=100 / 1024**3)
    for size in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="a size in GB above 0"):
            make().save_weights(saved, max_shard_size=size)
    assert sorted(os.listdir(saved.parent)) == before and values_in(saved) == {1}


def test_a_missing_file_is_named(saved):
    (saved.parent / "m_00001.weights.h5").unlink()
    model = filled(make(), -1)
    with pytest.raises(FileNotFoundError, match=r"leads to m_00001.weights.h5, which is not there"):
        model.load_weights(saved)
    assert {float(w.ravel()[0]) for w in model.get_weights()} == {-1}


@pytest.mark.parametrize(
    "name", ["../m_00000.weights.h5", "/etc/passwd", "a/b.weights.h5", "..", "", 3, None, "x.h5"]
)
def test_names_that_lead_elsewhere_are_refused(saved, name):
    index = json.loads(saved.read_bytes())
    index["weight_map"]["/layers/dense/vars"] = name
    saved.write_text(json.dumps(index))
    with pytest.raises(ValueError, match="no name of a file of weights"):
        make().load_weights(saved)


@pytest.mark.parametrize("text", ["{}", '{"weight_map": []}', '{"weight_map": {"a": 1', "{"])
def test_what_is_no_index(saved, text):
    saved.write_text(text)
    with pytest.raises(ValueError, match=r"m.weights.json"):
        make().load_weights(saved)


def test_another_ending_with_a_size(tmp_path):
    with pytest.warns(UserWarning, match=r"m.weights.json is written"):
        filled(make(), 1).save_weights(tmp_path / "m.weights.h5", max_shard_size=SIZE)
    assert values_in(tmp_path / "m.weights.json") == {1}
    with pytest.raises(ValueError, match=r"needs a name that ends with `.weights.json`"):
        make().save_weights(tmp_path / "m.safetensors", max_shard_size=1)


def test_weights_without_elements(tmp_path):
    model = keras.Sequential([keras.Input((0,)), layers.Dense(3, use_bias=False)])
    path = tmp_path / "m.weights.json"
    model.save_weights(path)
    model.load_weights(path)
    assert model.get_weights()[0].shape == (0, 3)


def test_more_files_than_any_set_has(saved, monkeypatch):
    monkeypatch.setattr(sharded, "_MOST_SHARDS", 1)
    with pytest.raises(ValueError, match="leads to more than 1 files"):
        reader().load_weights(saved)
