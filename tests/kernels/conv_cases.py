"""What convolutions are tested with: sizes, layers, and values with gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tests.tolerances import assert_close


class Case(NamedTuple):
    x: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: int = 1
    padding: Any = "valid"
    dilation: int = 1

    def options(self) -> tuple[Any, Any, Any]:
        axes = len(self.x) - 2
        return (self.strides,) * axes, self.padding, (self.dilation,) * axes


CASES = [
    Case((4, 9, 9, 1), (3, 3, 1, 32)),
    Case((3, 9, 8, 3), (3, 3, 3, 16), padding="same"),
    Case((5, 8, 9, 16), (3, 3, 16, 33), padding="same"),
    Case((2, 9, 9, 33), (3, 3, 33, 5), 2, "same"),
    Case((2, 10, 9, 5), (2, 3, 5, 7), 2),  # rows and columns left over
    Case((3, 8, 8, 4), (1, 1, 4, 8), 2),  # a point with strides: a part of the image
    Case((3, 9, 9, 16), (1, 1, 16, 16), 2, "same"),
    Case((2, 9, 9, 16), (1, 1, 16, 16)),
    Case((3, 9, 7, 16), (3, 3, 16, 16), padding="same"),  # products of pairs; a last place is alone
    Case((5, 8, 8, 32), (3, 3, 32, 64), padding="same"),
    Case((2, 11, 12, 16), (5, 5, 16, 32), 3, "same"),
    Case((2, 9, 13, 48), (3, 2, 48, 48), padding=[(1, 0), (0, 1)], dilation=2),
    Case((2, 12, 11, 5), (3, 2, 5, 6), 1, "same", 2),
    Case((2, 9, 9, 5), (3, 3, 5, 6), 1, [(2, 0), (0, 1)]),
    Case((2, 9, 9, 12), (3, 3, 4, 6)),  # three groups
    Case((2, 9, 9, 32), (3, 3, 16, 32), 2, "same"),
    Case((3, 9, 9, 33), (3, 3, 1, 33), padding="same"),  # one group per channel
    Case((3, 9, 9, 16), (3, 3, 1, 32), 2, "same"),
    Case((2, 20, 5), (3, 5, 7), padding="causal", dilation=2),
    Case((2, 21, 16), (5, 16, 16), 2, "same"),
    Case((1, 7, 7, 3), (5, 5, 3, 17), padding="same"),
    Case((3, 9, 21, 12), (5, 5, 12, 9), padding="same"),
    # Windows of 3 x 3 that move by ones: by tiles of 2 x 2 outputs, of which the last may be halves.
    Case((2, 40, 19, 20), (3, 3, 20, 17), padding=[(1, 0), (0, 2)]),
    Case((1, 40, 120, 24), (3, 3, 24, 16)),
    Case((9, 14, 13, 130), (3, 3, 130, 160), padding="same"),
    Case((9, 5, 5, 64), (3, 3, 64, 64)),  # forward, but not the gradient of x
    Case((0, 7, 7, 3), (3, 3, 3, 5)),
    Case((0, 7, 7, 3), (1, 1, 3, 5), 2),
]
# Each channel with a window of its own.
DEPTHWISE = [
    Case((2, 12, 14, 48), (3, 3, 1, 48), 2, "same"),
    Case((3, 9, 11, 33), (5, 5, 1, 33)),
    Case((3, 9, 11, 33), (5, 5, 1, 33), padding="same"),
    Case((2, 12, 13, 20), (5, 4, 1, 20), 2, "same"),
    Case((2, 11, 12, 16), (3, 3, 1, 16), padding="same", dilation=2),
    Case((2, 8, 25, 16), (2, 11, 1, 16), padding="same"),
    Case((2, 3, 4, 40), (7, 7, 1, 40), padding="same"),  # no column is seen by all of the window
    Case((2, 20, 12), (5, 1, 12), padding="causal", dilation=3),
    Case((8, 48, 48, 32), (5, 5, 1, 32), padding="same"),  # several chunks of several slices
]
POOLED = [
    Case((5, 13, 13, 32), (3, 3, 32, 64)),  # 11 rows, of which 10 are pooled
    Case((3, 8, 9, 16), (3, 3, 16, 33), padding="same"),
    Case((2, 11, 10, 5), (3, 3, 5, 7), 2, "same"),
    Case((2, 12, 12, 6), (2, 2, 3, 4), dilation=2),
    Case((2, 7, 7, 9), (1, 1, 9, 8), 2, "same"),
    Case((0, 8, 8, 5), (3, 3, 5, 4)),
    # The first layer of a network.
    Case((33, 28, 28, 1), (3, 3, 1, 32)),
    Case((3, 9, 12, 1), (5, 5, 1, 20), padding="same"),
    Case((2, 11, 10, 3), (3, 3, 3, 33), padding="same"),
    Case((2, 9, 9, 4), (2, 3, 4, 5), padding=[(1, 0), (0, 2)]),
    Case((1, 8, 8, 2), (1, 1, 2, 16)),
    Case((0, 8, 8, 1), (3, 3, 1, 4)),
    Case((3, 12, 9, 3), (2, 4, 3, 20)),  # read where it lies, but for the last row
]
DTYPES = ["float32", "bfloat16"]


def arrays_of(case: Case, dtype: str = "float32") -> tuple[Any, Any, Any]:
    """x, kernel and bias, such that outputs are of order one."""
    draw = np.random.default_rng(sum(case.x) + sum(case.kernel)).standard_normal
    x = draw(case.x) / np.prod(case.kernel[:-1]) ** 0.5
    kernel, bias = draw(case.kernel), draw(case.kernel[-1:]) / 3
    return tuple(a.astype("float32").astype(jnp.dtype(dtype)) for a in (x, kernel, bias))


def layer_of(module: Any, case: Case, activation: Any = "relu") -> Any:
    def run(x: Any, kernel: Any, bias: Any) -> Any:
        return module.conv(x, kernel, *case.options(), bias, activation)

    return run


def pooled_of(module: Any, case: Case) -> Any:
    def run(x: Any, kernel: Any, bias: Any) -> Any:
        return module.conv_max_pool(x, kernel, bias, *case.options(), (2, 2))

    return run


def transposed_of(module: Any, case: Case) -> Any:
    """Its kernel has as many channels as filters."""

    def run(x: Any, kernel: Any, bias: Any) -> Any:
        strides, padding, dilation = case.options()
        axes = x.ndim - 2
        return module.conv_transpose(x, kernel, strides, padding, (None,) * axes, dilation) + bias

    return run


LAYERS = {"conv": layer_of, "pooled": pooled_of, "transposed": transposed_of}


def value_and_gradients(f: Any, *arrays: Any, change: Any = lambda dy: dy) -> Any:
    """The value, and gradients of order one, from a `change` of the gradient that is drawn."""

    @jax.jit
    def run(*arrays: Any) -> Any:
        y, pull = jax.vjp(f, *arrays)
        dy = np.random.default_rng(0).standard_normal(y.shape) + 0.5
        return y, pull(change(jnp.asarray(dy / max(np.prod(y.shape[:-1]), 1) ** 0.5, y.dtype)))

    return run(*arrays)


def assert_alike(actual: Any, expected: Any, arrays: Any, dtype: str) -> None:
    y, gradients = value_and_gradients(actual, *arrays)
    assert all(a.dtype == dtype for a in jax.tree.leaves((y, gradients)))
    # In float32, so that the reference's own rounding is not what is compared with.
    wide = [a.astype("float32") for a in arrays]
    y_expected, gradients_expected = value_and_gradients(expected, *wide)
    assert_close(y, y_expected, dtype)
    assert_gradients_alike(gradients, gradients_expected, dtype)


def assert_gradients_alike(gradients: Any, expected: Any, dtype: str) -> None:
    if dtype == "bfloat16":
        # Where an output rounds to 0 or two to the same number, single gradients differ.
        for a, e in zip(gradients, expected, strict=True):
            a, e = np.asarray(a, "float32"), np.asarray(e)
            assert np.linalg.norm(a - e) <= 0.1 * np.linalg.norm(e)
    else:
        assert_close(gradients, expected, dtype)
