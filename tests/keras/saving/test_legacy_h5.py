"""Legacy `.h5` files: of Keras 2, and of our own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hornbeam import keras
from tests.tolerances import assert_close

FILES = Path(__file__).parents[2] / "files" / "keras2"


def loaded(path: Any, **kwargs: Any) -> Any:
    """Return the model of a file."""
    return keras.models.load_model(path, **kwargs)


def arrays(name: str, kind: str) -> list[np.ndarray]:
    """Return the arrays of a kind that lie beside a model."""
    with np.load(FILES / f"{name}.npz") as found:
        return [found[f"{kind}{i}"] for i in range(len(found.files)) if f"{kind}{i}" in found.files]


def given(name: str, kind: str) -> Any:
    """Return inputs or targets as the model takes them."""
    found = arrays(name, kind)
    if name == "translator":
        return dict(zip("xy", found, strict=True))
    return found if len(found) > 1 else found[0]


def predicted(model: Any, name: str) -> list[np.ndarray]:
    outputs = model.predict(given(name, "x"), verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]


def check(model: Any, name: str, kind: str) -> None:
    """Compare the model's predictions with those of Keras 2."""
    for ours, theirs in zip(predicted(model, name), arrays(name, kind), strict=True):
        assert_close(ours, theirs)


@pytest.mark.parametrize("name", ["words", "translator", "cudnn", "raw_ops"])
def test_models_of_keras_2(name: str) -> None:
    check(loaded(FILES / f"{name}.h5"), name, "out")


@pytest.mark.parametrize("name", ["cnn", "recurrent", "functional", "nested"])
def test_compiled_models_of_keras_2(name: str) -> None:
    """The state of the optimizer, the loss and the learning rate were read as well: training goes on."""
    model = loaded(FILES / f"{name}.h5")
    check(model, name, "out")
    model.train_on_batch(given(name, "x"), given(name, "y"))
    check(model, name, "after")


@pytest.mark.parametrize(
    ("version", "expected"), [(b"2.3.1", 0.7), (b"3.15.1", 4 / 6), (None, 0.7)]
)
def test_hard_sigmoid_is_the_function_of_its_version(
    version: bytes | None, expected: float, tmp_path: Path
) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Activation("hard_sigmoid")])
    path = saved(model, tmp_path)
    with h5py.File(path, "a") as file:
        del file.attrs["keras_version"]
        file.attrs.update({} if version is None else {"keras_version": version})
    back = loaded(path)
    back.save(tmp_path / "again.keras")
    for each in (back, loaded(tmp_path / "again.keras")):
        assert_close(each(np.array([[1.0], [9.0], [-9.0]])), [[expected], [1.0], [0.0]])


def test_kernels_that_theano_ran_through_backwards(tmp_path: Path) -> None:
    layers = keras.layers
    model = keras.Sequential([keras.Input((4, 4, 2)), layers.Conv2D(2, (2, 3)), layers.Flatten(), layers.Dense(2)])  # fmt: skip
    path = saved(model, tmp_path)
    with h5py.File(path, "a") as file:
        file["model_weights"].attrs["backend"] = "theano"
    kernel, *others = loaded(path).get_weights()
    assert_close(kernel, model.get_weights()[0][::-1, ::-1])
    for ours, other in zip(others, model.get_weights()[1:], strict=True):
        assert_close(ours, other)


def test_weights_of_cudnn_for_layers_of_today() -> None:
    layers = keras.layers
    stack = [
        layers.LSTM(3, return_sequences=True),
        layers.Bidirectional(layers.GRU(2, return_sequences=True)),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
        layers.GRU(3),
    ]
    model = keras.Sequential([keras.Input((5, 2)), *stack])
    model.load_weights(FILES / "cudnn.h5")
    for ours, other in zip(model.get_weights(), loaded(FILES / "cudnn.h5").get_weights(), strict=True):  # fmt: skip
        assert_close(ours, other)
    other = keras.Sequential([keras.Input((5, 4)), layers.GRU(3, reset_after=False, name="d")])
    with pytest.raises(ValueError, match=r"bias \(9,\): model_weights/d/.* has shape \(18,\)"):
        other.load_weights(FILES / "cudnn.h5", by_name=True)


