"""Compare what a file holds with what a model has, then assign: all of it, or nothing.

Every format describes what it found as `Entry` objects and what the model wants as `Part` objects; only `load` assigns
values. Nothing is assigned unless everything fits, or, with `skip_mismatch`, a part is loaded whole or left as it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from hornbeam.core.handover import no_step
from hornbeam.core.tensor import Tensor
from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.core.wide import NARROW, on_device

MISSING = "is not in the file"
_LISTED = 20  # differences that an error shows


@dataclass(frozen=True)
class Entry:
    """An array in a file, whose values are not read yet.

    `problem` says why they can't be: it follows the path in a sentence. `read` returns an array that nobody else holds.
    """

    path: str
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    read: Callable[[], np.ndarray] | None = None
    problem: str | None = None

    @property
    def is_missing(self) -> bool:
        """Whether the file has nothing there."""
        return self.problem == MISSING

    def converted(self, convert: Callable[[np.ndarray], np.ndarray]) -> Entry:
        """Return the entry with its array converted as it is read."""
        read = self.read
        return self if read is None else replace(self, read=lambda: convert(read()))


def missing(path: str) -> Entry:
    """Return the entry for a place where the file has nothing."""
    return Entry(path, problem=MISSING)


@dataclass
class Part:
    """What one object of the model takes from a file: all of it, or nothing.

    `needs` pairs each variable with the entry for it. `left_over` is what the file has for the object besides. `load`
    is the object's own method, for objects that read by themselves: it is tried before anything is final, and what it
    changed is taken back where something else does not fit. An `optional` part that does not fit is no fault; `otherwise`
    is the warning then.
    """

    owner: str
    needs: list[tuple[Variable, Entry]] = field(default_factory=list)
    left_over: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    load: Callable[[], None] | None = None
    obj: Any = None
    optional: bool = False
    otherwise: str | None = None


@dataclass(frozen=True)
class Subject:
    """What is loaded into what, for messages."""

    file: str
    model: str


def load(
    parts: Sequence[Part],
    subject: Subject,
    skip_mismatch: bool = False,
    others: Callable[[], Iterable[Entry]] | None = None,
) -> None:
    """Assign the values of a file to variables.

    `others` lists the entries of the whole file, from which the message proposes those that fit. Raises ValueError with
    every difference where something does not fit, and changes nothing then; with `skip_mismatch`, loads the parts that
    fit, and warns with the same list.
    """
    attempt = _Attempt()
    try:
        # Else a step in another thread would write over what is loaded meanwhile.
        with no_step():
            found, told = _load(parts, subject, skip_mismatch, others, attempt)
    except BaseException:
        attempt.take_back()
        raise
    left = [p.otherwise for p, each in zip(parts, found, strict=True) if p.optional and each]
    for text in filter(None, [told, *left]):
        warn(text)


def _load(
    parts: Sequence[Part],
    subject: Subject,
    skip_mismatch: bool,
    others: Callable[[], Iterable[Entry]] | None,
    attempt: _Attempt,
) -> tuple[list[list[str]], str]:
    """Compare and assign; return the differences of each part, and what is told of them."""
    found = [_differences(part) for part in parts]
    for part, problems in zip(parts, found, strict=True):
        if part.load is not None and not problems:
            problems += attempt.own_method(part)
    wrong = [part for part, each in zip(parts, found, strict=True) if each and not part.optional]
    told = ""
    if wrong:
        lines = [
            (part, problem)
            for part, problems in zip(parts, found, strict=True)
            if not part.optional
            for problem in problems
        ]
        told = _report(subject, lines, _Proposals(parts, others), skip_mismatch)
        if not skip_mismatch:
            raise ValueError(told)
    for part, problems in zip(parts, found, strict=True):
        if not problems:
            for variable, entry in part.needs:
                attempt.assign(variable, entry)
    return found, told


def owned(array: np.ndarray, dtype: Any) -> Tensor:
    """Return a tensor of an array that nobody else holds, without a copy where that is possible.

    Raises ValueError for integers that the type can't hold.
    """
    wanted = np.dtype(dtype)
    if array.size and array.dtype != wanted and {array.dtype.kind, wanted.kind} <= set("iu"):
        limits = np.iinfo(wanted)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(
                f"there are numbers between {array.min()} and {array.max()} in it, beyond {wanted}"
            )
    array = array if array.dtype == wanted else array.astype(wanted)
    return Tensor(on_device(array) if wanted in NARROW else jax.device_put(array))


def fits(found: str, wanted: str) -> bool:
    """Return whether values of one type can be stored in a variable of another without loss of their kind."""
    kinds = "bifc"  # each can be stored as those behind it
    a, b = (kinds.find(_kind(name)) for name in (found, wanted))
    return 0 <= a <= b


def _kind(name: str) -> str:
    """Return "b", "i", "f" or "c"; bfloat16 and its kin are no floating types for NumPy."""
    return {"V": "f", "u": "i"}.get(kind := np.dtype(name).kind, kind)


def _differences(part: Part) -> list[str]:
    """Return what does not fit, without proposals."""
    found = list(part.problems)
    for variable, entry in part.needs:
        if (problem := _difference(variable, entry)) is not None:
            found.append(problem)
    found += [
        f"{part.owner}: the file has {entry.path} as well, the layer has {len(part.needs)} weights"
        for entry in part.left_over
    ]
    return found


def _difference(variable: Variable, entry: Entry) -> str | None:
    shape = tuple(variable.shape)
    wanted = f"{variable.path} {shape}: {entry.path}"
    if entry.problem is not None:
        return f"{wanted} {entry.problem}"
    if tuple(entry.shape) != shape:
        return f"{wanted} has shape {tuple(entry.shape)}"
    if not fits(entry.dtype, variable.dtype.name):
        return f"{wanted} holds {entry.dtype}, the weight is of type {variable.dtype.name}"
    return None


class _Proposals:
    """Entries that nothing takes, to propose in the place of what does not fit."""

    def __init__(self, parts: Sequence[Part], others: Callable[[], Iterable[Entry]] | None) -> None:
        taken = {
            entry.path
            for part in parts
            for variable, entry in part.needs
            if _difference(variable, entry) is None
        }
        every = {entry.path: entry for part in parts for entry in part.left_over}
        every |= {
            entry.path: entry for part in parts for _, entry in part.needs if not entry.problem
        }
        if others is not None:
            every |= {entry.path: entry for entry in others()}
        self.free = [
            e
            for e in every.values()
            if e.path not in taken and not e.problem and not e.path.startswith("optimizer/")
        ]

    def near(self, variable: Variable, entry: Entry) -> str:
        """Return a sentence that names the nearest free entry of the variable's shape, or nothing."""
        same = [e for e in self.free if tuple(e.shape) == tuple(variable.shape)]
        if not same:
            return ""

        def likeness(each: Entry) -> float:
            names = difflib.SequenceMatcher(None, each.path, variable.path).ratio()
            return names + difflib.SequenceMatcher(None, each.path, entry.path).ratio()

        best = max(same, key=likeness)
        return f"; {best.path} has that shape, and nothing takes it"


