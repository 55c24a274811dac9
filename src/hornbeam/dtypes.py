"""`tf.dtypes`: the element types, and what changes them."""

from hornbeam.core.dtypes import (
    DType,
    as_dtype,
    bfloat16,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from hornbeam.core.dtypes import bool_ as bool
from hornbeam.core.faces import missing_names
from hornbeam.tensors.elementwise import complex
from hornbeam.tensors.shaping import cast, saturate_cast

__all__ = [
    "DType",
    "as_dtype",
    "bfloat16",
    "bool",
    "cast",
    "complex",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "half",
    "int8",
    "int16",
    "int32",
    "int64",
    "saturate_cast",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

__getattr__ = missing_names(__name__)
