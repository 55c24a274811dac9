"""JAX's own functions, with types where JAX's signatures leave them unknown.

At run time each name is the very function of JAX. What a function takes or returns in any form (nested structures,
functions) stays `Any` here too.
"""

# This file stands between what JAX leaves unknown and the rest of the library, which is checked strictly.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import jax

AnyFunction: TypeAlias = Callable[..., Any]


class _TreeMap(Protocol):
    def __call__(
        self,
        f: AnyFunction,
        tree: object,
        *rest: object,
        is_leaf: Callable[[Any], bool] | None = None,
    ) -> Any: ...


class _ValueAndGrad(Protocol):
    def __call__(
        self, fun: AnyFunction, argnums: int | Sequence[int] = 0, has_aux: bool = False
    ) -> Callable[..., tuple[Any, Any]]: ...


eval_shape: AnyFunction = jax.eval_shape
register_pytree_node: AnyFunction = jax.tree_util.register_pytree_node
set_config: Callable[[str, object], None] = jax.config.update
tree_map: _TreeMap = jax.tree.map
wrap_key_data: Callable[..., jax.Array] = jax.random.wrap_key_data
value_and_grad: _ValueAndGrad = jax.value_and_grad
