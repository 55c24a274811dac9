"""safetensors: read and written as the reference library does, and nothing damaged is loaded."""

import json
import struct

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from hornbeam.keras.saving.safetensors import SafetensorsFile

peer = pytest.importorskip("safetensors.numpy")


def make(**first):
    return keras.Sequential(
        [
            keras.Input((5, 4)),
            layers.LSTM(3),
            keras.Sequential([keras.Input((3,)), layers.Dense(3, **first)]),
            layers.BatchNormalization(),
            layers.Dense(2),
        ]
    )


def same(a, b):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_names_do_not_depend_on_what_the_process_made_before(tmp_path):
    model, path = make(), tmp_path / "m.safetensors"
    model.save_weights(path)
    found = peer.load_file(path)
    assert list(found) == [
        "layers/batch_normalization/beta",
        "layers/batch_normalization/gamma",
        "layers/batch_normalization/moving_mean",
        "layers/batch_normalization/moving_variance",
        "layers/dense/bias",
        "layers/dense/kernel",
        "layers/lstm/cell/bias",
        "layers/lstm/cell/kernel",
        "layers/lstm/cell/recurrent_kernel",
        "layers/sequential/layers/dense/bias",
        "layers/sequential/layers/dense/kernel",
    ]
    np.testing.assert_array_equal(found["layers/dense/kernel"], model.layers[-1].kernel)
    other = make(name="another")
    other.load_weights(path)
    same(model, other)


class Pair(layers.Layer):
    def build(self, input_shape):
        self.both = [self.add_weight((2,), initializer="normal", name="w") for _ in range(2)]

    def call(self, x):
        return x * self.both[0] + self.both[1]


def test_weights_of_one_name_are_numbered(tmp_path):
    model, other = (keras.Sequential([keras.Input((2,)), Pair(name="pair")]) for _ in range(2))
    model.save_weights(tmp_path / "m.safetensors")
    assert list(peer.load_file(tmp_path / "m.safetensors")) == ["layers/pair/w", "layers/pair/w_1"]
    other.load_weights(tmp_path / "m.safetensors")
    same(model, other)


def test_the_metadata_names_the_class_alone(tmp_path):
    make().save_weights(tmp_path / "m.safetensors")
    with open(tmp_path / "m.safetensors", "rb") as stream:
        assert SafetensorsFile(stream, "m").metadata == {"model": "Sequential"}


def test_files_of_others_with_paths_of_variables(tmp_path):
    model, other = make(), make()
    peer.save_file({v.path: v.numpy() for v in model.weights}, tmp_path / "a.safetensors")
    peer.save_file(
        {v.path.removeprefix(f"{model.name}/"): v.numpy() for v in model.weights},
        tmp_path / "b.safetensors",
    )
    for name in "ab":
        model.set_weights([np.zeros(w.shape) for w in model.get_weights()])
        model.load_weights(tmp_path / f"{name}.safetensors")
        assert all(np.any(w) for w in model.get_weights()[:2])
    other.save_weights(tmp_path / "c.safetensors")
    with pytest.raises(ValueError, match="layers/dense/kernel"):
        other.load_weights(tmp_path / "b.safetensors")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_types(tmp_path, dtype):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype=dtype)])
    model.save_weights(tmp_path / "m.safetensors")
    other = keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype=dtype)])
    other.load_weights(tmp_path / "m.safetensors")
    same(model, other)


def test_other_models_are_told_and_nothing_changes(tmp_path):
    path = tmp_path / "m.safetensors"
    make().save_weights(path)
    other = keras.Sequential([keras.Input((5, 4)), layers.LSTM(3), layers.Dense(7)])
    before = other.get_weights()
    with pytest.raises(ValueError) as caught:
        other.load_weights(path)
    text = str(caught.value)
    assert "dense" in text and "(3, 7): layers/dense/kernel has shape (3, 2)" in text
    assert "the file has layers/batch_normalization/gamma as well, which nothing takes" in text
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="left as it is"):
        other.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(
        other.get_weights()[0], peer.load_file(path)["layers/lstm/cell/kernel"]
    )
    np.testing.assert_array_equal(other.get_weights()[3], before[3])


