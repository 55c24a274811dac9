"""Names of parts of tensors, as TensorFlow codes them."""

import pytest

from hornbeam.train.slices import piece_key, region


@pytest.mark.parametrize(
    ("number", "code"),
    {
        0: "80",
        63: "bf",
        64: "c040",
        8191: "dfff",
        8192: "e02000",
        -1: "7f",
        -64: "40",
        -65: "3fbf",
        1 << 40: "fd0000000000",
        (1 << 55) - 1: "ff7fffffffffffff",
        1 << 62: "ffc04000000000000000",
    }.items(),
)  # fmt: skip
def test_numbers(number, code):
    """The first byte begins with as many ones as there are bytes; two bytes stand in a file that TensorFlow made."""
    assert piece_key(b"", ((number, 0),))[5:-1].hex() == code


def test_names():
    assert piece_key(b"a\0\xffb", ()) == b"\0a\0\xff\xff\0b\0\x01\0"
    whole = piece_key(b"table", ((3, 2), (0, -1)))
    assert whole == b"\0table\0\x01\x01\x02\x83\x82\x80\x7f"


def test_places():
    assert region(((1, 2), (0, -1)), (4, 3)) == (slice(1, 3), slice(0, 3))
    assert region((), ()) == ()
    for piece in (((0, 5),), ((-1, 2),), ((3, -2),), ((0, 1), (0, 1))):
        assert region(piece, (4,)) is None
