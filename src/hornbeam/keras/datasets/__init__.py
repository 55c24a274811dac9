"""Data sets: MNIST, and digits that are drawn by a program."""

from hornbeam.core.faces import missing_names
from hornbeam.keras.datasets import digits, mnist

__all__ = ["digits", "mnist"]

__getattr__ = missing_names(__name__)
