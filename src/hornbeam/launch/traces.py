"""Tracebacks that begin at the user's own line and leave out the machinery that ran it."""

from __future__ import annotations

import sys
from types import CodeType, TracebackType

_MACHINERY = ("hornbeam.launch.", "hornbeam.core.faces")
_IMPORTLIB = ("importlib._bootstrap", "importlib._bootstrap_external")


def show_from(code: CodeType | None) -> None:
    """Let the traceback of the exception on its way out begin at the frame that runs `code`.

    With None no frame is shown: the code could not be compiled. What changes is the excepthook,
    not the exception's fate: Python goes on to print it, or to call the script's own hook, and to
    choose the exit status (1, or death by SIGINT after Ctrl-C) as it would without a launcher.
    """
    shown = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        trace = without_machinery(_from(code, trace))
        _drop_jax_note(error)
        shown(kind, error.with_traceback(trace), trace)

    sys.excepthook = show


def _from(code: CodeType | None, trace: TracebackType | None) -> TracebackType | None:
    if code is None:
        return None
    found = trace
    while found is not None and found.tb_frame.f_code is not code:
        found = found.tb_next
    return found or trace  # the script's frame is not there: better too much than nothing


def without_machinery(trace: TracebackType | None) -> TracebackType | None:
    """`trace` less the frames of launcher and import hook, and of importlib on the way to them."""
    frames: list[TracebackType] = []
    while trace is not None:
        if _module(trace).startswith(_MACHINERY):
            while frames and _module(frames[-1]) in _IMPORTLIB:
                frames.pop()
        else:
            frames.append(trace)
        trace = trace.tb_next
    kept = None
    for frame in reversed(frames):
        frame.tb_next = kept
        kept = frame
    return kept


def _drop_jax_note(error: BaseException) -> None:
    """Let the error's own text be the last that is read, not JAX's note on what it left out."""
    notes = getattr(error, "__notes__", [])
    notes[:] = [note for note in notes if "JAX has removed its internal frames" not in str(note)]


def _module(trace: TracebackType) -> str:
    return str(trace.tb_frame.f_globals.get("__name__", ""))
