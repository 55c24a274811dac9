"""Checksums of weights: no bit of a file can change unnoticed, and other programs read and edit the files as ever."""

import io
import json
import struct
import zlib

import h5py
import ml_dtypes
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.saving import checksums
from hornbeam.keras.saving.h5_store import H5File, h5_writing
from hornbeam.keras.saving.h5_writer import Writer
from hornbeam.keras.saving.safetensors import SafetensorsFile

ARRAYS = {
    "kernel": np.arange(6, dtype="float32").reshape(2, 3),
    "scattered": np.arange(20, dtype="int32").reshape(4, 5)[::2, 1:],
    "half": np.arange(3).astype(ml_dtypes.bfloat16),
    "flags": np.array([True, False]),
    "step": np.int64(3),
    "none": np.zeros((0, 4), "float32"),
}


@pytest.fixture(scope="module")
def data():
    """An HDF5 file with checksums."""
    stream = io.BytesIO()
    with h5_writing(stream) as file:
        writer = Writer(file.create_group("layers/a/vars"), "a")
        writer["gone"] = np.zeros((2, 3), "float32")
        del writer["gone"]  # its place may be another array's
        for name, value in ARRAYS.items():
            writer[name] = value
    return stream.getvalue()


def test_all_arrays_come_back(data):
    with H5File(io.BytesIO(data), "it.h5") as file:
        found = file.reader("layers/a/vars")
        assert set(found) == set(ARRAYS)
        for name, value in ARRAYS.items():
            np.testing.assert_array_equal(found[name], value)


def changed(data, place):
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def test_whichever_bit_has_changed_the_file_is_refused(data):
    for place in (*range(0, len(data), 7), *range(data.index(checksums.BEGIN), len(data))):
        with pytest.raises(ValueError, match=r"it\.h5 is (damaged|no HDF5|truncated)"):
            H5File(io.BytesIO(changed(data, place)), "it.h5")


def test_wherever_a_file_is_cut_it_is_refused(data):
    end = data.index(checksums.BEGIN)
    for size in (*range(0, end, 99), *range(end + 1, len(data))):
        with pytest.raises(ValueError, match=r"it\.h5 is (no HDF5|truncated)"):
            H5File(io.BytesIO(data[:size]), "it.h5")
    # Without the checksums nothing is missing.
    with H5File(io.BytesIO(data[:end]), "it.h5") as file:
        np.testing.assert_array_equal(file.reader("layers/a/vars")["kernel"], ARRAYS["kernel"])


def test_what_is_damaged_is_named(data):
    place = data.index(ARRAYS["kernel"].tobytes())
    with pytest.raises(ValueError, match=r"the values of layers/a/vars/kernel are not"):
        H5File(io.BytesIO(changed(data, place + 9)), "it.h5")
    with pytest.raises(ValueError, match="the names, shapes and types in it are not"):
        H5File(io.BytesIO(changed(data, data.index(b"scattered"))), "it.h5")
    assert checksums.listed(list("abcdefghijklmnopqrstuvwxyz")).endswith("s, t and 6 more")


def test_other_programs_read_and_edit_the_file(data, tmp_path):
    """After an edit it has no checksums any more, rather than wrong ones."""
    path = tmp_path / "m.h5"
    path.write_bytes(data)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["layers/a/vars/kernel"], ARRAYS["kernel"])
    assert path.read_bytes() == data
    with h5py.File(path, "r+") as file:
        file["layers/a/vars/kernel"][0, 0] = 5
    with open(path, "rb") as stream, H5File(stream, "it.h5") as file:
        assert not checksums.has_checksums(stream)
        assert file.reader("layers/a/vars")["kernel"][0, 0] == 5


TABLES = {
    "no table": [1],
    "no number": {"size": 96, "paths": ["a"], "spans": [0, 9.5, 1], "rest": 0},
    "overlap": {"size": 96, "paths": ["a", "b"], "spans": [0, 9, 1, 8, 2, 3], "rest": 0},
    "outside": {"size": 96, "paths": ["a"], "spans": [90, 7, 1], "rest": 0},
    "negative": {"size": 96, "paths": ["a"], "spans": [50, -7, 1], "rest": 0},
    "too few": {"size": 96, "paths": ["a"], "spans": [50, 7], "rest": 0},
    "no paths": {"size": 96, "paths": [], "spans": [50, 7, 1], "rest": 0},
    "another file": {"size": 97, "paths": [], "spans": [], "rest": 0},
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_nobody_wrote_are_refused(name):
    text = json.dumps(TABLES[name]).encode()
    end = struct.pack("<QI", len(text), zlib.crc32(text)) + checksums.END
    with pytest.raises(ValueError, match=r"it\.h5: the table of checksums can't be read"):
        checksums.check(io.BytesIO(bytes(96) + checksums.BEGIN + text + end), "it.h5")


def test_a_length_that_the_file_does_not_have_is_refused():
    end = struct.pack("<QI", 1 << 60, 0) + checksums.END
    with pytest.raises(ValueError, match="table of checksums is not what was written"):
        checksums.check(io.BytesIO(bytes(96) + end), "it.h5")


def make():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(2)])


def arrays_of(data):
    file = SafetensorsFile(io.BytesIO(data), "it")
    file.check()
    return {each.path: each.read().tobytes() for each in file.entries()}


def test_whichever_bit_of_safetensors_has_changed_it_is_refused_or_all_values_are_there(tmp_path):
    make().save_weights(tmp_path / "m.safetensors")
    data = (tmp_path / "m.safetensors").read_bytes()
    whole, unnoticed = arrays_of(data), []
    for place in range(len(data)):
        try:
            assert arrays_of(changed(data, place)) == whole
            unnoticed.append(place)
        except ValueError as error:
            assert "it" in str(error)
    # The name of the checksums themselves, at most.
    assert len(unnoticed) < 50 and max(unnoticed) < data.index(b'"layers')


def test_arrays_of_safetensors_are_named(tmp_path):
    model, path = make(), tmp_path / "m.safetensors"
    model.save_weights(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    before = model.get_weights()
    with pytest.raises(
        ValueError, match=r"the values of layers/dense_1/kernel are not .*leave out"
    ):
        model.load_weights(path)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_programs_keep_or_drop_the_checksums_of_safetensors(tmp_path):
    peer = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "m.safetensors"
    make().save_weights(path)
    arrays = peer.load_file(path)
    arrays["layers/dense/bias"][:] = 5
    peer.save_file(arrays, path)
    model = make()
    model.load_weights(path)
    np.testing.assert_array_equal(model.layers[0].bias, [5, 5])


def test_whichever_bit_of_an_index_has_changed_it_is_refused_or_all_values_are_there(tmp_path):
    model, path = make(), tmp_path / "m.weights.json"
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(7)
    model.save_weights(path, max_shard_size=100 / 1024**3)
    data = path.read_bytes()
    for place in range(0, len(data), 3):
        path.write_bytes(changed(data, place))
        model.optimizer.iterations.assign(0)
        try:
            model.load_weights(path)
            assert model.optimizer.iterations.numpy() == 7
        except (ValueError, FileNotFoundError):
            assert model.optimizer.iterations.numpy() == 0
