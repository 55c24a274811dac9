"""Ranges whose bounds a program computes: loops take them, but they are no tensors, whose sizes have to be known."""

from __future__ import annotations

from typing import Any, NoReturn

import jax.numpy as jnp

from hornbeam.core.dtypes import canonical
from hornbeam.core.jax_typed import register_pytree_node
from hornbeam.core.tensor import unwrap


class TracedRange:
    """`tf.range` of bounds that are not known while a function is traced: `for i in tf.range(n)`."""

    def __init__(self, start: Any, limit: Any, delta: Any, dtype: Any = None) -> None:
        """As the arguments of `tf.range`."""
        bounds = [jnp.asarray(unwrap(each)) for each in (start, limit, delta)]
        kind = jnp.result_type(*bounds) if dtype is None else canonical(dtype)
        self.start, self.limit, self.delta = (each.astype(kind) for each in bounds)
        self.dtype = kind

    @property
    def length(self) -> Any:
        """The number of turns, a raw int32."""
        if jnp.issubdtype(self.dtype, jnp.integer):
            step = self.delta
            count = (self.limit - self.start + step - jnp.sign(step)) // step
        else:
            count = jnp.ceil((self.limit - self.start) / self.delta)
        return jnp.maximum(count.astype("int32"), 0)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise ValueError(
            "tf.range needs the values of its bounds to be a tensor: its size depends on them, and a program that computes "
            "them can only loop over it, as in `for i in tf.range(n)`. Make a range of a size that is known, such as the "
            "largest one, and mask what is too much."
        )

    __array__ = __jax_array__ = __len__ = __getitem__ = __iter__ = _refuse  # type: ignore[assignment]
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __mod__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


# Where a range is returned or kept as a tensor would be.
register_pytree_node(TracedRange, TracedRange._refuse, TracedRange._refuse)  # pyright: ignore[reportPrivateUsage]
