"""`tf.version`: the release of TensorFlow whose names are followed."""

from hornbeam.core.faces import missing_names

VERSION = "2.21.0"
GIT_VERSION = "hornbeam"
COMPILER_VERSION = ""

__all__ = ["COMPILER_VERSION", "GIT_VERSION", "VERSION"]

__getattr__ = missing_names(__name__)
