"""Zip archives: what is written is a plain zip, and what is read is believed only as far as it is checked."""

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib

import pytest

from hornbeam.keras.saving.zips import ZipReader, ZipWriter, pieces


def written(*members, start=None):
    stream = io.BytesIO()
    writer = ZipWriter(stream)
    if start is not None:
        stream.seek(start)
        stream.write(b"adopted" * 100)
        writer.adopt("first", start, 700, zlib.crc32(b"adopted" * 100))
    for name, data in members:
        writer.add(name, data)
    writer.finish()
    return stream, writer


def test_pythons_own_reader_reads_it():
    stream, writer = written(("a.txt", b"one"), ("dir/ă.txt", b""), start=512)
    with zipfile.ZipFile(stream) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["first", "a.txt", "dir/ă.txt"]
        assert archive.read("first") == b"adopted" * 100
    assert stream.getvalue()[512:519] == b"adopted"
    assert writer.hashes["a.txt"] == hashlib.sha256(b"one").hexdigest()


def test_it_reads_what_it_wrote_and_what_python_writes():
    stream, _ = written(("a.txt", b"one"), start=512)
    reader = ZipReader(stream, "it")
    assert reader.read("a.txt", 10) == b"one"
    assert reader.open("first").read(7) == b"adopted"
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.txt", b"two" * 999)
    reader = ZipReader(other, "it")
    assert reader.read("b.txt", 9999) == b"two" * 999
    with reader.open("b.txt") as file:
        assert file.read(4) == b"twot"


def test_sections_are_files():
    stream, _ = written(start=512)
    section = ZipReader(stream, "it").open("first")
    assert section.seek(-3, os.SEEK_END) == 697 and section.read() == b"ted"
    assert section.seek(9000) == 9000 and section.read(5) == b""


class Sparse(io.RawIOBase):
    """A file of 5 GB that is mostly zeros, kept as what was written."""

    def __init__(self, size):
        self.size, self.place, self.pages = size, 0, {}

    def seek(self, offset, whence=0):
        self.place = offset + {0: 0, 1: self.place, 2: self.size}[whence]
        return self.place

    def tell(self):
        return self.place

    def write(self, data):
        self.pages[self.place] = bytes(data)
        self.place += len(data)
        self.size = max(self.size, self.place)

    def read(self, size=-1):
        left = self.size - self.place
        data = bytearray(left if size < 0 else min(size, left))
        for start, page in self.pages.items():
            low, high = max(start, self.place), min(start + len(page), self.place + len(data))
            if low < high:
                data[low - self.place : high - self.place] = page[low - start : high - start]
        self.place += len(data)
        return bytes(data)


def test_members_of_more_than_four_gigabytes():
    stream = Sparse(5 << 30)
    writer = ZipWriter(stream)
    writer.adopt("large", 512, (5 << 30) - 512, 7)
    writer.add("small", b"behind it")
    writer.finish()
    reader = ZipReader(stream, "it")
    assert reader.members["large"].size == (5 << 30) - 512
    assert reader.members["large"].start == 512
    assert reader.read("small", 99) == b"behind it"
    with zipfile.ZipFile(stream) as archive:
        assert archive.getinfo("large").file_size == (5 << 30) - 512
        assert archive.read("small") == b"behind it"


