"""Random choices that follow a text of bytes: who changes the bytes changes the choices."""

from __future__ import annotations

import random
from typing import Any


class Draw(random.Random):
    """Chooses by the next bytes of a text, and the first of everything when they are used up.

    So a search that mutates bytes, such as atheris, mutates the changes of a file.
    """

    def __new__(cls, data: bytes) -> Draw:
        """`data` says all that is chosen."""
        return super().__new__(cls, 0)

    def __init__(self, data: bytes) -> None:
        """`data` says all that is chosen."""
        super().__init__(0)
        self._data, self._at = data, 0

    def getrandbits(self, k: int, /) -> int:
        """Return a number of `k` bits."""
        end = self._at + (k + 7) // 8
        piece, self._at = self._data[self._at : end], end
        return int.from_bytes(piece, "little") & ((1 << k) - 1)

    def sample(self, population: Any, k: int) -> list[Any]:
        """Return `k` different elements. Python's own way chooses again and again until one is new."""
        pool = list(population)
        return [pool.pop(self.randrange(len(pool))) for _ in range(k)]

    def random(self) -> float:
        """Return a number of [0, 1)."""
        return self.getrandbits(16) / (1 << 16)
