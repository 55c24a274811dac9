"""What a value was made of, where what follows is better computed from that than from the value itself.

A cross-entropy takes the logits instead of the probabilities that were made of them; a layer takes the weights as they are
stored instead of as they were rounded. Unlike a fusion (`hornbeam.core.fusion`) this changes what a gradient is: the loss
then depends on the logits, and no longer on the probabilities. Whoever differentiates with respect to a value that has an
origin, as a gradient tape would, must first put another value in its place, which has none. See docs/design/0019 and 0021.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, TypeAlias, TypeVar

import jax
import jax.numpy as jnp

from hornbeam.core.attached import Attachments, is_compiling
from hornbeam.core.jax_typed import reshape


@partial(jax.tree_util.register_dataclass, data_fields=["logits"], meta_fields=["axis"])
@dataclass(frozen=True)
class Probabilities:
    """The sigmoid of logits, or with an `axis` their softmax over that axis, counted from 0."""

    everywhere: ClassVar[bool] = True
    logits: jax.Array
    axis: int | None = None

    def reshaped(self, shape: Sequence[int]) -> Probabilities | None:
        """Return the origin of the probabilities in another shape; None where that tears the axis of classes apart."""
        logits = reshape(self.logits, shape)
        if self.axis is None:
            return replace(self, logits=logits)
        old = self.logits.shape
        before, classes = math.prod(old[: self.axis]), old[self.axis]
        for axis, size in enumerate(shape):
            if size == classes and math.prod(shape[:axis]) == before:
                return Probabilities(logits, axis)
        return None

    def transposed(self, axes: Sequence[int]) -> Probabilities:
        """Return the origin of the probabilities with their axes in another order."""
        axis = None if self.axis is None else list(axes).index(self.axis)
        return Probabilities(jnp.transpose(self.logits, axes), axis)


@dataclass(frozen=True)
class Rounded:
    """`wide` in a narrower type: a variable as mixed precision reads it.

    A kernel that takes `wide` rounds it in passing, and returns the gradient in the type of `wide`.
    """

    everywhere: ClassVar[bool] = False
    wide: jax.Array


@dataclass(frozen=True)
class LookedUp:
    """Rows of a table of `size` rows, looked up by `indices`: rows of equal indices are equal.

    A layer that takes the indices may return the gradient of all equal rows at one of them, and 0 at the others. That is
    not the gradient of the value, but makes the same gradient of the table.
    """

    everywhere: ClassVar[bool] = False
    indices: jax.Array
    size: int


@dataclass(frozen=True)
class AddedRows:
    """Zeros (n, d), to which `rows` (m, d) were added at the row numbers `indices` (m,); -1 adds nothing."""

    everywhere: ClassVar[bool] = False
    indices: jax.Array
    rows: jax.Array


Origin: TypeAlias = Probabilities | Rounded | LookedUp | AddedRows
Kind = TypeVar("Kind", Probabilities, Rounded, LookedUp, AddedRows)

_origins = Attachments()


def made_of(value: jax.Array, origin: Origin | None) -> jax.Array:
    """Return `value`, noting what it was made of; None notes nothing.

    Probabilities are noted `everywhere`, so that a loss is the same in compiled programs and outside. The other origins
    only spare work, and are noted only inside compiled programs, where a value that is then unused costs nothing.
    """
    if origin is not None and (origin.everywhere or is_compiling(value)):
        _origins.attach(value, origin)
    return value


def origin_of(value: object, kind: type[Kind]) -> Kind | None:
    """Return what `value` was made of, if that is known and of class `kind`."""
    return _origins.find(value, kind)


def are_probabilities(values: Sequence[object]) -> bool:
    """Return whether it is known of one of `values` that it is probabilities, and of which logits."""
    return bool(_origins) and any(_origins.find(each, Probabilities) for each in values)


def hand_on(
    source: object, result: jax.Array, change: Callable[[Probabilities], Probabilities | None]
) -> jax.Array:
    """Return `result`, made of probabilities `source` by a change of form that is also made to their origin."""
    origin = _origins.find(source, Probabilities)
    return result if origin is None or result is source else made_of(result, change(origin))


def probabilities_in(tree: Any) -> list[Probabilities | None]:
    """Return for each leaf of `tree` the origin of its probabilities: a tree itself, which a transformed function can return."""
    return [origin_of(leaf, Probabilities) for leaf in jax.tree.leaves(tree)]


def note_probabilities(tree: Any, origins: Sequence[Probabilities | None]) -> None:
    """Attach what `probabilities_in` found to the leaves of a tree of the same structure."""
    for leaf, origin in zip(jax.tree.leaves(tree), origins, strict=True):
        made_of(leaf, origin)
