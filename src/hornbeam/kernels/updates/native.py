"""The native steps of all variables of a model at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import jax
import numpy as np

from hornbeam.kernels import embedding, native
from hornbeam.kernels.updates import reference
from hornbeam.kernels.updates.rules import UpdateRule

# The slots that the kernels know, by the name of the rule.
SLOTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "sgd": ((), ("momentum",)),
    "adam": (("momentum", "velocity"),),
    "rmsprop": (("velocity",), ("velocity", "momentum")),
}


@lru_cache(maxsize=256)
def kernel_of(
    rule: UpdateRule, decays: tuple[bool, ...], by_rows: tuple[bool, ...]
) -> Callable[..., native.Arrays]:
    """Return the kernel of a rule; `decays`: which variables decay, `by_rows`: whose gradient is (indices, dy)."""

    def by_formula(rates: jax.Array, *arrays: jax.Array) -> native.Arrays:
        return reference.update(rule, decays, rates, *_dense(by_rows, *arrays))

    fold = None if any(by_rows) else _fold
    return native.transformable(partial(_native, rule, decays, by_rows), by_formula, fold)


def _dense(by_rows: tuple[bool, ...], *arrays: jax.Array) -> native.Arrays:
    """Return the same arrays with a dense gradient in the place of each (indices, dy)."""
    rest = iter(arrays[: len(by_rows) + sum(by_rows)])
    values = arrays[len(by_rows) + sum(by_rows) :]
    dense = [
        embedding.gradient_reference(value.shape[0], next(rest), next(rest)) if each else next(rest)
        for each, value in zip(by_rows, values, strict=False)
    ]
    return (*dense, *values)


def _native(
    rule: UpdateRule,
    decays: tuple[bool, ...],
    by_rows: tuple[bool, ...],
    rates: jax.Array,
    *arrays: jax.Array,
) -> native.Arrays:
    count = len(decays)
    first = count + sum(by_rows)  # where the values begin
    changing = arrays[first:]
    results = tuple(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in changing)
    constants: dict[str, native.Attribute] = {
        name: value if isinstance(value, bool) else np.float64(value)
        for name, value in rule.constants
    }
    return native.call_in_place(
        f"update_{rule.name}",
        results,
        {1 + first + i: i for i in range(len(changing))},
        rates,
        *arrays,
        decayed=np.array(decays, np.int32),
        by_rows=np.array(by_rows, np.int32),
        slots=len(rule.slots),
        **constants,
    )


def _fold(
    f: Callable[..., native.Arrays], size: int, batched: Sequence[bool], *args: jax.Array
) -> native.Arrays | None:
    """Let variables become larger under vmap, as long as their rate is shared."""
    del size
    return None if batched[0] or not all(batched[1:]) else f(*args)
