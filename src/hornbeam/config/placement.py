"""Where computations go that a device can't do."""

from __future__ import annotations


def get_soft_device_placement() -> bool:
    """Return whether computations may run on another device than the one asked for: True."""
    return True


def set_soft_device_placement(enabled: bool) -> None:
    """Accept True, which is so. Raises NotImplementedError for False."""
    if not enabled:
        raise NotImplementedError("Computations that a device can't do always run on another one.")
