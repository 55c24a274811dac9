"""The devices that there are, and which of them are used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

_KINDS = {"cuda": "GPU", "rocm": "GPU"}


class PhysicalDevice(NamedTuple):
    """A device by name and kind."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device that programs use, by name and kind."""

    name: str
    device_type: str


class LogicalDeviceConfiguration(NamedTuple):
    """How a part of a device is set up."""

    memory_limit: float | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


def _found() -> list[tuple[PhysicalDevice, Any]]:
    counts: dict[str, int] = {}
    found = []
    for device in [*jax.devices(), *([] if jax.default_backend() == "cpu" else jax.devices("cpu"))]:
        kind = _KINDS.get(device.platform) or device.platform.upper()
        number = counts[kind] = counts.get(kind, -1) + 1
        found.append((PhysicalDevice(f"/physical_device:{kind}:{number}", kind), device))
    return found


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices of a kind ("CPU", "GPU", "TPU"), or all.

    >>> import hornbeam as tf
    >>> tf.config.list_physical_devices("CPU")[0]
    PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')
    """
    return [device for device, _ in _found() if device_type in (None, device.device_type)]


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """Return the same devices, under their other name."""
    return [
        LogicalDevice(device.name.replace("/physical_device:", "/device:"), device.device_type)
        for device in list_physical_devices(device_type)
    ]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices that can be used: all that there are."""
    return list_physical_devices(device_type)


def set_visible_devices(
    devices: PhysicalDevice | Sequence[PhysicalDevice], device_type: str | None = None
) -> None:
    """Accept what is so already; devices can't be hidden from inside the program.

    Raises NotImplementedError for less than all devices of the kind, ValueError for devices that don't exist.
    """
    given = [devices] if isinstance(devices, PhysicalDevice) else list(devices)
    present = list_physical_devices(device_type)
    if unknown := [each for each in given if each not in list_physical_devices()]:
        raise ValueError(
            f"Unrecognized device: {unknown[0]!r}. Devices: {list_physical_devices()}."
        )
    if set(given) != set(present):
        raise NotImplementedError(
            "Devices can't be hidden from inside the program. Set JAX_PLATFORMS=cpu, or CUDA_VISIBLE_DEVICES, before it "
            "starts."
        )


def get_logical_device_configuration(
    device: PhysicalDevice,
) -> list[LogicalDeviceConfiguration] | None:
    """Return how the device is divided: None, it is not."""
    device_of(device)
    return None


def set_logical_device_configuration(
    device: PhysicalDevice, logical_devices: Sequence[LogicalDeviceConfiguration] | None
) -> None:
    """Accept one part without a limit, which is what there is. Raises NotImplementedError for anything else."""
    device_of(device)
    parts = list(logical_devices or [LogicalDeviceConfiguration()])
    if len(parts) != 1 or parts[0] != LogicalDeviceConfiguration():
        raise NotImplementedError(
            "A device can't be divided from inside the program. Before it starts, set "
            "XLA_FLAGS=--xla_force_host_platform_device_count=N for several CPU devices, or XLA_PYTHON_CLIENT_MEM_FRACTION "
            "for a part of a GPU's memory."
        )


def device_of(device: PhysicalDevice) -> Any:
    """Return JAX's device. Raises ValueError where there is none."""
    for each, found in _found():
        if each == device:
            return found
    raise ValueError(f"Unrecognized device: {device!r}. Devices: {list_physical_devices()}.")


def device_named(name: str) -> Any:
    """Return the device with a name such as "GPU:0". Raises ValueError where there is none."""
    kind, _, number = name.upper().rpartition("DEVICE:")[2].partition(":")
    for each, found in _found():
        if each.name == f"/physical_device:{kind}:{number or 0}":
            return found
    raise ValueError(f"No matching devices found for {name!r}")


def grows_memory() -> bool:
    """Return whether memory of GPUs is taken as it is needed, rather than at the start."""
    return os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "true").lower() in ("false", "0")
