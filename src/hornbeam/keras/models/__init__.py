"""Models: `Sequential`, `Model` (functional or subclassed)."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.models.clone import clone_model
from hornbeam.keras.models.json_text import model_from_json
from hornbeam.keras.models.model import Functional, Model
from hornbeam.keras.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "model_from_json"]

__getattr__ = missing_names(__name__)
