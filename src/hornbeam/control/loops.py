"""Loops over tensors: `tf.while_loop`, `tf.map_fn`, `tf.scan`, `tf.foldl`, `tf.foldr`.

Where values are known, Python runs the loop. In a function that is being traced the body is traced once, by
`control.turns`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.control import turns
from hornbeam.core import scope
from hornbeam.core.op import is_box
from hornbeam.core.outputs import Form, as_tensors, flat_outputs
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import convert_to_tensor, is_traced, known_value, unwrap


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat `body` on `loop_vars`, a list or tuple, as long as `cond` holds; return their last values.

    In a traced function the shapes and types of `loop_vars` can't change; a gradient through the loop needs a known
    number of turns (`tf.scan`, `tf.map_fn`, or a Python loop).

    >>> import hornbeam as tf
    >>> i, power = tf.while_loop(lambda i, p: i < 5, lambda i, p: (i + 1, p * 2), (0, 1))
    >>> int(power)
    32
    """
    if not callable(cond) or not callable(body):
        raise TypeError("'cond' and 'body' of `while_loop` must be callable.")
    if _has_symbols(loop_vars):
        return ops.while_loop(cond, body, loop_vars, maximum_iterations)
    if not isinstance(loop_vars, (list, tuple)) or not loop_vars:
        raise ValueError(f"`loop_vars` is a list or tuple of tensors; received {loop_vars!r}.")
    variables: Any = as_tensors(loop_vars)
    if not _is_staged(variables, maximum_iterations):
        left = None if maximum_iterations is None else int(known_value(unwrap(maximum_iterations)))
        while left is None or left > 0:
            test = known_value(unwrap(cond(*variables)))
            if is_traced(test):
                break
            if not bool(test):
                return variables
            variables = as_tensors(_sequence_like(variables, body(*variables)))
            left = None if left is None else left - 1
        else:
            return variables
        maximum_iterations = left
    return turns.repeat(
        lambda values: cond(*values),
        lambda values: _sequence_like(values, body(*values)),
        variables,
        maximum_iterations,
    )


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Return `fn` of each slice of `elems` along the first axis, stacked.

    `elems` may be a structure of tensors of equally many slices; the results have the types that `fn` returns.

    >>> import hornbeam as tf
    >>> tf.map_fn(lambda x: x * x, tf.constant([1, 2, 3])).numpy()
    array([1, 4, 9], dtype=int32)
    """
    if _has_symbols(elems):
        return ops.map(fn, elems)
    elems = as_tensors(elems)
    count = _length("map_fn", elems)
    if _is_staged(elems) or not count:
        return turns.over(lambda _, x: ((), fn(x)), (), elems)[1]
    return _stacked([fn(_slice(elems, i)) for i in range(count)])


def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Return all values of a = fn(a, x) for the slices x of `elems`, stacked.

    a starts as `initializer`, or as the first slice.

    >>> import hornbeam as tf
    >>> tf.scan(lambda a, x: a + x, tf.constant([1, 2, 3])).numpy()
    array([1, 3, 6], dtype=int32)
    """
    first, elems, rest = _accumulation("scan", elems, initializer, reverse)
    if not _is_staged((first, elems)):
        values = [] if initializer is not None else [first]
        before, form = flat_outputs(first)
        for i in rest:
            first = as_tensors(fn(first, _slice(elems, i)))
            after, kind = flat_outputs(first)
            if not form.is_like(kind):
                raise ValueError(
                    f"The body of `scan` must return the structure that the loop begins with, {form.shown(before)}; it "
                    f"returned {kind.shown(after)}."
                )
            values.append(first)
        return _stacked(values[::-1] if reverse else values)

    def step(a: Any, x: Any) -> Any:
        a = fn(a, x)
        return a, a

    _, all_values = turns.over(step, first, _part(elems, rest), reverse)
    if initializer is not None:
        return all_values
    return _joined(first, all_values, reverse)


def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Return the last value of a = fn(a, x) for the slices x of `elems`, from the first to the last.

    >>> import hornbeam as tf
    >>> int(tf.foldl(lambda a, x: a - x, tf.constant([1, 2, 3])))
    -4
    """
    return _fold("foldl", fn, elems, initializer, False)


def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Return the last value of a = fn(a, x) for the slices x of `elems`, from the last to the first.

    >>> import hornbeam as tf
    >>> int(tf.foldr(lambda a, x: a - x, tf.constant([1, 2, 3])))
    0
    """
    return _fold("foldr", fn, elems, initializer, True)


