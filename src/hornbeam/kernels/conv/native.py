"""The native convolutions with their gradients, and as references the same in jax.numpy.

Letters: b batch, h w space, c input channels, g groups, f filters, k... kernel.
x: (b, h, w, c), kernel: (kh, kw, c / g, f), bias: (f,), y and dy: (b, h', w', f). One dimension is an
image of height 1.
"""

# JAX's signatures leave types of options unknown, as of `jnp.einsum`; the results are known.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.jax_typed import tree_map
from hornbeam.kernels import native
from hornbeam.kernels.conv.slide import Slide
from hornbeam.kernels.pool import reference as pool_reference
from hornbeam.kernels.transforms import compiled, custom_gradient, transpose

# In a map of where maxima were found: relu let none of them through. As in csrc/conv/loops.h.
DEAD = 4

# x, kernel and bias, and what more the gradients need: y with relu, or the map of maxima.
_Saved: TypeAlias = tuple[jax.Array, jax.Array, jax.Array | None, jax.Array | None]
_Gradients: TypeAlias = tuple[jax.Array, jax.Array, jax.Array | None]
_Pair: TypeAlias = tuple[jax.Array, jax.Array]


# ------------------------------------------------------------------------------------ convolution


@compiled(static=2)
def conv(
    slide: Slide, relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> jax.Array:
    """Return the convolution, then relu if asked; bias may be None."""
    return _conv(slide, relu, x, kernel, bias)


@custom_gradient(static=2)
def _conv(
    slide: Slide, relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> jax.Array:
    return _forward(slide, relu)(x, kernel, bias)


def _conv_forward(
    slide: Slide, relu: bool, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> tuple[jax.Array, _Saved]:
    y = _conv(slide, relu, x, kernel, bias)
    return y, (x, kernel, bias, y if relu else None)


def _conv_backward(slide: Slide, relu: bool, saved: _Saved, dy: jax.Array) -> _Gradients:
    x, kernel, bias, y = saved
    dx = _input_gradient(slide, x.shape[-1])(dy, kernel, y)
    d_kernel, d_bias = _weight_gradient(slide, kernel.shape, bias is not None)(x, dy, y)
    return dx, d_kernel, d_bias if bias is not None else None


_conv.defvjp(_conv_forward, _conv_backward)


@compiled(static=1)
def conv_transpose(slide: Slide, x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return what an input's gradient is to a convolution, for an x of the size of its output."""
    return _transpose(slide, x, kernel)


@custom_gradient(static=1)
def _transpose(slide: Slide, x: jax.Array, kernel: jax.Array) -> jax.Array:
    return _input_gradient(slide, kernel.shape[2])(x, kernel, None)


def _transpose_forward(slide: Slide, x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, _Pair]:
    return _transpose(slide, x, kernel), (x, kernel)


def _transpose_backward(slide: Slide, saved: _Pair, dy: jax.Array) -> _Pair:
    x, kernel = saved
    d_kernel, _ = _weight_gradient(slide, kernel.shape, False)(dy, x, None)
    return _conv(slide, False, dy, kernel, None), d_kernel


_transpose.defvjp(_transpose_forward, _transpose_backward)


@cache
def _forward(slide: Slide, relu: bool) -> Callable[..., jax.Array]:
    def run(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
        result = _like(x, x.shape[0], *slide.outputs(kernel.shape), kernel.shape[-1])
        return native.call("conv_forward", result, x, kernel, bias, relu=relu, **slide.attributes)

    def reference(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
        y = slide.conv(x, kernel)
        y = y if bias is None else y + bias
        return jax.nn.relu(y) if relu else y

    return native.transformable(run, reference, _fold_images(1, 2))


@cache
def _input_gradient(slide: Slide, channels: int) -> Callable[..., jax.Array]:
    """Return dx for (dy, kernel, y); where y is given, dy counts where y is above 0."""

    def run(dy: jax.Array, kernel: jax.Array, y: jax.Array | None) -> jax.Array:
        result = _like(dy, dy.shape[0], *slide.size, channels)
        return native.call("conv_input_gradient", result, dy, kernel, y, **slide.attributes)

    def reference(dy: jax.Array, kernel: jax.Array, y: jax.Array | None) -> jax.Array:
        return _transposed(slide, channels, _masked(dy, y), kernel)

    return native.transformable(run, reference, _fold_images(1))


@cache
def _weight_gradient(
    slide: Slide, kernel: tuple[int, ...], bias: bool
) -> Callable[..., native.Arrays]:
    """Return (d_kernel, d_bias) for (x, dy, y); without a bias, d_bias is empty."""

    def run(x: jax.Array, dy: jax.Array, y: jax.Array | None) -> native.Arrays:
        results = _like(x, *kernel), _like(x, kernel[-1] if bias else 0)
        options = {"bias": bias, **slide.attributes}
        return native.call("conv_weight_gradient", results, x, dy, y, **options)

    def reference(x: jax.Array, dy: jax.Array, y: jax.Array | None) -> native.Arrays:
        d_kernel, d_bias = _weights(slide, kernel, x, _masked(dy, y))
        return d_kernel, d_bias if bias else d_bias[:0]

    return native.transformable(run, reference)


# ------------------------------------------------------------ convolution, relu and 2 x 2 pooling


@compiled(static=1)
def conv_max_pool(
    slide: Slide, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> jax.Array:
    """Return the pooled convolution, (b, h' / 2, w' / 2, f); bias may be None."""
    return _conv_pool(slide, x, kernel, bias)


@custom_gradient(static=1)
def _conv_pool(slide: Slide, x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    return _pool_value(slide)(x, kernel, bias)


def _conv_pool_forward(
    slide: Slide, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> tuple[jax.Array, _Saved]:
    y, places = _conv_pool_mapped(slide, x, kernel, bias)
    return y, (x, kernel, bias, places)


def _conv_pool_backward(slide: Slide, saved: _Saved, dy: jax.Array) -> _Gradients:
    x, kernel, bias, places = saved
    dx = _pool_input_gradient(slide, x.shape[-1])(dy, places, kernel)
    d_kernel, d_bias = _pool_weight_gradient(slide, kernel.shape)(x, dy, places)
    return dx, d_kernel, d_bias if bias is not None else None


_conv_pool.defvjp(_conv_pool_forward, _conv_pool_backward)


@custom_gradient(static=1)
def _conv_pool_mapped(
    slide: Slide, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> native.Arrays:
    """Return the value, and the map of where each maximum was found, all that the gradients need of it."""
    return _pool_forward(slide)(x, kernel, bias)


def _mapped_forward(
    slide: Slide, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> tuple[native.Arrays, _Saved]:
    y, places = _conv_pool_mapped(slide, x, kernel, bias)
    return (y, places), (x, kernel, bias, places)


def _mapped_backward(slide: Slide, saved: _Saved, gradients: native.Arrays) -> _Gradients:
    return _conv_pool_backward(slide, saved, gradients[0])


_conv_pool_mapped.defvjp(_mapped_forward, _mapped_backward)


@cache
def _pool_value(slide: Slide) -> Callable[..., jax.Array]:
    def run(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
        result, _ = _pooled(slide, x, kernel)
        return native.call("conv_pool_value", result, x, kernel, bias, **slide.attributes)

    def reference(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
        y = slide.conv(x, kernel)
        y = jax.nn.relu(y if bias is None else y + bias)
        return pool_reference.max_pool(y, (2, 2), (2, 2), "valid")

    return native.transformable(run, reference, _fold_images(1, 2))


@cache
def _pool_forward(slide: Slide) -> Callable[..., native.Arrays]:
    def run(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> native.Arrays:
        results = _pooled(slide, x, kernel)
        return native.call("conv_pool_forward", results, x, kernel, bias, **slide.attributes)

    def reference(x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> native.Arrays:
        y = slide.conv(x, kernel)
        y = jax.nn.relu(y if bias is None else y + bias)
        taps = list(pool_reference.taps(y, (2, 2), (2, 2)))
        largest, first = pool_reference.maximum(taps)
        at_first = sum(jnp.where(first == n, tap, 0) for n, tap in enumerate(taps))
        return largest, jnp.where(at_first > 0, first, jnp.uint8(DEAD))

    return native.transformable(run, reference, _fold_images(1, 2))


@cache
def _pool_input_gradient(slide: Slide, channels: int) -> Callable[..., jax.Array]:
    def run(dy: jax.Array, places: jax.Array, kernel: jax.Array) -> jax.Array:
        result = _like(dy, dy.shape[0], *slide.size, channels)
        return native.call(
            "conv_pool_input_gradient", result, dy, places, kernel, **slide.attributes
        )

    def reference(dy: jax.Array, places: jax.Array, kernel: jax.Array) -> jax.Array:
        dz = _unpooled(dy, places, slide.outputs(kernel.shape))
        return _transposed(slide, channels, dz, kernel)

    return native.transformable(run, reference, _fold_images(2))


@cache
def _pool_weight_gradient(slide: Slide, kernel: tuple[int, ...]) -> Callable[..., native.Arrays]:
    def run(x: jax.Array, dy: jax.Array, places: jax.Array) -> native.Arrays:
        results = _like(x, *kernel), _like(x, kernel[-1])
        name = "conv_pool_weight_gradient"
        return native.call(name, results, x, dy, places, **slide.attributes)

    def reference(x: jax.Array, dy: jax.Array, places: jax.Array) -> native.Arrays:
        return _weights(slide, kernel, x, _unpooled(dy, places, slide.outputs(kernel)))

    return native.transformable(run, reference)


# ---------------------------------------------------------------------------------------- shared


def _like(array: jax.Array, *shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, array.dtype)


def _pooled(slide: Slide, x: jax.Array, kernel: jax.Array) -> tuple[native.Result, native.Result]:
    """Return what a pooled value and its map look like."""
    h, w = slide.outputs(kernel.shape)
    value = _like(x, x.shape[0], h // 2, w // 2, kernel.shape[-1])
    return value, jax.ShapeDtypeStruct(value.shape, jnp.uint8)


def _masked(dy: jax.Array, y: jax.Array | None) -> jax.Array:
    return dy if y is None else jnp.where(y > 0, dy, 0)


def _transposed(slide: Slide, channels: int, dz: jax.Array, kernel: jax.Array) -> jax.Array:
    x = _like(dz, dz.shape[0], *slide.size, channels)
    return transpose(lambda x: slide.conv(x, kernel), x)(dz)


def _weights(slide: Slide, shape: tuple[int, ...], x: jax.Array, dz: jax.Array) -> native.Arrays:
    weights = transpose(lambda kernel: slide.conv(x, kernel), _like(x, *shape))
    return weights(dz), jnp.sum(dz, axis=(0, 1, 2))


def _unpooled(dy: jax.Array, places: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Return dy where the map says that it came from, else 0; (b, h, w, f) of that size."""
    b, h, w, f = dy.shape
    numbers = np.arange(4, dtype=np.uint8).reshape(1, 1, 2, 1, 2, 1)
    each = (slice(None), slice(None), None, slice(None), None, slice(None))
    blocks = jnp.where(places[each] == numbers, dy[each], 0).reshape(b, 2 * h, 2 * w, f)
    return jnp.pad(blocks, ((0, 0), (0, size[0] - 2 * h), (0, size[1] - 2 * w), (0, 0)))


def _fold_images(*shared: int) -> native.Fold:
    """Join many sets of images under vmap to one larger set, if the `shared` arguments are the same for all."""

    def fold(
        f: Callable[..., jax.Array | native.Arrays],
        size: int,
        batched: Sequence[bool],
        *args: native.Operand,
    ) -> jax.Array | native.Arrays | None:
        if any(batched[i] for i in shared if i < len(batched)):
            return None
        images = list(args)
        for i, a in enumerate(args):
            if a is not None and i not in shared:
                each = a if batched[i] else jnp.broadcast_to(a, (size, *a.shape))
                images[i] = each.reshape(-1, *each.shape[2:])

        def part(y: jax.Array) -> jax.Array:
            return y.reshape(size, y.shape[0] // size, *y.shape[1:])

        return tree_map(part, f(*images))

    return fold
