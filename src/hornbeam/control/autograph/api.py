"""`tf.autograph`: what the rewriting makes of a function, and how to keep a function from it."""

from __future__ import annotations

import enum
import functools
import inspect
import logging
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from hornbeam.control.autograph import calls, source
from hornbeam.control.autograph.finding import CannotRewrite
from hornbeam.control.autograph.runtime import OPERATORS


class Feature(enum.Enum):
    """The optional features of TensorFlow's AutoGraph: accepted where functions take them, without effect."""

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"


def to_code(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> str:
    """Return the source that a function is rewritten to when a `tf.function` is traced.

    Raises ValueError for a function that runs as it is, with the reason.

    >>> import hornbeam as tf
    >>> tf.autograph.to_code(len)
    Traceback (most recent call last):
        ...
    ValueError: <built-in function len> runs as it is: it is not a Python function with a source.
    """
    fn = _python_function(entity)
    try:
        return textwrap.dedent(source.to_source(fn)) + "\n"
    except CannotRewrite as error:
        raise ValueError(f"{entity!r} runs as it is: {error}") from None


def to_graph(
    entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None
) -> Callable[..., Any]:
    """Return a function rewritten: its `if`, `while` and `for` over tensors are parts of the program being traced.

    `tf.function` does this by itself. Raises ValueError for a function that runs as it is, with the reason.
    """
    fn = _python_function(entity)
    try:
        return source.convert(fn, OPERATORS)
    except CannotRewrite as error:
        raise ValueError(f"{entity!r} runs as it is: {error}") from None


def _python_function(entity: Any) -> Any:
    fn = getattr(entity, "python_function", entity)
    fn = getattr(fn, "__func__", fn)
    if not inspect.isfunction(fn):
        raise ValueError(f"{entity!r} runs as it is: it is not a Python function with a source.")
    return fn


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Let a function run as it is where a `tf.function` calls it; also a decorator.

    >>> import hornbeam as tf
    >>> @tf.autograph.experimental.do_not_convert
    ... def double(x):
    ...     return 2 * x
    >>> int(tf.function(double)(tf.constant(2)))
    4
    """
    if func is None:
        return do_not_convert

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    setattr(call, calls.NOT_CONVERTED, True)
    return call


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """Set how much the rewriting logs: from 1 on, what runs as it is and why, on the logger "hornbeam.autograph"."""
    if not isinstance(level, int):
        raise TypeError(f"`level` is a whole number; received {level!r}.")
    logger = calls.logger
    logger.setLevel(logging.DEBUG if level >= 1 else logging.WARNING)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    if level >= 1:
        logger.addHandler(logging.StreamHandler())


def set_loop_options(
    parallel_iterations: Any = None,
    swap_memory: Any = None,
    maximum_iterations: Any = None,
    shape_invariants: Any = None,
) -> None:
    """Accept TensorFlow's options of the loop around the call, which change nothing: shapes in a program are fixed."""


def trace(*args: Any) -> None:
    """Print the arguments when a function is traced."""
    sys.stdout.write(" ".join(map(str, args)) + "\n")
