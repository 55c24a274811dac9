"""Arguments and inputs that make no sense: what the errors say, and that they come early."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

REFUSED = [
    (lambda: layers.Dense(0), "`units` is an integer of at least 1; received 0"),
    (lambda: layers.Dense("10"), "`units` is an integer of at least 1; received '10'"),
    (lambda: layers.Dense(3.0), "`units` is an integer"),
    (lambda: layers.Dense(3, activation="rleu"), "Unknown activation: 'rleu'. Did you mean 'relu'"),
    (
        lambda: layers.Dense(3, kernal_initializer="zeros"),
        "unknown arguments: 'kernal_initializer'. Did you mean 'kernel_initializer'",
    ),
    (lambda: layers.Conv2D(0, 3), "`filters` is an integer of at least 1; received 0"),
    (
        lambda: layers.Conv2D(3, 0),
        "`kernel_size` is an integer or 2 integers of at least 1; received 0",
    ),
    (lambda: layers.Conv2D(3, (3, 3, 3)), "`kernel_size` is an integer or 2 integers"),
    (lambda: layers.Conv1D(3, 3, strides=0), "`strides` is an integer of at least 1; received 0"),
    (
        lambda: layers.Conv2D(3, 3, strides=2, dilation_rate=2),
        "can't have strides > 1 together with dilation_rate > 1",
    ),
    (
        lambda: layers.Conv2D(3, 3, groups=2),
        "`groups` divides `filters` evenly; received filters=3 and groups=2",
    ),
    (
        lambda: layers.Conv2D(3, 3, padding="smae"),
        "Unknown padding of Conv2D: 'smae'. Did you mean 'same'",
    ),
    (lambda: layers.Conv2D(3, 3, padding="causal"), "Unknown padding of Conv2D: 'causal'"),
    (lambda: layers.Conv2D(3, 3, data_format="chanels_last"), "Did you mean 'channels_last'"),
    (
        lambda: layers.Conv2DTranspose(3, 3, output_padding=1),
        "`output_padding` is smaller than `strides`",
    ),
    (
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=0),
        "`depth_multiplier` is an integer of at least 1",
    ),
    (lambda: layers.MaxPooling2D(0), "`pool_size` is an integer or 2 integers of at least 1"),
    (lambda: layers.MaxPooling2D(2, padding="causal"), "Unknown padding of MaxPooling2D"),
    (lambda: layers.Dropout(1.5), "`rate` is a number from 0 to 1; received 1.5"),
    (lambda: layers.Dropout(0.5, noise_shape="a"), "`noise_shape` is a tuple"),
    (
        lambda: layers.Dropout(0.5, noise_shape=(0, 1)),
        "`noise_shape` is an integer of at least 1; received 0",
    ),
    (lambda: layers.GaussianNoise(-1), "`stddev` is a number from 0 to 1"),
    (lambda: layers.GaussianDropout(1), "`rate` is a number from 0 to 1 (not 1)"),
    (lambda: layers.LeakyReLU(-0.1), "`negative_slope` is a number >= 0"),
    (lambda: layers.LeakyReLU(None), "`negative_slope` is a number >= 0"),
    (lambda: layers.ReLU(max_value=-1), "`max_value` is a number >= 0"),
    (lambda: layers.Reshape((-1, -1)), "-1 at most once"),
    (lambda: layers.Reshape(("a",)), "`target_shape` is a tuple of integers"),
    (lambda: layers.Permute((0, 1)), "each of the numbers 1 to 2 once"),
    (lambda: layers.RepeatVector(0), "`n` is an integer of at least 1"),
    (lambda: layers.ZeroPadding2D((1, 2, 3)), "`padding` is an integer, or 2 integers or pairs"),
    (lambda: layers.ZeroPadding1D(-1), "`padding` is an integer or 2 integers of at least 0"),
    (
        lambda: layers.Cropping2D(((1, -1), (0, 0))),
        "`cropping` is an integer or 2 integers of at least 0",
    ),
    (lambda: layers.UpSampling2D(0), "`size` is an integer or 2 integers of at least 1"),
    (lambda: layers.UpSampling2D(interpolation="billinear"), "Did you mean 'bilinear'"),
    (lambda: layers.GroupNormalization(0), "`groups` is an integer of at least 1"),
    (lambda: layers.Dot((1, 2, 3)), "`axes` is an integer or a pair of integers"),
]


@pytest.mark.parametrize(("make", "text"), REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_refused_arguments(make, text):
    with pytest.raises(ValueError) as error:
        make()
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: layers.RepeatVector("a"), TypeError),
        (lambda: layers.Lambda(3), TypeError),
        (lambda: layers.Dot("a"), TypeError),
        (lambda: layers.LayerNormalization(axis="a"), TypeError),
        (lambda: layers.Dense(3, lora_rank=4), NotImplementedError),
        (lambda: layers.BatchNormalization(renorm=True), NotImplementedError),
    ],
)
def test_refused_kinds(make, error):
    with pytest.raises(error):
        make()


def zeros(*shape):
    return np.zeros(shape, "float32")


MISFITS = [
    (layers.Dense, {"units": 2}, zeros(3), ["at least 2 axes", "received 1", "(3,)"]),
    (
        layers.Conv2D,
        {"filters": 2, "kernel_size": 3},
        zeros(6, 6, 4),
        ["4 axes", "received 3", "(6, 6, 4)", "add the channel axis"],
    ),
    (
        layers.Conv2D,
        {"filters": 2, "kernel_size": 9},
        zeros(2, 6, 6, 4),
        ["window of (9, 9)", "the space (6, 6)"],
    ),
    (
        layers.Conv1D,
        {"filters": 2, "kernel_size": 3, "dilation_rate": 4},
        zeros(2, 6, 4),
        ["window of (9,)", "(6,)"],
    ),
    (
        layers.Conv2D,
        {"filters": 3, "kernel_size": 3, "groups": 3},
        zeros(2, 6, 6, 4),
        ["groups=3", "4 channels"],
    ),
    (layers.MaxPooling2D, {"pool_size": 9}, zeros(2, 6, 6, 4), ["(9, 9)", "(6, 6)"]),
    (layers.Reshape, {"target_shape": (5,)}, zeros(2, 3, 4), ["12 elements", "(3, 4)", "(5,)"]),
    (layers.Reshape, {"target_shape": (5, -1)}, zeros(2, 3, 4), ["12 elements", "(5, -1)"]),
    (layers.Permute, {"dims": (2, 1)}, zeros(2, 3), ["3 axes", "received 2"]),
    (layers.RepeatVector, {"n": 2}, zeros(2, 3, 4), ["2 axes", "received 3"]),
    (layers.Cropping1D, {"cropping": 3}, zeros(2, 5, 4), ["would leave nothing", "(2, 5, 4)"]),
    (layers.BatchNormalization, {"axis": 5}, zeros(2, 3), ["axis 5", "only 2 axes"]),
    (layers.GroupNormalization, {"groups": 3}, zeros(2, 4), ["groups=3", "4 channels"]),
    (layers.Add, {}, zeros(2, 4), ["a list of tensors", "(2, 4)"]),
    (layers.Add, {}, [zeros(2, 2), zeros(2, 3)], ["one shape", "(2, 2)", "(2, 3)"]),
    (layers.Add, {}, [zeros(2, 2), zeros(3, 2)], ["batches of different sizes"]),
    (layers.Subtract, {}, [zeros(2, 2)] * 3, ["exactly 2 inputs"]),
    (
        layers.Concatenate,
        {},
        [zeros(2, 2, 3), zeros(2, 3, 3)],
        ["equal sizes on all axes but axis -1"],
    ),
    (layers.Concatenate, {"axis": 4}, [zeros(2, 3), zeros(2, 3)], ["axis=4"]),
    (layers.Dot, {"axes": 1}, [zeros(2, 3), zeros(2, 4)], ["the same size there"]),
    (layers.Dot, {"axes": 0}, [zeros(2, 3), zeros(2, 3)], ["not be the batch axis"]),
    (
        layers.Dropout,
        {"rate": 0.5, "noise_shape": (1, 1, 1)},
        zeros(2, 3),
        ["more axes than the inputs"],
    ),
]


@pytest.mark.parametrize(
    ("cls", "arguments", "inputs", "texts"), MISFITS, ids=[m[0].__name__ for m in MISFITS]
)
def test_inputs_that_do_not_fit(cls, arguments, inputs, texts):
    layer = cls(**arguments, name="culprit")
    with pytest.raises(ValueError) as error:
        layer(inputs, training=True) if cls is layers.Dropout else layer(inputs)
    message = "\n".join([str(error.value), *getattr(error.value, "__notes__", [])])
    for text in ["'culprit'", cls.__name__, *texts]:
        assert text in message


def test_a_refused_input_leaves_the_layer_as_it_was():
    layer = layers.Conv2D(2, 3)
    with pytest.raises(ValueError, match="4 axes"):
        layer(zeros(6, 6, 4))
    assert not layer.built and layer.weights == []
    assert layer(zeros(1, 6, 6, 4)).shape == (1, 4, 4, 2)


SEQUENCES = (2, 5, 3), (2, 5, 4)


@pytest.mark.parametrize(
    ("cls", "arguments", "good", "bad"),
    [
        (layers.Dense, {"units": 2}, (2, 3), (2, 4)),
        (layers.Conv2D, {"filters": 2, "kernel_size": 1}, (2, 5, 5, 3), (2, 5, 5, 4)),
        (layers.BatchNormalization, {}, (2, 3), (2, 4)),
        (layers.PReLU, {}, (2, 3), (2, 4)),
        (layers.GroupNormalization, {"groups": 1}, (2, 3), (2, 4)),
        (layers.EinsumDense, {"equation": "abc,cd->abd", "output_shape": (None, 2)}, *SEQUENCES),
        (layers.LSTM, {"units": 2}, *SEQUENCES),
        (layers.GRU, {"units": 2}, *SEQUENCES),
        (layers.SimpleRNN, {"units": 2, "stateful": True}, *SEQUENCES),
    ],
)
def test_another_feature_size_than_the_one_it_was_built_for(cls, arguments, good, bad):
    layer = cls(**arguments, name="culprit")
    layer(zeros(*good))
    with pytest.raises(
        ValueError,
        match=r"'culprit' .* expected size 3 on axis -?\d of the input, received 4.*Full shape received",
    ):
        layer(zeros(*bad))


@pytest.mark.parametrize(
    ("layer", "good", "bad", "texts"),
    [
        (layers.LayerNormalization(), [(2, 3)], [(2, 4)], ["'culprit'", "`gamma`", "(4,)", "(3,)"]),
        (layers.RMSNormalization(), [(2, 3)], [(2, 1)], ["'culprit'", "`scale`", "(1,)", "(3,)"]),
        (
            layers.Bidirectional(layers.LSTM(2)),
            *([(2, 5, 3)], [(2, 5, 1)]),
            ["'culprit'", "'forward_lstm", "expected size 3", "(2, 5, 1)"],
        ),
        (
            layers.MultiHeadAttention(2, 4),
            *([(2, 5, 3), (2, 7, 3)], [(2, 5, 3), (1, 7, 3)]),
            ["'culprit'", "query (2, 5, 2, 4), key (1, 7, 2, 4)"],
        ),
        (
            layers.MultiHeadAttention(2, 4),
            *([(2, 5, 3), (2, 7, 3)], [(2, 5, 3), (2, 7, 3), (2, 6, 3)]),
            ["'culprit'", "(2, 7, 3) and (2, 6, 3)"],
        ),
        (
            layers.MultiHeadAttention(2, 4),
            *([(2, 5, 3), (2, 7, 3)], [(2, 5, 4), (2, 7, 3)]),
            ["'query'", "expected size 3 on axis", "(2, 5, 4)"],
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_another_size_found_inside_a_layer(layer, good, bad, texts):
    layer.name = "culprit"
    layer(*(zeros(*shape) for shape in good))
    with pytest.raises(ValueError) as error:
        layer(*(zeros(*shape) for shape in bad))
    message = "\n".join([str(error.value), *getattr(error.value, "__notes__", [])])
    for text in texts:
        assert text in message


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Dense(2), (None,)),
        (layers.Conv2D(2, 3), (6, 6, None)),
        (layers.LayerNormalization(axis=1), (None, 3)),
    ],
)
def test_weights_need_a_known_size(layer, shape):
    with pytest.raises(ValueError, match="needs to know the size of axis"):
        layer(keras.Input(shape))


def test_aliases_are_the_same_classes():
    assert layers.MaxPool2D is layers.MaxPooling2D and layers.AvgPool1D is layers.AveragePooling1D
    assert (
        layers.GlobalAvgPool2D is layers.GlobalAveragePooling2D
        and layers.Convolution2D is layers.Conv2D
    )
    assert layers.deserialize({"class_name": "MaxPool2D", "config": {}}).pool_size == (2, 2)


def test_unknown_class_names_the_near_one():
    with pytest.raises(ValueError, match=r"Unknown layer: 'Dens'. Did you mean 'Dense'"):
        layers.deserialize({"class_name": "Dens", "config": {"units": 3}})