def vectorized_map(
    fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """Return `fn` of all slices of `elems` along the first axis at once, stacked.

    >>> import hornbeam as tf
    >>> tf.vectorized_map(lambda x: x * x, tf.constant([1, 2, 3])).numpy()
    array([1, 4, 9], dtype=int32)
    """
    return ops.vectorized_map(fn, elems)


def _fold(name: str, fn: Callable[..., Any], elems: Any, initializer: Any, reverse: bool) -> Any:
    value, elems, rest = _accumulation(name, elems, initializer, reverse)
    if not _is_staged((value, elems)):
        for i in rest:
            value = as_tensors(fn(value, _slice(elems, i)))
        return value
    return turns.over(lambda a, x: (fn(a, x), ()), value, _part(elems, rest), reverse)[0]


def _accumulation(name: str, elems: Any, initializer: Any, reverse: bool) -> tuple[Any, Any, range]:
    """Return the first value, the elements, and the places of those that follow, in order."""
    elems = as_tensors(elems)
    count = _length(name, elems)
    places = range(count - 1, -1, -1) if reverse else range(count)
    if initializer is not None:
        return as_tensors(initializer), elems, places
    if not count:
        raise ValueError(f"`{name}` over nothing needs an `initializer`.")
    return _slice(elems, places[0]), elems, places[1:]


def _is_staged(*values: Any) -> bool:
    """Return whether a loop over `values` is a part of a program that is being traced."""
    leaves = jax.tree.leaves(values)
    return scope.is_tracing() or any(is_traced(known_value(leaf)) for leaf in leaves)


def _has_symbols(values: Any) -> bool:
    leaves = jax.tree.leaves(values, is_leaf=is_box)
    return any(isinstance(leaf, KerasTensor) for leaf in leaves)


def _sequence_like(variables: Any, values: Any) -> Any:
    """Return what a body returned in the form of `loop_vars`; one value may stand alone."""
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) != len(variables):
        raise ValueError(
            f"The body of `while_loop` returned {len(values)} values for {len(variables)} `loop_vars`."
        )
    return type(variables)(*values) if hasattr(variables, "_fields") else type(variables)(values)


def _length(name: str, elems: Any) -> int:
    tensors = jax.tree.leaves(elems, is_leaf=is_box)
    if not tensors or any(not each.shape for each in tensors):
        raise ValueError(
            f"`{name}` goes over the first axis of `elems`: tensors of at least one axis; received "
            f"{[tuple(each.shape) for each in tensors]}."
        )
    lengths = sorted({each.shape[0] for each in tensors})
    if len(lengths) > 1:
        raise ValueError(f"The tensors in `elems` of `{name}` have {lengths} slices; expected equally many.")  # fmt: skip
    return lengths[0]


def _slice(elems: Any, place: Any) -> Any:
    values, form = flat_outputs(elems)
    return form.fill([convert_to_tensor(value)[place] for value in values], lambda x: x)


def _part(elems: Any, places: range) -> Any:
    """Return the slices at `places`, in their own order."""
    ends = sorted((places[0], places[-1])) if places else [0, -1]
    return _slice(elems, slice(ends[0], ends[1] + 1))


def _stacked(results: list[Any]) -> Any:
    columns = [flat_outputs(each) for each in results]
    form: Form = columns[0][1]
    stacked = [ops.stack(list(map(convert_to_tensor, each))) for each in zip(*(c for c, _ in columns), strict=True)]  # fmt: skip
    return form.fill(stacked, lambda x: x)


def _joined(first: Any, others: Any, reverse: bool) -> Any:
    """Return the first value and the others, stacked."""
    heads, form = flat_outputs(first)
    tails, _ = flat_outputs(others)
    rows = [(jnp.expand_dims(head, 0), tail) for head, tail in zip(heads, tails, strict=True)]
    return form.fill([ops.concatenate(list(row[::-1] if reverse else row)) for row in rows], lambda x: x)  # fmt: skip
