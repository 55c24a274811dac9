"""`tf.config.optimizer`: switches of TensorFlow's graph optimizer, which XLA takes the place of."""

from __future__ import annotations

from collections.abc import Mapping

from hornbeam.core.faces import missing_names

__all__ = ["get_experimental_options", "get_jit", "set_experimental_options", "set_jit"]

_options: dict[str, bool] = {}


def get_jit() -> str:
    """Return "autoclustering": XLA compiles every program."""
    return "autoclustering"


def set_jit(enabled: bool | str) -> None:
    """Accept True and "autoclustering", which are so. Raises NotImplementedError for False and "".

    >>> import hornbeam as tf
    >>> tf.config.optimizer.set_jit(True)
    """
    if not enabled:
        raise NotImplementedError(
            "Programs are always compiled by XLA. To run Python without compiling, use "
            "tf.config.run_functions_eagerly(True), or compile(run_eagerly=True)."
        )


def get_experimental_options() -> dict[str, bool]:
    """Return the options that were set. None of them changes anything: they belong to TensorFlow's optimizer."""
    return dict(_options)


def set_experimental_options(options: Mapping[str, bool]) -> None:
    """Keep options for `get_experimental_options`."""
    _options.update(options)


__getattr__ = missing_names(__name__)
