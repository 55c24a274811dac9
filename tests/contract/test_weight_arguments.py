"""Each weight of each layer has the initializer, regularizer and constraint that its own arguments name."""

from __future__ import annotations

import inspect

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from hornbeam.keras.registry import signature_parameters
from tests.contract.layer_cases import CASES
from tests.contract.test_layers import data, given, make

# Cells are called with states; for the tests of weights they are built like layers.
CELLS = {"SimpleRNNCell": {}, "GRUCell": {}, "LSTMCell": {"unit_forget_bias": False}}
KINDS = ("initializer", "regularizer", "constraint")


def weight_arguments(name: str) -> dict[str, set[str]]:
    """For each kind, the weights (as arguments call them) for which the constructor takes one."""
    parameters = signature_parameters(getattr(layers, name))
    return {
        kind: {p.removesuffix(f"_{kind}") for p in parameters if p.endswith(f"_{kind}")}
        - {"activity"}
        for kind in KINDS
    }


NAMES = sorted(
    name
    for name in layers.__all__
    if inspect.isclass(getattr(layers, name))
    and name in {*CASES, *CELLS}
    and weight_arguments(name)["initializer"]
)


class Rule(keras.regularizers.Regularizer, keras.constraints.Constraint):
    """Stands for a regularizer or a constraint; only its identity matters."""


def argument_of(weight: str, known: set[str]) -> str:
    """What the arguments call a weight: "recurrent" for "recurrent_kernel"."""
    short = weight.removesuffix("_kernel")
    names = [each for each in (weight, short) if each in known]
    return names[0] if names else {"kernel": "depthwise"}[weight]


def test_all_layers_with_such_arguments_are_seen():
    assert {"Dense", "GRU", "LSTMCell", "SeparableConv2D", "PReLU", "Embedding"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_weights_get_what_their_arguments_say(name: str):
    wanted = weight_arguments(name)
    given_arguments = {
        f"{each}_{kind}": keras.initializers.Constant(number) if kind == "initializer" else Rule()
        for kind in KINDS
        for number, each in enumerate(sorted(wanted[kind]), 1)
    }
    if "use_bias" in signature_parameters(getattr(layers, name)):
        given_arguments["use_bias"] = True
    if name in CELLS:
        layer = getattr(layers, name)(3, **CELLS[name], **given_arguments)
        layer.build((2, 4))
    else:
        layer = make(name, **given_arguments)
        layer.build(*given(name, jax.tree.map(lambda x: x.shape, data(name))))
    governed = set()
    for weight in layer.weights:
        argument = argument_of(weight.name, wanted["initializer"])
        governed.add(argument)
        number = given_arguments[f"{argument}_initializer"].value
        np.testing.assert_array_equal(weight.numpy(), np.full(weight.shape, number))
        assert weight.regularizer is given_arguments.get(f"{argument}_regularizer")
        assert weight.constraint is given_arguments.get(f"{argument}_constraint")
    assert governed == wanted["initializer"]
