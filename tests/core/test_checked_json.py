"""JSON that would cost much is refused before it does."""

import pytest

from hornbeam.core.checked_json import DEEPEST, read_json


@pytest.mark.parametrize("text", ['{"a": [1, -2.5, null, "é", {"b": NaN}]}', "[]", '"x"', "1e400"])
def test_values(text):
    assert repr(read_json(text.encode(), "x")) == repr(__import__("json").loads(text))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"[" * 201 + b"]" * 201, "nested deeper than 200"),
        (b"[" * 100_000 + b"]" * 100_000, "nested deeper than 200"),
        (b'{"a":' * 50_000, "nested deeper than 200"),
        (b"[" + b"[]," * 300_000 + b"1]", "values"),
        (b"[" + b"1," * 5_000_000 + b"1]", "values"),
        (b"[" + b"9" * 41 + b"]", "an integer in it has 41 digits"),
        (b"[" + b"9" * 100_000 + b"]", "an integer in it has 100000 digits"),
        (b"[-" + b"9" * 41 + b"]", "digits"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "the key 'b' stands twice"),
        (b'{"a": 1', "x is damaged: it is no JSON"),
        (b"", "x is damaged: it is no JSON"),
        (b'"\xff"', "x is damaged: it is no text in UTF-8"),
        (b'"' + b"a" * 1001 + b'"', "more than the 1000 that are read"),
    ],
)
def test_refusals(data, text):
    with pytest.raises(ValueError, match=text):
        read_json(data, "x", largest=1000 if b"aaa" in data else 64 << 20)


def test_as_deep_as_allowed():
    read_json(b"[" * DEEPEST + b"]" * DEEPEST, "x")