def test_objects_to_skip(tmp_path):
    model, other, path = make(), make(), tmp_path / "m.safetensors"
    model.save_weights(path)
    head = other.layers[-1].get_weights()
    other.load_weights(path, objects_to_skip=[other.layers[-1]])
    np.testing.assert_array_equal(other.layers[-1].get_weights()[0], head[0])
    np.testing.assert_array_equal(
        other.layers[0].get_weights()[0], model.layers[0].get_weights()[0]
    )


GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def packed(header, data=b"\0" * 8):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "header would have 0 bytes"),
        (b"\1\0\0", "header would have 0 bytes"),
        (struct.pack("<Q", 1 << 63) + b"{}", "no file of safetensors"),
        (struct.pack("<Q", 1 << 20) + b"{}", "is cut"),
        (packed(b"[" * 5000 + b"]" * 5000), "nested more"),
        (packed(b"[1]"), "no JSON object"),
        (packed(b'{"a": 1'), "no valid JSON"),
        (packed(b'{"a": {}, "a": {}}'), "the key 'a' stands twice"),
        (packed({"a": GOOD}, b"\0" * 7), "is cut"),
        (packed({"a": GOOD}, b"\0" * 9), "bytes behind its arrays"),
        (packed({"a": [1]}), "not described by"),
        (packed({"a": {**GOOD, "more": 1}}), "not described by"),
        (packed({"a": {**GOOD, "dtype": 3}}), "no text"),
        (packed({"a": {**GOOD, "shape": [-1, -2]}}), "no shape"),
        (packed({"a": {**GOOD, "shape": [True, 2]}}), "no shape"),
        (packed({"a": {**GOOD, "shape": [1] * 33}}), "no shape"),
        (packed({"a": {**GOOD, "shape": [1 << 62, 1 << 62]}}), "needs"),
        (packed({"a": {**GOOD, "shape": [10**30]}}), "no shape"),
        (packed({"a": {**GOOD, "shape": [3]}}), "needs 12 bytes, and has 8"),
        (packed({"a": {**GOOD, "data_offsets": [8, 0]}}), "no place"),
        (packed({"a": {**GOOD, "data_offsets": [0, 8, 9]}}), "no place"),
        (packed({"a": {**GOOD, "data_offsets": [4, 12]}}), "begins at byte 4, not at 0"),
        (packed({"a": GOOD, "b": GOOD}), "begins at byte 0, not at 8"),
        (packed({"a": GOOD, "__metadata__": {"x": 1}}), "from texts to texts"),
        (packed({"a": GOOD, "__metadata__": [1]}), "from texts to texts"),
    ],
)
def test_what_is_no_whole_file_is_refused(tmp_path, data, text):
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with open(path, "rb") as stream, pytest.raises(ValueError, match=text) as caught:
        SafetensorsFile(stream, "m.safetensors")
    assert "m.safetensors" in str(caught.value)


def test_truth_values_and_unknown_types(tmp_path):
    header = {
        "a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]},
        "b": {"dtype": "F4", "shape": [2], "data_offsets": [2, 3]},
    }
    path = tmp_path / "m.safetensors"
    path.write_bytes(packed(header, b"\0\2\0"))
    with open(path, "rb") as stream:
        file = SafetensorsFile(stream, "m.safetensors")
        assert file["b"].problem == "has values of the type F4"
        with pytest.raises(ValueError, match="neither 0 nor 1"):
            file["a"].read()


def test_types_that_the_format_lacks_are_told(tmp_path):
    layer = keras.layers.Flatten()
    layer.number = keras.Variable(np.zeros(2, "complex64"), name="number")
    with pytest.raises(TypeError, match=r"no type for .*number, complex64"):
        keras.Sequential([keras.Input((2,)), layer]).save_weights(tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())
