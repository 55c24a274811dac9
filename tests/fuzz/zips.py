"""The reader of zip archives, and whole models in them: headers and directory changed field by field, checksums right."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from random import Random

from hornbeam import keras
from hornbeam.keras.saving.zips import ZipReader
from tests.fuzz.changes import HOW_MANY, changed, changed_json, number
from tests.fuzz.targets import Call, target
from tests.hostile.attack import good
from tests.hostile.watching import inspect

# Of a local header and of an entry of the directory: names and widths.
_COMMON = [("needs", 2), ("flags", 2), ("method", 2), ("time", 2), ("date", 2), ("crc", 4), ("stored", 4), ("size", 4), ("name", 2), ("extra", 2)]  # fmt: skip
_CENTRAL = [
    ("made", 2),
    *_COMMON,
    ("comment", 2),
    ("disk", 2),
    ("inner", 2),
    ("outer", 4),
    ("place", 4),
]
_END = [
    ("disk", 2),
    ("first", 2),
    ("here", 2),
    ("count", 2),
    ("length", 4),
    ("start", 4),
    ("comment", 2),
]
_END64 = [("left", 8), ("made", 2), ("needs", 2), ("disk", 4), ("first", 4), ("here", 8), ("count", 8), ("length", 8), ("start", 8)]  # fmt: skip
_LOCATOR = [("disk", 4), ("end64", 8), ("disks", 4)]
_NAMES = [
    "config.json",
    "model.weights.h5",
    "../x",
    "/x",
    "assets/x",
    "",
    "a" * 300,
    "\0",
    "C:x",
    "x\\y",
    "é",
]

Fields = dict[str, int]


def _packed(magic: bytes, layout: list[tuple[str, int]], values: Fields) -> bytes:
    return magic + b"".join(
        struct.pack("<Q", values.get(name, 0) & (1 << 64) - 1)[:width] for name, width in layout
    )


class _Zip:
    """An archive of which each field may be changed when it is written."""

    def __init__(self, members: dict[str, bytes], draw: Random) -> None:
        self._draw = draw
        self._members = list(members.items())
        self._is_long = draw.randrange(4) == 3
        self._left = draw.choice([0, *HOW_MANY])  # changes
        self._chance = draw.choice([1, 4, 16])

    def _fields(self, layout: list[tuple[str, int]], values: Fields) -> Fields:
        """Return the values, one of them changed at times."""
        if self._left and not self._draw.randrange(self._chance):
            self._left -= 1
            name, width = self._draw.choice(layout)
            values = {**values, name: number(self._draw, values.get(name, 0), width)}
        return values

    def data(self) -> bytes:
        """Return the archive."""
        draw, body, directory = self._draw, b"", b""
        members = list(self._members)
        if draw.randrange(8) == 7:
            members.append(draw.choice(members))
        for name, data in members:
            if draw.randrange(16) == 15:
                name = draw.choice(_NAMES)
            raw = name.encode()
            packed, method = data, 0
            if draw.randrange(4) == 3:
                packer = zlib.compressobj(9, wbits=-15)
                packed, method = packer.compress(data) + packer.flush(), 8
                packed = changed(packed, draw) if draw.randrange(8) == 7 else packed
            values = {"needs": 20, "flags": 0x800, "method": method, "date": 33, "crc": zlib.crc32(data), "stored": len(packed), "size": len(data), "name": len(raw)}  # fmt: skip
            central, extra = {**values, "place": len(body)}, b""
            if draw.randrange(4) == 3:
                long = self._fields([("size", 8), ("stored", 8), ("place", 8)], central)
                names = draw.sample(["size", "stored", "place"], draw.randrange(4))
                inner = b"".join(struct.pack("<Q", long[each]) for each in ("size", "stored", "place") if each in names)  # fmt: skip
                extra = (
                    struct.pack("<HH", 1, draw.choice([len(inner), len(inner), 0, 0xFFFF])) + inner
                )
                central.update(dict.fromkeys(names, 4294967295), extra=len(extra))
            local = self._fields(_COMMON, values)
            directory += _packed(b"PK\1\2", _CENTRAL, self._fields(_CENTRAL, central)) + raw + extra
            body += _packed(b"PK\3\4", _COMMON, local) + raw + packed
        return body + directory + self._end(len(members), len(body), len(directory))

    def _end(self, count: int, start: int, length: int) -> bytes:
        values = {"here": count, "count": count, "length": length, "start": start}
        tail = b""
        if self._is_long:
            end64 = _packed(b"PK\6\6", _END64, self._fields(_END64, {**values, "left": 44, "needs": 45}))  # fmt: skip
            locator = self._fields(_LOCATOR, {"end64": start + length, "disks": 1})
            tail = end64 + _packed(b"PK\6\7", _LOCATOR, locator)
        comment = self._draw.choice([b"", b"", b"x" * 30, b"PK\5\6" + bytes(18), b"PK\5\6"])
        end = self._fields(_END, {**values, "comment": len(comment)})
        return tail + _packed(b"PK\5\6", _END, end) + comment


@target("m.keras")
def zip(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    """Small members, all of whose bytes are read."""
    data = _Zip(
        {"config.json": b'{"a": 1}', "b": bytes(range(256)) * 8, "assets/c": b""}, draw
    ).data()
    path = folder / "m.keras"
    path.write_bytes(changed(data, draw) if draw.randrange(4) == 3 else data)
    return lambda: _read(path)


def _read(path: Path) -> None:
    with path.open("rb") as stream:
        opened = ZipReader(stream, str(path))
        for name in opened.members:
            for act in (opened.check, lambda each: opened.read(each, 5000), _through(opened)):
                try:
                    act(name)
                except ValueError as error:
                    assert path.name in str(error), f"{error!r} does not name the file"


def _through(opened: ZipReader) -> object:
    def read(name: str) -> None:
        with opened.open(name) as member:
            member.read()
            member.seek(opened.members[name].size // 2)
            member.read(7)

    return read


@target("m.keras", smoke=5)
def keras_archive(draw: Random, folder: Path) -> Call | tuple[Call, ...]:
    """Whole models, loaded and inspected."""
    members = dict(good())
    kind = draw.randrange(4)
    if kind == 1:
        members["config.json"] = changed_json(members["config.json"], draw)
    elif kind == 2:
        members["metadata.json"] = changed_json(members["metadata.json"], draw)
    elif kind == 3:
        members["model.weights.h5"] = changed(members["model.weights.h5"], draw)
    path = folder / "m.keras"
    path.write_bytes(_Zip(members, draw).data())
    return lambda: inspect(path), lambda: keras.saving.load_model(path)
