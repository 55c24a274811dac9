"""The native library: loading it, calling it, or not.

No result depends on it. Where the native module is missing, can't be loaded or is switched off
(`HORNBEAM_NATIVE=0`), every kernel computes by its reference in jax.numpy, and `why_not()` tells
why; `HORNBEAM_NATIVE=required` makes that an error.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar, overload

import jax
import numpy as np

from hornbeam.core.config import native_off
from hornbeam.core.jax_typed import tree_map
from hornbeam.kernels.transforms import (
    compiled,
    custom_batching,
    custom_gradient,
    platform_dependent,
    vjp,
)

R = TypeVar("R")

Arrays: TypeAlias = tuple[jax.Array, ...]
Operand: TypeAlias = jax.Array | None
Result: TypeAlias = jax.ShapeDtypeStruct
# A static number or array that a kernel is called with.
Attribute: TypeAlias = bool | int | float | np.generic | np.ndarray
# fold(f, size, batched, *args) maps f over arguments of which the `batched` ones have a new first axis
# of that size, by one call of f on arrays without it. It returns None where that can't be done.
Fold = Callable[..., Any]


class _Loaded(NamedTuple):
    reason: str | None  # why there are no native kernels
    info: dict[str, Any]


# Once per process, at the first kernel that asks: importing hornbeam must stay quick.
@cache
def _load() -> _Loaded:
    if os.environ.get("HORNBEAM_NATIVE", "1") == "0":
        return _Loaded("switched off by HORNBEAM_NATIVE=0", {})
    try:
        module = importlib.import_module("hornbeam.kernels._native")
        info = module.build_info()
        if "avx2" not in info["cpu"]:
            return _Loaded("this processor has no AVX2", info)
        targets = module.targets()
        for name, handler in targets.items():
            jax.ffi.register_ffi_target(name, handler, platform="cpu")
        info["kernels"] = sorted(name.removeprefix("hornbeam_") for name in targets)
    except ModuleNotFoundError:
        return _Loaded(f"they were not built: {_why_not_built()}", {})
    except Exception as error:
        # A missing libgomp, a JAX of another FFI version: all of it means the reference.
        return _Loaded(f"the native module can't be loaded: {error}", {})
    return _Loaded(None, info)


def _why_not_built() -> str:
    """Return the reason that the installation wrote down when it left the native module out."""
    # An editable installation has two folders: the source's, and the one that CMake installs to.
    for folder in sys.modules["hornbeam.kernels"].__path__:
        note = Path(folder, "not_built.txt")
        if note.exists():
            return note.read_text("utf-8")
    return "Hornbeam runs from its source, without being installed"


def available() -> bool:
    """Return whether native kernels can be called, loading them at the first call.

    Raises RuntimeError where they can't and `HORNBEAM_NATIVE=required` asks for them.
    """
    reason = _load().reason
    if reason is not None and required():
        raise RuntimeError(
            f"HORNBEAM_NATIVE=required asks for the native kernels, but there are none here: {reason}. Fix that, or "
            "unset the variable to compute without them."
        )
    return reason is None


def required() -> bool:
    """Return whether `HORNBEAM_NATIVE=required` makes it an error that there are none."""
    return os.environ.get("HORNBEAM_NATIVE") == "required"


def why_not() -> str | None:
    """Return why native kernels can't be called, or None where they can."""
    return _load().reason


def info() -> dict[str, Any]:
    """Return what was built and what the processor can do: `onednn`, `compiler`, `cpu`, and the names of the `kernels`."""
    return dict(_load().info)


@contextmanager
def switched_off() -> Generator[None, None, None]:
    """Use the references for all that is traced inside, as forward-mode derivatives need.

    A function that was compiled by `jax.jit` before keeps the kernels that it was compiled with.
    """
    token = native_off.set(True)
    try:
        yield
    finally:
        native_off.reset(token)


def is_switched_off() -> bool:
    """Return whether `switched_off` holds here."""
    return native_off.get()


def wanted() -> bool:
    """Return whether native kernels may be used here and now. Ask this first, before comparing any sizes."""
    return not native_off.get() and available()


def suits(*arrays: jax.Array | None) -> bool:
    """Return whether native kernels are wanted and can compute on these arrays.

    They must share float32, or bfloat16 where oneDNN has it (AVX-512). Sizes must be known. Inside
    `jax.shard_map` the reference is used: a foreign call doesn't know along which axes of the mesh
    its result varies.
    """
    given = [a for a in arrays if a is not None]
    names = {np.dtype(a.dtype).name for a in given}
    if names not in ({"float32"}, {"bfloat16"}) or not suits_any(*given):
        return False
    return names == {"float32"} or "avx512" in _load().info["cpu"]


