"""Which function a user called, where that was one of TensorFlow's names over an op.

Those functions only pass their arguments on, so an error of `ops.conv` is told in the words of `tf.nn.conv2d`. They are
found on the stack once there is an error: a call that goes well pays nothing.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import jax

_HERE = Path(__file__).parents[1]
_ROOMS = tuple(
    str(_HERE / room) + os.sep
    for room in ("tensors", "nn", "math", "linalg", "random", "experimental")
)
_SIGNATURES = str(_HERE / "core" / "signatures.py")
# Between the door that records a call and the door where its shapes are found.
_INFERENCE = (
    str(_HERE / "core" / "op.py"),
    str(_HERE / "core" / "symbolic.py"),
    str(Path(jax.__file__).parent) + os.sep,
)
_PASSED = (*_ROOMS, _SIGNATURES, *_INFERENCE)
# Where users find these functions; of two names the first is the usual one. All stand above the core.
_PUBLIC = {
    f"hornbeam{part}": f"tf{part}"
    for part in (
        "",
        ".nn",
        ".math",
        ".math.special",
        ".linalg",
        ".random",
        ".bitwise",
        ".experimental.numpy",
    )
}


class Caller(NamedTuple):
    """A public function, by the name that users write, and the arguments that it was given."""

    name: str
    given: Mapping[str, Any]


def caller(frame: FrameType | None) -> Caller | None:
    """Return the public function whose call led to `frame` through no code but that of such functions."""
    found = None
    while frame is not None and frame.f_code.co_filename.startswith(_PASSED):
        found = _public(frame) or found
        frame = frame.f_back
    return found


def _public(frame: FrameType) -> Caller | None:
    name = frame.f_code.co_name
    for module, path in _PUBLIC.items():
        function: Any = getattr(sys.modules.get(module), name, None)
        if getattr(function, "__code__", None) is frame.f_code:
            return Caller(f"{path}.{name}", _given(function, frame.f_locals))
    return None


def _given(function: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that differ from their defaults."""
    parameters = inspect.signature(function).parameters
    return {
        name: values[name]
        for name, parameter in parameters.items()
        if name in values and values[name] is not parameter.default
    }
