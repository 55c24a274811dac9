"""Saved models know an op by its name: public, alone, and the name that Keras gives it."""

import importlib
import inspect
import pkgutil

import keras as real_keras
import pytest
from keras.src import ops as real_ops

from hornbeam import ops
from hornbeam.core.op import op, registry
from hornbeam.ops.keras_names import keras_class, op_name

# Classes of Keras behind which no op stands here.
ABSENT = {"ConvertToTensor", "Ndim"}
ABSTRACT = {"Operation", "Function", "SegmentReduction"}


def keras_classes():
    """Keras's operations: (module, class name), images apart."""
    found = set()
    for each in pkgutil.iter_modules(real_ops.__path__, "keras.src.ops."):
        if each.name.endswith(("_test", ".image")):
            continue
        for name, value in vars(importlib.import_module(each.name)).items():
            if inspect.isclass(value) and issubclass(value, real_keras.Operation):
                found.add((value.__module__, name))
    return {(m, n) for m, n in found if m.startswith("keras.src.ops.") and n not in ABSTRACT}


def test_public_ops_are_known_by_their_public_names():
    aliases = {"abs", "bitwise_invert", "conj", "hard_swish", "left_shift", "right_shift"}
    aliases |= {"swish", "true_divide"}
    public = {name: getattr(ops, name) for name in ops.__all__}
    made = {name: fn for name, fn in public.items() if hasattr(fn, "raw") and name not in aliases}
    assert len(made) > 300
    assert {name: fn.name for name, fn in made.items() if fn.name != name} == {}
    assert all(registry[name] is fn for name, fn in made.items())


def test_every_class_of_keras_is_an_op_and_back():
    classes = keras_classes()
    assert len(classes) > 300
    found = {each: op_name(*each) for each in classes}
    assert {name for (_, name), known in found.items() if known is None} == ABSENT
    assert {n for n in found.values() if n is not None and n not in registry} == set()
    assert {keras_class(name) for name in registry} - {None} <= classes
    assert op_name("keras.src.ops.nn", "Multiply") is None
    assert keras_class("lgamma") is None


def test_two_ops_can_not_share_a_name():
    with pytest.raises(
        ValueError, match=r"Two ops have the name 'multiply': .*arithmetic\.multiply"
    ):

        @op(name="multiply")
        def _other(x):
            return x

    assert registry["multiply"] is ops.multiply


def test_a_private_name_is_refused():
    with pytest.raises(ValueError, match=r"'_hidden' .* needs a public name"):

        @op
        def _hidden(x):
            return x


def test_a_cell_that_runs_again_replaces_its_op():
    def cell():
        @op(name="test_names.cell")
        def double(x):
            return 2 * x

        return double

    first, second = cell(), cell()
    assert registry["test_names.cell"] is second is not first
    del registry["test_names.cell"]


# Rooms that define ops, each with its reason.
ROOMS = {
    "hornbeam.ops": "the one implementation of maths",
    "hornbeam.core": "the operators of tensors and the making of tensors, which stand below ops",
}


def test_maths_is_defined_in_ops():
    importlib.import_module("hornbeam.keras")
    elsewhere = {
        name: fn.__module__
        for name, fn in registry.items()
        if fn.__module__.startswith("hornbeam.")
        and not fn.__module__.startswith(tuple(f"{room}." for room in ROOMS))
    }
    # Their maths is the user's function, and rows that are added.
    assert elsewhere == {
        "tf.IndexedSlices": "hornbeam.tensors.indexed_slices",
        "tf.custom_gradient": "hornbeam.tensors.custom_gradients",
        "tf.recompute_grad": "hornbeam.tensors.custom_gradients",
    }
