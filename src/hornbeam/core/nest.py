"""Nested structures as `tf.nest` sees them: sequences and mappings; everything else is an atom, None and sets too.

`core.tree` is the faster kin that the library itself uses; these functions answer to users, in TensorFlow's words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from hornbeam.core.shapes import TensorShape


def is_nested(seq: object) -> bool:
    """Return whether `seq` is a sequence, a mapping or an attrs object; strings, tensors and sets are not.

    >>> import hornbeam as tf
    >>> tf.nest.is_nested([1]), tf.nest.is_nested("abc")
    (True, False)
    """
    if isinstance(seq, (str, bytes, bytearray, memoryview, TensorShape)):
        return False
    return isinstance(seq, (Sequence, Mapping)) or _is_attrs(seq)


def flatten(structure: object, expand_composites: bool = False) -> list[Any]:
    """Return the atoms of a structure, in order; mappings by sorted key.

    >>> import hornbeam as tf
    >>> tf.nest.flatten({"b": [1, 2], "a": (3, None)})
    [3, None, 1, 2]
    """
    if not is_nested(structure):
        return [structure]
    return [atom for _, child in _children(structure) for atom in flatten(child)]


def map_structure(func: Callable[..., Any], *structure: object, **kwargs: object) -> Any:
    """Apply `func` to the atoms of structures of one form, and return the results in that form.

    Raises TypeError or ValueError where the structures differ; with `check_types=False` a list may stand for a tuple.

    >>> import hornbeam as tf
    >>> tf.nest.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [3, 4]})
    {'x': [4, 6]}
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    check_types = kwargs.pop("check_types", True)
    kwargs.pop("expand_composites", None)
    if kwargs:
        raise ValueError(
            f"Only valid keyword arguments are `check_types` and `expand_composites`, not: `{'`, `'.join(kwargs)}`"
        )
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types=bool(check_types))
    atoms = zip(*map(flatten, structure), strict=True)
    return pack_sequence_as(structure[0], [func(*each) for each in atoms])


def pack_sequence_as(
    structure: object, flat_sequence: Sequence[Any], expand_composites: bool = False
) -> Any:
    """Return the atoms `flat_sequence` in the form of `structure`.

    Raises TypeError where `flat_sequence` is no sequence, ValueError where it has too few or too many atoms.

    >>> import hornbeam as tf
    >>> tf.nest.pack_sequence_as({"x": [0, 0], "y": 0}, [1, 2, 3])
    {'x': [1, 2], 'y': 3}
    """
    if not is_nested(flat_sequence):
        raise TypeError(
            f"Attempted to pack value:\n  {flat_sequence}\ninto a structure, but found incompatible type "
            f"`{type(flat_sequence)}` instead."
        )
    count = len(flat_sequence)
    if not is_nested(structure):
        if count != 1:
            raise ValueError(
                f"The target structure is of type `{type(structure)}`\n  {structure}\nHowever the input is a sequence "
                f"({type(flat_sequence)}) of length {count}.\n  {flat_sequence}\nnest cannot guarantee that it is safe "
                "to map one to the other."
            )
        return flat_sequence[0]
    expected = len(flatten(structure))
    if expected != count:
        raise ValueError(
            f"Could not pack sequence. Structure had {expected} atoms, but flat_sequence had {count} items.  Structure: "
            f"{structure}, flat_sequence: {flat_sequence}."
        )
    return _packed(structure, iter(flat_sequence))


