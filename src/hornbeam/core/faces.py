"""Faces: what a module answers when it is asked for a name that it does not have."""

from __future__ import annotations

import opcode
import sys
from collections.abc import Callable, Iterable
from types import FrameType, ModuleType

from hornbeam.core.errors import did_you_mean, missing_attribute

# Documented in spite of its underscore; `inspect.currentframe` takes no depth and may return None.
_frame: Callable[[int], FrameType] = getattr(sys, "_getframe")  # noqa: B009
_IMPORT_FROM = opcode.opmap["IMPORT_FROM"]


def missing_names(module: str) -> Callable[[str], object]:
    """Return a module-level `__getattr__` that names the missing attribute and the nearest that exist.

    Used in the last line of a package that users import from:

        __getattr__ = missing_names(__name__)

    Raises AttributeError, or ImportError where the name was asked for by a `from ... import`.

    >>> import sys, types
    >>> module = types.ModuleType("toy"); module.relu = abs; sys.modules["toy"] = module
    >>> module.__getattr__ = missing_names("toy")
    >>> module.rellu
    Traceback (most recent call last):
        ...
    AttributeError: Hornbeam has no 'toy.rellu'. Did you mean 'relu'?
    >>> del sys.modules["toy"]
    """

    def __getattr__(name: str) -> object:
        found = sys.modules[module]
        raise missing_name(module, name, public_names(found), _frame(1))

    return __getattr__


def missing_name(
    module: str, name: str, candidates: Iterable[str], asker: FrameType
) -> AttributeError | ImportError:
    """Return the error for the name `name` that the code running in the frame `asker` wants of `module`.

    Python turns the AttributeError of a `from ... import` into an ImportError and drops its text,
    near names and all; an ImportError passes through untouched. So that statement gets one.
    """
    if name.startswith("_"):  # Python and its tools probe for these all the time: keep it cheap
        return AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
    if in_from_import(asker):
        text = f"cannot import name {name!r} from {module!r}: Hornbeam has no such name."
        public = (each for each in candidates if not each.startswith("_"))
        return ImportError(text + did_you_mean(name, public), name=module)
    return missing_attribute(module, name, candidates)


def public_names(module: ModuleType) -> list[str]:
    """Return `__all__` of the module, or else every name in it that does not start with an underscore."""
    declared = vars(module).get("__all__")
    return list(declared) if declared else [each for each in vars(module) if each[0] != "_"]


def in_from_import(frame: FrameType) -> bool:
    """Return whether `frame` stands at the instruction of a `from ... import` that takes one name."""
    code, at = frame.f_code.co_code, frame.f_lasti
    while 0 <= at < len(code) and code[at] == opcode.EXTENDED_ARG:
        at += 2  # a prefix of the instruction, in code with more than 256 names
    return 0 <= at < len(code) and code[at] == _IMPORT_FROM
