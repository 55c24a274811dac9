"""JAX's transformations with the types of what they transform.

JAX's own signatures say `Callable` and `Any`: behind them the type checker knows neither arguments nor results. Each
function here is one of JAX's, and keeps the types. This is the one place of the kernels that trusts JAX about them.
"""

# JAX's signatures leave types of options unknown, as of `jnp.einsum`; the results are known.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, TypeVarTuple, cast

import jax

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Args = TypeVarTuple("Args")


class WithBatching(Protocol[P, R_co]):
    """A function whose form under `jax.vmap` is written by hand."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Compute."""
        ...

    def def_vmap(self, rule: Callable[..., Any], /) -> Callable[..., Any]:
        """Set the form: rule(size, batched, ...) returns results, and for each whether it has the new first axis."""
        ...


class WithTangent(Protocol[P, R_co]):
    """A function whose derivative in forward mode is written by hand."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Compute."""
        ...

    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Set the derivative: jvp(static..., primals, tangents) returns the value and its tangent."""
        ...


class WithGradient(Protocol[P, R_co]):
    """A function whose gradient is written by hand."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Compute."""
        ...

    def defvjp(
        self, fwd: Callable[..., Any], bwd: Callable[..., Any], symbolic_zeros: bool = False
    ) -> None:
        """Set the gradient: fwd(...) returns the value and what is saved, bwd(static..., saved, gradient) the gradients."""
        ...


def custom_gradient(static: int = 0) -> Callable[[Callable[P, R]], WithGradient[P, R]]:
    """Return the decorator `jax.custom_vjp`; the first `static` arguments are no arrays."""

    def decorate(fn: Callable[P, R]) -> WithGradient[P, R]:
        return cast(Any, jax.custom_vjp(fn, nondiff_argnums=tuple(range(static))))

    return decorate


def custom_tangent(*static: int) -> Callable[[Callable[P, R]], WithTangent[P, R]]:
    """Return the decorator `jax.custom_jvp`; the `static` arguments, by number, are no arrays."""

    def decorate(fn: Callable[P, R]) -> WithTangent[P, R]:
        return cast(Any, jax.custom_jvp(fn, nondiff_argnums=static))

    return decorate


def custom_batching(fn: Callable[P, R]) -> WithBatching[P, R]:
    """Apply `jax.custom_batching.custom_vmap`."""
    return cast(Any, jax.custom_batching.custom_vmap(fn))


def compiled(static: int = 0) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the decorator `jax.jit`, for eager calls; inside a program the call is written out.

    The first `static` arguments are no arrays.
    """

    def decorate(fn: Callable[P, R]) -> Callable[P, R]:
        return cast(Any, jax.jit(fn, static_argnums=tuple(range(static)), inline=True))

    return decorate


def compiled_whole(*static: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the decorator `jax.jit`, for functions that are costly to trace: each call is traced once.

    The `static` arguments, by name, are no arrays.
    """

    def decorate(fn: Callable[P, R]) -> Callable[P, R]:
        return cast(Any, jax.jit(fn, static_argnames=static))

    return decorate


def vjp(fn: Callable[[*Args], R], *args: *Args) -> tuple[R, Callable[[R], tuple[*Args]]]:
    """Return fn(*args), and the function from its gradient to those of the arguments."""
    return cast(Any, jax.vjp(fn, *args))


def platform_dependent(*args: *Args, cpu: Callable[[*Args], R], default: Callable[[*Args], R]) -> R:
    """Return what `cpu` computes where the program runs on CPU, elsewhere what `default` does."""
    return cast(Any, jax.lax.platform_dependent(*args, cpu=cpu, default=default))


def transpose(
    fn: Callable[[jax.Array], R], argument: jax.ShapeDtypeStruct
) -> Callable[[R], jax.Array]:
    """Return the transpose of a linear function of one array of this shape and type."""
    transposed = cast(Any, jax.linear_transpose(fn, argument))

    def run(y: R) -> jax.Array:
        return transposed(y)[0]

    return run
