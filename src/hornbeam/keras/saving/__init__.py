"""`keras.saving`: models on disk, configurations of objects, and the tables of names that loading looks into."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.registry import (
    CustomObjectScope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from hornbeam.keras.saving import trackables as trackables  # makes models known to tf.train
from hornbeam.keras.saving.api import load_model, load_weights, save_model, save_weights
from hornbeam.keras.saving.file_editor import KerasFileEditor

custom_object_scope = CustomObjectScope

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

__getattr__ = missing_names(__name__)
