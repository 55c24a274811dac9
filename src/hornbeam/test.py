"""`tf.test`: unit tests about tensors."""

import platform
import unittest
from collections.abc import Callable
from functools import wraps
from typing import Any

from hornbeam.config.devices import list_physical_devices
from hornbeam.core.faces import missing_names
from hornbeam.tensors.numeric_gradients import compute_gradient
from hornbeam.tensors.test_case import TestCase

__all__ = [
    "TestCase",
    "compute_gradient",
    "disable_with_predicate",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_built_with_gpu_support",
    "is_built_with_rocm",
    "is_built_with_xla",
    "is_cpu_target_available",
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


def is_cpu_target_available(target: str) -> bool:
    """Return whether programs run on processors of the kind `target`, such as "x86_64".

    >>> import hornbeam as tf
    >>> tf.test.is_cpu_target_available("pdp11")
    False
    """
    return platform.machine() == target


def disable_with_predicate(pred: Callable[[], bool], skip_message: str) -> Callable[..., Any]:
    """Return a decorator for tests, which are skipped with a message where `pred()` is true.

    >>> import hornbeam as tf
    >>> @tf.test.disable_with_predicate(lambda: False, "not here")
    ... def test():
    ...     return "it ran"
    >>> test()
    'it ran'
    """

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(test)
        def run(*args: Any, **kwargs: Any) -> Any:
            if pred():
                raise unittest.SkipTest(skip_message)
            return test(*args, **kwargs)

        return run

    return decorate


__getattr__ = missing_names(__name__)
