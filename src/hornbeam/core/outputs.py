"""What a traced function returns: arrays that the program computes, in a structure that Python keeps.

Unlike `jax.tree`, which sorts the keys of dicts, the structure comes back as the function made it.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import jax
import numpy as np

from hornbeam.core import ordered
from hornbeam.core.host import is_string, strings
from hornbeam.core.op import is_box
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, convert_to_tensor, unwrap

_NUMBERS = (bool, int, float, complex, np.ndarray, np.generic)


@dataclass(frozen=True, slots=True)
class _Slot:
    """The place of an array among the outputs."""

    index: int


@dataclass(frozen=True, slots=True)
class _Node:
    """A container that is made anew of its parts."""

    parts: list[Any]
    make: Callable[[list[Any]], Any]
    kind: Any
    """What two containers of one form have in common."""


@dataclass(frozen=True, slots=True)
class Form:
    """A structure of outputs without its arrays."""

    skeleton: Any
    count: int
    """The number of arrays."""

    def fill(self, values: list[Any], wrap: Callable[[Any], Any] = Tensor) -> Any:
        """Return the structure around `wrap(value)` of each of the values."""
        return _filled(self.skeleton, values, wrap)

    def is_like(self, other: Form) -> bool:
        """Return whether both are the same structure."""
        return self.count == other.count and _alike(self.skeleton, other.skeleton)

    def shown(self, types: Sequence[Any]) -> str:
        """Return the structure as an error shows it, with the type and shape of each of the arrays."""
        return _shown(self.skeleton, [f"{each.dtype.name}{list(each.shape)}" for each in types])

    def part(self, place: int) -> Form:
        """Return a part of a list, whose arrays begin with the first one."""
        skeleton = self.skeleton.parts[place]
        return Form(skeleton, _count(skeleton))


def flat_outputs(outputs: object) -> tuple[list[Any], Form]:
    """Return the raw arrays in `outputs`, and their structure.

    Tensors, variables, arrays and numbers are arrays; None, strings and any other object belong to the structure.
    """
    values: list[Any] = []
    skeleton = _skeleton(outputs, values)
    return values, Form(skeleton, len(values))


def as_tensors(outputs: object) -> Any:
    """Return the structure with tensors in place of variables, arrays and numbers."""
    values, form = flat_outputs(outputs)
    return form.fill(values)


def _skeleton(value: Any, values: list[Any]) -> Any:
    if is_string(value):
        return strings(value)
    if isinstance(value, KerasTensor):
        return value
    if is_box(value) or isinstance(value, (jax.Array, *_NUMBERS)):
        values.append(unwrap(convert_to_tensor(cast("Any", value))))
        return _Slot(len(values) - 1)
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value)
        keys = list(pairs)
        parts = [_skeleton(each, values) for each in pairs.values()]
        return _Node(parts, partial(_dict_like, ordered.emptied(pairs), keys), (dict, keys))
    if isinstance(value, (list, tuple)):
        items = cast("Iterable[Any]", value)
        kind: Any = type(items)
        make = partial(_named, kind) if hasattr(kind, "_fields") else kind
        return _Node([_skeleton(each, values) for each in items], make, kind)
    if inspect.isgenerator(value):
        raise TypeError(
            f"A compiled function returned a generator, {value!r}, whose body has not run. Return a list of its values."
        )
    leaves, tree = jax.tree.flatten(value, is_leaf=is_box)
    if (
        jax.tree_util.treedef_is_leaf(tree)
        and dataclasses.is_dataclass(value)
        and not isinstance(value, type)
    ):
        names = [each.name for each in dataclasses.fields(value) if hasattr(value, each.name)]
        parts = [_skeleton(getattr(value, name), values) for name in names]
        return _Node(parts, partial(_object_of, type(value), names), (type(value), names))
    if jax.tree_util.treedef_is_leaf(tree) or not leaves:
        return value
    return _Node([_skeleton(each, values) for each in leaves], tree.unflatten, tree)


def _dict_like(empty: Any, keys: list[Any], parts: list[Any]) -> Any:
    return ordered.filled(empty, zip(keys, parts, strict=True))


def _object_of(kind: Any, names: list[str], parts: list[Any]) -> Any:
    made: Any = object.__new__(kind)
    for name, part in zip(names, parts, strict=True):
        object.__setattr__(made, name, part)  # a frozen one, too
    return made


def _alike(a: Any, b: Any) -> bool:
    """Return whether two skeletons are of one form; lists and tuples are two."""
    if type(a) is not type(b):
        return False
    if type(a) is not _Node:
        return type(a) is _Slot or a is b or bool(a == b)
    pairs = zip(a.parts, b.parts, strict=False)
    return a.kind == b.kind and len(a.parts) == len(b.parts) and all(_alike(*p) for p in pairs)


def _shown(skeleton: Any, texts: list[str]) -> str:
    if type(skeleton) is _Slot:
        return texts[skeleton.index]
    if type(skeleton) is not _Node:
        return repr(skeleton)
    parts = [_shown(each, texts) for each in skeleton.parts]
    kind = cast("Any", skeleton).kind
    if isinstance(kind, tuple):
        pairs = zip(cast("list[Any]", kind[1]), parts, strict=True)
        return f"{{{', '.join(f'{key}: {part}' for key, part in pairs)}}}"
    return f"[{', '.join(parts)}]" if kind is list else f"({', '.join(parts)})"


def _count(skeleton: Any) -> int:
    if type(skeleton) is _Node:
        return sum(map(_count, skeleton.parts))
    return int(type(skeleton) is _Slot)


def _named(kind: Callable[..., Any], parts: list[Any]) -> Any:
    return kind(*parts)


def _filled(skeleton: Any, values: list[Any], wrap: Callable[[Any], Any]) -> Any:
    if type(skeleton) is _Slot:
        return wrap(values[skeleton.index])
    if type(skeleton) is _Node:
        return skeleton.make([_filled(part, values, wrap) for part in skeleton.parts])
    return skeleton
