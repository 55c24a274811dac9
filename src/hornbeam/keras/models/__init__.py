"""Models: `Sequential`, `Model` (functional or subclassed)."""

from hornbeam.keras.models.clone import clone_model
from hornbeam.keras.models.model import Functional, Model
from hornbeam.keras.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model"]
