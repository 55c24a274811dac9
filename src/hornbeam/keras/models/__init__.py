"""Models: `Sequential`, `Model` (functional or subclassed)."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.models.clone import clone_model
from hornbeam.keras.models.json_text import model_from_json
from hornbeam.keras.models.model import Functional, Model
from hornbeam.keras.models.sequential import Sequential
from hornbeam.keras.saving.api import load_model, save_model

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

__getattr__ = missing_names(__name__)
