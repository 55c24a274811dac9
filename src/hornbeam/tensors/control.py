"""Branches, loops and mapping over tensors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.core.tensor import is_traced, unwrap


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """`true_fn()` where `pred` holds, else `false_fn()`."""
    if true_fn is None or false_fn is None:
        raise TypeError("cond needs both `true_fn` and `false_fn`.")
    value = unwrap(pred)
    if is_traced(value):
        return ops.cond(pred, true_fn, false_fn)
    return true_fn() if bool(value) else false_fn()


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: int | None = None,
    name: str | None = None,
) -> Any:
    """`body` repeated on `loop_vars` as long as `cond` holds."""
    return ops.while_loop(cond, body, loop_vars, maximum_iterations=maximum_iterations)


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
    """`fn` of each slice along the first axis, stacked."""
    return ops.map(fn, elems)


def vectorized_map(
    fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """`fn` of all slices along the first axis at once."""
    return ops.vectorized_map(fn, elems)


def print(*inputs: Any, **kwargs: Any) -> None:
    """Print values to the error stream, as TensorFlow does; `output_stream` and `end` as there."""
    stream = kwargs.get("output_stream") or sys.stderr
    stream.write(
        kwargs.get("sep", " ").join(str(_plain(each)) for each in inputs) + kwargs.get("end", "\n")
    )


def _plain(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else value