def _hint(part: Part, problem: str, proposals: _Proposals) -> str:
    """Return what to propose for a difference of a part, or nothing."""
    return next(
        (proposals.near(v, entry) for v, entry in part.needs if _difference(v, entry) == problem),
        "",
    )


def _report(
    subject: Subject, lines: list[tuple[Part, str]], proposals: _Proposals, skipped: bool
) -> str:
    what = (
        "what differs was left as it is, the rest was loaded"
        if skipped
        else "no weight was changed"
    )
    # Only what is shown is compared with all that is free: a large model may differ in everything.
    listed = "\n  ".join(
        problem + _hint(part, problem, proposals) for part, problem in lines[:_LISTED]
    )
    rest = f"\n  ... and {len(lines) - _LISTED} more" if len(lines) > _LISTED else ""
    return f"{subject.file} does not fit the model {subject.model!r}; {what}:\n  {listed}{rest}"


class _Attempt:
    """What has been changed so far, so that it can be taken back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def assign(self, variable: Variable, entry: Entry) -> None:
        """Read an entry and assign it."""
        assert entry.read is not None
        self._undo.append(variable.keep_value())
        array = entry.read()
        try:
            variable.assign(owned(array, variable.stored_dtype))
        except ValueError as error:
            raise ValueError(
                f"{variable.path} can't take the values of {entry.path}: {error}."
            ) from error

    def own_method(self, part: Part) -> list[str]:
        """Call the object's own method; return what went wrong in it, with its changes taken back."""
        assert part.load is not None
        attributes = dict(vars(part.obj))
        kept = [v.keep_value() for v in getattr(part.obj, "variables", ())]

        def undo() -> None:
            vars(part.obj).clear()
            vars(part.obj).update(attributes)
            for each in kept:
                each()

        self._undo.append(undo)  # before the call, which Ctrl-C may end
        try:
            part.load()
        except Exception as error:
            self._undo.pop()()
            said = error.args[0] if isinstance(error, KeyError) and error.args else error
            return [f"{part.owner}: {said}"]
        return []

    def take_back(self) -> None:
        """Undo all changes, the last first."""
        while self._undo:
            self._undo.pop()()
