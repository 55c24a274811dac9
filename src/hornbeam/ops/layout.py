"""Arguments that concern spatial axes: layouts, windows, padding."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.config import standardize_data_format
from hornbeam.core.errors import unknown_name

Ints = int | Sequence[int]


def to_channels_last(x: jax.Array, data_format: str | None) -> jax.Array:
    """Return (b, c, s...) as (b, s..., c) where the format says channels first. None: the default format."""
    if standardize_data_format(data_format) == "channels_last":
        return x
    return jnp.moveaxis(x, 1, -1)


def from_channels_last(x: jax.Array, data_format: str | None) -> jax.Array:
    """Return (b, s..., c) in the format that `to_channels_last` was given."""
    if standardize_data_format(data_format) == "channels_last":
        return x
    return jnp.moveaxis(x, -1, 1)


def per_axis(name: str, value: Ints, axes: int) -> tuple[int, ...]:
    """Return one number per spatial axis; an integer stands for all. Raises ValueError on another count."""
    if isinstance(value, int):
        return (value,) * axes
    values = tuple(int(each) for each in value)
    if len(values) == 1:
        values = values * axes
    if len(values) != axes:
        raise ValueError(
            f"`{name}` is an integer or {axes} integers, one per spatial axis; received {value!r}."
        )
    return values


def check_padding(name: str, padding: str, known: Sequence[str] | None = None) -> None:
    """Raises ValueError unless `padding` is among the known ways."""
    known = known or ("valid", "same")
    if padding not in known:
        raise unknown_name(f"padding of `{name}`", padding, known)
