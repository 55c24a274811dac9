"""Helpers around models: labels, files, seeds, data sets written in Python."""

from hornbeam.core.faces import missing_names
from hornbeam.core.rng import set_random_seed
from hornbeam.keras.registry import (
    CustomObjectScope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from hornbeam.keras.utils.files import get_file
from hornbeam.keras.utils.numerical import normalize, to_categorical
from hornbeam.keras.utils.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from hornbeam.keras.utils.progbar import Progbar
from hornbeam.keras.utils.py_dataset import PyDataset, Sequence
from hornbeam.keras.utils.session import clear_session

custom_object_scope = CustomObjectScope

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "pack_x_y_sample_weight",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

__getattr__ = missing_names(__name__)
