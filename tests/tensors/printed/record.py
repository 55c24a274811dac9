"""Rewrite the answers of TensorFlow: what each expression of `<table>.txt` prints or raises.

A line that begins with `>>> ` is an expression, what follows up to the next one is its answer. Run from the root where
TensorFlow is installed: `.venv-peers/bin/python -m tests.tensors.printed.record [TABLE...]`. New expressions are written
into a table without answers first.
"""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TABLES = sorted(path.stem for path in HERE.glob("*.txt"))


def rows(table: str) -> dict[str, str]:
    """Return the expressions of a table with their answers."""
    parts = (HERE / f"{table}.txt").read_text().removeprefix(">>> ").split("\n>>> ")
    found = [part.partition("\n") for part in parts]
    assert len({expression for expression, _, _ in found}) == len(found)
    return {expression: answer.strip("\n") for expression, _, answer in found}


def answer(expression: str, tf: Any) -> str | Exception:
    """Return what Python shows for an expression, or the error that it raises. Statements may stand before a `;`."""
    import numpy as np

    names = {"tf": tf, "np": np}
    *before, last = expression.split("; ")
    try:
        for each in before:
            exec(each, names)
        return repr(eval(last, names))
    except Exception as error:
        return error


def described(error: Exception) -> str:
    """Return the public name of the class of an error, and its text, in which files are named below `site-packages`."""
    kind = type(error)
    place = "" if hasattr(builtins, kind.__name__) else "tf.errors."
    text = re.sub(r'File ".*/site-packages/', 'File "', str(error))
    return f"! {place}{kind.__name__}: {text}"


def main() -> None:
    """Ask TensorFlow."""
    import tensorflow as tf

    for table in sys.argv[1:] or TABLES:
        answers = {each: answer(each, tf) for each in rows(table)}
        texts = {
            each: found if isinstance(found, str) else described(found)
            for each, found in answers.items()
        }
        lines = [f">>> {each}\n{text}" for each, text in texts.items()]
        (HERE / f"{table}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
