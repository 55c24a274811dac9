"""`tf.version`: the release of TensorFlow whose names are followed."""

from hornbeam.core.faces import missing_names

VERSION = "2.21.0"
GIT_VERSION = "hornbeam"
COMPILER_VERSION = ""

# Of the graphs that this release of TensorFlow writes, which scripts print.
GRAPH_DEF_VERSION = 2474
GRAPH_DEF_VERSION_MIN_CONSUMER = 0
GRAPH_DEF_VERSION_MIN_PRODUCER = 0

__all__ = [
    "COMPILER_VERSION",
    "GIT_VERSION",
    "GRAPH_DEF_VERSION",
    "GRAPH_DEF_VERSION_MIN_CONSUMER",
    "GRAPH_DEF_VERSION_MIN_PRODUCER",
    "VERSION",
]

__getattr__ = missing_names(__name__)
