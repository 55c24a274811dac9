"""Names and configurations: how "adam", `{"class_name": "Adam", ...}` and `Adam()` come to mean the same.

An object's configuration is read off the signature of its constructor, so classes write none by hand. Loading looks
names up in tables; it never imports or runs anything that a file names.

`custom` holds what users register, `tables` the names of Hornbeam's own objects by kind, `writing` and `reading` turn
objects into configurations and back, `configurable` reads constructors, and `registry` is the table of one kind with
its `get`, `serialize` and `deserialize`.
"""

from hornbeam.keras.registry.configurable import (
    Configurable,
    constructor_arguments,
    described_class,
    signature_parameters,
)
from hornbeam.keras.registry.custom import (
    CustomObjectScope,
    find_custom,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from hornbeam.keras.registry.reading import deserialize_keras_object
from hornbeam.keras.registry.registry import Registry
from hornbeam.keras.registry.writing import serialize_keras_object

__all__ = [
    "Configurable",
    "CustomObjectScope",
    "Registry",
    "constructor_arguments",
    "described_class",
    "deserialize_keras_object",
    "find_custom",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "serialize_keras_object",
    "signature_parameters",
]
