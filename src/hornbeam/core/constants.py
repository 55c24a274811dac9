"""Values in programs that Python made of numbers and arrays: what is known of a tensor before the program runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hornbeam.core.attached import Attachments

if TYPE_CHECKING:
    from hornbeam.core.typing import NumpyArray

_constants = Attachments()


@dataclass(frozen=True, slots=True)
class _Constant:
    array: NumpyArray


def note_constant(tracer: object, array: NumpyArray) -> None:
    """Remember, as long as a tracer lives, that its values are those of `array`."""
    _constants.attach(tracer, _Constant(array))


def constant_of(tracer: object) -> NumpyArray | None:
    """Return the values of a tracer that was made of them; None for one that was computed."""
    found = _constants.find(tracer, _Constant)
    return None if found is None else found.array
