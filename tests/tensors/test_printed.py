"""What users see: values, texts and errors are TensorFlow's, as `tests/tensors/printed` has recorded them."""

from __future__ import annotations

import builtins
import re

import pytest

import hornbeam as tf
from tests.tensors.printed.differences import DIFFERENT, OWN_WORDS
from tests.tensors.printed.record import TABLES, answer, rows

ROWS = {each: found for table in TABLES for each, found in rows(table).items()}


def plain(text: str) -> str:
    """Return a text without what differs for reasons of its own: addresses, and the names of variables not read."""
    text = re.sub(r"0x[0-9a-f]+", "0x0", text).replace("UnreadVariable", "Variable:0")
    return re.sub(r"\s+", " ", text)


def fault(expression: str, expected: str) -> str | None:
    """Return what differs from TensorFlow's answer; None where nothing does."""
    found = answer(expression, tf)
    if not expected.startswith("! "):
        if isinstance(found, Exception):
            return f"raises {type(found).__name__}: {found}"
        return None if plain(found) == plain(expected) else f"is {found}"
    kind, _, text = expected.removeprefix("! ").partition(": ")
    if not isinstance(found, Exception):
        return f"raises nothing, is {found}"
    wanted = getattr(tf.errors, kind.rpartition(".")[2], None) or getattr(builtins, kind)
    if not isinstance(found, wanted):
        return f"raises {type(found).__name__}: {found}"
    # What TensorFlow's kernels say is told in the words of the function that was called.
    own = "[Op:" in text or "signature=" in text or expression in OWN_WORDS
    return None if own or plain(text) in plain(str(found)) else f"says {found}"


def test_tables_are_whole():
    assert len(ROWS) > 800 and "" not in ROWS.values()
    known = {each for _, expressions in DIFFERENT for each in expressions}
    assert known <= set(ROWS) and set(OWN_WORDS) <= set(ROWS)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.filterwarnings("ignore")
def test_answers_are_those_of_tensorflow(table, capsys):
    known = {each for _, expressions in DIFFERENT for each in expressions}
    found = {each: fault(each, text) for each, text in rows(table).items() if each not in known}
    assert {each: text for each, text in found.items() if text} == {}


if __name__ == "__main__":  # what has come to agree, and can leave the list
    for reason, expressions in DIFFERENT:
        for each in expressions:
            if fault(each, ROWS[each]) is None:
                print(f"{reason}: {each}")