def packed(*members, method=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return bytearray(stream.getvalue())


def doubled():
    return packed(("config.jsox", b"{}"), ("config.json", b"[]")).replace(b".jsox", b".json")


def claiming(size):
    """A compressed member that claims another size."""
    data = packed(("a", bytes(3000)), method=zipfile.ZIP_DEFLATED)
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", size)
    return data


def directory(offset, value, width):
    data = packed(("a", b"one"), ("b", b"two"))
    place = data.index(b"PK\x01\x02") + offset
    data[place : place + width] = value.to_bytes(width, "little")
    return data


def ending(offset, value):
    """An archive of two members whose last record has another number, of two bytes, at a place."""
    data = packed(("a", b"one"), ("b", b"two"))
    place = data.index(b"PK\x05\x06") + offset
    data[place : place + 4] = struct.pack("<HH", value, value)
    return data


def linked():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        member = zipfile.ZipInfo("a")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return stream.getvalue()


def overlapping():
    """Two members of one header."""
    data = packed(("a", b"one"), ("b", b"two"))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    return data


def far_member(place):
    """A member whose header is said to be at a place of 64 bits."""
    data = packed(("a", b"one"))
    entry = data.index(b"PK\x01\x02")
    data[entry + 42 : entry + 46] = b"\xff" * 4
    data[entry + 30 : entry + 32] = struct.pack("<H", 12)
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", end + 12 - entry)
    data[end:end] = struct.pack("<HHQ", 1, 8, place)
    return data


def far_directory(place):
    """An archive whose directory is described at a place of 64 bits."""
    data = packed(("a", b"one"))
    end = data.index(b"PK\x05\x06")
    data[end:end] = b"PK\x06\x07" + struct.pack("<IQI", 0, place, 1)
    return data


ATTACKS = {
    **{
        f"member at {n}": (far_member(n), "a is not where it should be|cut off")
        for n in (1 << 40, 1 << 63, (1 << 64) - 1)
    },
    **{
        f"directory at {n}": (far_directory(n), "is not where it should be")
        for n in (1 << 40, 1 << 63, (1 << 64) - 1)
    },
    "empty": (b"", "no zip archive"),
    "other": (b"hello", "no zip archive"),
    "cut": (packed(("a", bytes(999)))[:500], "the end of the archive is missing"),
    "cut in its end": (packed(("a", b"one"))[:-5], "the end of the archive is missing"),
    "no directory": (
        packed(("a", b"one")).replace(b"PK\1\2", b"PK\1\3"),
        "directory of members is br",
    ),
    "more than listed": (ending(8, 1), "directory of members is broken"),
    "fewer than listed": (ending(8, 3), "lists 2 members of 3"),
    "leading out": (packed(("../a", b"one")), "an unsafe name that leads out"),
    "a link": (linked, "'a' is a link"),
    "no member there": (directory(42, 5, 4), "a is not where it should be"),
    "doubled": (doubled, "holds 'config.json' twice"),
    "a bomb": (packed(("a", bytes(5 << 20)), method=zipfile.ZIP_DEFLATED), "claims 5242880 bytes"),
    "more than claimed": (claiming(1000), "holds more than the 1000 bytes"),
    "less than claimed": (claiming(9000), "is cut off"),
    "encrypted": (directory(8, 1, 2), "is encrypted"),
    "bzip2": (directory(10, 12, 2), "compressed in a way"),
    "stored in another size": (directory(24, 99, 4), "claims 99 bytes and stores 3"),
    "wrong checksum": (directory(16, 99, 4), "the checksum of a is wrong"),
    "beyond the end": (directory(42, 1 << 20, 4), "damaged"),
    "overlapping": (overlapping, "shares bytes with others"),
    "too many members": (
        lambda: packed(*((f"{i}", b"") for i in range(10_001))),
        "lists 10001 members",
    ),
    "directory beyond": (
        lambda: packed(("a", b""))[:-6] + struct.pack("<IH", 1 << 30, 0),
        "truncated",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_refused(name):
    data, text = ATTACKS[name]
    stream = io.BytesIO(bytes(data() if callable(data) else data))
    with pytest.raises(ValueError, match=f"it[ :].*{text}"):
        reader = ZipReader(stream, "it")
        for member in reader.members:
            reader.read(member, 1 << 30)


def test_a_limit():
    stream, _ = written(("a", b"12345"))
    with pytest.raises(ValueError, match="it: a has 5 bytes; at most 4 are read"):
        ZipReader(stream, "it").read("a", 4)


def test_a_wrong_checksum_is_told_without_reading():
    reader = ZipReader(io.BytesIO(bytes(directory(16, 99, 4))), "it")
    reader.check("b")
    with pytest.raises(ValueError, match="the checksum of a is wrong"):
        reader.check("a")


@pytest.fixture(params=["read at once", "read by threads"])
def damaged(request, tmp_path):
    """A reader of an archive whose member "a" has another checksum."""
    path = tmp_path / "damaged"
    path.write_bytes(directory(16, 99, 4))
    with open(path, "rb") as file:
        is_plain = request.param == "read by threads"
        yield ZipReader(file if is_plain else io.BytesIO(path.read_bytes()), "it")


def test_a_wrong_checksum_comes_before_what_it_led_to(damaged):
    used = []
    with damaged.checking("b"):
        used.append("b")
    with (
        pytest.raises(ValueError, match="the checksum of a is wrong"),
        damaged.checking("a"),
    ):
        raise RuntimeError("nonsense in the bytes")
    with (
        pytest.raises(ValueError, match="the checksum of a is wrong"),
        damaged.checking("a"),
    ):
        pass
    with pytest.raises(RuntimeError, match="another"), damaged.checking("b"):
        raise RuntimeError("another")
    assert used == ["b"]


def test_ctrl_c_does_not_wait_for_the_checksum(damaged):
    if damaged.stream.__class__ is io.BytesIO:
        damaged.members["a"] = damaged.members["b"]  # is compared before
    with pytest.raises(KeyboardInterrupt), damaged.checking("a"):
        raise KeyboardInterrupt


def test_a_stream_that_ends_too_early():
    assert list(pieces(io.BytesIO(b"abc"), 1, 2)) == [b"bc"]
    with pytest.raises(ValueError, match="truncated"):
        list(pieces(io.BytesIO(b"abc"), 1, 9))
