"""The table of functions with control flow over tensors, which a compiled function runs as Python does on values.

`test_programs.py` compares. What a program can't do is in `test_refused.py` and `test_tensors.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CASES: dict[str, tuple[Callable[..., Any], list[Any]]] = {}


def case(*arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add a function of one number to the table, with the numbers to call it with."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        CASES[fn.__name__] = fn, list(arguments)
        return fn

    return add


class Obj:
    """An object with attributes, and a method that changes one."""

    def __init__(self, x):
        self.x = x
        self.n = None

    def bump(self, d):
        self.x = self.x + d

    def getx(self):
        return self.x
