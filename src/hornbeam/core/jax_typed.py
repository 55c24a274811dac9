"""JAX's own functions, with types where JAX's signatures leave them unknown.

At run time each name is the very function of JAX. What a function takes or returns in any form (nested structures,
functions) stays `Any` here too.
"""

# This file stands between what JAX leaves unknown and the rest of the library, which is checked strictly.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar, cast

import jax
import jax.core
import jax.extend.core
import jax.numpy as jnp
import numpy as np
from jax import lax

P = ParamSpec("P")
R = TypeVar("R")

AnyFunction: TypeAlias = Callable[..., Any]
DType: TypeAlias = "np.dtype[Any]"
ArrayFunction: TypeAlias = Callable[..., jax.Array]
PairFunction: TypeAlias = Callable[..., tuple[jax.Array, jax.Array]]


class FloatInfo(Protocol):
    """The limits of a floating type."""

    @property
    def min(self) -> Any: ...
    @property
    def max(self) -> Any: ...
    @property
    def epsneg(self) -> Any: ...
    @property
    def smallest_normal(self) -> Any: ...


class Jaxpr(Protocol):
    """What a traced function computes, as JAX writes it down."""

    @property
    def eqns(self) -> list[Any]: ...
    @property
    def invars(self) -> list[Any]: ...
    @property
    def outvars(self) -> list[Any]: ...
    @property
    def effects(self) -> Any: ...


class ClosedJaxpr(Protocol):
    """The same, with the values that the function closed over."""

    @property
    def jaxpr(self) -> Jaxpr: ...
    @property
    def consts(self) -> list[Any]: ...


class _Jit(Protocol):
    def __call__(
        self, *, static_argnames: str | Sequence[str] = (), donate_argnums: Sequence[int] = ()
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


class _TreeMap(Protocol):
    def __call__(
        self,
        f: AnyFunction,
        tree: object,
        *rest: object,
        is_leaf: Callable[[Any], bool] | None = None,
    ) -> Any: ...


class _ValueAndGrad(Protocol):
    def __call__(
        self, fun: AnyFunction, argnums: int | Sequence[int] = 0, has_aux: bool = False
    ) -> Callable[..., tuple[Any, Any]]: ...


NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)
"""What JAX raises in a trace where a function needs values, or a shape depends on them."""

eval_shape: AnyFunction = jax.eval_shape
register_pytree_node: AnyFunction = jax.tree_util.register_pytree_node
set_config: Callable[[str, object], None] = jax.config.update
tree_map: _TreeMap = jax.tree.map
jit: _Jit = jax.jit
value_and_grad: _ValueAndGrad = jax.value_and_grad
compiled: Callable[[AnyFunction], AnyFunction] = jax.jit
jvp: AnyFunction = jax.jvp
trace_state: Callable[[], object] = jax.extend.core.get_opaque_trace_state
vjp: AnyFunction = jax.vjp
checkpoint: Callable[[AnyFunction], AnyFunction] = jax.checkpoint
vmap: Callable[[AnyFunction], AnyFunction] = jax.vmap
linear_transpose: Callable[..., AnyFunction] = jax.linear_transpose
custom_gradient: Callable[[AnyFunction], AnyFunction] = jax.custom_gradient
vectorize: Callable[..., AnyFunction] = jnp.vectorize

# Programs as data
make_jaxpr: Callable[[AnyFunction], Callable[..., ClosedJaxpr]] = cast("Any", jax.make_jaxpr)
array_type: Callable[[tuple[int, ...], Any], Any] = jax.core.ShapedArray
"""The shape and type of an array; unlike `jax.ShapeDtypeStruct` it keeps types of 64 bits."""

eval_jaxpr: Callable[..., list[Any]] = jax.core.eval_jaxpr

# Control flow
associative_scan: AnyFunction = lax.associative_scan
cond: AnyFunction = lax.cond
fori_loop: AnyFunction = lax.fori_loop
map_first_axis: AnyFunction = lax.map
scan: AnyFunction = lax.scan
switch: AnyFunction = lax.switch
while_loop: AnyFunction = lax.while_loop

# Arrays
broadcast_shapes: Callable[..., tuple[int, ...]] = jnp.broadcast_shapes
conv_patches: ArrayFunction = lax.conv_general_dilated_patches
diagonal: ArrayFunction = jnp.diagonal
dot_general: ArrayFunction = lax.dot_general
einsum: ArrayFunction = jnp.einsum
finfo: Callable[[DType], FloatInfo] = jnp.finfo
iota: ArrayFunction = lax.broadcasted_iota
pad: ArrayFunction = jnp.pad
reshape: ArrayFunction = jnp.reshape
resize: ArrayFunction = jax.image.resize
unique: AnyFunction = jnp.unique
randint: ArrayFunction = jax.random.randint
wrap_key_data: ArrayFunction = jax.random.wrap_key_data

# Matrices
cholesky: ArrayFunction = jnp.linalg.cholesky
det: ArrayFunction = jnp.linalg.det
eig: PairFunction = jnp.linalg.eig
eigh: PairFunction = jnp.linalg.eigh
inv: ArrayFunction = jnp.linalg.inv
lu_factor: PairFunction = jax.scipy.linalg.lu_factor
expm: ArrayFunction = jax.scipy.linalg.expm
eigh_tridiagonal: AnyFunction = jax.scipy.linalg.eigh_tridiagonal
eigvalsh: ArrayFunction = jnp.linalg.eigvalsh
expi: ArrayFunction = jax.scipy.special.expi
sqrtm: ArrayFunction = jax.scipy.linalg.sqrtm
lu: Callable[..., tuple[jax.Array, jax.Array, jax.Array]] = lax.linalg.lu
tridiagonal_solve: ArrayFunction = lax.linalg.tridiagonal_solve
matrix_rank: ArrayFunction = jnp.linalg.matrix_rank
norm: ArrayFunction = jnp.linalg.norm
pinv: ArrayFunction = jnp.linalg.pinv
slogdet: PairFunction = jnp.linalg.slogdet
solve: ArrayFunction = jnp.linalg.solve
svd: AnyFunction = jnp.linalg.svd
