"""The native poolings with their gradients, and as references the same in jax.numpy.

x: (b, h, w, c), y and dy: (b, h', w', c). One dimension is an image of height 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.core.jax_typed import tree_map
from hornbeam.kernels import native
from hornbeam.kernels.pool import reference as by_xla
from hornbeam.kernels.transforms import compiled, custom_gradient, transpose


class Windows(NamedTuple):
    """Where the windows lie; (rows, columns)."""

    size: tuple[int, ...]  # of x
    window: tuple[int, ...]
    strides: tuple[int, ...]
    before: tuple[int, ...]  # padding
    after: tuple[int, ...]

    @property
    def pads(self) -> list[tuple[int, int]]:
        return list(zip(self.before, self.after, strict=True))

    @property
    def attributes(self) -> dict[str, native.Attribute]:
        return {
            "window": np.array(self.window, np.int64),
            "strides": np.array(self.strides, np.int64),
            "padding": np.array(self.pads, np.int64).reshape(-1),
        }

    @property
    def outputs(self) -> list[int]:
        """h', w'"""
        return [
            (n + sum(pair) - k) // stride + 1
            for n, pair, k, stride in zip(
                self.size, self.pads, self.window, self.strides, strict=True
            )
        ]

    def taps(self, x: jax.Array, padding: float) -> list[jax.Array]:
        """Return the elements of all windows, place by place; differentiable."""
        config = [(0, 0, 0), *((*pair, 0) for pair in self.pads), (0, 0, 0)]
        padded = lax.pad(x, jnp.asarray(padding, x.dtype), config)
        return list(by_xla.taps(padded, self.window, self.strides))

    def counts(self) -> np.ndarray | jax.Array:
        """Return how many real elements each window holds; (h', w', 1)."""
        return by_xla.window_counts(self.size, self.window, self.strides, self.pads, self.outputs)


# ---------------------------------------------------------------------------------------- maximum


@compiled(static=1)
def max_pool(windows: Windows, x: jax.Array) -> jax.Array:
    """Return the largest element of each window, the first of equal ones."""
    return _max_pool(windows, x)


@custom_gradient(static=1)
def _max_pool(windows: Windows, x: jax.Array) -> jax.Array:
    return _max_value(windows)(x)


def _max_pool_forward(windows: Windows, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _max_pool_mapped(windows, x)


def _max_pool_backward(windows: Windows, places: jax.Array, dy: jax.Array) -> tuple[jax.Array]:
    return (_max_gradient(windows)(dy, places),)


_max_pool.defvjp(_max_pool_forward, _max_pool_backward)


@custom_gradient(static=1)
def _max_pool_mapped(windows: Windows, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the value, and the place in its window of each maximum: all that the gradient needs."""
    return _max_forward(windows)(x)


def _mapped_forward(
    windows: Windows, x: jax.Array
) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
    y, places = _max_pool_mapped(windows, x)
    return (y, places), places


def _mapped_backward(
    windows: Windows, places: jax.Array, gradients: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array]:
    return (_max_gradient(windows)(gradients[0], places),)


_max_pool_mapped.defvjp(_mapped_forward, _mapped_backward)


@cache
def _max_value(windows: Windows) -> Callable[..., jax.Array]:
    def run(x: jax.Array) -> jax.Array:
        return native.call("max_pool_value", _output(windows, x), x, **windows.attributes)

    def reference(x: jax.Array) -> jax.Array:
        return by_xla.maximum(windows.taps(x, -np.inf))[0]

    return native.transformable(run, reference, _fold_images)


