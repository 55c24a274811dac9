"""Computations fused with the one before them, while a program is traced.

A kernel that can be computed together with what often follows it (a product with its bias and relu, a convolution with
its pooling) attaches an offer to its result. The function that comes next asks its input for that kind of offer, and
computes it instead of working on the input. The input itself is then unused, and XLA drops it. Nothing has to be known
about layers: it works in Sequential, functional and subclassed models, and in plain functions.

An offer computes the same numbers with the same gradients as the value that it stands beside. What changes the meaning
of a gradient is an origin (`hornbeam.core.origins`). docs/design/0021 lists who makes and who takes each kind.

Where the input is used elsewhere too, it is computed twice; outside of compiled programs, where nothing is dropped, there
are no offers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import jax

from hornbeam.core.attached import Attachments, is_compiling


@dataclass(frozen=True)
class Relu:
    """`compute()` returns max(value, 0)."""

    compute: Callable[[], jax.Array]


@dataclass(frozen=True)
class BiasAdd:
    """`compute(bias)` returns value + bias, for a bias (channels,) on the last axis."""

    compute: Callable[[jax.Array], jax.Array]


@dataclass(frozen=True)
class Add:
    """`compute(other)` returns value + other, or None for an `other` of another shape or type than it can add."""

    compute: Callable[[jax.Array], jax.Array | None]


@dataclass(frozen=True)
class MaxPool:
    """`compute(window, steps, padding)` returns the pooled value, or None for windows that it does not know."""

    compute: Callable[[Sequence[int], Sequence[int], str], jax.Array | None]


@dataclass(frozen=True)
class First:
    """`compute(rows, columns)` returns only the first rows and columns of a batch of images, (b, rows, columns, c)."""

    compute: Callable[[int, int], jax.Array]


@dataclass(frozen=True)
class Twin:
    """The same value once more, for a second user: the kernel adds the two gradients itself."""

    value: jax.Array


Offer: TypeAlias = Relu | BiasAdd | Add | MaxPool | First | Twin
Kind = TypeVar("Kind", Relu, BiasAdd, Add, MaxPool, First, Twin)

_offers = Attachments()


def offer(value: jax.Array, *offers: Offer) -> jax.Array:
    """Return `value`, with offers of what may follow it attached while it lives.

    An offer must not refer to `value`, or the value would live for ever.
    """
    if is_compiling(value):
        _offers.attach(value, *offers)
    return value


def offered(value: object, kind: type[Kind]) -> Kind | None:
    """Return the offer of this kind that is attached to `value`, or None."""
    return _offers.find(value, kind)
