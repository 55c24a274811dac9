"""Native handlers with arrays that don't fit: each refuses and says what it expected.

Here are the handlers that training calls; the others stand in the tests of their kernels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import native
from tests.marks import native_only


class Call(NamedTuple):
    name: str
    expected: str  # the first words of what the handler says it takes
    arrays: list[jax.ShapeDtypeStruct]
    results: list[jax.ShapeDtypeStruct]
    options: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.name


def _of(*shape: int, dtype: str = "float32") -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)


SCALE = {"causal": True, "scale": np.float64(1)}
QUERY, KEY = _of(2, 5, 2, 4), _of(2, 7, 2, 4)

PADDING = {"padding": np.array([0, 0, 0, 0])}
SLIDE = {"strides": np.array([1, 1]), "dilation": np.array([1, 1]), **PADDING}
IMAGE, KERNEL, OUTPUT, BIAS = _of(2, 6, 6, 4), _of(3, 3, 4, 8), _of(2, 4, 4, 8), _of(8)
POOLED, PLACES = _of(2, 2, 2, 8), _of(2, 2, 2, 8, dtype="uint8")

WINDOW = {"window": np.array([2, 2]), "strides": np.array([2, 2]), **PADDING}
HALF, HALF_PLACES = _of(2, 3, 3, 4), _of(2, 3, 3, 4, dtype="uint8")

ROWS, MOMENTS, CHANNELS = _of(4, 16), _of(4), _of(16)

SEQUENCE, STATE, STATES = _of(3, 4, 5), _of(3, 6), _of(3, 4, 6)
MASK = [_of(3, 4, dtype="bool"), _of(3, 4, dtype="int32")]
LSTM, GRU = [_of(5, 24), _of(6, 24)], [_of(5, 18), _of(6, 18)]

FLAGS = {"decayed": np.zeros(1, np.int32), "by_rows": np.zeros(1, np.int32)}
EPSILON = {"epsilon": np.float64(1)}

CALLS = [
    Call(
        *("attention_backward", "q (b, t, n, d)"),
        [QUERY, KEY, KEY, QUERY, _of(2, 2, 5, 2), QUERY, _of(2, 1, 5, 7, dtype="bool")],
        [QUERY, KEY, KEY],
        SCALE,
    ),
    Call("conv_input_gradient", "x (b, h, w, c)", [OUTPUT, KERNEL, OUTPUT], [IMAGE], SLIDE),
    Call(
        *("conv_weight_gradient", "x (b, h, w, c)", [IMAGE, OUTPUT, OUTPUT], [KERNEL, BIAS]),
        {**SLIDE, "bias": True},
    ),
    Call("conv_pool_forward", "x (b, h, w, c)", [IMAGE, KERNEL, BIAS], [POOLED, PLACES], SLIDE),
    Call("conv_pool_input_gradient", "x (b, h, w, c)", [POOLED, PLACES, KERNEL], [IMAGE], SLIDE),
    Call(
        *("conv_pool_weight_gradient", "x (b, h, w, c)"),
        *([IMAGE, POOLED, PLACES], [KERNEL, BIAS], SLIDE),
    ),
    Call(
        *("dense_input_gradient", "dy (b, u), kernel (d, u)", [_of(3, 6), _of(4, 6)], [_of(3, 4)]),
        {"transposed": False},
    ),
    Call(
        *("dense_weight_gradient", "x (b, d), dy (b, u)"),
        *([_of(3, 4), _of(3, 6)], [_of(4, 6), _of(6)]),
    ),
    Call(
        *("layer_norm_forward", "x and y (n, c >= 16)", [ROWS, CHANNELS, CHANNELS]),
        *([ROWS, MOMENTS, MOMENTS], EPSILON),
    ),
    Call(
        *("layer_norm_backward", "x, dy and dx (n, c >= 16)"),
        *([ROWS, ROWS, CHANNELS, MOMENTS, MOMENTS], [ROWS, CHANNELS, CHANNELS]),
    ),
    Call("max_pool_forward", "x or dx (b, h, w, c)", [IMAGE], [HALF, HALF_PLACES], WINDOW),
    Call("max_pool_gradient", "x or dx (b, h, w, c)", [HALF, HALF_PLACES], [IMAGE], WINDOW),
    Call("average_pool_gradient", "x or dx (b, h, w, c)", [HALF], [IMAGE], WINDOW),
    Call(
        *("lstm_backward", "x (b, t, d), h0 and c0 (b, u)"),
        [
            *(SEQUENCE, STATE, STATE, *LSTM, *MASK, STATES),
            *(_of(4, 3, 24), _of(4, 3, 6), STATES, STATE, STATE),
        ],
        [SEQUENCE, STATE, STATE, *LSTM, _of(24)],
        {"backwards": False},
    ),
    Call(
        *("gru_backward", "x (b, t, d), h0 (b, u)"),
        [SEQUENCE, STATE, *GRU, *MASK, STATES, _of(4, 3, 24), STATES, STATE],
        [SEQUENCE, STATE, *GRU, _of(2, 18)],
        {"backwards": False, "reset_after": True},
    ),
    Call(
        *("update_adam", "rates (2,)", [_of(2), *[_of(3)] * 4], [_of(3)] * 3),
        {**FLAGS, **EPSILON, "slots": 2, "beta_1": np.float64(0.9), "beta_2": np.float64(0.9)},
    ),
    Call(
        *("update_rmsprop", "rates (2,)", [_of(2), *[_of(3)] * 3], [_of(3)] * 2),
        {**FLAGS, **EPSILON, "slots": 1, "rho": np.float64(0.9), "momentum": np.float64(0)},
    ),
]


def _run(call: Call) -> None:
    arrays = [jnp.ones(each.shape, each.dtype) for each in call.arrays]
    results = tuple(call.results)
    jax.block_until_ready(native.call(call.name, results, *arrays, **call.options))


def _misfits(given: jax.ShapeDtypeStruct) -> list[jax.ShapeDtypeStruct]:
    """The same with a longer last axis, and of a type that no handler takes."""
    *leading, last = given.shape
    return [
        jax.ShapeDtypeStruct((*leading, last + 1), given.dtype),
        jax.ShapeDtypeStruct(given.shape, "float16"),
    ]


@native_only
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_wrong_arrays(call: Call) -> None:
    _run(call)
    for field in ("arrays", "results"):
        given = getattr(call, field)
        for i, each in enumerate(given):
            for wrong in _misfits(each):
                with pytest.raises(Exception) as error:
                    _run(call._replace(**{field: [*given[:i], wrong, *given[i + 1 :]]}))
                assert f"{call.name}: expected {call.expected}" in str(error.value), (field, i)
