"""Configurations of Keras 2 translated into today's."""

from __future__ import annotations

from typing import Any

import pytest

from hornbeam import keras
from hornbeam.keras.activations.functions import keras2_hard_sigmoid
from hornbeam.keras.saving.keras2 import compile_config, model_config
from tests.tolerances import assert_close

Config = dict[str, Any]


def made(config: Config, custom_objects: Any = None) -> Any:
    """Return the object of a translated configuration."""
    with keras.saving.CustomObjectScope(custom_objects or {}):
        return keras.saving.deserialize_keras_object(model_config(config))


def layer(class_name: str, name: str = "a", **config: Any) -> Config:
    return {"class_name": class_name, "config": {"name": name, "trainable": True, "dtype": "float32", **config}}  # fmt: skip


def sequential(*layers: Config) -> Config:
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def entry(class_name: str, name: str, *calls: Any, **config: Any) -> Config:
    return {**layer(class_name, name, **config), "name": name, "inbound_nodes": list(calls)}


def functional(*entries: Config, end: str) -> Config:
    x = {"class_name": "InputLayer", "name": "x", "inbound_nodes": []}
    x["config"] = {"name": "x", "batch_input_shape": [None, 4], "dtype": "float32"}
    config = {"name": "f", "layers": [x, *entries], "input_layers": [["x", 0, 0]], "output_layers": [[end, 0, 0]]}  # fmt: skip
    return {"class_name": "Model", "config": config}


def test_a_stack_of_before_2018() -> None:
    """The configuration was a list, and the first layer had the shape of the input."""
    dense = layer("Dense", "a/b", units=2, batch_input_shape=[None, 3])
    model = made({"class_name": "Sequential", "config": [dense, layer("Dense", "c", units=1)]})
    assert model.input_shape == (None, 3)
    assert [each.name for each in model.layers] == ["a_b", "c"]


