"""`tf.version`: the release of TensorFlow whose names are followed."""

VERSION = "2.21.0"
GIT_VERSION = "hornbeam"
COMPILER_VERSION = ""

__all__ = ["COMPILER_VERSION", "GIT_VERSION", "VERSION"]
