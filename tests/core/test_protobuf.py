"""The wire format: published encodings, every kind of field both ways, and messages that are none."""

import struct

import pytest

from hornbeam.core.protobuf import Reader, Writer, read_varint, varint


@pytest.mark.parametrize(
    ("message", "encoded"),
    [
        (Writer().integer(1, 150), "08 96 01"),  # the first example of the documentation
        (Writer().text(2, "testing"), "12 07 74 65 73 74 69 6e 67"),
        (Writer().message(3, Writer().integer(1, 150)), "1a 03 08 96 01"),
        (Writer().integers(6, [3, 270, 86942]), "32 06 03 8e 02 9e a7 05"),
        (Writer().integer(1, -2), "08 fe ff ff ff ff ff ff ff ff 01"),
        (Writer().integer(1, 0).integers(2, []), ""),
        (Writer().integer(1, 0, keep_zero=True), "08 00"),
        (Writer().raw(2, b""), "12 00"),
        (Writer().integer(16, 1), "80 01 01"),
        (Writer().float32(1, 1.5).float64(2, -2.0).fixed32(3, 7), None),
    ],
)
def test_encodings(message, encoded):
    if_given = (
        bytes.fromhex(encoded)
        if encoded is not None
        else b"".join(
            (b"\x0d", struct.pack("<f", 1.5), b"\x11", struct.pack("<d", -2.0), b"\x1d\x07\0\0\0")
        )
    )
    assert message.data == if_given


def test_both_ways():
    inner = Writer().text(1, "k").message(2, Writer().integer(1, 5))
    data = (
        Writer()
        .integer(1, 2**63 + 5)
        .integer(2, -7)
        .text(3, "é")
        .raw(4, b"\0\1")
        .integers(5, [-1, 0, 2**62])
        .message(6, inner)
        .message(6, Writer().text(1, "l"))
        .integer(7, 1)
        .integer(7, 2)
        .fixed32(8, 9)
        .text(9, "a")
        .text(9, "b")
    ).data
    read = Reader(data)
    assert read.integer(1) == 2**63 + 5 and read.signed(2) == -7
    assert read.text(3) == "é" and read.raw(4) == b"\0\1"
    assert read.integers(5) == [-1, 0, 2**62] and read.integers(7) == [1, 2]
    assert read.integer(7) == 2, "of a field that comes twice the last one counts"
    assert read.integer(8) == 9 and read.texts(9) == ["a", "b"]
    entries = read.entries(6, "entry")
    assert entries["k"].integer(1) == 5 and entries["l"].numbers == []
    assert read.numbers == list(range(1, 10))
    assert (read.integer(20), read.text(20), read.messages(20, "m"), read.integers(20)) == (
        0,
        "",
        [],
        [],
    )
    assert read.message(20, "m").numbers == []


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**64 - 1])
def test_integers(value):
    encoded = varint(value)
    assert read_varint(memoryview(encoded + b"x"), 0) == (value, len(encoded))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x80", "ends in the middle of an integer"),
        (b"\x08\x80", "ends in the middle of an integer"),
        (b"\x08" + b"\xff" * 11, "more than 10 bytes"),
        (b"\x12\x05abc", "is cut: field 2 has 5 bytes, 3 are left"),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "is cut: field 2"),
        (b"\x0d\0\0", "is cut: field 1 has 4 bytes, 2 are left"),
        (b"\x00\x01", "a field of number 0"),
        (b"\x0b", "the unknown wire type 3"),
        (b"\x0f", "the unknown wire type 7"),
    ],
)
def test_what_is_no_message(data, error):
    with pytest.raises(ValueError, match=f"bundle.*{error}|{error}"):
        Reader(data, "bundle")


def test_a_field_of_another_type():
    read = Reader(Writer().text(1, "x").integer(2, 3).data, "entry")
    with pytest.raises(
        ValueError, match="Field 1 of the entry has wire type 2; expected 0 or 5 or 1"
    ):
        read.integer(1)
    with pytest.raises(ValueError, match="Field 2 of the entry has wire type 0; expected 2"):
        read.text(2)


def test_errors_name_every_message_around():
    deep = Writer().message(1, Writer().raw(2, Writer().raw(3, b"\x80").data))
    file = Reader(deep.data, "file x.pb")
    with pytest.raises(
        ValueError, match=r"The part of the shape of the entry of the file x\.pb ends"
    ):
        file.message(1, "entry").messages(2, "shape")[0].message(3, "part")
    with pytest.raises(ValueError, match=r"The value of the item of the file x\.pb"):
        Reader(
            Writer().raw(4, Writer().text(1, "key").raw(2, b"\x80").data).data, "file x.pb"
        ).entries(4, "item")
