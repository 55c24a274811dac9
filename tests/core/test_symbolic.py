"""Ops on symbolic tensors: shapes by tracing, unknown dimensions kept."""

import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.op import op
from hornbeam.core.symbolic import KerasTensor


@op
def pooled(x):
    """Halve the second axis."""
    return x.reshape(x.shape[0], x.shape[1] // 2, 2, *x.shape[2:]).max(2)


@op
def both(x):
    """Two outputs in a dict."""
    return {"sum": x.sum(-1), "type": x.astype("int32")}


@pytest.mark.parametrize(
    ("fn", "shape", "expected"),
    [
        (lambda x: x + 1, (None, 4), (None, 4)),
        (lambda x: x @ np.ones((4, 7), "float32"), (None, 4), (None, 7)),
        (lambda x: x[:, ::2], (None, 4), (None, 2)),
        (lambda x: x[..., None], (None, 4), (None, 4, 1)),
        (pooled, (None, None, 3), (None, None, 3)),
        (pooled, (None, 8, 3), (None, 4, 3)),
        (lambda x: 1.0 / x - x**2, (2, 3), (2, 3)),
    ],
)
def test_shapes(fn, shape, expected):
    assert fn(KerasTensor(shape)).shape == expected


def test_structures_of_outputs_and_types():
    out = both(KerasTensor((None, 3)))
    assert out["sum"].shape == (None,) and out["type"].dtype == "int32"
    assert out["sum"].node is out["type"].node


def test_a_symbolic_tensor_has_no_value():
    x = KerasTensor((None, 3))
    for use in (bool, np.asarray, float):
        with pytest.raises(TypeError, match="symbolic tensor has no value"):
            use(x)
    with pytest.raises(TypeError):
        jnp.sum(x)
    with pytest.raises(TypeError, match="length"):
        len(x)


def test_symbolic_tensors_are_equal_to_themselves_only():
    x, y = KerasTensor((2,)), KerasTensor((2,))
    assert x == x and x != y and len({x, y}) == 2


def test_an_op_that_cannot_take_the_shape_says_so_at_once():
    with pytest.raises(ValueError, match=r"`matmul` takes .* \(None, 4\) and x2 of shape \(5, 7\)"):
        KerasTensor((None, 4)) @ np.ones((5, 7))
