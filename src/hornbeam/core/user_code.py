"""Which code is the user's: errors and warnings point there."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import jax
import jaxlib
import ml_dtypes
import numpy as np

HERE = str(Path(__file__).parents[1]) + os.sep
_LIBRARIES = (
    *(str(Path(str(each.__file__)).parent) + os.sep for each in (jax, jaxlib, ml_dtypes, np)),
    str(Path(jax.__file__).parents[1] / "opt_einsum") + os.sep,  # behind jnp.einsum
)
_VALUES = tuple(
    str(Path(__file__).with_name(f"{name}.py"))
    for name in ("tape", "listening", "tensor", "variable")
)
_STANDARD = str(Path(os.__file__).parent) + os.sep
# Documented in spite of its underscore; `inspect.currentframe` takes no depth and may return None.
_frame: Callable[[int], FrameType] = getattr(sys, "_getframe")  # noqa: B009


def is_library(file: str) -> bool:
    """Return whether a file of code belongs to Hornbeam, to what it stands on, or to Python.

    >>> is_library(__file__), is_library(os.__file__), is_library("train.py")
    (True, True, False)
    """
    if file.startswith(HERE) or file.startswith(_LIBRARIES):
        return True
    return file.startswith((_STANDARD, "<")) and "site-packages" not in file and file != "<stdin>"


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that led here, however many calls lie between."""
    frame: FrameType | None = _frame(1)
    level = 2
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level if frame is not None else 2)


def place_of_look() -> str | None:
    """Return the file and line of the user's code that asks a tensor for its raw value, itself or through NumPy or JAX.

    None where a function of Hornbeam's asks.
    """
    frame: FrameType | None = _frame(1)
    while frame is not None and frame.f_code.co_filename.startswith(_VALUES):
        frame = frame.f_back
    while frame is not None and is_library(frame.f_code.co_filename):
        if frame.f_code.co_filename.startswith(HERE):
            return None
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else None
