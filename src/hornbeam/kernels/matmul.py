"""Products of matrices, alone or in batches.

Letters: z pairs of matrices (all leading axes together), m rows, k that are summed over, n columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hornbeam.kernels import dense, native

MIN_SIZE = 16  # a register
MIN_MULTIPLICATIONS = 1_000_000
LARGE = 512


def require_factors(
    name_a: str,
    a: jax.Array,
    name_b: str,
    b: jax.Array,
    transpose_a: bool = False,
    transpose_b: bool = False,
) -> None:
    """Raise ValueError, with the names and shapes, unless a and b have a product. Leading axes must broadcast."""
    if _are_factors(_turned(a, transpose_a), _turned(b, transpose_b)):
        return
    forms = f"{name_a} {_form('mk', transpose_a)} and {name_b} {_form('kn', transpose_b)}"
    raise ValueError(
        f"`matmul` takes {forms}, with leading axes that broadcast; received {name_a} of shape {a.shape} and {name_b} of "
        f"shape {b.shape}."
    )


def _form(axes: str, transpose: bool) -> str:
    first, second = axes
    if transpose:
        return f"(..., {second}, {first}) to be transposed"
    return f"(..., {first}, {second}) or (k,)"


def _turned(x: jax.Array, transpose: bool) -> tuple[int, ...]:
    """The shape, the last two axes swapped where that is asked for; () where there are no two."""
    if not transpose:
        return x.shape
    return (*x.shape[:-2], *x.shape[:-3:-1]) if x.ndim >= 2 else ()


def _are_factors(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    leading = zip(reversed(a[:-2]), reversed(b[:-2]), strict=False)
    return bool(a and b) and a[-1] == b[-2:][0] and all(m == n or 1 in (m, n) for m, n in leading)


def matmul(
    a: jax.Array, b: jax.Array, transpose_a: bool = False, transpose_b: bool = False
) -> jax.Array:
    """a @ b on the last two axes, of which either's may be swapped first; leading axes broadcast, as in jax.numpy.

    a: (..., m, k), or (..., k, m) where it is transposed, b: (..., k, n), or (..., n, k) -> (..., m, n)

    Large products of floats are native on CPU. There the gradient is a custom one: `jax.grad` may be taken of it again,
    forward mode (`jax.jvp`) not.
    """
    if a.dtype == b.dtype and a.ndim >= 3 and a.shape[:-2] == b.shape[:-2]:
        z = math.prod(a.shape[:-2])
        pairs = [x.reshape(z, *x.shape[-2:]) for x in (a, b)]
        y = batched(pairs[0], pairs[1], transpose_a, transpose_b)
        return y.reshape(*a.shape[:-2], *y.shape[1:])
    if a.dtype == b.dtype and a.ndim >= b.ndim == 2 and not transpose_a and not transpose_b:
        return dense.affine(a, b)
    return matmul_reference(transpose_a, transpose_b, None, a, b)


def einsum(subscripts: str, a: jax.Array, b: jax.Array, dtype: Any = None) -> jax.Array:
    """jnp.einsum of two arrays; the result is of `dtype`, where one is given.

    What is a batch of products of matrices once axes are moved is computed as in `matmul`.
    """
    plan = _plan(subscripts)
    sizes = None if plan is None else _sizes(plan, a, b)
    if plan is None or sizes is None:
        return jnp.einsum(subscripts, a, b, preferred_element_type=dtype)
    z, m, k, n = (math.prod(sizes[axis] for axis in axes) for axes in plan.groups)
    if not _is_native(a, b, dtype, z, m, k, n):
        return jnp.einsum(subscripts, a, b, preferred_element_type=dtype)
    a = a.transpose([plan.a.index(axis) for axis in plan.a_order])
    b = b.transpose([plan.b.index(axis) for axis in plan.b_order])
    y = batched(
        a.reshape(z, *((k, m) if plan.transpose_a else (m, k))),
        b.reshape(z, *((n, k) if plan.transpose_b else (k, n))),
        plan.transpose_a,
        plan.transpose_b,
        dtype,
    )
    found = plan.groups[0] + plan.groups[1] + plan.groups[3]
    y = y.reshape([sizes[axis] for axis in found])
    return y.transpose([found.index(axis) for axis in plan.output])


class _Plan(NamedTuple):
    """How a sum of products becomes a batch of products of matrices; axes are letters."""

    a: str
    b: str
    output: str
    groups: tuple[str, str, str, str]  # the axes that z, m, k and n stand for
    a_order: str
    b_order: str
    transpose_a: bool
    transpose_b: bool


@lru_cache(maxsize=256)
def _plan(subscripts: str) -> _Plan | None:
    """The plan for "ab...,bc...->ac...", None where there is none.

    >>> _plan("btnd,bsnd->bnts")[3:]
    (('bn', 't', 'd', 's'), 'bntd', 'bnsd', False, True)
    """
    terms = subscripts.replace(" ", "").replace("->", ",").split(",")
    if "->" not in subscripts or len(terms) != 3 or not all(map(_are_letters, terms)):
        return None
    a, b, output = terms
    z = "".join(axis for axis in output if axis in a and axis in b)
    m = "".join(axis for axis in output if axis not in b)
    n = "".join(axis for axis in output if axis not in a)
    k = "".join(axis for axis in a if axis in b and axis not in output)
    if not all((z, m, k, n)) or {*a} != {*z, *m, *k} or {*b} != {*z, *k, *n}:
        return None
    transpose_a, transpose_b = a[-1] in m, b[-1] in k
    a_order = z + (k + m if transpose_a else m + k)
    b_order = z + (n + k if transpose_b else k + n)
    return _Plan(a, b, output, (z, m, k, n), a_order, b_order, transpose_a, transpose_b)


def _sizes(plan: _Plan, a: jax.Array, b: jax.Array) -> dict[str, int] | None:
    """The size of each axis; None where the arrays have other axes, or an axis two sizes."""
    if a.ndim != len(plan.a) or b.ndim != len(plan.b):
        return None
    pairs = set(zip(plan.a + plan.b, a.shape + b.shape, strict=True))
    return dict(pairs) if len(pairs) == len({*plan.a, *plan.b}) else None


def _are_letters(term: str) -> bool:
    return term.isalpha() and len(set(term)) == len(term)


def batched(
    a: jax.Array,
    b: jax.Array,
    transpose_a: bool = False,
    transpose_b: bool = False,
    dtype: Any = None,
) -> jax.Array:
    """a: (z, m, k) or (z, k, m), b: (z, k, n) or (z, n, k) -> (z, m, n), of `dtype` where one is given"""
    m, k = (a.shape[2], a.shape[1]) if transpose_a else a.shape[1:]
    n, summed = b.shape[1:] if transpose_b else (b.shape[2], b.shape[1])
    if k == summed and _is_native(a, b, dtype, a.shape[0], m, k, n):
        return _compiled(transpose_a, transpose_b, dtype and jnp.dtype(dtype).name, a, b)
    return matmul_reference(transpose_a, transpose_b, dtype, a, b)


def matmul_reference(
    transpose_a: bool, transpose_b: bool, dtype: Any, a: jax.Array, b: jax.Array
) -> jax.Array:
    """The same in jax.numpy."""
    a = jnp.swapaxes(a, -1, -2) if transpose_a else a
    b = jnp.swapaxes(b, -1, -2) if transpose_b else b
    return jnp.matmul(a, b, preferred_element_type=dtype)


def _is_native(a: jax.Array, b: jax.Array, dtype: Any, z: int, m: int, k: int, n: int) -> bool:
    known = dtype is None or jnp.dtype(dtype) in (a.dtype, jnp.float32)
    return known and native.suits(a, b) and pays(a.dtype, z, m, k, n)


def pays(dtype: Any, z: int, m: int, k: int, n: int) -> bool:
    """Whether the native product beats XLA's, by type and size.

    Measured on two AVX-512 cores, value and gradients: 512 products of 32 x 32 x 32 take 0.12 and 0.25 ms in float32
    against 0.18 and 0.81, 128 of 128 x 32 x 128 0.37 and 0.80 against 0.58 and 1.33; large squares, 8 of
    512 x 512 x 512, 5.2 and 11.0 against 4.6 and 11.2. bfloat16 takes a half to a fifth of XLA's time at all sizes.
    """
    is_large = dtype == jnp.float32 and min(m, k, n) >= LARGE
    return min(m, k, n) >= MIN_SIZE and z * m * k * n >= MIN_MULTIPLICATIONS and not is_large


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _product(
    transpose_a: bool, transpose_b: bool, dtype: str | None, a: jax.Array, b: jax.Array
) -> jax.Array:
    return _kernel(transpose_a, transpose_b, dtype)(a, b)


def _forward(
    transpose_a: bool, transpose_b: bool, dtype: str | None, a: jax.Array, b: jax.Array
) -> Any:
    return _product(transpose_a, transpose_b, dtype, a, b), (a, b)


def _backward(
    transpose_a: bool, transpose_b: bool, dtype: str | None, saved: Any, dc: jax.Array
) -> Any:
    a, b = saved
    dc = dc.astype(a.dtype)
    da = (
        batched(b, dc, transpose_b, True) if transpose_a else batched(dc, b, False, not transpose_b)
    )
    db = (
        batched(dc, a, True, transpose_a) if transpose_b else batched(a, dc, not transpose_a, False)
    )
    return da, db


_product.defvjp(_forward, _backward)
_compiled = jax.jit(_product, static_argnums=(0, 1, 2), inline=True)  # for eager calls


@lru_cache(maxsize=16)
def _kernel(transpose_a: bool, transpose_b: bool, dtype: str | None) -> Callable[..., Any]:
    options: dict[str, Any] = {"a_transposed": transpose_a, "b_transposed": transpose_b}

    def call(a: jax.Array, b: jax.Array) -> Any:
        shape = a.shape[0], a.shape[2 if transpose_a else 1], b.shape[1 if transpose_b else 2]
        result = jax.ShapeDtypeStruct(shape, dtype or a.dtype)
        return native.call("batched_matmul", result, a, b, **options)

    reference = partial(matmul_reference, transpose_a, transpose_b, dtype)
    return native.kernel(call, reference, _fold_pairs)


def _fold_pairs(f: Any, size: int, batched: Sequence[bool], *args: jax.Array) -> jax.Array:
    """Under vmap many batches are one larger batch."""
    each = [
        a if flag else jnp.broadcast_to(a, (size, *a.shape))
        for a, flag in zip(args, batched, strict=True)
    ]
    y = f(*(a.reshape(size * a.shape[1], *a.shape[2:]) for a in each))
    return y.reshape(size, y.shape[0] // max(size, 1), *y.shape[1:])
