"""Whether an example prints what it prints under TensorFlow: the same text, and numbers that training could give.

The two libraries draw different random numbers, so losses differ as they do between two seeds. `record.py` keeps
what TensorFlow prints for some seeds; a number with a decimal point has to lie among these, or outside by no more than
they lie apart and one unit of the last printed digit. Everything else, whole numbers and shapes included, has to be equal.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("tensorflow.json")
NUMBER = re.compile(r"-?\d+\.\d*")


def names() -> list[str]:
    """Return the names of the examples that are TensorFlow scripts."""
    scripts = sorted((ROOT / "examples").glob("*.py"))
    return [each.stem for each in scripts if "import tensorflow as tf" in each.read_text()]


def recorded() -> dict[str, list[str]]:
    """Return what TensorFlow printed for each example, once for each seed."""
    return {
        name: ["\n".join(lines) for lines in each]
        for name, each in json.loads(FILE.read_text()).items()
    }


def text_and_numbers(printed: str) -> tuple[list[str], list[Decimal]]:
    """Return the lines with `#` for each number with a decimal point, and these numbers."""
    lines = NUMBER.sub("#", printed).splitlines()
    return [" ".join(line.split()) for line in lines], [*map(Decimal, NUMBER.findall(printed))]


def unlike(printed: str, peers: list[str]) -> list[str]:
    """Return what TensorFlow never prints so: a sentence for each number, or for the text."""
    text, numbers = text_and_numbers(printed)
    expected, _ = text_and_numbers(peers[0])
    if text != expected:
        return [f"{ours!r} instead of {theirs!r}" for ours, theirs in _pairs(text, expected)]
    draws = zip(*(text_and_numbers(each)[1] for each in peers), strict=True)
    found = []
    for number, theirs in zip(numbers, draws, strict=True):
        apart = max(theirs) - min(theirs) + Decimal(1).scaleb(number.as_tuple().exponent)
        if not min(theirs) - apart <= number <= max(theirs) + apart:
            found.append(f"{number} where TensorFlow printed {', '.join(map(str, theirs))}")
    return found


def _pairs(text: list[str], expected: list[str]) -> list[tuple[str, str]]:
    length = max(len(text), len(expected))
    both = zip(
        text + [""] * (length - len(text)), expected + [""] * (length - len(expected)), strict=True
    )
    return [(ours, theirs) for ours, theirs in both if ours != theirs]
