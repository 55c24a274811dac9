"""Errors that leave rewritten functions: the user's frames alone in the traceback, and the reason of a missing name."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import CodeType, TracebackType

_HERE = os.path.dirname(__file__) + os.sep


# The branch or loop whose trace an error ended, by the error.
_ORIGIN = "_hornbeam_raised_by"


@contextmanager
def staged(where: str) -> Generator[None]:
    """Note on errors that leave the context that they were raised in a part of the program, `where` says in which."""
    try:
        yield
    except Exception as error:
        if staged_origin(error) is None:
            with contextlib.suppress(AttributeError, TypeError):
                setattr(error, _ORIGIN, where)
        raise


def staged_origin(error: BaseException | None) -> str | None:
    """Return in which part of the program an error was raised, None for others."""
    return getattr(error, _ORIGIN, None)


class _Local(threading.local):
    def __init__(self) -> None:
        self.reasons: dict[tuple[str, str], tuple[str, str]] = {}
        """By file and name: the function that it is a name of, and the reason."""


_local = _Local()


def note_undefined(code: CodeType, name: str, reason: str) -> None:
    """Remember why a name has no value in a function, `code` being that of one of its branches."""
    _local.reasons[code.co_filename, name] = code.co_qualname, reason


def note_defined(code: CodeType, name: str) -> None:
    """Forget why a name had no value."""
    _local.reasons.pop((code.co_filename, name), None)


def unbound(error: NameError) -> NameError:
    """Return the error as Python raises it for a name without value: in a branch, the name is of the function around."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    name = error.name or _name_in(str(error))
    if last is None or type(error) is not NameError or name not in last.tb_frame.f_code.co_freevars:
        return error
    inner, frame = last.tb_frame.f_code, last.tb_frame.f_back
    while frame is not None:
        if name in frame.f_code.co_cellvars and _is_inside(inner, frame.f_code):
            text = f"cannot access local variable '{name}' where it is not associated with a value"
            return UnboundLocalError(text).with_traceback(error.__traceback__)
        frame = frame.f_back
    return error


def explain(error: Exception) -> None:
    """Take the frames of the operators out of an error's traceback; say why a name that it misses is not there."""
    last = _without_own_frames(error)
    if isinstance(error, NameError) and last is not None and error.args:
        name = error.name or _name_in(str(error.args[0]))
        code = last.tb_frame.f_code
        owner, reason = _local.reasons.get((code.co_filename, name or ""), ("", ""))
        is_owner = code.co_qualname == owner or code.co_qualname.startswith(f"{owner}.")
        if owner and is_owner and reason not in str(error.args[0]):
            error.args = (f"{error.args[0]}: {reason}", *error.args[1:])


def _without_own_frames(error: Exception) -> TracebackType | None:
    """Drop the operators' frames, and where one led from a function to a branch of it, the function's: return the last."""
    frames: list[TracebackType] = []
    owner: TracebackType | None = (
        None  # the function that called an operator, and `frames` when it did
    )
    count = 0
    each = error.__traceback__
    while each is not None:
        if each.tb_frame.f_code.co_filename.startswith(_HERE):
            if owner is None and frames:
                owner, count = frames[-1], len(frames)
        else:
            if owner is not None and _is_part(each, owner):
                del frames[count - 1 :]  # the frames of tracing, too
                owner = None
            frames.append(each)
        each = each.tb_next
    for one, following in zip(frames, [*frames[1:], None], strict=True):
        one.tb_next = following
    error.__traceback__ = frames[0] if frames else None
    return frames[-1] if frames else None


def _is_part(inner: TracebackType, outer: TracebackType) -> bool:
    """Return whether one frame is of a branch, a turn or an operand of the function of the other."""
    return _is_inside(inner.tb_frame.f_code, outer.tb_frame.f_code)


def _is_inside(inner: CodeType, outer: CodeType) -> bool:
    begins = inner.co_qualname.startswith(outer.co_qualname)
    return inner.co_filename == outer.co_filename and begins


def _name_in(text: str) -> str | None:
    found = re.search(r"variable '(\w+)'", text)
    return found and found[1]
