"""`tf.print`: values as TensorFlow writes them, also from within programs, where they are printed at each call."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam.control.callbacks import ordered_effect
from hornbeam.core import scope
from hornbeam.core.op import is_box
from hornbeam.core.tensor import Tensor, is_traced, known_value
from hornbeam.core.variable import Variable

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_ESCAPES = {chr(i): f"\\{i:03o}" for i in (*range(32), 127)} | {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    '"': '\\"',
    "'": "\\'",
    "\\": "\\\\",
}
_ONE = jax.tree.structure([0])


def print(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> None:
    """Print values, to the error stream if no other `output_stream` is given, at every call of a program.

    Of each axis the first and last `summarize` elements are shown, -1 shows all. `output_stream` is a file, such as
    `sys.stdout`, a function of `logging`, or "file://path", which is appended to.

    >>> import sys
    >>> import hornbeam as tf
    >>> @tf.function
    ... def double(x):
    ...     tf.print("x is", x, output_stream=sys.stdout)
    ...     return 2 * x
    >>> _ = double(tf.constant([1.0, 2.5])), double(tf.range(8.0))
    x is [1 2.5]
    x is [0 1 2 ... 5 6 7]
    """
    leaves, tree = jax.tree.flatten([_listed(each) for each in inputs], is_leaf=_is_leaf)
    values = [_value(leaf) for leaf in leaves]
    write = _writer(output_stream)

    known = [value is not None for value in values]

    def show(*arrays: Any) -> object:
        following = iter(arrays)
        filled = [_Shown(next(following), summarize) if is_array else leaf for is_array, leaf in zip(known, leaves, strict=True)]  # fmt: skip
        if len(filled) == 1 and tree == _ONE and isinstance(filled[0], _Shown):
            return write(filled[0].alone() + end)
        parts = tree.unflatten(filled)
        return write(sep.join(each if type(each) is str else repr(each) for each in parts) + end)  # fmt: skip

    arrays = [value for value in values if value is not None]
    if any(map(is_traced, arrays)) or scope.is_tracing():
        ordered_effect(show, arrays)
    else:
        show(*arrays)


class _Shown:
    """An array in the place of a tensor."""

    def __init__(self, array: Any, summarize: int) -> None:
        self._array = np.asarray(array)
        self._summarize = summarize

    def __repr__(self) -> str:
        return as_text(self._array, self._summarize)

    def alone(self) -> str:
        """Return the text of the only value of a line: a string without quotes."""
        is_string = self._array.ndim == 0 and self._array.dtype == object
        return self._array.item().decode(errors="replace") if is_string else repr(self)


def as_text(array: Any, summarize: int = 3) -> str:
    """Return an array as TensorFlow prints it.

    >>> as_text(np.arange(6.0, dtype="float32") / 8, 2)
    '[0 0.125 ... 0.5 0.625]'
    """
    ends = array.size if summarize < 0 else min(summarize, array.size)
    return _joined(array, 0, array.ndim, ends)


def _joined(array: Any, depth: int, rank: int, ends: int) -> str:
    """Return the text of an axis, of which the first and last `ends` entries are shown."""
    if depth == rank:
        return _string(array) if isinstance(array, bytes) else _number(array.item(), array.dtype)
    count = len(array)
    is_row = depth == rank - 1
    between = " " if is_row else "\n" * (rank - 1 - depth) + " " * (depth + 1)
    shown = range(count) if count <= 2 * ends else (*range(ends), *range(count - ends, count))
    parts = [_joined(array[i], depth + 1, rank, ends) for i in shown]
    if count > 2 * ends:
        parts[ends:ends] = ["..."] if ends else ["", "..."]
    return f"[{between.join(parts)}]"


def _string(value: bytes) -> str:
    """Return a string in quotes, its quotes, backslashes and control characters escaped as in C."""
    return '"' + "".join(_ESCAPES.get(each, each) for each in value.decode(errors="replace")) + '"'


def _number(value: Any, dtype: Any) -> str:
    if isinstance(value, bytes):
        return _string(value)
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, float):
        return str(value)
    short, long = (15, 17) if dtype == np.float64 else (6, 9)
    text = f"{value:.{short}g}"
    kind = np.float64 if dtype == np.float64 else np.float32
    is_exact = value != value or kind(float(text)) == kind(value)
    return text if is_exact else f"{value:.{long}g}"


def _listed(value: Any) -> Any:
    """Return a value with each `range` in it as the list of its numbers."""
    if isinstance(value, list):
        return [_listed(each) for each in value]
    return list(value) if isinstance(value, range) else value


def _is_leaf(value: object) -> bool:
    return value is None or is_box(value) or not isinstance(value, (list, tuple, dict))


def _value(leaf: Any) -> Any:
    """Return the raw value of a tensor or variable, None for anything else."""
    if isinstance(leaf, Variable):
        leaf = leaf.read_value()
    if isinstance(leaf, Tensor):
        return known_value(leaf._value)
    return leaf if isinstance(leaf, jax.Array) else None


def _writer(stream: Any) -> Callable[[str], object]:
    """Return the function that writes a text."""
    if stream is None or stream is sys.stderr:
        return lambda text: _to_file(sys.stderr, text)
    if stream is sys.stdout:
        return lambda text: _to_file(sys.stdout, text)
    if isinstance(stream, str) and stream.startswith("file://"):
        return lambda text: _append(stream.removeprefix("file://"), text)
    if isinstance(stream, str) and (level := stream.removeprefix("log(").rstrip(")")) in _LEVELS:
        return lambda text: logging.getLogger("hornbeam").log(_LEVELS[level], text.rstrip("\n"))
    if hasattr(stream, "write"):
        return lambda text: _to_file(stream, text)
    if callable(stream):
        return stream
    raise ValueError(
        f'`output_stream` is sys.stderr, sys.stdout, a file, a function of logging or "file://path"; received {stream!r}.'
    )


def _to_file(file: Any, text: str) -> None:
    file.write(text)
    file.flush()


def _append(path: str, text: str) -> None:
    with open(path, "a") as file:
        file.write(text)
