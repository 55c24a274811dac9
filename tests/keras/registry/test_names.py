"""Whose class or function a configuration names: Hornbeam's own, or the user's."""

import threading

import pytest

from hornbeam import keras
from hornbeam.keras import layers
from hornbeam.keras.registry import Registry, deserialize_keras_object, serialize_keras_object

DENSE = {
    "module": "keras.layers",
    "class_name": "Dense",
    "config": {"units": 2},
    "registered_name": None,
}


class Dense(layers.Dense):
    """A user's class with a name of Keras's."""


@pytest.fixture
def registered():
    before = dict(keras.saving.get_custom_objects())
    keras.saving.get_custom_objects().clear()
    yield keras.saving.register_keras_serializable
    keras.saving.get_custom_objects().clear()
    keras.saving.get_custom_objects().update(before)


def test_a_keras_module_means_ours(registered):
    registered("mine")(Dense)
    with keras.saving.custom_object_scope({"Dense": Dense}):
        for config in (
            DENSE,
            {**DENSE, "registered_name": "Dense"},
            {**DENSE, "module": "keras.src.layers.core.dense"},
        ):
            made = deserialize_keras_object(config, custom_objects={"Dense": Dense})
            assert type(made) is layers.Dense


def test_a_registered_name_means_the_users(registered):
    registered("mine")(Dense)
    config = serialize_keras_object(Dense(2))
    assert config["registered_name"] == "mine>Dense" and config["module"] == __name__
    assert type(deserialize_keras_object(config)) is Dense
    other = {**config, "registered_name": "other>Thing", "class_name": "Thing"}
    with pytest.raises(ValueError, match=r"'other>Thing'.*custom_objects={'other>Thing'"):
        deserialize_keras_object(other)


def test_a_users_module_never_means_ours():
    config = serialize_keras_object(Dense(2))
    with pytest.raises(ValueError, match=r"Unknown class: 'Dense'.*register_keras_serializable"):
        deserialize_keras_object(config)
    assert type(deserialize_keras_object(config, custom_objects={"Dense": Dense})) is Dense
    with keras.saving.custom_object_scope({"Dense": Dense}):
        assert type(deserialize_keras_object(config)) is Dense


def test_a_class_of_the_main_script_is_the_users():
    config = {"module": None, "class_name": "Dense", "config": {}, "registered_name": "Dense"}
    with pytest.raises(ValueError, match="Unknown class: 'Dense'"):
        deserialize_keras_object(config)


def test_without_a_module_the_users_exact_name_comes_first(registered):
    config = {"class_name": "Dense", "config": {"units": 2}}
    registered("mine")(Dense)
    assert type(deserialize_keras_object(config)) is layers.Dense
    assert type(deserialize_keras_object(config, {"Dense": Dense})) is Dense
    assert type(layers.deserialize(config)) is layers.Dense


def test_kinds_that_share_a_module_are_told_apart():
    with pytest.raises(ValueError, match="There are two tables of the kind 'layer'"):
        Registry("layer", "keras.layers")
    for module, name, config in (
        ("keras", "DTypePolicy", {"name": "float16"}),
        ("keras", "Sequential", {"name": "s", "layers": []}),
        ("keras.src.models.sequential", "Sequential", {"name": "s", "layers": []}),
        ("keras.src.dtype_policies.dtype_policy", "DTypePolicy", {"name": "float16"}),
    ):
        made = deserialize_keras_object({"module": module, "class_name": name, "config": config})
        assert type(made).__name__ == name


@pytest.mark.parametrize(
    ("module", "name"),
    [("keras.layers", "Densse"), ("keras.utils", "get_file"), ("keras.config", "set_floatx")],
)
def test_nothing_but_what_is_in_a_table(module, name):
    config = {"module": module, "class_name": name, "config": {}}
    with pytest.raises(ValueError, match=f"Unknown .*{name!r}"):
        deserialize_keras_object(config)


