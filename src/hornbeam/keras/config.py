"""`keras.config`: process-wide defaults."""

from hornbeam.core.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from hornbeam.core.faces import missing_names
from hornbeam.keras.dtype_policies import dtype_policy, set_dtype_policy

__all__ = [
    "backend",
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]


def backend() -> str:
    """The engine's name, always "jax".

    >>> from hornbeam import keras
    >>> keras.config.backend()
    'jax'
    """
    return "jax"


__getattr__ = missing_names(__name__)
