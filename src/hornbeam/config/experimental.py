"""`tf.config.experimental`: memory and details of devices, exact results."""

from __future__ import annotations

from typing import Any, cast

import jax

from hornbeam.config.devices import (
    LogicalDeviceConfiguration as VirtualDeviceConfiguration,
)
from hornbeam.config.devices import (
    PhysicalDevice,
    device_named,
    device_of,
    get_visible_devices,
    grows_memory,
    list_logical_devices,
    list_physical_devices,
    set_visible_devices,
)
from hornbeam.config.devices import (
    get_logical_device_configuration as get_virtual_device_configuration,
)
from hornbeam.config.devices import (
    set_logical_device_configuration as set_virtual_device_configuration,
)
from hornbeam.core.faces import missing_names
from hornbeam.core.user_code import warn

__all__ = [
    "VirtualDeviceConfiguration",
    "enable_op_determinism",
    "enable_tensor_float_32_execution",
    "get_device_details",
    "get_memory_growth",
    "get_memory_info",
    "get_memory_usage",
    "get_virtual_device_configuration",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "set_memory_growth",
    "set_virtual_device_configuration",
    "set_visible_devices",
    "tensor_float_32_execution_enabled",
]


def get_memory_growth(device: PhysicalDevice) -> bool:
    """Return whether memory of a GPU is taken as it is needed; that of a CPU always is."""
    return device_of(device).platform == "cpu" or grows_memory()


def set_memory_growth(device: PhysicalDevice, enable: bool) -> None:
    """Warn where the process was started otherwise: what a GPU's memory does is decided then.

    Raises ValueError for a CPU, as in TensorFlow.
    """
    if device_of(device).platform == "cpu":
        raise ValueError("Cannot set memory growth on non-GPU and non-Pluggable devices")
    if enable != grows_memory():
        warn(
            "How a GPU's memory is taken is decided when the process starts. Set "
            f"XLA_PYTHON_CLIENT_PREALLOCATE={'false' if enable else 'true'} before.",
        )


def get_memory_info(device: str) -> dict[str, int]:
    """Return the bytes that are in use on a device such as "GPU:0", and the most that ever were; 0 for a CPU.

    >>> import hornbeam as tf
    >>> tf.config.experimental.get_memory_info("CPU:0")
    {'current': 0, 'peak': 0}
    """
    found = device_named(device).memory_stats() or {}
    return {"current": found.get("bytes_in_use", 0), "peak": found.get("peak_bytes_in_use", 0)}


def get_memory_usage(device: str) -> int:
    """Return the bytes that are in use on a device such as "GPU:0"; 0 for a CPU."""
    return get_memory_info(device)["current"]


def get_device_details(device: PhysicalDevice) -> dict[str, Any]:
    """Return what is known of a GPU: "device_name" and "compute_capability". Empty for a CPU."""
    found = device_of(device)
    if found.platform == "cpu":
        return {}
    capability = getattr(found, "compute_capability", None)
    details: dict[str, Any] = {"device_name": found.device_kind}
    if capability is not None:
        details["compute_capability"] = tuple(map(int, str(capability).split(".")))
    return details


def enable_op_determinism() -> None:
    """Accept it on a CPU, where results are the same each time; warn on a GPU."""
    if jax.default_backend() != "cpu":
        warn(
            "Set XLA_FLAGS=--xla_gpu_deterministic_ops=true before the process starts, to get the same results each time.",
        )


_FULL = ("highest", "float32")


def tensor_float_32_execution_enabled() -> bool:
    """Return whether GPUs may round the factors of products to 19 bits."""
    return str(cast("Any", jax.config).jax_default_matmul_precision) not in _FULL


def enable_tensor_float_32_execution(enabled: bool) -> None:
    """Let GPUs round the factors of products to 19 bits, which they do from the beginning, or not.

    >>> import hornbeam as tf
    >>> tf.config.experimental.enable_tensor_float_32_execution(True)
    >>> tf.config.experimental.tensor_float_32_execution_enabled()
    True
    """
    if enabled != tensor_float_32_execution_enabled():
        jax.config.update("jax_default_matmul_precision", None if enabled else "highest")


__getattr__ = missing_names(__name__)
