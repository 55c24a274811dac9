"""`tf.autodiff`: derivatives forwards and backwards."""

from hornbeam.core.faces import missing_names
from hornbeam.tensors.forward_accumulator import ForwardAccumulator
from hornbeam.tensors.gradient_tape import GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]

__getattr__ = missing_names(__name__)
