"""JSON of files, with limits."""

import pytest

from hornbeam.keras.saving.safe_json import parse


def test_values_come_back():
    assert parse(b'{"a": [1, 2.5, null, true, "x"], "b": NaN}', "it")["a"][1] == 2.5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"{", "no valid JSON"),
        (b'"\xff"', "no valid JSON"),
        (b"[" * 201 + b"]" * 201, "nested more than 200 deep"),
        (b"[" * 100_000 + b"]" * 100_000, "nested more than 200 deep"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "nested more than 200 deep"),
        (b"[" + b"[]," * 200_000 + b"1]", "or 200000 lists and objects"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "the key 'b' stands twice in one object"),
        (b"1" * 401, "a number of 401 digits"),
        (b"[" + b"0," * 2_000_001 + b"0]", "more than 2000000 values"),
        (b'"' + b"x" * (65 << 20) + b'"', "at most 67108864 are read"),
    ],
)
def test_what_is_too_much(text, told):
    with pytest.raises(ValueError, match=f"it .*{told}"):
        parse(text, "it")