@pytest.mark.parametrize("name", ["cnn", "nested"])
def test_weights_of_keras_2(name: str) -> None:
    model = loaded(FILES / f"{name}.h5")
    expected = model.get_weights()
    model.set_weights([np.zeros_like(each) for each in expected])
    model.load_weights(FILES / f"{name}_weights.h5")
    for a, b in zip(model.get_weights(), expected, strict=True):
        assert_close(a, b)


def test_byte_code_is_refused_and_a_function_taken_for_it() -> None:
    with pytest.raises(
        ValueError,
        match="the Lambda 'twice', which was saved as byte code; code in files is never run",
    ):
        loaded(FILES / "lambda.h5")
    model = loaded(FILES / "lambda.h5", custom_objects={"twice": lambda x: 2 * x})
    assert_close(model(np.ones((1, 3), "float32")), [[2.0, 2, 2]])


def test_everything_unknown_is_in_one_error(tmp_path: Path) -> None:
    config = json.loads(attribute(FILES / "nested.h5", "model_config"))
    text = json.dumps(config).replace('"PReLU"', '"Mine"').replace('"ReLU"', '"pkg>Other"')
    path = tmp_path / "unknown.h5"
    shutil.copy(FILES / "nested.h5", path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = text
    with pytest.raises(ValueError, match=r"(?s)the class 'Mine'.*custom_objects=.*'pkg>Other': Other") as told:  # fmt: skip
        loaded(path)
    assert "the class 'Other'" in str(told.value)
    model = loaded(path, custom_objects={"Mine": keras.layers.PReLU, "pkg>Other": keras.layers.ReLU})  # fmt: skip
    assert len(model.get_weights()) == 11


def attribute(path: Path, name: str) -> Any:
    with h5py.File(path) as file:
        return file.attrs[name]


def stack(*names: str, units: int = 2, **kwargs: Any) -> Any:
    """Return a stack of dense layers of these names, with weights that differ."""
    layers = [keras.layers.Dense(units, name=name, **kwargs) for name in names]
    model = keras.Sequential([keras.Input((units,)), *layers])
    for number, each in enumerate(model.weights):
        each.assign(np.full(each.shape, number + 1.0))
    return model


def saved(model: Any, tmp_path: Path, **kwargs: Any) -> Path:
    path = tmp_path / "model.h5"
    model.save(path, **kwargs)
    return path


def firsts(model: Any) -> list[float]:
    """Return the first element of each weight."""
    return [float(each.flat[0]) for each in model.get_weights()]


def test_names_tell_the_layers_apart(tmp_path: Path) -> None:
    path = saved(stack("a", "b"), tmp_path)
    other = stack("b", "a")
    other.load_weights(path)
    assert firsts(other) == [3.0, 4.0, 1.0, 2.0]


def test_other_names_go_by_order(tmp_path: Path) -> None:
    path = saved(stack("a", "b"), tmp_path)
    other = stack("c", "b")
    other.set_weights([np.zeros(each.shape) for each in other.get_weights()])
    other.load_weights(path)
    assert firsts(other) == [1.0, 2.0, 3.0, 4.0]


def test_by_name(tmp_path: Path) -> None:
    """Layers that the file does not have keep their values."""
    path = saved(stack("a", "b"), tmp_path)
    other = stack("new", "b")
    other.set_weights([np.zeros(each.shape) for each in other.get_weights()])
    other.load_weights(path, by_name=True)
    assert firsts(other) == [0.0, 0.0, 3.0, 4.0]


def test_differences_are_told_and_change_nothing(tmp_path: Path) -> None:
    path = saved(stack("a", "b"), tmp_path)
    other = stack("a", "c", "d", units=3)
    before = firsts(other)
    with pytest.raises(ValueError, match=r"matched by order, because their names differ\).*no weight was changed") as told:  # fmt: skip
        other.load_weights(path)
    assert "a/kernel (3, 3): model_weights/a/" in str(told.value)
    assert "d/kernel (3, 3): model_weights/d/kernel is not in the file" in str(told.value)
    assert firsts(other) == before
    fewer = stack("a")
    with pytest.raises(ValueError, match="the file has model_weights/b of 2 weights as well"):
        fewer.load_weights(path)
    with pytest.warns(UserWarning, match="what differs was left as it is"):
        fewer.load_weights(path, skip_mismatch=True)
    assert firsts(fewer) == [1.0, 2.0]


@pytest.mark.parametrize("frozen", [False, True])
def test_what_is_frozen_changes_the_order_in_the_file_alone(frozen: bool, tmp_path: Path) -> None:
    """Of a frozen model inside, statistics stand among the weights; names tell them apart."""

    def outer(prefix: str) -> Any:
        layers = keras.layers
        parts = [layers.BatchNormalization(name=f"{prefix}{i}") for i in range(2)]
        return keras.Sequential([keras.Input((3,)), keras.Sequential([keras.Input((3,)), *parts], name="in")])  # fmt: skip

    model, other, third = outer("a"), outer("a"), outer("b")
    for number, each in enumerate(model.weights):
        each.assign(np.full(each.shape, number + 1.0))
    model.layers[0].trainable = not frozen
    path = saved(model, tmp_path)
    for each in (other, third):
        each.layers[0].trainable = frozen
    other.load_weights(path)
    assert firsts(other) == firsts(model)
    third.load_weights(path)
    assert firsts(third) == firsts(model)


def test_names_tell_frozen_layers_from_others(tmp_path: Path) -> None:
    """The weights of a frozen layer come last in the file; shapes and last names do not say so."""

    def outer() -> Any:
        parts = [keras.layers.Dense(3, name=f"d{i}") for i in range(2)]
        return keras.Sequential([keras.Input((3,)), keras.Sequential([keras.Input((3,)), *parts], name="in")])  # fmt: skip

    model, other = outer(), outer()
    for number, each in enumerate(model.weights):
        each.assign(np.full(each.shape, number + 1.0))
    model.layers[0].layers[0].trainable = False
    other.load_weights(saved(model, tmp_path))
    assert firsts(other) == [1.0, 2.0, 3.0, 4.0]


class Doubled(keras.layers.Layer):
    """A layer with weights of one name, one of them another's folder."""

    def build(self, shape: Any) -> None:
        self.a = self.add_weight(shape=(2,), name="w", initializer="ones")
        self.b = self.add_weight(shape=(3,), name="w")
        self.c = keras.layers.PReLU(name="w")
        self.c.build((None, 4))

    def call(self, x: Any) -> Any:
        return x


def test_names_are_made_unique(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), Doubled(name="d")])
    path = tmp_path / "w.h5"
    expected = firsts(model)
    model.save_weights(path)
    for each in model.weights:
        each.assign(np.full(each.shape, 7.0))
    model.load_weights(path)
    assert firsts(model) == expected


