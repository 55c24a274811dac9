"""Losses and metrics beside the outputs that they belong to: by name, by place, or one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import jax

from hornbeam.core.errors import did_you_mean
from hornbeam.core.op import is_box
from hornbeam.core.ordered import keys_of
from hornbeam.core.typing import Structure, TensorLike

T = TypeVar("T")

Tensors: TypeAlias = "Structure[TensorLike]"
"""Outputs or targets of a model, in the structure that the model or its user chose."""

PerOutput: TypeAlias = "T | Sequence[PerOutput[T]] | Mapping[str, PerOutput[T]] | None"
"""One for all outputs, a list in their order, or a dict by their names."""


def flat_values(tree: Tensors) -> list[Any]:
    """Return the tensors of a structure, in order; a structure may be a single tensor or None."""
    return jax.tree.leaves(tree, is_leaf=lambda x: x is None or is_box(x))


def output_names(outputs: Tensors, given: list[str] | None) -> list[str]:
    """Return a name for each output: a dict's keys, the model's names, else its place."""
    if not has_names(outputs, given):
        return [f"output_{i}" for i in range(len(flat_values(outputs)))]
    return keys_of(outputs) if isinstance(outputs, dict) else unique_names(given or [])


def has_names(outputs: Tensors, given: list[str] | None) -> bool:
    """Return whether the outputs have names: those of a dict, or those that the model knows."""
    count = len(flat_values(outputs))
    return (isinstance(outputs, dict) and len(outputs) == count) or len(given or []) == count


def unique_names(names: list[str]) -> list[str]:
    """Return the names, repeated ones numbered."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name] - 1}")
    return result


def per_output(what: str, given: PerOutput[Any], names: list[str]) -> list[Any]:
    """Return one entry of `given` for each output; None where it says nothing about one.

    Raises ValueError for a list of another length and for names that are no outputs.
    """
    if given is None:
        return [None] * len(names)
    if isinstance(given, dict):
        for key in given:
            if key not in names:
                raise ValueError(
                    f"`{what}` names the output {key!r}, which the model does not have.{did_you_mean(str(key), names)}"
                    f" Its outputs: {', '.join(names)}."
                )
        return [given.get(name) for name in names]
    if isinstance(given, (list, tuple)):
        if len(given) != len(names):
            raise ValueError(
                f"`{what}` is a list of {len(given)}, the model has {len(names)} output(s) ({', '.join(names)}): "
                "give one entry for each, None for an output without."
            )
        return list(given)
    return [given] * len(names)


def targets_per_output(y: Tensors, names: list[str], taught: list[int] | None) -> list[Any]:
    """Return the targets in the order of the outputs; None where there are none for one.

    `y` holds one array for each output, or one for each output that has a loss; `taught` are the places of these.
    """
    if isinstance(y, dict):
        return per_output("y", y, names)
    found = find_targets(y, names, taught)
    if found is not None:
        return [found.get(i) for i in range(len(names))]
    raise ValueError(
        f"The model has {len(names)} output(s) ({', '.join(names)}), but `y` holds {len(flat_values(y))} array(s): "
        "give one for each output."
    )


def find_targets(y: Tensors, names: list[str], taught: list[int] | None) -> dict[int, Any] | None:
    """Return the targets by the place of their output; None where their number fits no set of outputs."""
    if y is None:
        return {}
    if isinstance(y, dict):
        return {i: y[name] for i, name in enumerate(names) if name in y}
    flat = flat_values(y)
    places = range(len(names)) if len(flat) == len(names) else taught or []
    return dict(zip(places, flat, strict=True)) if len(flat) == len(places) else None


def weights_per_output(sample_weight: Tensors, names: list[str]) -> list[Any]:
    """Return the sample weights in the order of the outputs; a single array serves all."""
    if isinstance(sample_weight, dict):
        return per_output("sample_weight", sample_weight, names)
    flat = flat_values(sample_weight)
    if len(flat) not in (1, len(names)):
        raise ValueError(
            f"`sample_weight` holds {len(flat)} arrays, the model has {len(names)} output(s) ({', '.join(names)}): give "
            "one for each output, or one for all."
        )
    return flat if len(flat) == len(names) else [sample_weight] * len(names)
