"""Errors of functions that run as they are, where a program would have needed them rewritten: say why, and what to write."""

from __future__ import annotations

from types import CodeType, FrameType

from hornbeam.control.autograph.calls import is_users_code
from hornbeam.control.autograph.finding import CannotRead, CannotRewrite
from hornbeam.control.autograph.source import check, is_made

_TEXT = "needs the values of a tensor"
_INSTEAD = (
    "write tf.cond(test, lambda: ..., lambda: ...) for `if`, tf.while_loop for `while` and `for`, tf.where to choose between "
    "values"
)


def tell_reason(error: Exception) -> None:
    """Add to an error of a tensor that was asked for its value why AutoGraph left the asking function as it is."""
    if not error.args or _TEXT not in str(error.args[0]):
        return
    frame = _asking(error)
    if frame is None or is_made(frame.f_code):
        return
    reason = _reason(frame.f_code)
    if reason not in str(error.args[0]):
        error.args = (f"{error.args[0]} {reason}", *error.args[1:])


def _asking(error: Exception) -> FrameType | None:
    """Return the last frame of the user's, in which the value was asked for."""
    found: FrameType | None = None
    each = error.__traceback__
    while each is not None:
        frame = each.tb_frame
        if is_users_code(frame.f_code, frame.f_globals):
            found = frame
        each = each.tb_next
    return found


def _reason(code: CodeType) -> str:
    name = "the lambda" if code.co_name == "<lambda>" else code.co_name
    start = f"AutoGraph, which makes `if`, `while` and `for` over tensors a part of the program, left {name} as it is: "
    try:
        check(code)
    except CannotRead as error:
        return f"{start}{error}. Put {name} into a file or a cell of a notebook, or {_INSTEAD}."
    except CannotRewrite as error:
        return f"{start}{error}. Write it in another way, or {_INSTEAD}."
    return f"{start}it was called by a function of a library, or marked by `do_not_convert`. Call it yourself, or {_INSTEAD}."