def test_functions_are_the_users_then_ours(registered):
    config = {"module": "builtins", "class_name": "function", "config": "relu"}
    assert deserialize_keras_object(config) is keras.activations.relu

    def relu(x):
        return x

    assert deserialize_keras_object(config, custom_objects={"relu": relu}) is relu
    with pytest.raises(ValueError, match="Unknown function: 'mine>twice'"):
        deserialize_keras_object({**config, "config": "mine>twice"})
    registered("mine", name="twice")(relu)
    for name in ("mine>twice", "twice"):
        assert deserialize_keras_object({**config, "config": name}) is relu
    assert deserialize_keras_object(serialize_keras_object(relu)) is relu


def test_a_registered_function_is_found_by_its_own_name_too():
    """As a class is: whoever loads the file need not know the package."""
    found = keras.saving.deserialize_keras_object(
        {"class_name": "function", "config": "package>double"}, {"double": _double}
    )
    assert found is _double


def _double(x):
    return x * 2


def test_code_is_neither_written_nor_run():
    with pytest.raises(ValueError, match="has no name to be found by"):
        serialize_keras_object(layers.Dense(1, activation=lambda x: x))
    config = {"class_name": "__lambda__", "config": {"value": "4wAAAA=="}}
    with pytest.raises(ValueError, match="never run"):
        deserialize_keras_object(config, safe_mode=False)


def test_a_scope_belongs_to_its_thread():
    found = []
    with keras.saving.custom_object_scope({"thing": Dense}):
        assert keras.saving.get_registered_object("thing") is Dense
        thread = threading.Thread(
            target=lambda: found.append(keras.saving.get_registered_object("thing"))
        )
        thread.start()
        thread.join()
    assert found == [None]
    assert keras.saving.get_registered_object("thing") is None


def test_values_that_are_no_objects():
    values = {"at": (slice(1, None, 2), Ellipsis, None, b"abc"), "all": [1.5, "x", True]}
    assert deserialize_keras_object(serialize_keras_object(values)) == values
    with pytest.raises(ValueError, match="__what__"):
        deserialize_keras_object({"class_name": "__what__", "config": {}})


def test_a_built_layer_comes_back_built():
    layer = layers.Dense(3)
    layer.build((None, 4))
    again = deserialize_keras_object(serialize_keras_object(layer))
    assert again.built and [w.path for w in again.weights] == [w.path for w in layer.weights]
    assert not deserialize_keras_object(serialize_keras_object(layers.Dense(3))).built


def test_layers_inside_are_built_by_the_outer_one():
    layer = layers.TimeDistributed(layers.Dense(3, name="inner"), name="outer")
    layer.build((None, 4, 2))
    again = deserialize_keras_object(serialize_keras_object(layer))
    assert [w.path for w in again.weights] == ["outer/inner/kernel", "outer/inner/bias"]


def test_a_scope_comes_before_what_is_registered(registered):
    registered("mine")(Dense)
    config = serialize_keras_object(Dense(2))

    class Newer(Dense):
        pass

    with keras.saving.custom_object_scope({"mine>Dense": Newer}):
        assert type(deserialize_keras_object(config)) is Newer
    assert type(deserialize_keras_object(config)) is Dense


def test_what_could_not_be_built_is_forgotten():
    dense = layers.Dense(2)
    dense.build((None, 3))
    config = serialize_keras_object(dense)
    broken = {**config, "build_config": {"input_shape": [None, None]}}
    with pytest.raises(ValueError, match="Dense"):
        deserialize_keras_object(broken)
    assert deserialize_keras_object(config).built


def test_objects_that_a_file_of_keras_shares_are_read_apart():
    # Keras writes the ids into its `.keras` files only, and reads configurations outside of them as this one.
    init = {
        "module": "keras.initializers",
        "class_name": "GlorotUniform",
        "config": {"seed": 1},
        "registered_name": None,
        "shared_object_id": 7,
    }
    config = {
        "class_name": "Dense",
        "config": {"units": 2, "kernel_initializer": init, "bias_initializer": init},
        "shared_object_id": 8,
    }
    first, second = (keras.layers.deserialize(config) for _ in range(2))
    assert first is not second
    assert first.kernel_initializer is not first.bias_initializer
    assert first.kernel_initializer.seed == first.bias_initializer.seed == 1
    assert "shared_object_id" not in str(keras.layers.serialize(first))
