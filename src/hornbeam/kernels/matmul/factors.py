"""Which matrices have a product, and the error for those that have none."""

from __future__ import annotations

import jax


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
    forms = f"{name_a} {_form_of('mk', transpose_a)} and {name_b} {_form_of('kn', transpose_b)}"
    raise ValueError(
        f"`matmul` takes {forms}, with leading axes that broadcast; received {name_a} of shape {a.shape} and {name_b} of "
        f"shape {b.shape}."
    )


def _form_of(axes: str, transpose: bool) -> str:
    first, second = axes
    if transpose:
        return f"(..., {second}, {first}) to be transposed"
    return f"(..., {first}, {second}) or (k,)"


def _turned(x: jax.Array, transpose: bool) -> tuple[int, ...]:
    """Return the shape, its last two axes swapped if asked for; () where there are no two."""
    if not transpose:
        return x.shape
    return (*x.shape[:-2], *x.shape[:-3:-1]) if x.ndim >= 2 else ()


def _are_factors(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    leading = zip(reversed(a[:-2]), reversed(b[:-2]), strict=False)
    return bool(a and b) and a[-1] == b[-2:][0] and all(m == n or 1 in (m, n) for m, n in leading)
