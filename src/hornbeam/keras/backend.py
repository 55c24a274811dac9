"""`keras.backend`: what is left of it in Keras 3."""

from hornbeam.core.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from hornbeam.core.dtypes import is_float as is_float_dtype
from hornbeam.core.dtypes import is_int as is_int_dtype
from hornbeam.core.dtypes import result_type
from hornbeam.core.faces import missing_names
from hornbeam.core.names import auto_name
from hornbeam.core.symbolic import is_symbolic as is_keras_tensor
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


def get_uid(prefix: str = "") -> str:
    """The next automatic name with that prefix."""
    return auto_name(prefix)


__getattr__ = missing_names(__name__)
