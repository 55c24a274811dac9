"""Probe sizes: the numbers that stand for unknown dimensions while the shapes of outputs are being found.

`symbolic.infer` traces a function twice, each time with another size in place of every None. What differs between the
two results is unknown there too. While a trace runs, code that it calls sees the probe size; code that
keeps or shows a shape asks here which sizes are probes.
"""

from __future__ import annotations

import itertools
import math
import re
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

T = TypeVar("T")

# Poolings, up-samplings and windows inside a traced layer divide probes evenly. The other factor, from 11 upwards and
# free of 2, 3, 5 and 7, keeps them apart from the sizes that people choose.
_DIVISOR = 64 * 3 * 7


class _Local(threading.local):
    def __init__(self) -> None:
        self.active: list[int] = []


_local = _Local()


def probes_apart_from(known: Collection[int]) -> Iterator[int]:
    """Yield probe sizes that are not among the `known` sizes, nor probes of a trace that is under way."""
    for factor in itertools.count(11, 2):
        size = _DIVISOR * factor
        is_taken = size in known or size in _local.active
        if math.gcd(factor, 3 * 5 * 7) == 1 and not is_taken:
            yield size


@contextmanager
def probing(size: int) -> Generator[None]:
    """Treat `size` as unknown within the context, in this thread."""
    _local.active.append(size)
    try:
        yield
    finally:
        _local.active.pop()


def without_probes(shape: T) -> T:
    """Return a shape, or a structure of shapes, with None in place of probe sizes."""
    if not _local.active:
        return shape
    return _without(shape, set(_local.active))


def _without(shape: Any, probes: set[int]) -> Any:
    if isinstance(shape, dict):
        entries = cast("dict[Any, Any]", shape)
        return {key: _without(each, probes) for key, each in entries.items()}
    if isinstance(shape, (list, tuple)):
        sizes = cast("list[Any] | tuple[Any, ...]", shape)
        return type(sizes)([_without(each, probes) for each in sizes])
    return None if isinstance(shape, int) and shape in probes else shape


def hide_probe(error: BaseException, size: int, retrace: Callable[[], object]) -> None:
    """Replace the probe `size`, and sizes computed from it, by None in the error's texts.

    Sizes computed from it are what differs when `retrace`, which uses another probe, fails with the same words.
    """
    texts = _texts(error)
    try:
        retrace()
    except Exception as other:
        # The newest first: the other error was raised while `error` was being handled, and has it in its chain.
        others = {tuple(_parts(t)[::2]): _parts(t)[1::2] for t in reversed(_texts(other))}
        texts = [_where_equal(text, others) for text in texts]
    _set_texts(error, [re.sub(rf"\b{size}\b", "None", text) for text in texts])


def _chain(error: BaseException) -> list[BaseException]:
    """Return the error and those that it was raised from."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and all(following is not each for each in found):
        found.append(following)
        following = following.__cause__ or following.__context__
    return found


def _texts(error: BaseException) -> list[str]:
    return [
        text
        for each in _chain(error)
        for text in (*filter(_is_text, each.args), *getattr(each, "__notes__", ()))
    ]


def _set_texts(error: BaseException, texts: list[str]) -> None:
    following = iter(texts)
    for each in _chain(error):
        args = tuple(next(following) if _is_text(arg) else arg for arg in each.args)
        if args != each.args:
            each.args = args
        if hasattr(each, "__notes__"):
            each.__notes__[:] = [next(following) for _ in each.__notes__]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _parts(text: str) -> list[str]:
    """Split into words and numbers, in turn."""
    return re.split(r"\b(\d+)\b", text)


def _where_equal(text: str, others: Mapping[tuple[str, ...], list[str]]) -> str:
    """Return `text` with None for each number that another text of the same words has otherwise."""
    parts = _parts(text)
    numbers = others.get(tuple(parts[::2]), parts[1::2])
    parts[1::2] = [a if a == b else "None" for a, b in zip(parts[1::2], numbers, strict=True)]
    return "".join(parts)
