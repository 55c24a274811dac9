"""Data sets: MNIST, and digits that are drawn by a program."""

from hornbeam.keras.datasets import digits, mnist

__all__ = ["digits", "mnist"]
