"""`keras.ops`: the functions of `hornbeam.ops`."""

from hornbeam.core.faces import missing_names
from hornbeam.ops import *  # noqa: F403 - a face: the same names at the place where Keras users look
from hornbeam.ops import __all__ as __all__

__getattr__ = missing_names(__name__)
