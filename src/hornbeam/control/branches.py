"""Branches over tensors: `tf.cond`, `tf.case`, `tf.switch_case`.

Where the condition has a value, Python calls one of the functions. In a function that is being traced all of them are
traced, and the program chooses; what they assign to variables is chosen with what they return.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.control.parts import Part, assigned_by, run_as_one, states_before, trace_part
from hornbeam.core.block import Block
from hornbeam.core.jax_typed import switch
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import is_traced, known_value, unwrap
from hornbeam.core.typing import NumpyArray
from hornbeam.tensors.value_checks import check, check_unless


def choose(index: Any, functions: Sequence[Callable[[], Any]], names: Sequence[str]) -> Any:
    """Return `functions[index]()` for a traced index; the last function for one out of range.

    All functions are traced. Raises TypeError where they return different structures or types, and ValueError for
    different shapes; `names` are those of the functions in these errors.
    """
    parts = [trace_part(function, []) for function in functions]
    first, *others = (part.block for part in parts)
    for other, name in zip(others, names[1:], strict=True):
        _check_alike(first, other, names[0], name)
    assigned = assigned_by(parts)
    chosen = jnp.asarray(unwrap(index), "int32")
    ends = list(itertools.accumulate((len(part.inputs) for part in parts), initial=0))

    def program(index: jax.Array, *taken: Any) -> tuple[list[Any], list[Any]]:
        def branch(part: Part, begin: int, end: int) -> tuple[list[Any], list[Any]]:
            outputs, new = part.run(taken[begin:end], [], {})
            old = zip(assigned, taken[ends[-1] :], strict=True)
            return list(map(jnp.asarray, outputs)), [new.get(id(v), x) for v, x in old]

        sides = [partial(branch, *each) for each in zip(parts, ends, ends[1:], strict=False)]
        return switch(index, sides)

    taken = [each for part in parts for each in part.inputs]
    inputs = [(None, chosen), *taken, *states_before(parts, assigned)]
    return first.form.fill(run_as_one(program, inputs, assigned), lambda tensor: tensor)


def _check_alike(first: Block, other: Block, first_name: str, other_name: str) -> None:
    shown = (
        f"{first_name} returned {first.form.shown(first.types())}, {other_name} "
        f"{other.form.shown(other.types())}"
    )
    if not first.form.is_like(other.form):
        raise TypeError(
            f"{first_name} and {other_name} must return the same structure: {shown}. Return as many tensors from both."
        )
    for a, b in zip(first.types(), other.types(), strict=True):
        if a.dtype != b.dtype:
            raise TypeError(
                f"{first_name} and {other_name} must return the same types: {shown}. Cast one of them with tf.cast."
            )
        if a.shape != b.shape:
            raise ValueError(
                f"{first_name} and {other_name} must return the same shapes, for a program has fixed shapes: {shown}."
            )


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return `true_fn()` where `pred` holds, else `false_fn()`.

    In a traced function both are traced, and must return the same structure, types and shapes.

    >>> import hornbeam as tf
    >>> v = tf.Variable(0)
    >>> @tf.function
    ... def count_positive(x):
    ...     return tf.cond(x > 0, lambda: v.assign_add(1), lambda: v)
    >>> _ = count_positive(tf.constant(5)), count_positive(tf.constant(-5))
    >>> int(v)
    1
    """
    for argument, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            raise TypeError(f"`cond` needs a function as `{argument}`; received {function!r}.")
    assert true_fn is not None and false_fn is not None
    if isinstance(pred, KerasTensor):
        return ops.cond(pred, true_fn, false_fn)
    value = _condition(pred, "pred")
    if not is_traced(value):
        return true_fn() if bool(value) else false_fn()
    return choose(ops.where(value, 0, 1), [true_fn, false_fn], ["true_fn", "false_fn"])


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Return `fn()` of the first pair `(pred, fn)` whose condition holds, or `default()`.

    Raises InvalidArgumentError where no condition holds and there is no default, and with `exclusive` where several hold.

    >>> import hornbeam as tf
    >>> x = tf.constant(3)
    >>> int(tf.case([(x > 5, lambda: 1), (x > 2, lambda: 2)], default=lambda: 0))
    2
    """
    pairs = _pairs(pred_fn_pairs)
    functions = [function for _, function in pairs]
    if default is not None:
        functions.append(default)
    _check_callable("case", functions)
    values = [_condition(pred, "a condition") for pred, _ in pairs]
    least, most = int(default is None), 1 if exclusive else len(values)
    test = partial(_wrong_conditions, least, most)
    if not any(map(is_traced, values)):
        check(test, *values)
        for value, function in zip(values, functions, strict=False):
            if bool(value):
                return function()
        return functions[-1]()
    if least or exclusive:
        count = jnp.sum(jnp.stack([jnp.asarray(each, "int32") for each in values]))
        check_unless((count >= least) & (count <= most), test, *values)
    holds = jnp.stack([*map(jnp.asarray, values), jnp.asarray(True)])
    return choose(jnp.argmax(holds), functions, [f"function {i}" for i in range(len(functions))])


def switch_case(
    branch_index: Any,
    branch_fns: Any,
    default: Callable[[], Any] | None = None,
    name: str = "switch_case",
) -> Any:
    """Return `branch_fns[branch_index]()`; for an index out of range `default()`, or the last function.

    `branch_fns` is a list of functions, of pairs (index, function), or a dict.

    >>> import hornbeam as tf
    >>> [int(tf.switch_case(tf.constant(i), [lambda: 10, lambda: 20])) for i in (0, 1, 2)]
    [10, 20, 20]
    """
    functions = _by_index(branch_fns)
    _check_callable("switch_case", functions)
    count = len(functions)
    functions = [*functions, functions[-1] if default is None else default]
    index = known_value(unwrap(branch_index))
    if not is_traced(index):
        place = int(index)
        return functions[place if 0 <= place < count else count]()
    place = jnp.where((index < 0) | (index >= count), count, index)
    return choose(place, functions, [f"branch {i}" for i in range(len(functions))])


def _condition(pred: Any, what: str) -> Any:
    value = known_value(unwrap(pred))
    if callable(value):
        raise TypeError(f"Received a function, {value!r}, as {what}; expected a boolean tensor.")
    if jnp.ndim(value) and jnp.size(value) != 1:
        raise ValueError(
            f"Expected one boolean as {what}, received a tensor of shape {jnp.shape(value)}. Reduce it with "
            "tf.reduce_all or tf.reduce_any, or choose element by element with tf.where."
        )
    return jnp.reshape(value, ()) if jnp.ndim(value) else value


def _pairs(pred_fn_pairs: Any) -> list[tuple[Any, Callable[[], Any]]]:
    if isinstance(pred_fn_pairs, Mapping):
        deref = [getattr(key, "deref", lambda key=key: key)() for key in pred_fn_pairs]
        return list(zip(deref, pred_fn_pairs.values(), strict=True))
    pairs = list(pred_fn_pairs)
    if not pairs or not all(isinstance(each, tuple) and len(each) == 2 for each in pairs):
        raise ValueError(f"`case` needs pairs (condition, function); received {pairs!r}.")
    return pairs


def _by_index(branch_fns: Any) -> list[Callable[[], Any]]:
    if isinstance(branch_fns, Mapping):
        branch_fns = list(branch_fns.items())
    entries = list(branch_fns)
    if not entries:
        raise ValueError("`switch_case` needs at least one function.")
    if all(callable(each) for each in entries):
        return entries
    if not all(isinstance(each, tuple) and len(each) == 2 for each in entries):
        raise TypeError(
            f"`branch_fns` is a list of functions or of pairs (index, function); received {entries!r}."
        )
    by_index = {int(place): function for place, function in entries}
    if sorted(by_index) != list(range(len(entries))):
        raise ValueError(
            f"The indices of `branch_fns` must be 0 to {len(entries) - 1}, each once; received "
            f"{sorted(int(place) for place, _ in entries)}."
        )
    return [by_index[place] for place in range(len(entries))]


def _check_callable(name: str, functions: Sequence[object]) -> None:
    for each in functions:
        if not callable(each):
            raise TypeError(f"`{name}` needs functions; received {each!r}.")


def _wrong_conditions(least: int, most: int, *values: NumpyArray) -> str | None:
    """Return what is wrong with the conditions of `case`, of which `least` to `most` have to hold; or None."""
    count = sum(map(bool, values))
    shown = ", ".join(str(bool(each)) for each in values)
    if count > most:
        return f"Input error: exclusive=True: more than 1 conditions of `case` evaluated as True: {shown}."
    if count < least:
        return (
            f"Input error: None of conditions of `case` evaluated as True: {shown}. Pass `default`."
        )
    return None
