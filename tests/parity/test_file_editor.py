"""`KerasFileEditor`: the same weights as Keras's own, edits that are saved, and errors that name what is missing."""

import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers


@pytest.fixture
def saved(tmp_path):
    model = keras.Sequential(
        [keras.Input((4, 3)), layers.LSTM(3), layers.Dense(3), layers.Dense(2)], name="small"
    )
    model.save_weights(tmp_path / "m.weights.h5")
    model.save(tmp_path / "m.keras")
    return model, tmp_path


def flat(tree, place=""):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{place}{name}/")
        else:
            yield f"{place}{name}", np.asarray(value)


def test_files_of_keras_are_read_as_by_keras_and_edits_come_back(tmp_path):
    path, edited = str(tmp_path / "k.weights.h5"), str(tmp_path / "e.weights.h5")
    model = peer.Sequential([peer.Input((4,)), peer.layers.Dense(3), peer.layers.Dense(2)])
    model.save_weights(path)
    theirs, ours = peer.saving.KerasFileEditor(path), keras.saving.KerasFileEditor(path)
    for editor in (theirs, ours):
        editor.rename_object("dense_1", "dense_5")
        editor.add_object("layers/einsum", weights={"0": np.ones((2, 2))})
        editor.add_weights("einsum", {"1": np.zeros(2)})
        editor.delete_weight("layers/dense", "1")
    expected, found = dict(flat(theirs.weights_dict)), dict(flat(ours.weights_dict))
    assert found.keys() == expected.keys() and len(found) == 5
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
    ours.save(edited)
    again = peer.saving.KerasFileEditor(edited)
    assert dict(flat(again.weights_dict)).keys() == expected.keys()


@pytest.mark.parametrize(("name", "seeds"), [("m.weights.h5", 0), ("m.keras", 1)])
def test_compare(saved, name, seeds, capsys):
    model, folder = saved
    editor = keras.saving.KerasFileEditor(str(folder / name))
    assert editor.compare(model) == {
        "status": "success",
        "error_count": 0,
        "match_count": 7 + seeds,
    }
    other = keras.Sequential([keras.Input((4, 3)), layers.LSTM(3), layers.Dense(5)])
    assert editor.compare(other) == {"status": "error", "error_count": 4, "match_count": 3 + seeds}
    told = capsys.readouterr().out
    assert "layers/dense/0: (3, 5) in reference model, (3, 3) in saved file" in told
    assert "layers/dense_1/0 present in saved file, missing from reference model" in told


def test_a_renamed_layer_is_loaded_into_another_model(saved):
    model, folder = saved
    editor = keras.saving.KerasFileEditor(str(folder / "m.weights.h5"))
    editor.delete_object("layers/lstm")
    editor.delete_object("dense_1")
    editor.save(folder / "e.weights.h5")
    other = keras.Sequential([keras.Input((3,)), layers.Dense(3)])
    other.load_weights(folder / "e.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.layers[1].get_weights()[0])


def test_what_is_said_of_an_archive(saved, capsys):
    editor = keras.saving.KerasFileEditor(str(saved[1] / "m.keras"))
    assert editor.metadata["keras_version"] == "3.15.1"
    assert editor.config["config"]["name"] == "small"
    editor.summary()
    told = capsys.readouterr().out
    assert "Saved with Keras 3.15.1" in told and "> 0: shape=(3, 12), dtype=float32" in told


def test_what_is_not_there_is_told(saved):
    editor = keras.saving.KerasFileEditor(str(saved[1] / "m.weights.h5"))
    for act, text in (
        (lambda: editor.delete_object("nothing"), "'nothing' not found"),
        (lambda: editor.delete_object("layers/x/y"), "'layers/x/y' not found"),
        (lambda: editor.delete_object("0"), "more than once"),
        (lambda: editor.rename_object("dense", "a/b"), "not a path"),
        (lambda: editor.delete_weight("dense", "7"), r"Weights found: \['0', '1'\]"),
        (lambda: editor.add_object("a/b", {}), "Path 'a' not found"),
        (lambda: editor.add_object("b", [1]), "should be a dict"),
        (lambda: editor.save("x.h5"), "end with `.weights.h5`"),
        (lambda: keras.saving.KerasFileEditor("x.h5"), "read.* files that end with"),
    ):
        with pytest.raises(ValueError, match=text):
            act()
