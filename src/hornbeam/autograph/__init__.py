"""`tf.autograph`: how the Python of a `tf.function` is rewritten."""

from hornbeam.autograph import experimental as experimental
from hornbeam.control.autograph.api import set_verbosity, to_code, to_graph, trace
from hornbeam.core.faces import missing_names

__all__ = ["experimental", "set_verbosity", "to_code", "to_graph", "trace"]

__getattr__ = missing_names(__name__)
