"""64-bit types: served where they are asked for, absent everywhere else (docs/design/0027).

JAX makes 32-bit values of Python numbers, and by default also of explicit requests for 64 bits. `serve` asks it to serve
these requests. The numbers that a function of JAX uses inside would still be rounded to 32 bits, `0.1` in `x * 0.1` too; so
an op that is called with a 64-bit value or type runs in JAX's 64-bit mode, and no other op does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ParamSpec, TypeAlias, TypeVar

import jax
import numpy as np

from hornbeam.core.jax_typed import set_config

P = ParamSpec("P")
R = TypeVar("R")

NARROW: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype("float64"): np.dtype("float32"),
    np.dtype("int64"): np.dtype("int32"),
    np.dtype("uint64"): np.dtype("uint32"),
    np.dtype("complex128"): np.dtype("complex64"),
}
"""The 32-bit type for each 64-bit one."""

Cast: TypeAlias = Callable[[Any], Any]
"""From the raw value of an argument to the one that the op is given."""

_KINDS: dict[Any, str] = {
    "double": "f",
    **{dtype.name: dtype.kind for dtype in NARROW},
    **{dtype.type: dtype.kind for dtype in NARROW},
    **{dtype: dtype.kind for dtype in NARROW},
}
_NUMPY: tuple[type[Any], ...] = (np.ndarray, np.generic)
_ARRAYS: tuple[type[Any], ...] = (*_NUMPY, jax.Array)
_NO_CASTS: dict[int, Cast] = {}
_OPTION = "jax_explicit_x64_dtypes"
INT32_LIMITS = -(2**31), 2**31 - 1
_LARGE = "l"


def serve() -> None:
    """Let JAX serve explicit requests for 64-bit types, unless the user has chosen otherwise.

    A choice is `jax_enable_x64`, another value than the default of `jax_explicit_x64_dtypes`, or one in the environment.
    """
    undecided = _mode() == "WARN" and _OPTION.upper() not in os.environ
    if undecided and not is_default():
        set_config(_OPTION, "allow")


def _mode() -> str:
    return jax.config.jax_explicit_x64_dtypes.name  # type: ignore[attr-defined]


def is_served() -> bool:
    """Return whether a request for a 64-bit type is served."""
    return is_default() or _mode() == "ALLOW"


def is_default() -> bool:
    """Return whether JAX's 64-bit mode is on, in which Python numbers are of 64 bits too."""
    return bool(jax.config.jax_enable_x64)  # type: ignore[attr-defined]


def fits(value: int) -> bool:
    """Return whether a whole number can be an int32."""
    return INT32_LIMITS[0] <= value <= INT32_LIMITS[1]


def in_64_bits(fn: Callable[P, R]) -> Callable[P, R]:
    """Return `fn` as a function that runs in JAX's 64-bit mode; what is kept by `fn` finds it again (`core.call_keys`)."""
    return partial(_run_in_64_bits, fn)


