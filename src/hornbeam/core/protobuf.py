"""The wire format of protocol buffers, for the few messages that files of TensorFlow hold.

A message is a sequence of fields: a number, a type and a value (protobuf.dev/programming-guides/encoding). Here fields
are written one by one, and read into lists by number: who knows the schema asks for a field as the type that it has.
Nothing is read recursively, so that no file can nest messages too deeply.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
_SIZES = {_DOUBLE: 8, _FLOAT: 4}


class Writer:
    """Builds one message.

    >>> from hornbeam.core.protobuf import Writer
    >>> Writer().integer(1, 150).text(2, "hi").data
    b'\\x08\\x96\\x01\\x12\\x02hi'
    """

    def __init__(self) -> None:
        self._parts = bytearray()

    @property
    def data(self) -> bytes:
        """The message so far."""
        return bytes(self._parts)

    def integer(self, number: int, value: int, keep_zero: bool = False) -> Writer:
        """Write an integer, bool or enum; zero, the default of proto3, is left out unless `keep_zero`."""
        if value or keep_zero:
            self._parts += varint(number << 3 | _VARINT) + varint(value)
        return self

    def raw(self, number: int, value: bytes) -> Writer:
        """Write bytes, or a message that is already written; empty ones too."""
        self._parts += varint(number << 3 | _BYTES) + varint(len(value)) + value
        return self

    def text(self, number: int, value: str) -> Writer:
        """Write text."""
        return self.raw(number, value.encode())

    def message(self, number: int, value: Writer) -> Writer:
        """Write a message in a field of this one."""
        return self.raw(number, value.data)

    def fixed32(self, number: int, value: int) -> Writer:
        """Write an unsigned integer in four bytes."""
        self._parts += varint(number << 3 | _FLOAT) + struct.pack("<I", value)
        return self

    def float32(self, number: int, value: float) -> Writer:
        """Write a float32."""
        self._parts += varint(number << 3 | _FLOAT) + struct.pack("<f", value)
        return self

    def float64(self, number: int, value: float) -> Writer:
        """Write a float64."""
        self._parts += varint(number << 3 | _DOUBLE) + struct.pack("<d", value)
        return self

    def integers(self, number: int, values: Iterable[int]) -> Writer:
        """Write many integers in one field ("packed"); nothing for none."""
        packed = b"".join(map(varint, values))
        return self.raw(number, packed) if packed else self


class Reader:
    """One message, its fields by number. Raises ValueError, naming the place, for what is no message.

    >>> from hornbeam.core.protobuf import Reader
    >>> message = Reader(b"\\x08\\x96\\x01\\x12\\x02hi")
    >>> message.integer(1), message.text(2), message.integer(3)
    (150, 'hi', 0)
    """

    def __init__(self, data: bytes | memoryview, what: str = "message") -> None:
        """`what` names the message in errors."""
        self._what = what
        self._fields: dict[int, list[tuple[int, int | memoryview]]] = {}
        for number, kind, value in _fields(memoryview(data), what):
            self._fields.setdefault(number, []).append((kind, value))

    @property
    def numbers(self) -> list[int]:
        """The numbers of the fields that are there, in the order of their first coming."""
        return list(self._fields)

    def count(self, number: int) -> int:
        """Return how often a field is there."""
        return len(self._fields.get(number, ()))

    def _values(self, number: int, *kinds: int) -> list[int | memoryview]:
        values = self._fields.get(number, [])
        for kind, _ in values:
            if kind not in kinds:
                raise ValueError(
                    f"Field {number} of the {self._what} has wire type {kind}; expected {' or '.join(map(str, kinds))}."
                )
        return [value for _, value in values]

    def integer(self, number: int, default: int = 0) -> int:
        """Return an unsigned integer, a bool or an enum."""
        values = self._values(number, _VARINT, _FLOAT, _DOUBLE)
        if not values:
            return default
        last = values[-1]
        return int.from_bytes(last, "little") if isinstance(last, memoryview) else last

    def signed(self, number: int) -> int:
        """Return an int32 or int64."""
        return _signed(self.integer(number))

    def integers(self, number: int) -> list[int]:
        """Return all signed integers of a repeated field, packed or not."""
        found: list[int] = []
        for value in self._values(number, _VARINT, _BYTES):
            if isinstance(value, memoryview):
                at = 0
                while at < len(value):
                    item, at = read_varint(value, at, self._what)
                    found.append(_signed(item))
            else:
                found.append(_signed(value))
        return found

    def raw(self, number: int) -> bytes:
        """Return bytes; b"" where there are none."""
        values = self._values(number, _BYTES)
        return bytes(values[-1]) if values else b""  # type: ignore[arg-type]

    def text(self, number: int) -> str:
        """Return text."""
        return self._decoded(self.raw(number), number)

    def texts(self, number: int) -> list[str]:
        """Return all texts of a repeated field."""
        values = self._values(number, _BYTES)
        return [self._decoded(bytes(value), number) for value in values]  # type: ignore[arg-type]

    def _decoded(self, data: bytes, number: int) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"Field {number} of the {self._what} is not text: {error}") from error

    def message(self, number: int, what: str) -> Reader:
        """Return a message in a field; an empty one where there is none. Errors name it as the `what` of this one."""
        return Reader(self.raw(number), f"{what} of the {self._what}")

    def messages(self, number: int, what: str) -> list[Reader]:
        """Return all messages of a repeated field."""
        what = f"{what} of the {self._what}"
        return [Reader(value, what) for value in self._values(number, _BYTES)]  # type: ignore[arg-type]

    def entries(self, number: int, what: str) -> Mapping[str, Reader]:
        """Return a map from texts to messages: each entry is a message with a key (1) and a value (2)."""
        return {each.text(1): each.message(2, "value") for each in self.messages(number, what)}


def varint(value: int) -> bytes:
    """Return an integer in seven bits a byte, the lowest first; a negative one as 64 bits of two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: memoryview, at: int, what: str = "message") -> tuple[int, int]:
    """Return an unsigned integer and the place behind it. Raises ValueError where the data end or it is too long."""
    value = 0
    for count in range(10):
        if at >= len(data):
            raise ValueError(f"The {what} ends in the middle of an integer.")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ValueError(f"The {what} holds an integer of more than 10 bytes at byte {at - 10}.")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _fields(data: memoryview, what: str) -> Iterator[tuple[int, int, int | memoryview]]:
    at = 0
    while at < len(data):
        key, at = read_varint(data, at, what)
        number, kind = key >> 3, key & 7
        if not number:
            raise ValueError(f"The {what} has a field of number 0 at byte {at - 1}.")
        if kind == _VARINT:
            value, at = read_varint(data, at, what)
            yield number, kind, value
            continue
        if kind == _BYTES:
            size, at = read_varint(data, at, what)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ValueError(f"Field {number} of the {what} has the unknown wire type {kind}.")
        if size > len(data) - at:
            raise ValueError(
                f"The {what} is cut: field {number} has {size} bytes, {len(data) - at} are left."
            )
        yield number, kind, data[at : at + size]
        at += size
