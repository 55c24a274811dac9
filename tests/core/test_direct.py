"""Ops that are computed directly at first make the same bits later, when a program computes them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core import plans
from hornbeam.core.block import equations, inner_functions
from hornbeam.core.direct import DIRECT
from hornbeam.core.op import registry
from hornbeam.core.plans import WORTH_COMPILING
from tests.ops import cases

ops = keras.ops
CASES = [
    case
    for case in cases.CASES
    if getattr(getattr(ops, case.name), "name", None) in DIRECT and case.inputs
]
# What JAX computes without rounding.
EXACT = """
    abs and argmax argmin bitcast_convert_type broadcast_in_dim ceil clamp complex concatenate conj convert_element_type copy
    copy_p cummax cummin dynamic_slice dynamic_update_slice eq expand_dims floor gather ge gt imag iota is_finite le lt max
    min ne neg not or pad population_count real reduce_and reduce_max reduce_min reduce_or reduce_precision reshape rev round
    scatter select_n sign slice sort split squeeze stop_gradient top_k transpose xor
""".split()  # noqa: SIM905
# One function of JAX that is compiled as a whole, although it rounds several times.
COMPILED_BY_JAX = {"floor_divide", "mod", "round"}


def count(jaxpr: Any) -> Counter[str]:
    """Count the operations that may round."""
    return Counter(
        equation.primitive.name
        for equation in equations(jaxpr, closed=frozenset(["sort"]))
        if equation.primitive.name not in EXACT
        and any(jnp.issubdtype(out.aval.dtype, jnp.inexact) for out in equation.outvars)
        and not list(inner_functions(equation))
    )


def plan_of(case: cases.Case) -> tuple[plans.Plan, list[Any]]:
    values = [jnp.asarray(cases.arrays()[each]) for each in case.places()]
    leaves, tree = jax.tree.flatten((tuple(case.arguments(values)), case.kwargs))
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]
    return plans.Plan(getattr(ops, case.name), leaves, tree, places), [leaves[p] for p in places]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_they_round_once_at_most(case):
    plan, arrays = plan_of(case)
    found = count(jax.make_jaxpr(lambda *xs: plan.direct(xs))(*arrays).jaxpr)
    assert sum(found.values()) <= 1 or case.name in COMPILED_BY_JAX, found


@pytest.mark.slow  # programs are compiled as users do
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_bits_are_the_same(case):
    plan, arrays = plan_of(case)
    results = [jax.tree.leaves(plan(arrays)) for _ in range(WORTH_COMPILING + 1)]
    assert plan.run is not None
    for first, *others in zip(*results, strict=True):
        for other in others:
            assert (np.asarray(first).tobytes(), first.dtype) == (
                np.asarray(other).tobytes(),
                other.dtype,
            )


def test_every_name_is_that_of_an_op():
    assert sorted(DIRECT - set(registry)) == []
