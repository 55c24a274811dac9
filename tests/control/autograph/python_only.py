"""Compare each function of the table with its rewriting, on Python values: `python python_only.py`, under any Python.

Only the standard library is needed: neither the package's own `__init__` nor JAX is imported.
"""

from __future__ import annotations

import functools
import importlib
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Frames above the functions of the table.
OURS = ("python_only.py", "operators.py")
ROOT = Path(__file__).parents[3]


def load_without_package() -> None:
    """Make `hornbeam.control.autograph` importable without what stands in the packages around it."""
    for name, path in (("hornbeam", "src/hornbeam"), ("hornbeam.control", "src/hornbeam/control")):
        module = types.ModuleType(name)
        module.__path__ = [str(ROOT / path)]
        sys.modules[name] = module
    sys.path.insert(0, str(Path(__file__).parent))


def outcome(fn: Callable[..., Any], args: tuple[Any, ...], cases: Any) -> tuple[object, ...]:
    """Return what a call does: its value or error, the traceback, what it noted, the globals."""
    cases.LOG.clear()
    cases.COUNTER = 0
    vars(cases).pop("OTHER_COUNTER", None)
    result: tuple[object, ...]
    try:
        result = ("value", repr(fn(*args)))
    except Exception as error:
        # An operand of `and` is a lambda of its own.
        every = traceback.extract_tb(error.__traceback__)
        frames = [each for each in every if not each.filename.endswith(OURS)]
        result = (
            type(error),
            str(error),
            [each.lineno for each in frames],
            frames[0].name in (fn.__name__, "<lambda>"),
        )
    return (*result, repr(cases.LOG), cases.COUNTER, vars(cases).get("OTHER_COUNTER"))


def differences(cases: Any, operators: Any) -> Iterator[str]:
    """Yield a line for each call whose outcome is another after the conversion."""
    for name, case in cases.CASES.items():
        as_it_is = operators.call(case.fn) is case.fn
        converted = functools.wraps(case.fn)(functools.partial(operators.run, case.fn))
        if as_it_is != case.as_it_is:
            yield f"{name}: {'not ' if as_it_is else ''}converted"
        for args in case.calls or [()]:
            expected, got = outcome(case.fn, args, cases), outcome(converted, args, cases)
            if expected != got:
                yield f"{name}{args}\n  expected {expected}\n  got      {got}"


def main() -> None:
    """Run the table."""
    load_without_package()
    cases = importlib.import_module("cases")
    operators = importlib.import_module("hornbeam.control.autograph.operators").Operators()
    found = list(differences(cases, operators))
    assert "jax" not in sys.modules
    print(*found, f"{len(cases.CASES)} functions under Python {sys.version.split()[0]}", sep="\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
