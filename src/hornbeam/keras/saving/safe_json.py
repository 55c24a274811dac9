"""JSON from files, with limits: depth, number of values and digits."""

from __future__ import annotations

import json
from typing import Any

MAX_BYTES = 64 << 20
_MAX_DEPTH = 200
_MAX_VALUES = 2_000_000
_MAX_DIGITS = 400  # enough for every number that a float or an axis can be


def parse(data: bytes, place: str) -> Any:
    """Return what JSON text says. Raises ValueError, which names `place`, for broken text and for what is too much."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"{place} has {len(data)} bytes; at most {MAX_BYTES} are read.")
    if sum(map(data.count, (b",", b"[", b"{"))) > _MAX_VALUES:
        raise ValueError(f"{place} holds more than {_MAX_VALUES} values.")
    try:
        value = json.loads(data.decode("utf-8"), parse_int=_number(int), parse_float=_number(float))
    except RecursionError:
        raise ValueError(f"{place} is nested more than {_MAX_DEPTH} deep.") from None
    except ValueError as error:
        raise ValueError(f"{place} is no valid JSON: {error}.") from error
    _check_depth(value, place)
    return value


def _number(kind: Any) -> Any:
    def parsed(text: str) -> Any:
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"a number of {len(text)} digits")
        return kind(text)

    return parsed


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
        ]
