"""Starting anew within a process."""

from __future__ import annotations

from hornbeam.core.names import reset_names


def clear_session(free_memory: bool = True) -> None:
    """Start the automatic names of layers anew.

    Models free their memory by themselves when nothing refers to them any more; `free_memory` is accepted for
    compatibility.

    >>> from hornbeam import keras
    >>> keras.utils.clear_session()
    >>> keras.layers.Dense(1).name
    'dense'
    """
    reset_names()
