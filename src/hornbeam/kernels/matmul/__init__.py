"""Products of matrices, alone or in batches.

Letters: z pairs of matrices (all leading axes together), m rows, k that are summed over, n columns.
"""

# JAX's signatures leave types of options unknown, as of `jnp.einsum`; the results are known.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from hornbeam.core.typing import DTypeLike
from hornbeam.kernels import dense
from hornbeam.kernels.kernel import Kernel
from hornbeam.kernels.matmul.factors import require_factors
from hornbeam.kernels.matmul.plan import Plan, plan_of, sizes_of
from hornbeam.kernels.matmul.reference import product
from hornbeam.kernels.matmul.stacks import BATCHED, batched, pays, suits_types

__all__ = ["BATCHED", "batched", "einsum", "matmul", "pays", "product", "require_factors"]


def matmul(
    a: jax.Array, b: jax.Array, transpose_a: bool = False, transpose_b: bool = False
) -> jax.Array:
    """Return a @ b on the last two axes; either's may be swapped first. Leading axes broadcast, as in jax.numpy.

    a: (..., m, k), or (..., k, m) where it is transposed, b: (..., k, n), or (..., n, k) -> (..., m, n)

    Large products of floats are native on CPU. There the gradient is a custom one: `jax.grad` may be taken of it again,
    forward mode (`jax.jvp`) not.
    """
    if a.dtype == b.dtype and a.ndim >= b.ndim == 2 and not transpose_a and not transpose_b:
        return dense.affine(a, b)
    return MATMUL(a, b, transpose_a, transpose_b)


def _stacks(a: jax.Array, b: jax.Array, transpose_a: bool, transpose_b: bool) -> jax.Array:
    z = math.prod(a.shape[:-2])
    pairs = [x.reshape(z, *x.shape[-2:]) for x in (a, b)]
    y = batched(pairs[0], pairs[1], transpose_a, transpose_b)
    return y.reshape(*a.shape[:-2], *y.shape[1:])


def _are_stacks(a: jax.Array, b: jax.Array, transpose_a: bool, transpose_b: bool) -> bool:
    k, summed = a.shape[-2 if transpose_a else -1 :][:1], b.shape[-1 if transpose_b else -2 :][:1]
    return suits_types(a, b, None) and a.ndim >= 3 and a.shape[:-2] == b.shape[:-2] and k == summed


def _stacks_pay(a: jax.Array, b: jax.Array, transpose_a: bool, transpose_b: bool) -> bool:
    m, k = a.shape[:-3:-1] if transpose_a else a.shape[-2:]
    return pays(a.dtype, math.prod(a.shape[:-2]), m, k, b.shape[-2 if transpose_b else -1])


MATMUL = Kernel(product, _stacks, _are_stacks, _stacks_pay)


def einsum(
    subscripts: str, a: jax.Array, b: jax.Array, dtype: DTypeLike | None = None
) -> jax.Array:
    """Return jnp.einsum of two arrays, of `dtype` where one is given.

    What is a batch of matrix products once axes are moved is computed as in `matmul`.
    """
    return EINSUM(subscripts, a, b, dtype)


def _einsum_reference(
    subscripts: str, a: jax.Array, b: jax.Array, dtype: DTypeLike | None
) -> jax.Array:
    return jnp.einsum(subscripts, a, b, preferred_element_type=dtype)


def _known(subscripts: str, a: jax.Array, b: jax.Array) -> tuple[Plan, dict[str, int]]:
    """Return the plan and the sizes of arguments that suit."""
    plan = plan_of(subscripts)
    sizes = None if plan is None else sizes_of(plan, a, b)
    assert plan is not None and sizes is not None
    return plan, sizes


def _einsum_native(
    subscripts: str, a: jax.Array, b: jax.Array, dtype: DTypeLike | None
) -> jax.Array:
    plan, sizes = _known(subscripts, a, b)
    z, m, k, n = (math.prod(sizes[axis] for axis in axes) for axes in plan.groups)
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


def _einsum_suits(subscripts: str, a: jax.Array, b: jax.Array, dtype: DTypeLike | None) -> bool:
    plan = plan_of(subscripts)
    return suits_types(a, b, dtype) and plan is not None and sizes_of(plan, a, b) is not None


def _einsum_pays(subscripts: str, a: jax.Array, b: jax.Array, dtype: DTypeLike | None) -> bool:
    plan, sizes = _known(subscripts, a, b)
    return pays(a.dtype, *(math.prod(sizes[axis] for axis in axes) for axes in plan.groups))


EINSUM = Kernel(_einsum_reference, _einsum_native, _einsum_suits, _einsum_pays)
