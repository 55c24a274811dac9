"""Computations fused with the one before them, while a program is traced.

A kernel that can be computed together with what often follows it (a product with its bias and relu, a convolution with
its pooling) offers that beside its result; what follows asks its input for the offer and takes it instead of computing
on the input. The input itself is then unused, and XLA drops it. Nothing has to be known about layers: it works in
Sequential, functional and subclassed models, and in plain functions.

A variable that mixed precision reads in a narrow type offers the `wide` value that it stores.

Where the input is used elsewhere too, it is computed twice; outside of compiled programs, where nothing is dropped, there
are no offers.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax import lax
from jax.core import Tracer

# By the identity of the value; an entry goes when its value does.
_offers: dict[int, tuple[weakref.ref[Any], Mapping[str, Callable[..., Any]]]] = {}


def offer(value: jax.Array, **fused: Callable[..., Any]) -> jax.Array:
    """Return `value`; while it lives, `fused[name](...)` is what to compute instead of `name` on it.

    The functions must not refer to `value`, or it would live for ever.
    """
    if _is_compiling(value):
        key = id(value)
        _offers[key] = (weakref.ref(value, lambda _: _offers.pop(key, None)), fused)
    return value


def taken(value: Any, name: str, *args: Any) -> Any:
    """What was offered for `name` on `value`, computed; None where there is no offer, or it declines."""
    found = _offers.get(id(value))
    if found is None or found[0]() is not value or name not in found[1]:
        return None
    return found[1][name](*args)


def _is_compiling(value: Any) -> bool:
    """Whether `value` stands for one that a compiled program will compute: unused values then cost nothing.

    A tracer alone does not say so: gradients of plain Python code have tracers too. What is made of constants is a
    tracer only inside `jax.jit` and its kin.
    """
    return isinstance(value, Tracer) and isinstance(lax.full((), 0.0), Tracer)
