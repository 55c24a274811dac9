"""The reader of safetensors: headers changed as JSON, numbers in them moved, lengths made right or wrong."""

from __future__ import annotations

import functools
import json
import struct
from pathlib import Path
from random import Random
from typing import Any

from hornbeam.keras.saving.safetensors import SafetensorsFile
from tests.fuzz.changes import NUMBERS, as_json, changed, changed_tree, number
from tests.fuzz.models import load_weights, saved
from tests.fuzz.targets import Call, target
from tests.hostile.watching import inspect

_TYPES = ["F32", "BF16", "BOOL", "F8_E5M2", "F8_E4M3", "I64", "U64", "F64", "F4", "C64", "f32", "", "V8", "object"]  # fmt: skip
_LEAVES: list[Any] = [*_TYPES, *NUMBERS, [0, 8], [8, 4], [0], [], [0, 0], [2] * 33, [1 << 62, 4], [0, 1 << 63], -1, 1.5, True, None, {}, "x"]  # fmt: skip


@functools.cache
def seeds() -> list[tuple[dict[str, Any], bytes]]:
    """Return headers with the bytes of their arrays."""
    small: dict[str, Any] = {"__metadata__": {"model": "x"}}
    end = 0
    for name, dtype, shape, size in (
        ("a", "F64", [2, 2], 32),
        ("b", "BOOL", [3], 3),
        ("c", "F32", [0], 0),
        ("d", "U8", [], 1),
        ("e", "BF16", [2], 4),
    ):
        small[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    return [(small, bytes(end)), _split(saved(".safetensors"))]


def _split(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    del header["__metadata__"]["hornbeam.crc32"]
    return header, data[8 + length :]


@target("w.safetensors")
def safetensors(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    header, arrays = draw.choice(seeds())
    kind = draw.randrange(6)
    text = (
        as_json(changed_tree(header, draw, _LEAVES if draw.randrange(3) else None))
        if kind < 4
        else json.dumps(header).encode()
    )
    text = changed(text, draw) if kind == 4 else text
    length = number(draw, len(text), 8) if draw.randrange(8) == 7 else len(text)
    data = (
        struct.pack("<Q", length)
        + text
        + (changed(arrays, draw) if draw.randrange(4) == 3 else arrays)
    )
    path = folder / "w.safetensors"
    path.write_bytes(data)
    return lambda: _read(path), lambda: inspect(path), lambda: load_weights(path)


def _read(path: Path) -> None:
    with path.open("rb") as stream:
        file = SafetensorsFile(stream, str(path))
        for each, read in ((e, e.read) for e in file.entries() if e.read is not None):
            assert read().shape == each.shape
