"""Every exported layer can be exported with a batch of unknown size, and the program computes what the layer does."""

from __future__ import annotations

import re

import jax
import numpy as np
import pytest
from jax import export

from hornbeam.core.shapes import TensorShape
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.kernels import native
from tests.contract import test_layers as contract
from tests.contract.layer_cases import CASES
from tests.recorder import raw_leaves
from tests.tolerances import assert_close


def exported(name):
    """The layer as a function of raw values, exported for any batch, and its inputs."""
    layer = contract.make(name)
    data = contract.data(name)
    inputs = [convert_to_tensor(x)._value for x in (data if isinstance(data, list) else [data])]

    def call(*raw):
        tensors = [Tensor(x) for x in raw]
        return raw_leaves(layer(*contract.given(name, tensors if len(tensors) > 1 else tensors[0])))

    call(*inputs)
    (batch,) = export.symbolic_shape("batch")
    specs = [jax.ShapeDtypeStruct((batch, *x.shape[1:]), x.dtype) for x in inputs]
    with native.switched_off():
        return export.export(jax.jit(call))(*specs), call, inputs


@pytest.mark.parametrize("name", sorted(CASES))
def test_layers_of_unknown_batch(name):
    """No native kernel is called, and no condition hides plain arithmetic."""
    program, _, _ = exported(name)
    text = str(program.mlir_module())
    assert "batch" in str(program.in_avals[0].shape[0])
    calls = set(re.findall(r"custom_call @(\w+)", text))
    assert not any(each.startswith("hornbeam_") for each in calls), calls
    assert "stablehlo.is_finite" not in text


@pytest.mark.parametrize("name", ["Dense", "SimpleRNN", "Conv2D", "MultiHeadAttention"])
def test_the_program_takes_any_batch(name):
    program, call, inputs = exported(name)
    for size in (1, 5):
        other = [np.resize(np.asarray(x), (size, *x.shape[1:])) for x in inputs]
        for got, want in zip(
            program.call(*other), call(*map(jax.numpy.asarray, other)), strict=True
        ):
            assert_close(got, want)


def test_shapes_keep_symbolic_sizes():
    (batch,) = export.symbolic_shape("b")
    shape = TensorShape((batch, np.int64(3), None))
    assert shape[0] is batch and shape[1:].as_list() == [3, None] and type(shape[1]) is int
