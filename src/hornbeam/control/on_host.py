"""Functions that no program can compute: their Python runs at every call.

The shape of a result depends on values, strings are among the arguments, which live on the host, or a gradient goes back
through a loop whose number of turns depends on values.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from hornbeam.core import tensor, variable
from hornbeam.core.host import is_text, strings
from hornbeam.core.jax_typed import NEEDS_VALUES
from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.outputs import as_tensors
from hornbeam.core.segments import UnknownTurns
from hornbeam.core.strings import StringsOnHost
from hornbeam.core.tensor import convert_to_tensor

_HERE = str(Path(__file__).parents[1])
_LIBRARIES = (_HERE, *(str(Path(str(each.__file__)).parent) for each in (jax, np)))
# What user code asks a tensor or variable itself: `float(x)`, `if x`, `x.numpy()`.
_OF_TENSORS = (tensor.__file__, variable.__file__)
_TEXTS = (
    "needs the values of",  # errors of Hornbeam
    "Shapes must be 1D sequences of concrete values",
)


class OnHost:
    """A kind of arguments for which the Python function is called as it is."""

    def __init__(self, python_function: Callable[..., Any]) -> None:
        """`python_function` is not traced."""
        self.run = python_function

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what the function returns, numbers as tensors. The arrays of NumPy in the arguments become tensors."""
        tensors, named = tree_map(_as_tensor, (args, kwargs), is_leaf=is_box)
        return as_tensors(self.run(*tensors, **named))


def _as_tensor(leaf: Any) -> Any:
    if not isinstance(leaf, (np.ndarray, np.generic)):
        return leaf
    return strings(leaf) if is_text(leaf) else convert_to_tensor(leaf)


def needs_values(error: BaseException) -> bool:
    """Return whether a function of the library failed in a trace because the shape of its result depends on values.

    So are variables of strings. Values that the user's code itself asks for, as `float(x)` and `if x` do, are not meant.
    """
    chain = list(_chain(error))
    if any(isinstance(each, StringsOnHost) for each in chain):
        return True
    return _is_of_library(error) and any(map(_asks_for_values, chain))


def needs_turns(error: BaseException) -> bool:
    """Return whether a gradient goes through a loop with an unknown number of turns."""
    return any(isinstance(each, UnknownTurns) for each in _chain(error))


def _is_of_library(error: BaseException) -> bool:
    """Return whether the last frame of the user's called a function of the library."""
    frames = traceback.extract_tb(error.__traceback__)
    users = [i for i, each in enumerate(frames) if not each.filename.startswith(_LIBRARIES)]
    if not users:  # what the function returned needs values
        return True
    if users[-1] + 1 == len(frames):
        return False
    inner = frames[users[-1] + 1]
    is_asked = inner.filename in _OF_TENSORS and inner.name != "__getitem__"
    return inner.filename.startswith(_HERE) and not is_asked


def _asks_for_values(error: BaseException) -> bool:
    return isinstance(error, NEEDS_VALUES) or any(text in str(error) for text in _TEXTS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
