"""JAX's transformations with the types of what they transform.

JAX's own signatures say `Callable` and `Any`: behind them the type checker knows neither arguments nor results. Each
function here is one of JAX's, and keeps the types. This is the one place of the kernels that trusts JAX about them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, TypeVarTuple, cast

import jax

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Args = TypeVarTuple("Args")


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


def compiled(static: int = 0) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the decorator `jax.jit`, for eager calls; inside a program the call is written out.

    The first `static` arguments are no arrays.
    """

    def decorate(fn: Callable[P, R]) -> Callable[P, R]:
        return cast(Any, jax.jit(fn, static_argnums=tuple(range(static)), inline=True))

    return decorate


def vjp(fn: Callable[[*Args], R], *args: *Args) -> tuple[R, Callable[[R], tuple[*Args]]]:
    """Return fn(*args), and the function from its gradient to those of the arguments."""
    return cast(Any, jax.vjp(fn, *args))


def transpose(
    fn: Callable[[jax.Array], R], argument: jax.ShapeDtypeStruct
) -> Callable[[R], jax.Array]:
    """Return the transpose of a linear function of one array of this shape and type."""
    transposed = cast(Any, jax.linear_transpose(fn, argument))

    def run(y: R) -> jax.Array:
        return transposed(y)[0]

    return run
