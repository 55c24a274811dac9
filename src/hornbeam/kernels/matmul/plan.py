"""Sums of products that are batches of matrix products once axes are moved."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax


class Plan(NamedTuple):
    """How a sum of products becomes a batch of matrix products; axes are letters."""

    a: str
    b: str
    output: str
    groups: tuple[str, str, str, str]  # the axes that z, m, k and n stand for
    a_order: str
    b_order: str
    transpose_a: bool
    transpose_b: bool


@lru_cache(maxsize=256)
def plan_of(subscripts: str) -> Plan | None:
    """Return the plan for "ab...,bc...->ac...", or None.

    >>> plan_of("btnd,bsnd->bnts")[3:]
    (('bn', 't', 'd', 's'), 'bntd', 'bnsd', False, True)
    """
    terms = subscripts.replace(" ", "").replace("->", ",").split(",")
    if "->" not in subscripts or len(terms) != 3 or not all(map(_are_letters, terms)):
        return None
    a, b, output = terms
    z = "".join(axis for axis in output if axis in a and axis in b)
    m = "".join(axis for axis in output if axis not in b)
    n = "".join(axis for axis in output if axis not in a)
    k = "".join(axis for axis in a if axis in b and axis not in output)
    if not all((z, m, k, n)) or {*a} != {*z, *m, *k} or {*b} != {*z, *k, *n}:
        return None
    transpose_a, transpose_b = a[-1] in m, b[-1] in k
    a_order = z + (k + m if transpose_a else m + k)
    b_order = z + (n + k if transpose_b else k + n)
    return Plan(a, b, output, (z, m, k, n), a_order, b_order, transpose_a, transpose_b)


def sizes_of(plan: Plan, a: jax.Array, b: jax.Array) -> dict[str, int] | None:
    """Return the size of each axis; None where the arrays have other axes, or an axis two sizes."""
    if a.ndim != len(plan.a) or b.ndim != len(plan.b):
        return None
    pairs = set(zip(plan.a + plan.b, a.shape + b.shape, strict=True))
    return dict(pairs) if len(pairs) == len({*plan.a, *plan.b}) else None


def _are_letters(term: str) -> bool:
    return term.isalpha() and len(set(term)) == len(term)
