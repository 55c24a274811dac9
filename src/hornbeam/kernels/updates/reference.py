"""The steps of all variables of a model by the rules' formulas."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from hornbeam.kernels.native import Arrays
from hornbeam.kernels.updates.rules import UpdateRule, decayed


def update(
    rule: UpdateRule, decays: Sequence[bool], rates: jax.Array, *arrays: jax.Array
) -> Arrays:
    """Return new values, then new slots; arrays: gradients, values, then slot by slot those of all variables."""
    count = len(decays)
    rows = [arrays[i : i + count] for i in range(0, len(arrays), count)]
    new_rows: list[list[jax.Array]] = [[] for _ in rows[1:]]
    for i, decay in enumerate(decays):
        gradient, value, *old = (row[i] for row in rows)
        value = decayed(value, rates[1]) if decay else value
        value, new = rule(gradient, value, dict(zip(rule.slots, old, strict=True)), rates[0])
        for row, array in zip(new_rows, (value, *(new[s] for s in rule.slots)), strict=True):
            row.append(array)
    return tuple(array for row in new_rows for array in row)