@cache
def _max_forward(windows: Windows) -> Callable[..., tuple[jax.Array, jax.Array]]:
    def run(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        value = _output(windows, x)
        results = value, jax.ShapeDtypeStruct(value.shape, jnp.uint8)
        y, places = native.call("max_pool_forward", results, x, **windows.attributes)
        return y, places

    def reference(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return by_xla.maximum(windows.taps(x, -np.inf))

    return native.transformable(run, reference, _fold_images)


@cache
def _max_gradient(windows: Windows) -> Callable[..., jax.Array]:
    def run(dy: jax.Array, places: jax.Array) -> jax.Array:
        result = _input(windows, dy)
        return native.call("max_pool_gradient", result, dy, places, **windows.attributes)

    def reference(dy: jax.Array, places: jax.Array) -> jax.Array:
        taps = [
            jnp.where(places == number, dy, 0) for number in range(int(np.prod(windows.window)))
        ]
        return transpose(lambda x: windows.taps(x, 0), _input(windows, dy))(taps)

    return native.transformable(run, reference, _fold_images)


# ---------------------------------------------------------------------------------------- average


@compiled(static=1)
def average_pool(windows: Windows, x: jax.Array) -> jax.Array:
    """Return the mean of what each window holds of x."""
    return _average_pool(windows, x)


@custom_gradient(static=1)
def _average_pool(windows: Windows, x: jax.Array) -> jax.Array:
    return _average_forward(windows)(x)


@custom_gradient(static=1)
def _average_pool_transposed(windows: Windows, dy: jax.Array) -> jax.Array:
    return _average_gradient(windows)(dy)


# Both are linear: the gradient of one is the other.
def _average_saving(windows: Windows, x: jax.Array) -> tuple[jax.Array, None]:
    return _average_pool(windows, x), None


def _average_backward(windows: Windows, _: None, dy: jax.Array) -> tuple[jax.Array]:
    return (_average_pool_transposed(windows, dy),)


def _transposed_saving(windows: Windows, dy: jax.Array) -> tuple[jax.Array, None]:
    return _average_pool_transposed(windows, dy), None


def _transposed_backward(windows: Windows, _: None, dx: jax.Array) -> tuple[jax.Array]:
    return (_average_pool(windows, dx),)


_average_pool.defvjp(_average_saving, _average_backward)
_average_pool_transposed.defvjp(_transposed_saving, _transposed_backward)


@cache
def _average_forward(windows: Windows) -> Callable[..., jax.Array]:
    def run(x: jax.Array) -> jax.Array:
        return native.call("average_pool_forward", _output(windows, x), x, **windows.attributes)

    def reference(x: jax.Array) -> jax.Array:
        total = sum(windows.taps(x, 0), start=jnp.zeros((), x.dtype))
        return total / windows.counts().astype(x.dtype)

    return native.transformable(run, reference, _fold_images)


@cache
def _average_gradient(windows: Windows) -> Callable[..., jax.Array]:
    def run(dy: jax.Array) -> jax.Array:
        return native.call("average_pool_gradient", _input(windows, dy), dy, **windows.attributes)

    def reference(dy: jax.Array) -> jax.Array:
        each = dy / windows.counts().astype(dy.dtype)
        taps = [each] * int(np.prod(windows.window))
        return transpose(lambda x: windows.taps(x, 0), _input(windows, dy))(taps)

    return native.transformable(run, reference, _fold_images)


# ---------------------------------------------------------------------------------------- shared


def _output(windows: Windows, x: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((x.shape[0], *windows.outputs, x.shape[-1]), x.dtype)


def _input(windows: Windows, dy: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((dy.shape[0], *windows.size, dy.shape[-1]), dy.dtype)


def _fold_images(
    f: Callable[..., jax.Array | native.Arrays],
    size: int,
    batched: Sequence[bool],
    *args: jax.Array,
) -> jax.Array | native.Arrays:
    """Fold many sets of images into a larger one under vmap."""
    each = [
        a if flag else jnp.broadcast_to(a, (size, *a.shape))
        for a, flag in zip(args, batched, strict=True)
    ]

    def part(y: jax.Array) -> jax.Array:
        return y.reshape(size, y.shape[0] // size, *y.shape[1:])

    return tree_map(part, f(*(a.reshape(-1, *a.shape[2:]) for a in each)))
