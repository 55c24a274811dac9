"""Values that were kept beyond the end of the program that made them, and how that is told."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import jax

from hornbeam.core.user_code import is_library

# JAX says where the function stands whose trace has ended.
_MADE_BY = re.compile(r"when the value leaked was (\S+) at (\S+):(\d+) traced for")


def name_as(traced: Callable[..., Any], fn: Callable[..., Any]) -> None:
    """Let JAX name the user's `fn` where it tells which function `traced` stands for."""
    fn = inspect.unwrap(fn)
    while isinstance(fn, functools.partial):
        fn = inspect.unwrap(fn.func)
    if hasattr(fn, "__code__") or hasattr(fn, "__func__"):
        vars(traced)["__wrapped__"] = getattr(fn, "__func__", fn)


def maker(error: jax.errors.UnexpectedTracerError) -> str:
    """Return the name and place of the function that made the value, in the words " 'f' (file.py:3)"; empty where it is none of the user's."""
    found = _MADE_BY.search(str(error))
    if found is None:
        return ""
    name, file, line = found.groups()
    return "" if is_library(file) else f" {name!r} ({file}:{line})"


@contextmanager
def told() -> Generator[None]:
    """Raise TypeError in the place of JAX's error about a value that was kept too long."""
    try:
        yield
    except jax.errors.UnexpectedTracerError as error:
        raise leaked(error) from error


def leaked(error: jax.errors.UnexpectedTracerError) -> TypeError:
    """Return the error to raise in place of JAX's."""
    said = leak(error)
    return TypeError(f"{said[0].upper()}{said[1:]}.")


def leak(error: jax.errors.UnexpectedTracerError) -> str:
    """Return what happened and what to do instead."""
    return (
        f"a tensor was kept beyond the end of the compiled function{maker(error)} that made it. Return it from that "
        "function, or assign it to a tf.Variable"
    )
