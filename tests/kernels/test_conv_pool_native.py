"""What is particular to convolutions with pooling behind them; what they share with others is in `test_conv_native`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core import fusion
from hornbeam.kernels import conv, native
from hornbeam.kernels.conv import reference as conv_reference
from tests.kernels.conv_cases import (
    DTYPES,
    POOLED,
    Case,
    arrays_of,
    assert_alike,
    pooled_of,
    value_and_gradients,
)
from tests.marks import native_only
from tests.tolerances import assert_close

pytestmark = pytest.mark.usefixtures("every_size_of_convolution")


@pytest.mark.parametrize(
    ("case", "dtype"),
    [(case, "float32") for case in POOLED]
    + [(case, "bfloat16") for case in (*POOLED[1:8:2], POOLED[-1])],
    ids=str,
)
def test_with_pooling(case: Case, dtype: str) -> None:
    assert_alike(
        pooled_of(conv, case), pooled_of(conv_reference, case), arrays_of(case, dtype), dtype
    )


def test_a_row_that_nobody_reads_may_hold_anything() -> None:
    x, kernel, bias = arrays_of(POOLED[-1])
    pooled = pooled_of(conv, POOLED[-1])
    run = jax.jit(pooled)
    expected = run(x, kernel, bias)
    spoilt = x.copy()
    spoilt[:, -1] = np.nan
    np.testing.assert_array_equal(run(spoilt, kernel, bias), expected)


def test_other_windows_are_pooled_separately() -> None:
    case = Case((2, 11, 11, 3), (3, 3, 3, 8))
    arrays = arrays_of(case)

    def run(module: Any) -> Any:
        return value_and_gradients(
            lambda x, k, b: module.conv_max_pool(x, k, b, *case.options(), (3, 3)), *arrays
        )

    assert_close(run(conv), run(conv_reference))
    case = Case((2, 9, 9, 3), (9, 9, 3, 8))  # no window of 2 x 2 fits
    arrays = arrays_of(case)
    assert jax.jit(pooled_of(conv, case))(*arrays).shape == (2, 0, 0, 8)


def test_ties_go_to_the_first() -> None:
    case = Case((2, 9, 9, 1), (3, 3, 1, 16))
    arrays = *(np.ones(each, "float32") for each in (case.x, case.kernel)), np.zeros(16, "float32")
    assert_close(
        value_and_gradients(pooled_of(conv, case), *arrays),
        value_and_gradients(pooled_of(conv_reference, case), *arrays),
    )
    for channels in (8, 16):
        case = Case((2, 9, 9, channels), (3, 3, channels, 16))
        arrays = (
            *(np.ones(each, "float32") for each in (case.x, case.kernel)),
            np.zeros(16, "float32"),
        )
        actual, expected = (
            value_and_gradients(pooled_of(m, case), *arrays) for m in (conv, conv_reference)
        )
        assert_close(actual, expected)


@native_only
def test_what_lies_between_convolution_and_pooling_is_not_kept() -> None:
    case = Case((4, 28, 28, 1), (3, 3, 1, 32))
    _, pull = jax.vjp(pooled_of(conv, case), *arrays_of(case))
    largest = max(a.size for a in jax.tree.leaves(pull))
    assert largest <= 4 * 13 * 13 * 32


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    # Of each layer: how much of an image's side is read, its window, stride and padding.
    ("channels", "chain"),
    [
        (1, [(28, 3, 1, "valid"), (12, 3, 1, "valid")]),
        (16, [(30, 3, 1, "valid"), (11, 2, 1, "valid"), (5, 2, 1, "valid")]),
        (3, [(40, 5, 1, "valid"), (13, 3, 2, "valid"), (3, 2, 1, "valid")]),
        (2, [(26, 3, 1, "same"), (11, 1, 2, "same")]),
        (20, [(27, 3, 1, "same"), (13, 5, 1, "same")]),
    ],
)
def test_what_the_next_pooling_does_not_read_is_not_computed(
    channels: int, chain: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(channels)

    def normal(*shape: int) -> Any:
        scaled = draw.normal(size=shape) / np.prod(shape[:-1]) ** 0.5
        return scaled.astype("float32").astype(jnp.dtype(dtype))

    side = chain[0][0]
    x, parameters = 30 * normal(2, side, side, channels), []
    for _, window, *_ in chain:
        parameters.append((normal(window, window, channels, 24), normal(24)))
        channels = 24

    def run(x: Any, parameters: Any) -> Any:
        for (kernel, bias), (_, _, stride, padding) in zip(parameters, chain, strict=True):
            x = conv.conv_max_pool(x, kernel, bias, (stride,) * 2, padding, (1, 1), (2, 2))
        return x

    def step(x: Any, parameters: Any) -> Any:
        y, pull = jax.vjp(run, x, parameters)
        return y, pull(jnp.asarray(np.cos(np.arange(y.size)).reshape(y.shape), dtype))

    program = jax.jit(step).lower(x, parameters)
    text = program.as_text()
    for read, *_ in chain[1:]:
        assert (f"tensor<2x{read}x{read}x24x" in text) or not native.suits(x)
    monkeypatch.setattr(fusion, "offered", lambda *_: None)
    expected = jax.jit(lambda *args: step(*args))(x, parameters)
    assert_close(program.compile()(x, parameters), expected, dtype)
