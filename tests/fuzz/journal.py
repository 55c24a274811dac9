"""What a process that fuzzes leaves behind, even when it dies: the number of runs, and the input of the last."""

from __future__ import annotations

import json
import mmap
import struct
import time
from pathlib import Path
from typing import Any

_ROOM = 1 << 16
_HEAD = struct.Struct("<QdQ")


class Journal:
    """Two files: one of a fixed size that is mapped, one of lines of JSON."""

    def __init__(self, path: Path) -> None:
        """`path` is without an ending. What is there is gone on with."""
        self._lines = path.with_suffix(".jsonl")
        with path.with_suffix(".last").open("a+b") as file:
            file.truncate(_ROOM)
            self._map = mmap.mmap(file.fileno(), _ROOM)
        self._counted = 0.0

    def begin(self, data: bytes) -> None:
        """Note a run before it begins."""
        data = data[: _ROOM - _HEAD.size]
        now = time.process_time()
        _HEAD.pack_into(self._map, 0, self.runs + 1, self.seconds + now - self._counted, len(data))
        self._map[_HEAD.size : _HEAD.size + len(data)] = data
        self._counted = now

    @property
    def runs(self) -> int:
        """How many runs were begun."""
        return _HEAD.unpack_from(self._map)[0]

    @property
    def seconds(self) -> float:
        """Processor time of all processes that began runs."""
        return _HEAD.unpack_from(self._map)[1]

    @property
    def last(self) -> bytes:
        """The input of the last run."""
        size = _HEAD.unpack_from(self._map)[2]
        return self._map[_HEAD.size : _HEAD.size + size]

    def note(self, **what: Any) -> None:
        """Add a line."""
        with self._lines.open("a") as file:
            file.write(json.dumps(what) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """Return all lines."""
        if not self._lines.exists():
            return []
        return [json.loads(line) for line in self._lines.read_text().splitlines()]
