"""Each name of jax_typed is the function of JAX that it says: types are all that the file adds."""

from __future__ import annotations

import jax
import jax.core
import jax.extend.core
import jax.numpy as jnp
import pytest

from hornbeam.core import jax_typed

# By their modules, and with `name=other` where JAX has another name.
FUNCTIONS = {
    jax: "checkpoint compiled=jit custom_gradient eval_shape jit jvp linear_transpose make_jaxpr value_and_grad vjp vmap",
    jax.core: "array_type=ShapedArray eval_jaxpr",
    jax.extend.core: "trace_state=get_opaque_trace_state",
    jax.config: "set_config=update",
    jax.tree: "tree_map=map",
    jax.tree_util: "register_pytree_node",
    jax.lax: "associative_scan cond conv_patches=conv_general_dilated_patches fori_loop map_first_axis=map scan switch "
    "dot_general iota=broadcasted_iota while_loop",
    jax.lax.linalg: "lu tridiagonal_solve",
    jnp: "vectorize broadcast_shapes diagonal einsum finfo pad reshape unique",
    jax.image: "resize",
    jax.random: "randint wrap_key_data",
    jnp.linalg: "cholesky det eig eigh eigvalsh inv matrix_rank norm pinv slogdet solve svd",
    jax.scipy.linalg: "eigh_tridiagonal expm lu_factor sqrtm",
    jax.scipy.special: "expi",
}
ROWS = [
    (name, module, other or name)
    for module, words in FUNCTIONS.items()
    for name, _, other in (word.partition("=") for word in words.split())
]


@pytest.mark.parametrize(("name", "module", "other"), ROWS, ids=[name for name, *_ in ROWS])
def test_a_name_is_the_function_of_jax(name: str, module: object, other: str) -> None:
    assert getattr(jax_typed, name) == getattr(module, other)


def test_every_function_has_a_row() -> None:
    found = {
        name
        for name, value in vars(jax_typed).items()
        if callable(value) and (getattr(value, "__module__", None) or "").startswith("jax")
    }
    assert found <= {name for name, *_ in ROWS}
    assert len(found) > 30