def test_lists_of_names_above_64_kb(tmp_path: Path) -> None:
    """HDF5 has no room for more in one attribute."""
    names = ["layer_" + "x" * 1000 + str(i) for i in range(70)]
    model = keras.Sequential([keras.Input((1,)), *[keras.layers.PReLU(name=n) for n in names]])
    for number, each in enumerate(model.weights):
        each.assign(np.full(each.shape, float(number)))
    path = tmp_path / "w.h5"
    model.save_weights(path)
    expected = firsts(model)
    model.set_weights([np.zeros(each.shape) for each in model.get_weights()])
    model.load_weights(path)
    assert firsts(model) == expected


@pytest.mark.parametrize("include_optimizer", [False, True])
def test_a_model_there_and_back(include_optimizer: bool, tmp_path: Path) -> None:
    model = stack("a", "b", dtype="mixed_bfloat16")
    model.compile(keras.optimizers.Adam(0.1, amsgrad=True), "mse", ["mae"])
    model.optimizer.build(model.trainable_variables)
    for number, each in enumerate(model.optimizer.variables):
        each.assign(np.full(each.shape, number))
    back = loaded(saved(model, tmp_path, include_optimizer=include_optimizer))
    assert back.get_config() == model.get_config()
    assert firsts(back) == firsts(model)
    assert back.compiled == include_optimizer
    variables = back.optimizer.variables if include_optimizer else []
    assert len(variables) == (len(model.optimizer.variables) if include_optimizer else 0)
    assert [float(np.asarray(v).flat[0]) for v in variables] == list(range(len(variables)))


