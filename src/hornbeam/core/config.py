"""Process-wide defaults: float type, fuzz factor and image layout."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any

import jax

from hornbeam.core.errors import unknown_name

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_LAYOUTS = ("channels_first", "channels_last")
_settings: dict[str, str | float] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}

# Whether computations must do without native kernels, see `hornbeam.kernels.native`.
native_off: ContextVar[bool] = ContextVar("native kernels are switched off", default=False)


def state() -> tuple[str | float, ...]:
    """Return all settings, as a part of the key of what was compiled under them."""
    return _states[native_off.get()]


_jax: Any = jax.config
_others: list[Callable[[], Hashable]] = []


def add_surrounding(read: Callable[[], Hashable]) -> None:
    """Let `read()` be a part of `surroundings`: a setting of a room above that Python code may look at."""
    _others.append(read)


def surroundings() -> tuple[Hashable, ...]:
    """Return what Python code may look at beside its arguments, as a part of the key of what was traced.

    What `jax.jit` traces by itself needs `state()` alone: JAX looks at its own settings.
    """
    others = [read() for read in _others]
    return state(), _jax.jax_default_matmul_precision, _jax.jax_enable_x64, *others


def _set(name: str, value: str | float) -> None:
    _settings[name] = value
    for is_off in (False, True):
        _states[is_off] = is_off, *_settings.values()


# Made beforehand, because each call of an op asks.
_states: dict[bool, tuple[str | float, ...]] = {
    is_off: (is_off, *_settings.values()) for is_off in (False, True)
}


def floatx() -> str:
    """Return the default float type of weights and computations, as a string.

    >>> from hornbeam import keras
    >>> keras.config.floatx()
    'float32'
    """
    return str(_settings["floatx"])


def set_floatx(value: str) -> None:
    """Set the default float type: "bfloat16", "float16", "float32" or "float64"."""
    if value not in _FLOATS:
        raise unknown_name("float type", value, _FLOATS)
    _set("floatx", str(value))


def epsilon() -> float:
    """Return the fuzz factor that keeps logarithms and divisions finite.

    >>> from hornbeam import keras
    >>> keras.config.epsilon()
    1e-07
    """
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Set the fuzz factor."""
    _set("epsilon", float(value))


def image_data_format() -> str:
    """Return the default order of image axes, "channels_last" (b h w c) or "channels_first" (b c h w).

    >>> from hornbeam import keras
    >>> keras.config.image_data_format()
    'channels_last'
    """
    return str(_settings["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    """Set the default order of image axes."""
    _set("image_data_format", standardize_data_format(data_format))


def standardize_data_format(data_format: str | None) -> str:
    """Return `data_format`, or the default for None; raise ValueError for anything else."""
    if data_format is None:
        return image_data_format()
    value = str(data_format).lower()
    if value not in _LAYOUTS:
        raise unknown_name("data_format", data_format, _LAYOUTS)
    return value
