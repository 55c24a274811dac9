"""The choice between the two forms of a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from hornbeam.kernels.native import wanted

P = ParamSpec("P")
R = TypeVar("R")


class Kernel(Generic[P, R]):
    """One computation in two forms, of which each call takes one.

    The questions come in this order, and a no ends them: are native kernels wanted at all, does this one `suit` the
    arguments, does it pay? While they are not wanted nothing is asked about sizes, so these may be symbols.
    """

    def __init__(
        self,
        reference: Callable[..., R],
        native: Callable[P, R],
        suits: Callable[..., bool],
        pays: Callable[..., bool],
    ) -> None:
        """All four take the same arguments; the reference may have defaults for them.

        reference: the computation in jax.numpy, on every platform and for all arguments; raises the errors.
        native: the same by a native kernel.
        suits: whether the native form is right for these arguments: their types, shapes and options.
        pays: whether it is faster at these sizes; only asked where it suits.
        """
        self.reference = reference
        self.native = native
        self.suits = suits
        self.pays = pays

    def is_native(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Return whether a call with these arguments takes the native form."""
        return wanted() and self.suits(*args, **kwargs) and self.pays(*args, **kwargs)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute."""
        form = self.native if self.is_native(*args, **kwargs) else self.reference
        return form(*args, **kwargs)
