"""Names of layers and variables: automatic ones, and the path that says where something was made."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager


class _Names(threading.local):
    def __init__(self) -> None:
        self.counts: dict[str, int] = defaultdict(int)
        self.path: list[str] = []


_names = _Names()


def snake_case(name: str) -> str:
    """Convert CamelCase to snake_case.

    >>> snake_case("MaxPooling2D"), snake_case("LSTM"), snake_case("ReLU")
    ('max_pooling2d', 'lstm', 're_lu')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def object_name(obj: object) -> str:
    """Return the name that logs show for a function or an object.

    It is the snake_case of a function's name, the `name` of an object, or the snake_case of its class.

    >>> from functools import partial
    >>> object_name(lambda: 1), object_name(partial(max)), object_name(len)
    ('lambda', 'partial', 'len')
    """
    if (function := getattr(obj, "__name__", None)) is not None:
        return snake_case(function)
    name = getattr(obj, "name", None)
    return snake_case(type(obj).__name__) if name is None else str(name)


def auto_name(prefix: str) -> str:
    """Return `prefix` the first time, then `prefix_1`, `prefix_2`, ..."""
    count = _names.counts[prefix]
    _names.counts[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def reset_names() -> None:
    """Restart the automatic names."""
    _names.counts.clear()


@contextmanager
def name_scope(name: str | None) -> Generator[str]:
    """Add `name` to the path of variables that are made within the context, which is bound to that path.

    A name with a slash at its end is a whole path, such as an earlier context was bound to; None is the empty path.

    >>> with name_scope("a") as outer, name_scope("b") as inner:
    ...     print(outer, inner)
    a/ a/b/
    """
    is_whole = not name or name.endswith("/")
    names = (name or "").rstrip("/")
    saved = _names.path
    _names.path = ([names] if names else []) if is_whole else [*saved, names]
    try:
        yield f"{current_path()}/" if _names.path else ""
    finally:
        _names.path = saved


@contextmanager
def path_scope(path: str | None) -> Generator[None]:
    """Set the path of variables that are made within the context, whatever scopes are open around it."""
    saved, _names.path = _names.path, [path] if path else []
    try:
        yield
    finally:
        _names.path = saved


def current_path() -> str:
    """Return the names of the open scopes, joined by a slash."""
    return "/".join(_names.path)
