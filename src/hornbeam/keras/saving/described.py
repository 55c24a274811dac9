"""Errors of configurations that come out of files."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

# What a value of another type than expected leads to, deep in the code of some object.
_OF_ANOTHER_TYPE = (
    AttributeError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,  # also of options that Hornbeam does not have, and of tensors in the places of plain values
)


@contextmanager
def described_in(place: str) -> Generator[None]:
    """Make the errors of what is made inside name the file and member whose configuration it follows."""
    try:
        yield
    except ValueError as error:
        error.add_note(f"It was read in {place}.")
        raise
    except _OF_ANOTHER_TYPE as error:
        what = f"{type(error).__name__}: {error}"
        raise ValueError(f"{place} describes no model that can be made ({what[:500]}).") from error