def assert_same_structure(
    nest1: object, nest2: object, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raise ValueError or TypeError where two structures differ in form.

    >>> import hornbeam as tf
    >>> tf.nest.assert_same_structure([1, (2, 3)], ["a", ("b", "c")])
    """
    try:
        _compare(nest1, nest2, check_types)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "The two structures don't have the same nested structure.\n\n"
            f"First structure: {_shown(nest1)}\n\nSecond structure: {_shown(nest2)}\n\n"
            f"More specifically: {error}\n"
            f"Entire first structure:\n{_form(nest1)}\nEntire second structure:\n{_form(nest2)}"
        ) from None


def _compare(one: object, other: object, check_types: bool) -> None:
    nested = is_nested(one), is_nested(other)
    if nested != (True, True):
        if any(nested):
            sequence, atom = (one, other) if nested[0] else (other, one)
            raise ValueError(
                f'Substructure "{_shown(sequence)}" is a sequence, while substructure "{_shown(atom)}" is not'
            )
        return
    if check_types:
        _compare_types(one, other)
    ours, theirs = list(_children(one)), list(_children(other))
    if len(ours) != len(theirs):
        raise ValueError(
            "The two structures don't have the same number of elements. "
            f"First structure: {_shown(one)}. Second structure: {_shown(other)}"
        )
    if _is_mapping(one) and _is_mapping(other):
        keys: list[list[Any]] = [list(cast("Any", each)) for each in (one, other)]
        if set(keys[0]) != set(keys[1]):
            raise ValueError(
                "The two dictionaries don't have the same set of keys. "
                f"First structure has keys {_shown(keys[0])}, while second structure has keys {_shown(keys[1])}"
            )
    for (_, a), (_, b) in zip(ours, theirs, strict=True):
        _compare(a, b, check_types)


def _compare_types(one: object, other: object) -> None:
    """Raise TypeError where two nested structures are of different kinds; all mappings are of one kind."""
    if _is_mapping(one) and _is_mapping(other):
        return
    alike = (
        _fields(one) == _fields(other) and type(one).__name__ == type(other).__name__
        if _fields(one) is not None
        else type(one) is type(other)
    )
    if not alike:
        raise TypeError(
            "The two namedtuples don't have the same sequence type. "
            f"First structure {_shown(one)} has type {type(one).__name__}, while second structure {_shown(other)} has "
            f"type {type(other).__name__}"
        )


def _children(structure: object) -> Iterator[tuple[Any, Any]]:
    """Yield the parts of a nested structure with their keys, mappings by sorted key."""
    if _is_mapping(structure):
        mapping = cast("Mapping[Any, Any]", structure)
        for key in sorted(mapping):
            yield key, mapping[key]
    elif _is_attrs(structure):
        for field in _attributes(structure):
            yield field, getattr(structure, field)
    else:
        yield from enumerate(cast("Sequence[Any]", structure))


def _packed(structure: object, atoms: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(atoms)
    parts = {key: _packed(child, atoms) for key, child in _children(structure)}
    if _is_mapping(structure):
        return _mapping_like(cast("Mapping[Any, Any]", structure), parts)
    if _is_attrs(structure):
        return type(structure)(**parts)
    values = list(parts.values())
    if _fields(structure) is not None:
        return cast("Any", type(structure))(*values)
    if isinstance(structure, range):
        return values
    return cast("Any", type(structure))(values)


def _mapping_like(structure: Mapping[Any, Any], parts: dict[Any, Any]) -> Any:
    """Return `parts` as a mapping of the same class, with the keys in the same order."""
    ordered = [(key, parts[key]) for key in structure]
    if isinstance(structure, defaultdict):
        return defaultdict(structure.default_factory, ordered)
    try:
        return cast("Any", type(structure))(ordered)
    except TypeError:  # a mapping that is made otherwise
        return dict(ordered)


def _fields(structure: object) -> tuple[str, ...] | None:
    """Return the fields of a named tuple; None for other structures."""
    return (
        getattr(cast("Any", structure), "_fields", None) if isinstance(structure, tuple) else None
    )


def _is_mapping(structure: object) -> bool:
    return isinstance(structure, Mapping)


def _is_attrs(structure: object) -> bool:
    return hasattr(type(structure), "__attrs_attrs__")


def _attributes(structure: object) -> list[str]:
    return [each.name for each in cast("Any", type(structure)).__attrs_attrs__]


def _shown(structure: object) -> str:
    return f"type={type(structure).__name__} str={structure}"


def _form(structure: object) -> str:
    """Return a structure as it is written, with a dot for each atom."""
    return str(_dots(structure))


class _Dot:
    def __repr__(self) -> str:
        return "."


def _dots(structure: object) -> Any:
    return _packed(structure, iter(_Dot, None))
