"""What may stand in the place of a weight: a variable, or an object that computes its value from variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import jax

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from hornbeam.core.dtypes import DType
    from hornbeam.core.shapes import TensorShape
    from hornbeam.core.variable import Variable


class Weight(Protocol):
    """An object that ops take for a tensor and layers for a weight; `Variable` is one.

    A layer's attribute may be replaced by one, to quantise a weight or to add a product of small matrices to it: layers
    find its `variables`, training changes those that are trainable, and ops use what `read_raw` returns.
    """

    @property
    def variables(self) -> Sequence[Variable]:
        """All variables that `read_raw` reads."""
        ...

    @property
    def shape(self) -> TensorShape:
        """The shape of the value."""
        ...

    @property
    def dtype(self) -> DType:
        """The type of the value."""
        ...

    def read_raw(self) -> jax.Array:
        """Return the current value as a raw JAX array, reading the variables by their own `read_raw`."""
        ...


def is_weight(value: object) -> TypeIs[Weight]:
    """Return whether `value` is a variable, or an object that stands for one."""
    return hasattr(type(value), "read_raw")
