"""Whether Python runs now or is being traced, and how to change that."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import jax

from hornbeam.core import recording, scope

_run_eagerly = False


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Let every `tf.function` run its Python at each call, uncompiled, to look for a fault in it.

    >>> import hornbeam as tf
    >>> @tf.function
    ... def double(x):
    ...     print("running")
    ...     return 2 * x
    >>> tf.config.run_functions_eagerly(True)
    >>> _ = double(tf.constant(1)), double(tf.constant(2))
    running
    running
    >>> tf.config.run_functions_eagerly(False)
    """
    global _run_eagerly
    _run_eagerly = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Return whether functions run their Python at each call.

    >>> import hornbeam as tf
    >>> tf.config.functions_run_eagerly()
    False
    """
    return _run_eagerly


def executing_eagerly() -> bool:
    """Return whether operations compute values now; False while a function is being traced.

    >>> import hornbeam as tf
    >>> tf.executing_eagerly(), bool(tf.function(tf.executing_eagerly)())
    (True, False)
    """
    return not scope.is_tracing()


@contextmanager
def init_scope() -> Generator[None]:
    """Leave the function that is being traced: within the context operations compute values, and variables change.

    >>> import hornbeam as tf
    >>> @tf.function
    ... def f(x):
    ...     with tf.init_scope():
    ...         print(tf.executing_eagerly(), int(tf.constant(1) + 1))
    ...     return x
    >>> _ = f(tf.constant(0.0))
    True 2
    """
    with jax.ensure_compile_time_eval(), scope.outside(), recording.paused():
        yield


@contextmanager
def control_dependencies(control_inputs: object) -> Generator[None]:
    """Do nothing: operations that change something run in the order in which they are written.

    >>> import hornbeam as tf
    >>> v = tf.Variable(1)
    >>> with tf.control_dependencies([v.assign_add(1)]):
    ...     print(int(v))
    2
    """
    yield


def group(*inputs: Any, name: str | None = None) -> None:
    """Do nothing: what the arguments compute is computed anyway.

    >>> import hornbeam as tf
    >>> v = tf.Variable(1)
    >>> tf.group(v.assign_add(1), v.assign_add(1))
    >>> int(v)
    3
    """


def no_op(name: str | None = None) -> None:
    """Do nothing.

    >>> import hornbeam as tf
    >>> tf.cond(tf.constant(False), lambda: tf.print("rare"), tf.no_op)
    """
