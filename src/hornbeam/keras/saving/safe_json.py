"""JSON from files, with limits: size, depth, number of values and digits, and no key twice."""

from __future__ import annotations

import json
from typing import Any

MAX_BYTES = 64 << 20
MAX_VALUES = 2_000_000
_MAX_DEPTH = 200
_PER_CONTAINER = 10  # values; a container takes 56 bytes or more, however little of the file it is
_MAX_DIGITS = 400  # enough for every number that a float or an axis can be


def parse(data: bytes, place: str, max_bytes: int = MAX_BYTES, max_values: int = MAX_VALUES) -> Any:
    """Return what JSON text says. Raises ValueError, which names `place`, for broken text and for what is too much."""
    check_size(data, place, max_bytes, max_values)
    try:
        value = json.loads(
            data.decode("utf-8"),
            parse_int=_number(int),
            parse_float=_number(float),
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise ValueError(f"{place} is nested more than {_MAX_DEPTH} deep.") from None
    except ValueError as error:
        raise ValueError(f"{place} is no valid JSON: {error}.") from error
    _check_depth(value, place)
    return value


def check_size(
    data: bytes, place: str, max_bytes: int = MAX_BYTES, max_values: int = MAX_VALUES
) -> None:
    """Raise ValueError, which names `place`, for more JSON than is read; what stands in texts counts, too.

    A tenth of `max_values` may be lists and objects.
    """
    if len(data) > max_bytes:
        raise ValueError(f"{place} has {len(data)} bytes; at most {max_bytes} are read.")
    containers = data.count(b"[") + data.count(b"{")
    most = max_values // _PER_CONTAINER
    if containers > most or containers + data.count(b",") > max_values:
        raise ValueError(
            f"{place} holds more than {max_values} values, or {most} lists and objects."
        )


def text(value: Any, place: str) -> bytes:
    """Return a value as JSON text. Raises ValueError, which names `place`, for what `parse` would not read again."""
    try:
        data = json.dumps(value).encode()
    except TypeError as error:
        raise ValueError(f"{place} can't be written as JSON: {error}.") from error
    try:
        parse(data, place)
    except ValueError as error:
        error.add_note("So it would be refused when it is loaded, and is not saved.")
        raise
    return data


def _number(kind: Any) -> Any:
    def parsed(text: str) -> Any:
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} digits")
        return kind(text)

    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _check_depth(value: Any, place: str) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _MAX_DEPTH:
            raise ValueError(f"{place} is nested more than {_MAX_DEPTH} deep.")
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ]
