"""Zip archives: written so that a file inside can be read in place, and read with limits.

Members are found by known names, doubled names and members that share bytes are refused, and what a member claims to be
is checked before and while it is read. Nothing is extracted.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import struct
import tempfile
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from hornbeam.core.pieces import FileCrc, handle_of

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR = b"PK\x06\x06", b"PK\x06\x07"
_STORED, _DEFLATED = 0, 8
_UTF8, _ENCRYPTED = 0x800, 0x1
_MAX_MEMBERS, _MAX_DIRECTORY = 10_000, 8 << 20
_MAX_RATIO, _FREE_OF_RATIO = 200, 1 << 20  # of compressed members, above so many bytes
_LIMIT32 = 0xFFFFFFFF
_PIECE = 4 << 20
# 1 January 1980, the first day that a zip knows: two files of the same model are the same bytes.
_TIME, _DATE = 0, 33
_PADDING_FIELD = 0xD935  # the extra field that zipalign pads with


@dataclass(frozen=True)
class Member:
    """One member: where its bytes begin and end in the archive, and what they are."""

    name: str
    start: int
    stored: int
    size: int
    crc: int
    method: int


class ZipWriter:
    """Writes an archive whose members are stored as they are."""

    def __init__(self, stream: BinaryIO) -> None:
        """`stream` is empty and can be read, too."""
        self._stream = stream
        self._members: list[tuple[Member, int]] = []  # with the places of their headers
        self.hashes: dict[str, str] = {}  # name -> SHA-256

    def add(self, name: str, data: bytes) -> None:
        """Write a member at the end."""
        header = self._stream.seek(0, io.SEEK_END)
        self._stream.write(_local_header(name, zlib.crc32(data), len(data)))
        start = self._stream.tell()
        self._stream.write(data)
        self._note(Member(name, start, len(data), len(data), zlib.crc32(data), _STORED), header)
        self.hashes[name] = hashlib.sha256(data).hexdigest()

    def add_file(self, name: str, path: str) -> None:
        """Write the bytes of a file as a member at the end."""
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            crc, self.hashes[name] = digest(file, 0, size)
            header = self._stream.seek(0, io.SEEK_END)
            self._stream.write(_local_header(name, crc, size))
            start = self._stream.tell()
            for piece in pieces(file, 0, size):
                self._stream.write(piece)
        self._note(Member(name, start, size, size, crc, _STORED), header)

    def adopt(self, name: str, start: int, size: int, crc: int) -> None:
        """Make a member of `size` bytes of the stream from `start` on, with its header right before them."""
        header = _local_header(name, crc, size, start)
        self._stream.seek(start - len(header))
        self._stream.write(header)
        self._note(Member(name, start, size, size, crc, _STORED), start - len(header))

    def _note(self, member: Member, header: int) -> None:
        self._members.append((member, header))

    def finish(self) -> None:
        """Write the directory."""
        start = self._stream.seek(0, io.SEEK_END)
        for member, header in self._members:
            self._stream.write(_central_header(member, header))
        end = self._stream.tell()
        self._stream.write(_end(len(self._members), start, end))


def _local_header(name: str, crc: int, size: int, length: int | None = None) -> bytes:
    """Return a header; with `length`, padded to that."""
    raw = name.encode()
    is_large = size >= _LIMIT32
    extra = struct.pack("<HHQQ", 1, 16, size, size) if is_large else b""
    if length is not None:
        room = length - 30 - len(raw) - len(extra) - 4
        extra += struct.pack("<HH", _PADDING_FIELD, room) + bytes(room)
    short = _LIMIT32 if is_large else size
    version = 45 if is_large else 20
    fields = (version, _UTF8, _STORED, _TIME, _DATE, crc, short, short, len(raw), len(extra))
    return LOCAL + struct.pack("<HHHHHIIIHH", *fields) + raw + extra


def _central_header(member: Member, header: int) -> bytes:
    raw = member.name.encode()
    long = [value for value in (member.size, member.stored, header) if value >= _LIMIT32]
    extra = struct.pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
    version = 45 if long else 20
    size, stored, place = (min(v, _LIMIT32) for v in (member.size, member.stored, header))
    fields = (version, version, _UTF8, member.method, _TIME, _DATE, member.crc, stored, size)
    rest = (len(raw), len(extra), 0, 0, 0, 0, place)
    return (
        CENTRAL + struct.pack("<HHHHHHIII", *fields) + struct.pack("<HHHHHII", *rest) + raw + extra
    )


def _end(count: int, start: int, end: int) -> bytes:
    size = end - start
    long = b""
    if max(start, size) >= _LIMIT32 or count >= 0xFFFF:
        long = _END64 + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
        long += _LOCATOR + struct.pack("<IQI", 0, end, 1)
    short = min(count, 0xFFFF), min(size, _LIMIT32), min(start, _LIMIT32)
    return long + END + struct.pack("<HHHHIIH", 0, 0, short[0], *short, 0)


def digest(stream: BinaryIO, start: int, size: int) -> tuple[int, str]:
    """Return the CRC-32 and the SHA-256 of bytes of a stream, read once."""
    crc, sha = 0, hashlib.sha256()
    with ThreadPoolExecutor(1) as pool:
        for piece in pieces(stream, start, size):
            hashing = pool.submit(sha.update, piece)  # lets go of the interpreter's lock
            crc = zlib.crc32(piece, crc)
            hashing.result()
    return crc, sha.hexdigest()


def pieces(stream: BinaryIO, start: int, size: int) -> Iterator[bytes]:
    """Yield bytes of a stream in pieces. Raises ValueError where it ends before them."""
    stream.seek(start)
    while size:
        piece = stream.read(min(size, _PIECE))
        if not piece:
            raise ValueError("The file is truncated: it ends before what it says it holds.")
        size -= len(piece)
        yield piece


class ZipReader:
    """An archive that is open for reading."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """`name` is used in messages. Raises ValueError for what is no archive, is cut or damaged, or claims too much."""
        self.stream = stream
        self.name = name
        self.size = stream.seek(0, io.SEEK_END)
        try:
            count, size, start = self._end()
            if count > _MAX_MEMBERS or size > _MAX_DIRECTORY:
                raise ValueError(f"{name} lists {count} members; no model has so many.")
            self.members = self._directory(count, size, start)
        except struct.error as error:
            raise ValueError(f"{name} is damaged: its directory of members is cut off.") from error

    def _end(self) -> tuple[int, int, int]:
        """Return the number of members, and size and place of the directory."""
        tail_size = min(self.size, 22 + 0xFFFF)
        tail = self._bytes(self.size - tail_size, tail_size)
        if not self._bytes(0, 4).startswith(LOCAL) and END not in tail:
            raise ValueError(f"{self.name} is no zip archive.")
        place = tail.rfind(END)
        if place < 0 or len(tail) - place < 22:
            raise ValueError(f"{self.name} is truncated: the end of the archive is missing.")
        _, _, _, count, size, start, _ = struct.unpack("<HHHHIIH", tail[place + 4 : place + 22])
        locator = tail[place - 20 : place] if place >= 20 else b""
        if locator.startswith(_LOCATOR):
            end64 = struct.unpack("<IQI", locator[4:])[1]
            raw = self._bytes(end64, 56)
            if not raw.startswith(_END64):
                raise ValueError(
                    f"{self.name} is damaged: its directory is not where it should be."
                )
            count, size, start = struct.unpack("<QQQ", raw[32:56])
        if start + size > self.size:
            raise ValueError(f"{self.name} is truncated: its directory lies beyond its end.")
        return count, size, start

    def _directory(self, count: int, size: int, start: int) -> dict[str, Member]:
        raw = memoryview(self._bytes(start, size))
        found: dict[str, Member] = {}
        while raw:
            if bytes(raw[:4]) != CENTRAL or len(found) >= count:
                raise ValueError(f"{self.name} is damaged: its directory of members is broken.")
            fields = struct.unpack("<HHHHHHIIIHHHHHII", raw[4:46])
            flags, method, crc, stored, full = fields[2], fields[3], fields[6], fields[7], fields[8]
            lengths, header = fields[9:12], fields[15]
            name = bytes(raw[46 : 46 + lengths[0]]).decode("utf-8", "replace")
            extra = bytes(raw[46 + lengths[0] : 46 + lengths[0] + lengths[1]])
            full, stored, header = _long_sizes(extra, full, stored, header)
            raw = raw[46 + sum(lengths) :]
            if name in found:
                raise ValueError(f"{self.name} holds {name!r} twice.")
            if _leads_out(name) or stat.S_ISLNK(fields[14] >> 16):
                raise ValueError(
                    f"{self.name}: {name!r} is a link, or an unsafe name that leads out of the archive."
                )
            if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
                raise ValueError(
                    f"{self.name}: {name} is encrypted or compressed in a way that is not read."
                )
            begin = self._data_start(name, header)
            found[name] = Member(name, begin, stored, full, crc, method)
        if len(found) != count:
            raise ValueError(f"{self.name} is damaged: it lists {len(found)} members of {count}.")
        self._check_places(found, start)
        return found

    def _data_start(self, name: str, header: int) -> int:
        """Return where the bytes of a member begin, from its own header."""
        raw = self._bytes(header, 30)
        if raw[:4] != LOCAL:
            raise ValueError(f"{self.name} is damaged: {name} is not where it should be.")
        length, extra = struct.unpack("<HH", raw[26:30])
        return header + 30 + length + extra

    def _check_places(self, members: dict[str, Member], directory: int) -> None:
        end = 0
        for member in sorted(members.values(), key=lambda each: each.start):
            if member.start < end or member.start + member.stored > directory:
                raise ValueError(f"{self.name} is damaged: {member.name} shares bytes with others.")
            end = member.start + member.stored
            too_large = member.size > max(_FREE_OF_RATIO, _MAX_RATIO * member.stored)
            if too_large or (member.method == _STORED and member.size != member.stored):
                raise ValueError(
                    f"{self.name}: {member.name} claims {member.size} bytes and stores {member.stored}."
                )

    def _bytes(self, start: int, size: int) -> bytes:
        self.stream.seek(min(start, self.size))  # the file may say any number of 64 bits
        return self.stream.read(size)

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of a member of at most `limit`. Raises ValueError for larger ones and wrong checksums."""
        member = self.members[name]
        if member.size > limit:
            raise ValueError(
                f"{self.name}: {name} has {member.size} bytes; at most {limit} are read."
            )
        data = b"".join(self._inflated(member))
        self._compare(member, zlib.crc32(data))
        return data

    def check(self, name: str) -> None:
        """Raise ValueError where the checksum of a member is wrong."""
        with self.checking(name):
            pass

    @contextmanager
    def checking(self, name: str) -> Generator[None]:
        """Compare the checksum of a member while its bytes are used.

        Where it is wrong, the context ends with ValueError, whatever the wrong bytes have led to meanwhile. So nothing that
        is made of them may be kept by then.
        """
        member, handle = self.members[name], handle_of(self.stream)
        if member.method != _STORED or handle is None:
            crc = 0
            for piece in self._inflated(member):
                crc = zlib.crc32(piece, crc)
            self._compare(member, crc)
            yield
            return
        with FileCrc(handle, member.start, member.stored) as reading:
            try:
                yield
            except Exception:
                self._compare(member, reading.result())
                raise
            self._compare(member, reading.result())

    def _compare(self, member: Member, crc: int) -> None:
        if crc != member.crc:
            raise ValueError(f"{self.name} is damaged: the checksum of {member.name} is wrong.")

    def open(self, name: str) -> BinaryIO:
        """Return a member as a file: in place where it is stored, in a file without a name where it is compressed."""
        member = self.members[name]
        if member.method == _STORED:
            return Section(self.stream, member.start, member.size)  # type: ignore[return-value]
        inflated = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            for piece in self._inflated(member):
                inflated.write(piece)
        except BaseException:
            inflated.close()
            raise
        inflated.seek(0)
        return inflated  # type: ignore[return-value]

    def _inflated(self, member: Member) -> Iterator[bytes]:
        stored = pieces(self.stream, member.start, member.stored)
        if member.method == _STORED:
            yield from stored
            return
        inflater, left = zlib.decompressobj(-15), member.size
        try:
            for piece in stored:
                while piece:
                    data = inflater.decompress(piece, _PIECE)
                    left -= len(data)
                    if left < 0:
                        raise ValueError(
                            f"{self.name}: {member.name} holds more than the {member.size} bytes that it claims."
                        )
                    yield data
                    piece = inflater.unconsumed_tail
        except zlib.error as error:
            raise ValueError(f"{self.name} is damaged: {member.name} ({error}).") from error
        if left:
            raise ValueError(f"{self.name} is damaged: {member.name} is cut off.")


def _leads_out(name: str) -> bool:
    """Return whether the name of a member, as a path, would lead anywhere else than into a folder of its own."""
    parts = name.split("/")
    return ".." in parts or parts[0] == "" or any(c in name for c in "\\:\0")


def _long_sizes(extra: bytes, size: int, stored: int, header: int) -> tuple[int, int, int]:
    """Return sizes and place of a member with the 64-bit values of its extra field."""
    values = [size, stored, header]
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == 1:
            rest = extra[4 : 4 + length]
            for place, value in enumerate(values):
                if value == _LIMIT32:
                    (values[place],) = struct.unpack("<Q", rest[:8])
                    rest = rest[8:]
        extra = extra[4 + length :]
    return values[0], values[1], values[2]


class Section(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        """`stream` stays open when the section is closed."""
        super().__init__()
        self._stream, self._start, self._size = stream, start, size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        wanted = max(min(len(view), self._size - self._place), 0)
        self._stream.seek(self._start + self._place)
        found = self._stream.readinto(view[:wanted])  # type: ignore[attr-defined]
        self._place += found
        return found