@pytest.mark.parametrize(
    ("config", "attribute", "value"),
    [
        (layer("DepthwiseConv2D", kernel_size=[3, 3], groups=1, kernel_initializer=None), "depth_multiplier", 1),
        (layer("LSTM", units=2, time_major=False, implementation=1), "units", 2),
        (layer("Embedding", input_dim=3, output_dim=2, input_length=7), "output_dim", 2),
        (layer("BatchNormalizationV1", axis=[3], fused=True, virtual_batch_size=None), "axis", 3),
        (layer("LeakyReLU", alpha=0.5), "negative_slope", 0.5),
        (layer("LSTM", units=2, recurrent_activation="hard_sigmoid"), "recurrent_activation", keras2_hard_sigmoid),
        (layer("GRU", units=2), "reset_after", False),
        (layer("CuDNNGRU", units=2), "reset_after", True),
        (layer("CuDNNLSTM", units=2), "recurrent_activation", keras.activations.sigmoid),
        (layer("Dense", units=1, kernel_initializer={"class_name": "Zeros", "config": {"dtype": "float32"}}), "units", 1),
        (layer("Dense", units=1) | {"shared_object_id": 3}, "units", 1),
        (layer("MaxPooling2D", pool_size={"class_name": "__tuple__", "items": [2, 3]}), "pool_size", (2, 3)),
    ],
    ids=lambda value: value["class_name"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_arguments_that_changed(config: Config, attribute: str, value: Any) -> None:
    assert getattr(made(config), attribute) == value


def test_a_type_is_a_policy() -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_bfloat16"}}
    assert made(layer("Dense", units=1, dtype=policy)).compute_dtype == "bfloat16"


def test_an_argument_that_is_gone_and_mattered() -> None:
    with pytest.raises(
        ValueError, match="'a' was made with time_major=True, an argument of Keras 2 that LSTM"
    ):
        made(layer("LSTM", units=2, time_major=True))  # fmt: skip


def test_names_of_nested_objects_belong_to_their_kind() -> None:
    """There are an initializer and a layer of the name Identity."""
    square = layer("Dense", units=3, kernel_initializer={"class_name": "Identity", "config": {}})
    assert isinstance(made(square).kernel_initializer, keras.initializers.Identity)
    assert isinstance(made(layer("Identity")), keras.layers.Identity)


class Mine(keras.layers.Layer):
    """A user's layer that keeps a configuration of its own."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha


@pytest.mark.parametrize("name", ["Mine", "Dense", "pkg>Mine"])
def test_a_class_of_the_user(name: str) -> None:
    objects = {name: Mine}
    assert made(layer(name, alpha=2.0), objects).alpha == 2.0
    nested = sequential(layer("Activation", activation="relu"), layer(name, "b", alpha=2.0))
    assert made(nested, objects).layers[1].alpha == 2.0


def test_code_is_never_decoded() -> None:
    function = ["4wEAAAAA", None, None]
    config = sequential(layer("Lambda", "twice", function=function, function_type="lambda"))
    with pytest.raises(
        ValueError,
        match=r"'twice' was saved as byte code",
    ):
        made(config)  # fmt: skip
    model = made(config, {"twice": lambda x: 2 * x})
    assert_close(model.predict([[1.0, 2.0]], verbose=0), [[2.0, 4.0]])


def test_calls_with_several_tensors_and_constants() -> None:
    """A shared layer, a constant before a tensor, tensors by keyword, slices."""
    dense = entry("Dense", "d/1", [["x", 0, 0, {}]], [["d/1", 0, 0, {}]], units=4, kernel_initializer={"class_name": "Identity", "config": {}})  # fmt: skip
    minus = entry("TFOpLambda", "tf.math.subtract", ["_CONSTANT_VALUE", -1, 1.0, {"y": ["d/1", 1, 0], "name": None}], function="math.subtract")  # fmt: skip
    cut = entry("SlicingOpLambda", "cut", ["tf.math.subtract", 0, 0, {"slice_spec": [{"start": None, "stop": None, "step": None}, {"start": 1, "stop": 3, "step": None}]}], function="__operators__.getitem")  # fmt: skip
    join = entry("TFOpLambda", "tf.concat", [["cut", 0, 0, {"axis": -1}], ["x", 0, 0, {"axis": -1}]], function="concat")  # fmt: skip
    model = made(functional(dense, minus, cut, join, end="tf.concat"))
    assert_close(model.predict([[1.0, 2, 3, 4]], verbose=0), [[-1.0, -2, 1, 2, 3, 4]])


def test_intermediate_ops_take_no_name_of_a_layer() -> None:
    """`tf.norm` is several ops here; `multiply` and its kin may be layers of the file."""
    names = ("multiply", "square", "sum", "sqrt", "reduce_sum", "norm")
    calls = [[["x", 0, 0, {}]], *([[each, 0, 0, {}]] for each in names)]
    entries = [
        entry("Activation", name, call, activation="linear")
        for name, call in zip(names, calls, strict=False)
    ]
    last = entry("TFOpLambda", "tf.norm", ["norm", 0, 0, {"axis": 1}], function="norm")
    model = made(functional(*entries, last, end="tf.norm"))
    assert_close(model.predict([[1.0, 1, 1, 1]], verbose=0), [2.0])


@pytest.mark.parametrize(
    "function", ["io.read_file", "__operators__.__class__", "nn.__getattr__", "print", "os.system"]
)
def test_functions_that_are_not_known(function: str) -> None:
    call = entry("TFOpLambda", "f", ["x", 0, 0, {}], function=function)
    with pytest.raises(ValueError, match="Unknown function of TensorFlow"):
        made(functional(call, end="f"))


def test_the_arguments_of_compile() -> None:
    adam = {"class_name": "Custom>Adam", "config": {"lr": 0.5, "decay": 0.1, "epsilon": None, "is_legacy_optimizer": False}}  # fmt: skip
    wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "fn": "sparse_categorical_accuracy"}}  # fmt: skip
    config = {"loss": "mse", "metrics": [[wrapped, "mae"]], "optimizer_config": adam}
    translated = compile_config(config, ["out"])
    assert translated["metrics"] == ["accuracy", "mae"]
    optimizer = keras.optimizers.deserialize(translated["optimizer"])
    assert isinstance(optimizer.get_config()["learning_rate"], dict)
    assert_close(optimizer.learning_rate, 0.5)
    optimizer.iterations.assign(10)
    assert_close(optimizer.learning_rate, 0.25)


def test_metrics_of_several_outputs_lose_their_prefix() -> None:
    wrapped = {"class_name": "MeanMetricWrapper", "config": {"name": "b_mae", "fn": "mean_absolute_error"}}  # fmt: skip
    (nothing, (metric,)) = compile_config({"metrics": [None, [wrapped]]}, ["a", "b"])["metrics"]
    assert nothing is None
    assert keras.metrics.deserialize(metric).name == "mae"


def test_a_broken_configuration() -> None:
    with pytest.raises(ValueError, match="is broken"):
        made({"config": {}})
    with pytest.raises(ValueError, match="it has no layer 'gone'"):
        made(functional(entry("Dense", "d", [["gone", 0, 0, {}]], units=1), end="d"))
