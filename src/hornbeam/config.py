"""`tf.config`: the devices that there are."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from hornbeam.control.eagerness import functions_run_eagerly, run_functions_eagerly
from hornbeam.core.faces import missing_names

__all__ = [
    "PhysicalDevice",
    "functions_run_eagerly",
    "list_logical_devices",
    "list_physical_devices",
    "run_functions_eagerly",
    "set_visible_devices",
]


class PhysicalDevice(NamedTuple):
    """A device by name and kind."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of a kind ("CPU", "GPU", "TPU"), or all.

    >>> import hornbeam as tf
    >>> tf.config.list_physical_devices("CPU")[0]
    PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')
    """
    counts: dict[str, int] = {}
    found = []
    kinds = {"cuda": "GPU", "rocm": "GPU"}
    for device in [*jax.devices(), *([] if jax.default_backend() == "cpu" else jax.devices("cpu"))]:
        kind = kinds.get(device.platform) or device.platform.upper()
        number = counts[kind] = counts.get(kind, -1) + 1
        found.append(PhysicalDevice(f"/physical_device:{kind}:{number}", kind))
    return [device for device in found if device_type in (None, device.device_type)]


def list_logical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The same devices, under their other name."""
    return [
        device._replace(name=device.name.replace("/physical_device:", "/device:"))
        for device in list_physical_devices(device_type)
    ]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Raises NotImplementedError: set JAX_PLATFORMS or CUDA_VISIBLE_DEVICES before the program starts."""
    raise NotImplementedError(
        "Devices can't be hidden from inside the program. Set JAX_PLATFORMS=cpu, or CUDA_VISIBLE_DEVICES, before it starts."
    )


__getattr__ = missing_names(__name__)
