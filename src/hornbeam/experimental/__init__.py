"""`tf.experimental`: NumPy's names over tensors."""

from hornbeam.core.faces import missing_names
from hornbeam.experimental import numpy

__all__ = ["numpy"]

__getattr__ = missing_names(__name__)
