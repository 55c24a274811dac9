"""Every op against `keras.ops` on JAX, in the same process: values, types, gradients, signatures."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam import ops
from tests.ops.cases import CASES, GROUPS, Case, arrays
from tests.tolerances import assert_close

ARRAYS = arrays()
# Names of keras.ops that are not here yet.
MISSING = {"image", "linalg", "nn", "numpy"}


@pytest.fixture(scope="module", autouse=True)
def _free_compiled_programs() -> Any:
    """Hundreds of small programs, some of them test_op_configs.py's, of which no test after this one has use."""
    yield
    jax.clear_caches()


def call(module: Any, case: Case, values: list[Any]) -> Any:
    return getattr(module, case.name)(*case.arguments(values), **case.kwargs)


def names(outputs: Any) -> list[str]:
    return [
        np.dtype(leaf.dtype).name for leaf in jax.tree.leaves(outputs) if hasattr(leaf, "dtype")
    ]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_types(case: Case) -> None:
    values = [ARRAYS[each] for each in case.places()]
    expected = call(keras.ops, case, values)
    actual = call(ops, case, values)
    assert names(actual) == names(expected)
    assert_close(actual, expected)


FIRST_OF_NAME = {case.name: case for case in reversed(CASES) if case.places()}


def shapes(module: Any, case: Case, values: list[Any]) -> Any:
    """Return the shapes and types of the outputs, or None where the op refuses the inputs."""
    try:
        outputs = jax.eval_shape(lambda *arrays: call(module, case, list(arrays)), *values)
    except Exception:
        return None
    return [(leaf.shape, np.dtype(leaf.dtype).name) for leaf in jax.tree.leaves(outputs)]


def test_an_empty_batch_is_refused_only_where_keras_refuses_it() -> None:
    refused = {}
    for name, case in FIRST_OF_NAME.items():
        values = [ARRAYS[each] for each in case.places()]
        first = values[0].shape
        batch = [a[:0] if (a.ndim, len(a)) == (len(first), first[0]) else a for a in values]
        if shapes(ops, case, batch) is None:
            refused[name] = shapes(keras.ops, case, batch)
    assert refused == dict.fromkeys(refused)


def differentiable(case: Case) -> list[int]:
    """The places of the floating arrays."""
    return [i for i, each in enumerate(case.places()) if ARRAYS[each].dtype.kind == "f"]


# Elsewhere ours and the peer's gradients are both jax.numpy's; these are written here.
WITH_GRADIENT = [case for case in GROUPS["nn"] if differentiable(case)]


@pytest.mark.parametrize("case", WITH_GRADIENT, ids=str)
def test_gradients(case: Case) -> None:
    values: list[Any] = [jnp.asarray(ARRAYS[each]) for each in case.places()]
    places = differentiable(case)

    def loss(module: Any) -> Any:
        def of(floats: list[jax.Array]) -> jax.Array:
            filled = list(values)
            for place, value in zip(places, floats, strict=True):
                filled[place] = value
            total = jnp.zeros(())
            for leaf in jax.tree.leaves(call(module, case, filled)):
                if jnp.issubdtype(leaf.dtype, jnp.inexact):
                    weights = jnp.cos(jnp.arange(leaf.size, dtype="float32")).reshape(leaf.shape)
                    total += jnp.sum(jnp.real(leaf) * weights)
            return total

        return of

    @jax.jit  # one program for both sides is compiled ten times faster than their ops one by one
    def gradients(floats: list[jax.Array]) -> tuple[Any, Any]:
        return jax.grad(loss(ops))(floats), jax.grad(loss(keras.ops))(floats)

    assert_close(*gradients([values[place] for place in places]))


DTYPES = ["bool", "uint8", "int8", "int32", "uint32", "float16", "bfloat16", "float32"]


def test_result_types() -> None:
    """For each input type that the peer accepts, the same result type; it may refuse some that we take."""
    wrong = []
    for case in CASES:
        places = case.places()
        if not places or case.name == "view" or ARRAYS[places[0]].ndim > 2:
            continue
        for dtype in DTYPES:
            specs = [
                jax.ShapeDtypeStruct(ARRAYS[each].shape, dtype if i == 0 else ARRAYS[each].dtype)
                for i, each in enumerate(places)
            ]
            found = [_traced(module, case, specs) for module in (ops, keras.ops)]
            whole = not jnp.issubdtype(dtype, jnp.floating)
            if whole and case.name in ("layer_normalization", "rms_normalization"):
                found[1] = ["float32"]  # the peer rounds the result to integers
            if found[1] is not None and found[0] != found[1]:
                wrong.append((str(case), dtype, *found))
    assert not wrong, "\n".join(map(str, wrong))


def _traced(module: Any, case: Case, specs: list[Any]) -> list[str] | None:
    try:
        return names(jax.eval_shape(lambda *values: call(module, case, list(values)), *specs))
    except Exception as error:
        return None if module is keras.ops else [repr(error)]


def test_names_and_signatures() -> None:
    theirs = {n for n in dir(keras.ops) if not n.startswith("_")}
    assert set(ops.__all__) == theirs - MISSING
    wrong = []
    for name in ops.__all__:
        mine, peer = (inspect.signature(getattr(module, name)) for module in (ops, keras.ops))
        if _plain(mine) != _plain(peer):
            wrong.append(f"{name}{mine} != {name}{peer}")
    assert not wrong, "\n".join(wrong)


def _plain(signature: inspect.Signature) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


def test_every_op_has_a_case() -> None:
    """An op is compared here, or in a test of its own that is named in this list."""
    elsewhere = {
        *(
            "associative_scan",
            "cond",
            "custom_gradient",
            "fori_loop",
            "jvp",
            "map",
            "scan",
            "switch",
        ),
        *("vectorize", "vectorized_map", "while_loop"),
        *("get_item", "scatter", "scatter_update", "slice_update", "nonzero"),
        *("convert_to_numpy", "dtype", "is_tensor", "empty_like"),
        *("eig", "eigh", "einsum", "istft", "sparsemax"),
    }
    assert set(ops.__all__) - {case.name for case in CASES} == elsewhere
