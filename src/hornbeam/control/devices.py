"""`tf.device`: which device computes."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import jax

from hornbeam.core import scope

_KIND = re.compile(r"(?:.*/)?(?:device:)?(cpu|gpu|tpu)(?::(\d+|\*))?$", re.IGNORECASE)


@contextmanager
def device(device_name: Any) -> Generator[None]:
    """Compute on a device, "/CPU:0" or "/GPU:1", within the context.

    A device that the machine does not have is replaced by the default one, as TensorFlow does. In a traced function the
    context does nothing: the whole program runs where its inputs are. Raises ValueError for what names no device.

    >>> import hornbeam as tf
    >>> with tf.device("/CPU:0"):
    ...     print(int(tf.constant(1) + 1))
    2
    """
    found = _found(device_name)
    if found is None or scope.is_open():
        yield
        return
    with jax.default_device(found):
        yield


def _found(name: Any) -> Any:
    if isinstance(name, Callable):  # type: ignore[arg-type]
        raise ValueError("`device` takes a name; functions that choose a device are not supported.")
    if not name:
        return None
    match = _KIND.match(str(name))
    if match is None:
        raise ValueError(f'Unknown device {name!r}. Names are "/CPU:0", "/GPU:0", "/device:GPU:1".')
    kind, number = match.group(1).lower(), match.group(2)
    try:
        devices = jax.devices(kind)
    except RuntimeError:  # the machine has none of that kind
        return None
    place = 0 if number in (None, "*") else int(number)
    return devices[place] if place < len(devices) else None