def _run_in_64_bits(fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    with jax.enable_x64(True):
        return fn(*args, **kwargs)


def explicit(value: Any) -> Any:
    """Return a 64-bit NumPy array as a JAX array, which nothing makes narrower; keep small ones of sizes or indices."""
    if not isinstance(value, _NUMPY) or value.dtype not in NARROW:
        return value
    if value.dtype.kind in "iu" and value.size <= _SMALL:
        return value
    return on_device(value)


_SMALL = 64


def on_device(array: Any) -> jax.Array:
    """Return a NumPy array as a JAX array of its own type, where `jnp.asarray` makes one of 32 bits of it."""
    dtype = array.dtype
    return jax.numpy.asarray(array, dtype if is_served() else NARROW.get(dtype, dtype))


def settle(leaves: list[Any], values: list[Any]) -> bool:
    """Settle the types of an op's arguments, and return whether the op has to run in JAX's 64-bit mode.

    `leaves` are the arguments as they were given, `values` the same as raw values: NumPy arrays among them are replaced by
    copies, because JAX shares their memory or reads it later. A NumPy array or number keeps its type, except that beside
    tensors it has 32 bits where these have. Raises ValueError for whole numbers that do not fit then.
    """
    has_64_bits, casts = settlement(leaves, values)
    for place, cast in casts.items():
        values[place] = cast(values[place])
    return has_64_bits


def settlement(leaves: list[Any], values: list[Any]) -> tuple[bool, dict[int, Cast]]:
    """Return what `settle` does, as a function of types alone: its result, and what it makes of the values at places."""
    kinds = ""  # of the 64-bit values and types among the arguments
    has_float = takes_functions = False
    foreign: list[int] | None = None
    for place, value in enumerate(values):
        if isinstance(value, _NUMPY):
            if value is leaves[place]:
                foreign = [*(foreign or ()), place]
            elif value.dtype in NARROW:  # sizes, as `tf.shape` returns them
                kinds += value.dtype.kind
        elif isinstance(value, jax.Array):
            if value.dtype in NARROW:
                kinds += value.dtype.kind
        elif type(value) is float:
            has_float = True
        else:
            kinds += _kind_of_request(value)
            takes_functions = takes_functions or (callable(value) and not isinstance(value, type))
    casts = _NO_CASTS if foreign is None else _foreign_casts(values, foreign)
    for place, cast in casts.items():
        if cast is copied and values[place].dtype in NARROW:
            kinds += values[place].dtype.kind
    if not kinds or is_default() or not is_served():
        return False, casts
    if set(kinds) == {_LARGE} and _is_too_large(values):
        return False, casts  # JAX raises an error; in the 64-bit mode it would return other numbers
    # Functions of the user choose for themselves: each op in them comes here again. Whole numbers and a Python float
    # make a float32, which they would not in the 64-bit mode.
    if takes_functions or (has_float and "f" not in kinds and "c" not in kinds):
        return False, {p: _own_on_device if cast is copied else cast for p, cast in casts.items()}
    return True, casts


def _kind_of_request(value: object) -> str:
    """Return the kind of a type of 64 bits, `_LARGE` for a whole number that needs one, and "" for anything else."""
    if isinstance(value, str):
        return _KINDS.get(str.__str__(value), "")
    if isinstance(value, (type, np.dtype)):
        return _KINDS.get(value, "")
    return _LARGE if type(value) is int and not fits(value) else ""


def _is_too_large(values: list[Any]) -> bool:
    """Return whether there are arrays of whole numbers, and a whole number of Python that fits into the type of none."""
    types = [x.dtype for x in values if isinstance(x, _ARRAYS) and x.dtype.kind in "iu"]
    limits = [np.iinfo(each.name) for each in types]
    return bool(limits) and any(
        type(x) is int and not fits(x) and not any(each.min <= x <= each.max for each in limits)
        for x in values
    )


def _foreign_casts(values: list[Any], foreign: list[int]) -> dict[int, Cast]:
    """Return what becomes of the NumPy arrays and numbers at places."""
    tensors: list[Any] = [
        value.dtype
        for place, value in enumerate(values)
        if place not in foreign and isinstance(value, _ARRAYS)
    ]
    return {place: _foreign_cast(values[place].dtype, tensors) for place in foreign}


def _foreign_cast(dtype: np.dtype[Any], tensors: list[Any]) -> Cast:
    """Return what becomes of a NumPy array beside tensors: 32 bits if some of them are of its kind, and none has 64."""
    if dtype not in NARROW:
        return copied
    if not is_served():
        return narrowed
    kinds = "fcV" if dtype.kind in "fc" else "iufcV"  # V: bfloat16 and its kin
    kin = [x for x in tensors if getattr(x, "kind", "?") in kinds]  # a random key has none
    if not kin or any(each in NARROW for each in kin):
        return copied
    return narrowed if any(each.kind in "iu" for each in kin) or dtype.kind in "fc" else fitted


def types_of(arrays: Sequence[Any]) -> tuple[Any, ...]:
    """Return the types that a settlement depends on."""
    return (is_served(), *((isinstance(each, _NUMPY), each.dtype) for each in arrays))


def depends_on_types(values: list[Any]) -> bool:
    """Return whether a settlement depends on the types of arrays of 32 bits, too: beside numbers of 64."""
    return any(map(_is_number_of_64_bits, values))


def _is_number_of_64_bits(value: Any) -> bool:
    if isinstance(value, _NUMPY):
        return not value.shape and value.dtype in NARROW
    return _kind_of_request(value) == _LARGE


def copied(value: Any) -> Any:
    """Return a copy of a NumPy array, whose memory JAX shares; NumPy's numbers can't be written."""
    return np.array(value) if hasattr(value, "__setitem__") else value


def _own_on_device(value: Any) -> jax.Array:
    return on_device(copied(value))


def fitted(value: Any) -> Any:
    """Return whole numbers in 32 bits if they fit, else as a JAX array of 64: beside floats they become floats anyway."""
    low, high = (int(value.min()), int(value.max())) if value.size else (0, 0)
    return narrowed(value) if fits(low) and fits(high) else _own_on_device(value)


def check_fits(value: Any, dtype: np.dtype[Any], reason: str) -> None:
    """Raise ValueError for whole numbers of 64 bits that do not fit into a type of 32; in smaller ones they wrap round."""
    if value.dtype.kind not in "iu" or value.dtype not in NARROW or dtype.kind not in "iu":
        return
    if value.size and dtype.itemsize == 4:
        limits, low, high = np.iinfo(dtype.name), int(value.min()), int(value.max())
        if low < limits.min or high > limits.max:
            raise ValueError(
                f"Whole numbers from {low} to {high} do not fit into {dtype.name}, {reason}"
            )


def narrowed(value: Any) -> Any:
    """Return a copy of a 64-bit array in 32 bits. Raises ValueError for whole numbers that do not fit."""
    narrow = NARROW[value.dtype]
    check_fits(
        value,
        narrow,
        "the type of the tensors that they are used with. Convert these first: "
        f"tf.cast(x, tf.{value.dtype.name}).",
    )
    return np.array(value, narrow) if isinstance(value, np.ndarray) else narrow.type(value)
