"""Errors of an op in the words of its caller: the name that was called, what does not fit, and the arguments that came.

JAX refuses wrong arguments in terms of its own primitives ("dot_general requires contracting dimensions ..."). The door
raises such an error anew, with the original as its cause. Errors that pass through a user's function are left alone.
"""

from __future__ import annotations

import dis
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from hornbeam.core.error_types import InvalidArgumentError, OutOfBoundsError
from hornbeam.core.op_callers import caller
from hornbeam.core.op_error_texts import reason, tracing_fault
from hornbeam.core.probes import without_probes
from hornbeam.core.user_code import HERE, is_library

_DOOR = str(Path(__file__).with_name("op.py"))
_RAISE = dis.opmap["RAISE_VARARGS"]
# Documented in spite of its underscore; `inspect.currentframe` takes no depth and may return None.
_frame: Callable[[int], FrameType] = getattr(sys, "_getframe")  # noqa: B009


def explained(
    error: Exception,
    name: str,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Exception | None:
    """Return the error to raise in place of `error`, or None where `error` itself is to be raised.

    It is an InvalidArgumentError, as TensorFlow raises, which is a ValueError and a TypeError too. The text of an error
    that Hornbeam raised itself is kept, and begins with the name that was called if it lacks that. The op's door calls
    this, and whoever called the door is named: the op, or TensorFlow's function over it.
    """
    frames = list(_frames_behind_the_door(error))
    if not all(is_library(frame.f_code.co_filename) for frame, _ in frames):
        return None
    if any(_is_door(frame) for frame, _ in frames):  # where it has been dealt with
        return None
    try:
        given = inspect.signature(fn).bind(*args, **kwargs).arguments
    except TypeError:  # Python has said which argument is missing or unknown
        return None
    name = name.removeprefix("losses.")  # users write `keras.losses.hinge`, or a string
    called = caller(_frame(2))
    shown = called.name if called else name
    if _is_raised_here(frames):
        if type(error) not in (TypeError, ValueError, IndexError) or len(error.args) != 1:
            return None
        better = _invalid(error, _named(str(error.args[0]), name, shown), name)
        # One error with two classes: its traceback is shown once.
        better.__cause__ = error.__cause__
        return better.with_traceback(error.__traceback__)
    fault = tracing_fault(error)
    text = fault or reason(error)
    if text is None:
        return None
    given = called.given if called else given
    received = ", ".join(f"{key}: {_described(value)}" for key, value in given.items())
    text = f"`{shown}`: {text}. Received {received}."
    better = TypeError(text) if fault else _invalid(error, text, name)
    better.__cause__ = error
    return better


def _invalid(error: Exception, text: str, name: str) -> InvalidArgumentError:
    """Return the error to raise; one of an index is an IndexError too, as Python has it for x[i]."""
    of_index = isinstance(error, IndexError) and name == "get_item"
    kind = OutOfBoundsError if of_index else InvalidArgumentError
    title = "".join(word.capitalize() for word in name.rpartition(".")[2].split("_"))
    return kind(None, None, f"{text} [Op:{title}]")


def _frames_behind_the_door(error: Exception) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames that the error has passed, from the op's body inwards, and the instruction that each is at."""
    step: TracebackType | None = error.__traceback__
    while step is not None and (step := step.tb_next) is not None:
        yield step.tb_frame, step.tb_lasti


def _is_door(frame: FrameType) -> bool:
    return frame.f_code.co_filename == _DOOR and frame.f_code.co_name == "call"


def _is_raised_here(frames: list[tuple[FrameType, int]]) -> bool:
    """Return whether a `raise` of Hornbeam made the error, rather than a function that Hornbeam called."""
    if not frames:
        return False
    frame, place = frames[-1]
    code = frame.f_code
    return code.co_filename.startswith(HERE) and code.co_code[place] == _RAISE


def _named(text: str, name: str, shown: str) -> str:
    """Return the text with `shown`, which was called, in place of the op's own name, or before the text."""
    named, count = re.subn(rf"(^|`){re.escape(name)}\b", rf"\1{shown}", text, count=1)
    return named if count else f"`{shown}`: {text}"


def _is_a(value: object, *kinds: type) -> bool:
    """Return whether `value` is of one of the kinds, whatever its elements are."""
    return isinstance(value, kinds)


def _described(value: Any) -> str:
    """Return an array by its type and shape, any other value as it is written."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        dtype = getattr(value.dtype, "name", value.dtype)
        return f"{dtype} of shape {tuple(without_probes(tuple(value.shape)))}"
    values: Sequence[object] = value if _is_a(value, list, tuple) else ()
    if any(hasattr(each, "shape") for each in values):
        parts = [*map(_described, values[:6]), *["..."] * (len(values) > 6)]
        return f"[{', '.join(parts)}]" if _is_a(value, list) else f"({', '.join(parts)})"
    if _is_a(value, dict):
        return f"{{{', '.join(f'{key!r}: {_described(each)}' for key, each in value.items())}}}"
    text = repr(without_probes(value))
    return text if len(text) <= 80 and "\n" not in text else f"a {type(value).__name__}"