def test_text_that_is_not_utf_8_is_damage(tmp_path: Path) -> None:
    path = saved(stack("a"), tmp_path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = b'{"class_name": "\xff"}'
    with pytest.raises(ValueError, match=r"model.h5: the attribute 'model_config' .* is damaged: it is not UTF-8"):  # fmt: skip
        loaded(path)


@pytest.mark.parametrize("text", ["[1, 2]", "{", '{"a": ' * 300 + "1" + "}" * 300], ids=["list", "cut", "deep"])  # fmt: skip
def test_a_broken_configuration_is_named(text: str, tmp_path: Path) -> None:
    path = saved(stack("a"), tmp_path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = text
    with pytest.raises(ValueError, match="the attribute 'model_config'"):
        loaded(path)


def test_a_file_of_weights_holds_no_model() -> None:
    with pytest.raises(ValueError, match="holds weights without a model"):
        loaded(FILES / "cnn_weights.h5")


def test_names_in_a_file_are_no_paths(tmp_path: Path) -> None:
    """Names of layers and weights that lead out of their group lead nowhere."""
    path = saved(stack("a"), tmp_path)
    with h5py.File(path, "a") as file:
        file["model_weights/a"].attrs["weight_names"] = np.asarray([b"../b/kernel", b"/etc/passwd"])
    with pytest.raises(ValueError, match="is not in the file"):
        loaded(path)


def test_options_that_belong_to_one_format(tmp_path: Path) -> None:
    model = stack("a")
    path = saved(model, tmp_path)
    with pytest.raises(ValueError, match="`objects_to_skip` does not apply to it"):
        model.load_weights(path, objects_to_skip=[model.layers[0]])
    model.save_weights(tmp_path / "new.weights.h5")
    with pytest.raises(ValueError, match="`by_name` does not apply to it"):
        model.load_weights(tmp_path / "new.weights.h5", by_name=True)


def test_a_file_that_is_there(tmp_path: Path) -> None:
    path = saved(stack("a"), tmp_path)
    with pytest.raises(FileExistsError):
        stack("b").save(path, overwrite=False)
    assert [layer.name for layer in loaded(path).layers] == ["a"]
    with pytest.raises(ValueError, match="truncated"):
        cut(path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])
    loaded(path)


def test_the_state_of_another_optimizer(tmp_path: Path) -> None:
    """The model is loaded, its optimizer starts anew, and that is said."""
    path = tmp_path / "m.h5"
    shutil.copy(FILES / "nested.h5", path)
    with h5py.File(path, "a") as file:
        del file["optimizer_weights/RMSprop/block/dense/kernel/rms:0"]
    with pytest.warns(UserWarning, match="the optimizer starts anew, because .*rms:0 is not in"):
        model = loaded(path)
    assert int(model.optimizer.iterations.numpy()) == 0
    check(model, "nested", "out")
