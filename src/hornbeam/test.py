"""`tf.test`: unit tests about tensors."""

import unittest

from hornbeam.config.devices import list_physical_devices
from hornbeam.core.faces import missing_names
from hornbeam.tensors.test_case import TestCase

__all__ = [
    "TestCase",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_built_with_gpu_support",
    "is_built_with_rocm",
    "is_built_with_xla",
    "is_gpu_available",
    "main",
]


def main(argv: list[str] | None = None) -> None:
    """Run the tests of the script that is running, and end it."""
    unittest.main(module="__main__", argv=argv)


def is_gpu_available(
    cuda_only: bool = False, min_cuda_compute_capability: tuple[int, int] | None = None
) -> bool:
    """Return whether there is a GPU.

    >>> import hornbeam as tf
    >>> tf.test.is_gpu_available() == bool(tf.config.list_physical_devices("GPU"))
    True
    """
    return bool(list_physical_devices("GPU"))


def gpu_device_name() -> str:
    """Return the name of the first GPU; empty where there is none."""
    return "/device:GPU:0" if is_gpu_available() else ""


def is_built_with_gpu_support() -> bool:
    """Return whether the JAX that is installed uses a GPU."""
    return is_gpu_available()


def is_built_with_cuda() -> bool:
    """Return whether the JAX that is installed uses a GPU."""
    return is_gpu_available()


def is_built_with_rocm() -> bool:
    """Return False: AMD's GPUs are not told apart."""
    return False


def is_built_with_xla() -> bool:
    """Return True: everything is compiled by XLA."""
    return True


__getattr__ = missing_names(__name__)
