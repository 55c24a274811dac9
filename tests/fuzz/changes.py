"""Changes of bytes and of trees of JSON, as a `Draw` chooses them."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

from hornbeam.core.protobuf import varint

NUMBERS = [0, 1, 2, 63, 127, 128, 255, 1 << 14, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1]  # fmt: skip
HOW_MANY = [1, 1, 1, 2, 3, 8]

_LEAVES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 7, 255, 2**27, 2**31, 2**32, 2**36, 2**63, -(2**63), 10**30, 10**300,
    0.0, -0.5, 1.5, 1e308, float("nan"), float("inf"), -float("inf"),
    "", "a", "\0", "../x", "/etc/passwd", "relu", "same", "float32", "mixed_float16", "channels_first", "\ud800", "é" * 50, "x" * 2000, "ij,jk->ik",
    [], {}, [[]], [None], {"": None}, [1, 2, 3], [0], [-1, 0, 1], ["a", 1, None], [[1, [2, [3]]]], {"a": {"b": {}}},
    {"class_name": "Dense", "config": {"units": 2}}, {"class_name": "__tuple__", "items": [1]}, {"class_name": "function", "config": "relu"},
    {"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "float32"}}, {"class_name": "__keras_tensor__", "config": {"shape": [2, 3], "dtype": "float32", "keras_history": ["x", 0, 0]}},
]  # fmt: skip


def changed(data: bytes, draw: Random) -> bytes:
    """Return the data with a few changes."""
    out = bytearray(data)
    for _ in range(draw.choice(HOW_MANY)):
        kind = draw.randrange(7)
        at, end = sorted(draw.randrange(len(out) + 1) for _ in range(2))
        match kind:
            case 0 if out:
                out[at % len(out)] ^= 1 << draw.randrange(8)
            case 1 if out:
                out[at % len(out)] = draw.choice([0, 1, 0x7F, 0x80, 0xFF])
            case 2:
                out[at:at] = varint(draw.choice(NUMBERS))
            case 3:
                del out[at : min(end, at + draw.choice([1, 4, 64, 1 << 20]))]
            case 4:
                out[at:at] = out[at : min(end, at + 4096)]
            case 5:
                out[at : at + 1] = varint(draw.choice(NUMBERS))
            case _:
                out[at:at] = draw.randbytes(draw.choice([1, 2, 8]))
    return bytes(out[: 1 << 20])


def number(draw: Random, old: int, width: int) -> int:
    """Return another number of so many bytes: one of the interesting ones, one near the old one, or any."""
    near = [old + 1, old - 1, old * 2, old ^ 1 << draw.randrange(8 * width), draw.getrandbits(8 * width)]  # fmt: skip
    return draw.choice([*NUMBERS, *near]) & ((1 << 8 * width) - 1)


def put(out: bytearray, at: int, width: int, value: int) -> None:
    """Write a number in little-endian order, as far as there is room."""
    out[at : at + width] = struct.pack("<Q", value & ((1 << 64) - 1))[:width]


Place = tuple[Any, Any, Any]
"""A container, the key or index of one of its values, and the value."""


def places(tree: Any) -> list[Place]:
    """Return every place of a tree."""
    found: list[Place] = []
    left = [tree]
    while left:
        each = left.pop()
        pairs = (
            each.items()
            if isinstance(each, dict)
            else enumerate(each)
            if isinstance(each, list)
            else ()
        )
        for key, value in list(pairs):
            found.append((each, key, value))
            left.append(value)
    return found


def changed_tree(tree: Any, draw: Random, leaves: list[Any] | None = None) -> Any:
    """Return a tree of JSON with a few values replaced, removed, doubled, wrapped, or moved to other places."""
    root = [copy.deepcopy(tree)]
    for _ in range(draw.choice(HOW_MANY)):
        found = places(root)
        holder, key, value = draw.choice(found)
        _, _, other = draw.choice(found)
        _change(holder, key, value, other, draw, leaves or _LEAVES)
    return root[0]


def _change(holder: Any, key: Any, value: Any, other: Any, draw: Random, leaves: list[Any]) -> None:
    kind = draw.randrange(8)
    if kind == 3 and isinstance(holder, dict):
        del holder[key]
    elif kind == 4 and isinstance(holder, dict):
        holder[draw.choice([str(key).upper(), "", "name", "class_name", "config", "dtype"])] = value
    elif kind == 5:
        holder[key] = _wrapped(value, draw)
    elif kind == 6:
        holder[key] = copy.deepcopy(other)
    elif kind == 7 and isinstance(value, list) and value:
        value.insert(draw.randrange(len(value)), copy.deepcopy(draw.choice(value)))
    elif kind in (1, 2) and isinstance(value, int):
        holder[key] = draw.choice(
            [value + 1, value - 1, -value, value << 20, float(value), [value]]
        )
    else:
        holder[key] = copy.deepcopy(draw.choice(leaves))


def _wrapped(value: Any, draw: Random) -> Any:
    """Return the value inside of lists or objects; deep ones at times."""
    wrap: Callable[[Any], Any] = draw.choice([lambda x: [x], lambda x: {"config": x}])
    for _ in range(draw.choice([1, 1, 2, 150, 300])):
        value = wrap(value)
    return value


def changed_json(data: bytes, draw: Random) -> bytes:
    """Return JSON whose tree is changed, or whose text is."""
    if draw.randrange(8) == 7:
        return changed(data, draw)
    return as_json(changed_tree(json.loads(data), draw))


def as_json(tree: Any) -> bytes:
    """Return a tree as JSON; what stands too deep for Python's writer, as a text of brackets."""
    try:
        return json.dumps(tree).encode()
    except RecursionError:
        return b"[" * 5000
