"""JSON out of files that need not be trusted: bounded in size, depth, number of values and digits."""

from __future__ import annotations

import json
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

LARGEST = 64 << 20  # bytes
DEEPEST = 200
_CONTAINERS = 200_000  # each takes 56 bytes or more, however little of the file it is
_VALUES = 4_000_000
_DIGITS = 40


def read_json(data: bytes, what: str, largest: int = LARGEST) -> Json:
    """Return the value of a JSON text.

    Raises ValueError, naming `what`, for a text that is no JSON in UTF-8, is larger than `largest` bytes, nested deeper
    than 200, has too many values, an integer of more than 40 digits, or a key twice.

    >>> read_json(b'{"a": [1, 2]}', "config.json")
    {'a': [1, 2]}
    >>> read_json(b'{"a": 1, "a": 2}', "config.json")
    Traceback (most recent call last):
        ...
    ValueError: config.json is not read: the key 'a' stands twice in one object.
    """
    try:
        _check_size(data, largest)
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_int=_bounded)
        _check_depth(value)
    except UnicodeDecodeError as error:
        raise ValueError(f"{what} is damaged: it is no text in UTF-8 ({error}).") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{what} is damaged: it is no JSON ({error}).") from None
    except RecursionError:
        raise ValueError(f"{what} is not read: {_TOO_DEEP}.") from None
    except _RefusedError as error:
        raise ValueError(f"{what} is not read: {error}.") from None
    return value


_TOO_DEEP = f"it is nested deeper than {DEEPEST}"


class _RefusedError(Exception):
    """Why a text is not read."""


def _check_size(data: bytes, largest: int) -> None:
    """Refuse what would take much more memory than its text, before any of it is made."""
    if len(data) > largest:
        raise _RefusedError(f"it has {len(data)} bytes, more than the {largest} that are read")
    containers = data.count(b"[") + data.count(b"{")
    values = data.count(b",") + containers
    # Those in texts count, too; no file comes near.
    if containers > _CONTAINERS or values > _VALUES:
        raise _RefusedError(f"it has about {values} values, {containers} of them lists or objects")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise _RefusedError(f"the key {twice!r} stands twice in one object")
    return found


def _bounded(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise _RefusedError(f"an integer in it has {len(digits)} digits")
    return int(digits)


def _check_depth(value: Json) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise _RefusedError(_TOO_DEEP)
