"""Trees of plain data as JSON, the arrays in them kept elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from hornbeam.core.tensor import Tensor
from hornbeam.core.wide import on_device

Json: TypeAlias = Any
"""What `json` writes."""

_ITEMS = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}


def encode(value: Any, keep: Callable[[np.ndarray], str], where: str = "") -> Json:
    """Return the data as JSON; `keep` stores an array and returns the name under which `decode` asks for it.

    Takes None, bools, numbers, text, bytes, lists, tuples, sets, deques, dicts, arrays and tensors. Raises TypeError for anything else,
    with its place.

    >>> encode({"best": 0.5, 3: (1, b"x")}, str)
    {'dict': [['best', 0.5], [3, {'tuple': [1, {'bytes': '78'}]}]]}
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return {"number": keep(np.asarray(value))}
    if isinstance(value, Tensor):
        return {"tensor": keep(np.asarray(value))}
    if hasattr(value, "__array__"):
        return {"array": keep(np.asarray(value))}
    if isinstance(value, list):
        return [encode(each, keep, f"{where}[{i}]") for i, each in enumerate(value)]
    if isinstance(value, dict):
        pairs = value.items()
        return {
            "dict": [[encode(k, keep, where), encode(v, keep, f"{where}[{k!r}]")] for k, v in pairs]
        }
    for name, kind in _ITEMS.items():
        if isinstance(value, kind):
            return {name: [encode(each, keep, f"{where}[{i}]") for i, each in enumerate(value)]}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    for plain in (bool, int, float, str):  # a subclass, such as an enumeration of numbers
        if isinstance(value, plain):
            return plain(value)
    raise TypeError(
        f"State to be stored holds {type(value).__name__} {value!r} at {where or 'its top'}; expected None, numbers, text, "
        "bytes, arrays, tensors, and lists, tuples, sets, deques and dicts of these."
    )


def decode(data: Json, array: Callable[[str], np.ndarray]) -> Any:
    """Return what `encode` was given. Raises ValueError for anything that it does not write."""
    if data is None or type(data) in (bool, int, float, str):
        return data
    if isinstance(data, list):
        return [decode(each, array) for each in data]
    if not isinstance(data, dict) or len(data) != 1:
        raise ValueError(f"Stored state has {data!r}; expected data with one tag.")
    ((tag, inner),) = data.items()
    if tag == "dict":
        return {decode(key, array): decode(value, array) for key, value in inner}
    if tag in _ITEMS:
        return _ITEMS[tag](decode(each, array) for each in inner)
    if tag == "array":
        return array(inner)
    if tag == "tensor":
        return Tensor(on_device(array(inner)))
    if tag == "number":
        return array(inner)[()]
    if tag == "bytes":
        return bytes.fromhex(inner)
    raise ValueError(f"Stored state has the unknown tag {tag!r}.")
