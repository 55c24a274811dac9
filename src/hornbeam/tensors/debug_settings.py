"""Switches of `tf.debugging` for the whole process."""

from __future__ import annotations

from typing import Any, cast

import jax

from hornbeam.core.user_code import warn


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """Raise an error from now on where a computation makes a NaN or an infinite number.

    Compiled programs are run again, operation by operation, to find the place; all is slower meanwhile.
    """
    jax.config.update("jax_debug_nans", True)
    jax.config.update("jax_debug_infs", True)
    jax.clear_caches()  # what has run before would run on unchecked


def disable_check_numerics() -> None:
    """Raise no errors for NaN and infinite numbers any more."""
    jax.config.update("jax_debug_nans", False)
    jax.config.update("jax_debug_infs", False)


def enable_traceback_filtering() -> None:
    """Leave JAX's own lines out of tracebacks, which is so from the beginning."""
    jax.config.update("jax_traceback_filtering", "auto")


def disable_traceback_filtering() -> None:
    """Show JAX's own lines in tracebacks."""
    jax.config.update("jax_traceback_filtering", "off")


def is_traceback_filtering_enabled() -> bool:
    """Return whether JAX's own lines are left out of tracebacks.

    >>> import hornbeam as tf
    >>> tf.debugging.is_traceback_filtering_enabled()
    True
    """
    return cast("Any", jax.config).jax_traceback_filtering != "off"


def get_log_device_placement() -> bool:
    """Return whether the devices of computations are logged: never."""
    return False


def set_log_device_placement(enabled: bool) -> None:
    """Warn that there is no such log, where it is asked for."""
    if enabled:
        warn("Devices of computations are not logged. `tensor.device` says where a tensor lies.")
