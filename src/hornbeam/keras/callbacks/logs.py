"""Logs: dicts of floats by metric name, read from the device as late as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Logs: TypeAlias = dict[str, Any] | None


def as_float(value: Any) -> Any:
    """Return a Python float where the value is one number, else the value itself (text, arrays)."""
    if isinstance(value, str):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def to_floats(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Logs as a new dict of Python floats, nested dicts flattened, sorted by name as in Keras.

    >>> to_floats({"loss": 1, "accuracy": 0.5})
    {'accuracy': 0.5, 'loss': 1.0}
    """
    result: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, Mapping):
            result.update(to_floats(value))
        else:
            result[name] = as_float(value)
    return result


class LazyLogs(dict[str, Any]):
    """The dict that batch hooks receive: it knows its names at once and fetches the values when one is first read.

    A real dict, because callbacks written for Keras copy, merge, format and JSON-encode their logs. A callback that only
    counts batches then costs no wait for the device.
    """

    __slots__ = ("_source",)

    def __init__(self, source: Mapping[str, Any] | None = None) -> None:
        # The names are stored now because C code (json, len) looks at the size of the dict itself.
        super().__init__(dict.fromkeys(source or ()))
        self._source = source

    def _load(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            super().clear()
            super().update(to_floats(source))

    def __iter__(self) -> Iterator[str]:
        # Not redundant: dict(logs) and {**logs} copy the stored values behind our back unless iteration is overridden.
        self._load()
        return super().__iter__()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _after_loading(name: str) -> Callable[..., Any]:
    method = getattr(dict, name)

    def loaded(self: LazyLogs, *args: Any, **kwargs: Any) -> Any:
        self._load()
        return method(self, *args, **kwargs)

    loaded.__name__ = name
    return loaded


_READING = (
    "__getitem__ __setitem__ __delitem__ __contains__ __len__ __eq__ __ne__ __repr__ __or__ __ror__ __ior__ "
    "__reversed__ get items values keys copy update setdefault pop popitem clear"
)
for _name in _READING.split():
    setattr(LazyLogs, _name, _after_loading(_name))
