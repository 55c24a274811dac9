"""`keras.backend`: what is left of it in Keras 3."""

from typing import Any

from hornbeam.core.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from hornbeam.core.dtypes import is_float, is_int, result_type
from hornbeam.core.faces import missing_names
from hornbeam.core.names import auto_name
from hornbeam.core.symbolic import is_symbolic
from hornbeam.keras.config import backend
from hornbeam.keras.utils.session import clear_session

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]


def is_float_dtype(dtype: Any) -> bool:
    """Whether `dtype` is a floating type."""
    return is_float(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Whether `dtype` is an integer type (not bool)."""
    return is_int(dtype)


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return is_symbolic(x)


def get_uid(prefix: str = "") -> str:
    """The next automatic name with that prefix."""
    return auto_name(prefix)


__getattr__ = missing_names(__name__)
