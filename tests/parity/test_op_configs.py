"""Ops in functional models: written as Keras writes them, and read from what Keras wrote."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
from typing import Any

import keras as peer
import numpy as np
import pytest

from hornbeam import keras, ops
from hornbeam.core.op import registry
from hornbeam.keras.models import operations
from hornbeam.ops.keras_names import keras_class
from tests.ops.cases import CASES, Case, arrays
from tests.tolerances import assert_close

ARRAYS = arrays()
# Keras has no graph for these calls.
NOT_IN_KERAS = {
    "shape(floats)": "gives numbers",
    "adaptive_average_pool(sequences, output_size=2)": "TypeError",
    "adaptive_max_pool(sequences, output_size=2)": "TypeError",
    "conv(images grouped_kernel, padding=same)": "no groups",
}
# Keras can't read what it wrote itself: JSON makes lists of its tuples.
UNREADABLE = {
    "adaptive_average_pool(images, output_size=(3, 4))",
    "adaptive_max_pool(images, output_size=(3, 4))",
    "histogram(vector, bins=4, range=(-1.0, 1.0))",
}
# The size of the result depends on the values, so it can't be traced here.
NOT_HERE = {
    "ndim(floats)": "gives a number",
    "unique(classes)": "size unknown",
    "unique(counts, return_inverse=True, return_counts=True)": "size unknown",
}
# The same op under another name here, or another automatic name; and None where Keras records another op.
OTHER_NAMES = {
    "true_divide": "divide",
    "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift",
    "bitwise_invert": "bitwise_not",
    "all_close": "allclose",
    "is_in": "isin",
    "search_sorted": "searchsorted",
    "c_dist": "cdist",
    "batch_norm": "batch_normalization",
    "layer_norm": "layer_normalization",
    "rms_norm": "rms_normalization",
    "convert_to_tensor": "cast",
}


def model(k: Any, module: Any, case: Case) -> Any:
    inputs = [
        k.Input(batch_shape=ARRAYS[each].shape, dtype=str(ARRAYS[each].dtype), name=f"in{i}")
        for i, each in enumerate(case.places())
    ]
    outputs = getattr(module, case.name)(*case.arguments(inputs), **case.kwargs)
    return k.Model(inputs, outputs)


def written(made: Any) -> Any:
    return json.loads(json.dumps(made.get_config()))


def specs(outputs: Any) -> Any:
    return [(tuple(x.shape), np.dtype(x.dtype).name) for x in outputs]


IN_KERAS = [c for c in CASES if c.places() and str(c) not in {*NOT_IN_KERAS, *NOT_HERE}]


@pytest.mark.parametrize("case", IN_KERAS, ids=str)
def test_the_same_configuration_and_results(case: Case) -> None:
    """Written as Keras writes it; Keras's configuration is read here, with the same results."""
    theirs, ours = model(peer, peer.ops, case), model(keras, ops, case)
    check_the_same(written(theirs), written(ours))
    here = keras.Model.from_config(written(theirs))
    assert specs(here.outputs) == specs(ours.outputs)
    values = [ARRAYS[each] for each in case.places()]
    assert_close(here(values), getattr(ops, case.name)(*case.arguments(values), **case.kwargs))


@pytest.mark.parametrize("case", [c for c in IN_KERAS if str(c) not in UNREADABLE], ids=str)
def test_keras_reads_ours_and_we_read_what_it_writes_then(case: Case) -> None:
    config = written(model(keras, ops, case))
    there = peer.Model.from_config(copy.deepcopy(config))  # Keras takes entries out of it
    assert specs(there.outputs) == specs(model(peer, peer.ops, case).outputs)
    assert written(keras.Model.from_config(written(there))) == config


@pytest.mark.parametrize("case", [c for c in IN_KERAS if str(c) in UNREADABLE], ids=str)
def test_keras_can_not_read_its_own(case: Case) -> None:
    with pytest.raises((TypeError, ValueError)):
        peer.Model.from_config(written(model(peer, peer.ops, case)))


def check_the_same(theirs: Any, ours: Any) -> None:
    for entries in (theirs["layers"], ours["layers"]):
        for entry in entries:
            entry["name"] = OTHER_NAMES.get(entry["name"], entry["name"])
            entry["config"]["name"] = entry["name"]
    found = {each["name"]: each for each in ours["layers"]}
    for entry in theirs["layers"]:
        mine = found[entry["name"]]
        other_name = keras_class_of(mine) != keras_class_of(entry) and same_op(entry, mine)
        assert mine == (mine if other_name else entry)


def keras_class_of(entry: Any) -> tuple[str, str]:
    return entry["module"], entry["class_name"]


def same_op(theirs: Any, mine: Any) -> bool:
    one, other = (
        operations.find_operation(*keras_class_of(entry), entry["config"])
        for entry in (theirs, mine)
    )
    return one is other or {one.name, other.name} == {"array", "cast"}


KERAS_OPS = {
    name: getattr(importlib.import_module(names[0]), names[1])
    for name in registry
    if (names := keras_class(name)) is not None
}


@pytest.mark.parametrize("name", KERAS_OPS)
def test_settings_and_operands(name: str) -> None:
    """Every op's arguments are divided between constructor and call as in Keras's class."""
    cls: Any = KERAS_OPS[name]

    def names(fn: Any) -> list[str]:
        parameters = list(inspect.signature(fn).parameters.values())
        return [
            p.name
            for p in parameters
            if p.name not in ("self", "name") and p.kind is not p.VAR_KEYWORD
        ]

    ours = names(registry[name].raw)
    operands = [each for each in ours if operations._is_operand(name, each)]
    assert operands == [each for each in names(cls.call) if each in ours]
    settings = names(cls.__init__)
    assert {each for each in settings if each != "rms_scaling"} == set(ours) - set(operands)
