"""Whole numbers that are divided by 0: an error, as in TensorFlow, where a processor returns any number.

Outside of programs the divisor is looked at before the call. In a program that `tf.function` compiles it is looked at while
the program runs, and whoever called the program is told at its end.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core import effects
from hornbeam.core.error_types import invalid
from hornbeam.core.jax_typed import cond
from hornbeam.core.op import Prepare
from hornbeam.core.tensor import is_traced, known_value, unwrap
from hornbeam.core.typing import RawArray

_HARMLESS = frozenset((float, bool, str))
# What errors call the ops, after TensorFlow's kernels.
_TITLES = {
    "mod": "FloorMod",
    "truncate_divide": "TruncateDiv",
    "truncate_remainder": "TruncateMod",
}


def not_zero(fn: Callable[..., Any]) -> Prepare:
    """Return what checks the second argument of a division, for `@op(prepare=...)`."""
    first, second = list(inspect.signature(fn).parameters)[:2]
    title = _TITLES.get(fn.__name__, "FloorDiv")

    def prepared(
        args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if len(args) == 2:
            check(*args, title)
        elif {first, second} <= {*kwargs, *(first,) * len(args)}:
            check(args[0] if args else kwargs[first], kwargs[second], title)
        return args, kwargs

    return prepared


def check(dividend: Any, divisor: Any, title: str) -> None:
    """Raise InvalidArgumentError where both are whole numbers and one of the divisors is 0."""
    if type(divisor) in _HARMLESS or (type(divisor) is int and divisor != 0):
        return
    raw = unwrap(divisor)
    if not (_is_whole(raw) and _is_whole(unwrap(dividend))):
        return
    raw = known_value(raw) if isinstance(raw, jax.Array) else np.asarray(raw)
    if not is_traced(raw):
        _check_values(raw, title)
    elif effects.is_collecting():
        _check_later(raw, title)


def _check_later(divisors: RawArray, title: str) -> None:
    """Look at divisors while the program runs that is being traced.

    Python is called for a 0 only. It looks itself, because `vmap` makes both branches of a `cond` run.
    """
    report = effects.kept(partial(_check_values, title=title), lambda: None)

    def call(values: jax.Array) -> None:
        jax.debug.callback(report, values)

    def pass_by(values: jax.Array) -> None:
        """Do nothing."""

    cond(jnp.any(divisors == 0), call, pass_by, divisors)


def _is_whole(value: Any) -> bool:
    """Return whether a raw value holds whole numbers; symbolic tensors and what is no number do not."""
    if isinstance(value, (list, tuple)):
        values = cast("list[Any]", value)
        if any(hasattr(each, "shape") for each in values):
            return False
        try:
            return _kind(np.asarray(values)) in "iu"
        except ValueError:  # rows of different lengths, which the op refuses
            return False
    return type(value) is int or _kind(value) in "iu"


def _kind(value: Any) -> str:
    is_array = isinstance(value, (jax.Array, np.ndarray, np.generic))
    return cast("str", cast("Any", value).dtype.kind) if is_array else "?"


def _check_values(divisors: Any, title: str) -> None:
    found = np.asarray(divisors)
    if found.all():
        return
    place = np.argwhere(found == 0)[0].tolist()
    where = f" at {place}" if place else ""
    raise invalid(
        f"Integer division by zero: the divisor is 0{where}. Take another one there: tf.where(y == 0, 1, y). [Op:{title}]"
    )
