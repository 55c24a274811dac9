"""Where code runs: inside which function and which name scopes, at what time; and values that are known already."""

from __future__ import annotations

import logging
import time
from typing import Any

import jax
import numpy as np

from hornbeam.control.callbacks import numpy_function
from hornbeam.core import scope
from hornbeam.core.constants import constant_of
from hornbeam.core.names import current_path
from hornbeam.core.symbolic import is_symbolic
from hornbeam.core.tensor import AnyTensor, Tensor, convert_to_tensor, is_traced
from hornbeam.core.type_specs import TensorSpec
from hornbeam.core.variable import Variable


def inside_function() -> bool:
    """Return whether a `tf.function` is being traced.

    >>> import hornbeam as tf
    >>> tf.inside_function(), bool(tf.function(tf.inside_function)())
    (False, True)
    """
    return scope.is_tracing()


def get_current_name_scope() -> str:
    """Return the names of the open name scopes, joined by a slash.

    >>> import hornbeam as tf
    >>> with tf.name_scope("a"), tf.name_scope("b"):
    ...     tf.get_current_name_scope()
    'a/b'
    """
    return current_path()


def get_logger() -> logging.Logger:
    """Return the logger that Hornbeam writes to.

    >>> import hornbeam as tf
    >>> tf.get_logger().setLevel("ERROR")  # warnings are no longer shown
    >>> tf.get_logger().setLevel("WARNING")
    """
    return logging.getLogger("hornbeam")


def timestamp(name: str | None = None) -> Tensor:
    """Return the seconds since 1970, as float64; in a program at each of its calls.

    >>> import hornbeam as tf
    >>> start = tf.timestamp()
    >>> bool(tf.timestamp() >= start)
    True
    """
    if scope.is_tracing():
        return numpy_function(_now, [], TensorSpec([], "float64"))
    return convert_to_tensor(_now(), "float64")


def _now() -> np.float64:
    return np.float64(time.time())


def guarantee_const(input: Any, name: str | None = None) -> Tensor:
    """Return the tensor: nothing more is done with what is said to stay the same.

    >>> import hornbeam as tf
    >>> int(tf.guarantee_const(3))
    3
    """
    return convert_to_tensor(input)


def is_symbolic_tensor(tensor: Any) -> bool:
    """Return whether a tensor has no value yet: it belongs to a function that is being traced, or to a graph of layers.

    >>> import hornbeam as tf
    >>> tf.is_symbolic_tensor(tf.constant(1)), bool(tf.function(tf.is_symbolic_tensor)(tf.constant(1)))
    (False, True)
    """
    if is_symbolic(tensor):
        return True
    return isinstance(tensor, AnyTensor) and is_traced(tensor._value)


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """Return the value of a tensor as an array of NumPy; None where it is not known before the program runs.

    In a program those are known that Python made of numbers, arrays and shapes, and not what was computed of them. A variable
    has none, since it may change. Anything else is returned as it is.

    >>> import hornbeam as tf
    >>> tf.get_static_value(tf.constant([1, 2]))
    array([1, 2], dtype=int32)
    """
    if isinstance(tensor, Variable):
        return None
    if not isinstance(tensor, (AnyTensor, jax.Array)):
        return tensor
    value = tensor._value if isinstance(tensor, AnyTensor) else tensor
    if not is_traced(value):
        return np.asarray(value)
    found = constant_of(value)
    return None if found is None else np.asarray(found, value.dtype)


def tuple(tensors: Any, control_inputs: Any = None, name: str | None = None) -> Any:
    """Return the tensors, all of which have been computed: nothing here is computed late.

    >>> import hornbeam as tf
    >>> [int(each) for each in tf.tuple([tf.constant(1), tf.constant(2)])]
    [1, 2]
    """
    return tensors if isinstance(tensors, AnyTensor) else list(tensors)
