"""Reshaping and transposing by a pattern, in the notation of einops (Rogozhnikov 2022, ICLR)."""

from __future__ import annotations

import math
import re

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array

__all__ = [
    "rearrange",
]

_TOKEN = re.compile(r"\(([^()]*)\)|(\w+)")


@op
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> jax.Array:
    """Return `tensor` with its axes named on the left of "->" and put together as on the right.

    Axes in parentheses are the factors of one axis; of one of them the length may be left to be
    computed. Raises ValueError where pattern and shape do not fit.

    >>> from hornbeam.keras import ops
    >>> x = ops.ones((2, 8, 6, 3))
    >>> ops.rearrange(x, "b (h n) (w m) c -> b h w (n m c)", n=2, m=2).shape
    TensorShape([2, 4, 3, 12])
    """
    x = array(tensor)
    left, arrow, right = pattern.partition("->")
    before, after = _groups(left), _groups(right)
    names = [name for group in before for name in group]
    wanted = [name for group in after for name in group]
    if not arrow or sorted(names) != sorted(wanted) or len(set(names)) != len(names):
        raise ValueError(
            "`rearrange` needs a pattern with the same axes, each once, on both sides of '->'; "
            f"received {pattern!r}."
        )
    if len(before) != x.ndim:
        raise ValueError(
            f"`rearrange`: the left side of {pattern!r} names {len(before)} axes, but the tensor's "
            f"shape is {x.shape}."
        )
    lengths = dict(axes_lengths)
    for group, size in zip(before, x.shape, strict=True):
        _complete(group, size, lengths, pattern)
    parts = x.reshape([lengths[name] for name in names])
    ordered = jnp.transpose(parts, [names.index(name) for name in wanted])
    return ordered.reshape([math.prod(lengths[name] for name in group) for group in after])


def _groups(side: str) -> list[list[str]]:
    """Parse "a (b c)" as [["a"], ["b", "c"]]."""
    return [inner.split() if not name else [name] for inner, name in _TOKEN.findall(side)]


def _complete(group: list[str], size: int, lengths: dict[str, int], pattern: str) -> None:
    """Find the one length of a group that is not given."""
    unknown = [name for name in group if name not in lengths]
    known = math.prod(lengths[name] for name in group if name in lengths)
    if len(unknown) > 1 or (size % known if unknown else size != known):
        raise ValueError(
            f"`rearrange` can't divide an axis of size {size} into {group} of {pattern!r} with the "
            f"lengths {lengths}."
        )
    if unknown:
        lengths[unknown[0]] = size // known
