"""Configurations of Keras 2, and of Keras 3's `.h5` files, in the form that Keras 3 writes to `.keras` files.

Such a configuration names a class without its module, writes the calls of a graph as lists, and has arguments that are
gone. `layers` translates layers and models, `calls` the graph between them, `compiling` the arguments of `compile`. What
comes out is read by `keras.registry` like any other configuration: nothing is imported or run.
"""

from hornbeam.keras.saving.keras2.calls import EXPLICIT_MODE, TENSORFLOW
from hornbeam.keras.saving.keras2.compiling import compile_config
from hornbeam.keras.saving.keras2.layers import model_config
from hornbeam.keras.saving.keras2.names import safe_name

__all__ = ["EXPLICIT_MODE", "TENSORFLOW", "compile_config", "model_config", "safe_name"]
