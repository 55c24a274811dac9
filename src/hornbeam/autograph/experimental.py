"""`tf.autograph.experimental`: functions that are left alone, and options of loops."""

from hornbeam.control.autograph.api import Feature, do_not_convert, set_loop_options
from hornbeam.core.faces import missing_names

__all__ = ["Feature", "do_not_convert", "set_loop_options"]

__getattr__ = missing_names(__name__)
