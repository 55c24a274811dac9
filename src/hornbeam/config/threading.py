"""`tf.config.threading`: how many threads compute."""

from __future__ import annotations

from hornbeam.core.faces import missing_names
from hornbeam.core.user_code import warn

__all__ = [
    "get_inter_op_parallelism_threads",
    "get_intra_op_parallelism_threads",
    "set_inter_op_parallelism_threads",
    "set_intra_op_parallelism_threads",
]


def get_inter_op_parallelism_threads() -> int:
    """Return 0: the system chooses how many operations run at once."""
    return 0


def get_intra_op_parallelism_threads() -> int:
    """Return 0: the system chooses how many threads an operation uses.

    >>> import hornbeam as tf
    >>> tf.config.threading.get_intra_op_parallelism_threads()
    0
    """
    return 0


def set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Warn that the number is not used, unless it is 0."""
    _ignored(num_threads)


def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Warn that the number is not used, unless it is 0."""
    _ignored(num_threads)


def _ignored(number: int) -> None:
    if number:
        warn(
            f"The number of threads, {number}, is not used: it is fixed when the process starts, by the processors that it "
            "may run on. Start it with `taskset -c 0-3 python ...` for four threads.",
        )


__getattr__ = missing_names(__name__)