def suits_any(*arrays: jax.Array) -> bool:
    """As `suits`, for arrays of any type."""
    return wanted() and all(_has_sizes(a) and not _varies(a) for a in arrays)


def _has_sizes(array: jax.Array) -> bool:
    """Return whether all sizes are numbers: under `jax.export` they may be symbols."""
    return are_numbers(*array.shape)


def are_numbers(*values: object) -> bool:
    """Return whether these are numbers of Python, not symbols or arrays, which a kernel's attributes can't be."""
    return all(isinstance(value, (int, float)) for value in values)


def _varies(array: jax.Array) -> bool:
    """Return whether this is a value inside `jax.shard_map` that differs from device to device."""
    axes = getattr(jax.typeof(array), "manual_axis_type", None)
    return bool(getattr(axes, "varying", ()))


@overload
def call(name: str, results: Result, /, *args: Operand, **attributes: Attribute) -> jax.Array: ...
@overload
def call(
    name: str, results: tuple[Result, ...], /, *args: Operand, **attributes: Attribute
) -> Arrays: ...
def call(
    name: str, results: Result | tuple[Result, ...], /, *args: Operand, **attributes: Attribute
) -> jax.Array | Arrays:
    """Call a native kernel; arguments that are None are left out.

    results: one `jax.ShapeDtypeStruct` or a tuple of them; arrays of the same structure are returned.
    """
    given = [x for x in args if x is not None]
    found = jax.ffi.ffi_call(f"hornbeam_{name}", results)(*given, **attributes)
    return found if isinstance(found, jax.Array) else tuple(found)


def call_in_place(
    name: str,
    results: tuple[Result, ...],
    aliases: dict[int, int],
    /,
    *args: jax.Array,
    **attributes: Attribute,
) -> Arrays:
    """Call a native kernel that writes results over arguments.

    aliases: numbers of arguments, each with the number of the result that is written over it. XLA first copies an
    argument that is still needed.
    """
    target = jax.ffi.ffi_call(f"hornbeam_{name}", results, input_output_aliases=aliases)
    return tuple(target(*args, **attributes))


def platform() -> str:
    """Return the platform that programs traced here and now are for: "cpu", "gpu", ..."""
    # A device, the name of a platform, or None.
    device: Any = getattr(jax.config, "jax_default_device", None)
    if device is None:
        return jax.default_backend()
    return device if isinstance(device, str) else device.platform


def on_cpu(native: Callable[..., R], reference: Callable[..., R], *args: Operand) -> R:
    """Return native(*args) where the program runs on CPU, else reference(*args).

    Where programs are for CPU, only one of the two is traced.
    """
    if platform() == "cpu":
        return native(*args)
    return platform_dependent(*args, cpu=native, default=reference)


def transformable(
    native: Callable[..., R],
    reference: Callable[..., R],
    fold: Fold | None = None,
) -> Callable[..., R]:
    """Make a function of arrays (or None) that computes natively on CPU and can be transformed.

    Its gradients are those of `reference`; a kernel with a gradient of its own puts a `custom_vjp`
    around it. Under `jax.vmap` `fold` is asked first (see `Fold`), then the reference takes its place.
    """

    @custom_batching
    def run(*args: Operand) -> R:
        return on_cpu(native, reference, *args)

    @run.def_vmap
    def _(size: int, batched: Sequence[Any], *args: Operand) -> tuple[R, Any]:
        flags = [bool(jax.tree.leaves(b)) and all(jax.tree.leaves(b)) for b in batched]
        result = fold(run, size, flags, *args) if fold else None
        if result is None:
            axes = [0 if flag else None for flag in flags]
            result = jax.vmap(reference, in_axes=axes, axis_size=size)(*args)

        def is_batched(_: object) -> bool:
            return True

        return result, tree_map(is_batched, result)

    @custom_gradient()
    def differentiable(*args: Operand) -> R:
        return run(*args)

    def forward(*args: Operand) -> tuple[R, tuple[Operand, ...]]:
        return differentiable(*args), args  # itself, for the gradient of the gradient

    def backward(args: tuple[Operand, ...], gradients: R) -> tuple[Operand, ...]:
        return vjp(reference, *args)[1](gradients)

    differentiable.defvjp(forward, backward)
    # Compiled, because all these wrappings cost a millisecond where a call is made eagerly.
    return compiled()(differentiable)
