"""The state of an optimizer in a legacy `.h5` file, under the names that three generations of Keras gave it.

    Adam/dense/kernel/m:0           before Keras 2.11: all m, then all v
    Adam/m/dense/kernel:0           from Keras 2.11 on: m and v of one weight after the other
    adam/dense_kernel_momentum      Keras 3

The names tell the slot; the weights follow one another in the order in which the model lists what it trains.
"""

from __future__ import annotations

from collections.abc import Sequence

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.saving.comparison import Entry, Part

_STEPS = ("iter", "iteration", "iterations")
_RATES = ("learning_rate", "current_learning_rate", "lr", "decay")
# The slots of old optimizers, and what they are called now.
_SLOTS = {
    "m": ("momentum",),
    "v": ("velocity", "norm"),
    "vhat": ("velocity_hat",),
    "u": ("norm",),
    "rms": ("velocity",),
    "mg": ("average_gradient",),
    "accum_grad": ("accumulated_grad",),
    "accum_var": ("accumulated_delta_var",),
}
_KNOWN = {*_SLOTS, "momentum", "accumulator", "linear"}


def part(optimizer: Optimizer, stored: Sequence[tuple[str, Entry]]) -> Part:
    """Return what the optimizer takes from the state in a file; that of another optimizer is no fault of the file."""
    made = Part(optimizer.name, obj=optimizer, optional=True)
    variables = optimizer.variables
    if len(stored) == len(variables) and _same_shapes(stored, variables) and not _is_old(stored):
        made.needs = [(v, entry) for v, (_, entry) in zip(variables, stored, strict=True)]
        return made
    slots, shared = _by_slot(stored)
    steps = next((shared[name] for name in _STEPS if name in shared), None)
    if steps is not None:
        made.needs.append((optimizer._iterations, steps))
    # A file without slots is that of an optimizer that has not trained yet: its slots begin anew, as they did there.
    for name, own in optimizer._slots.items() if slots else ():
        found = next((slots[old] for old in slots if name in (old, *_SLOTS.get(old, ()))), [])
        if len(found) != len(own):
            made.problems.append(
                f"the file has {len(found)} arrays for {name!r}, one for each of {len(own)} weights is wanted"
            )
        made.needs += zip(own, found, strict=False)
    for variable, entry in made.needs:
        if entry.problem is not None or tuple(entry.shape) != tuple(variable.shape):
            wrong = entry.problem or f"has shape {entry.shape}, not {tuple(variable.shape)}"
            made.problems.append(f"{entry.path} {wrong}")
    return made


def _same_shapes(stored: Sequence[tuple[str, Entry]], variables: list[Variable]) -> bool:
    return [tuple(e.shape) for _, e in stored] == [tuple(v.shape) for v in variables]


def _is_old(stored: Sequence[tuple[str, Entry]]) -> bool:
    """Return whether TensorFlow named the variables: before Keras 3."""
    return any(name.endswith(":0") for name, _ in stored)


def _by_slot(
    stored: Sequence[tuple[str, Entry]],
) -> tuple[dict[str, list[Entry]], dict[str, Entry]]:
    """Return the arrays of each slot in their order, and what belongs to no weight."""
    slots: dict[str, list[Entry]] = {}
    steps = [(name.partition(":")[0].split("/"), entry) for name, entry in stored]
    shared = {path[-1]: entry for path, entry in steps if path[-1] in (*_STEPS, *_RATES)}
    of_weights = [(path, entry) for path, entry in steps if path[-1] not in shared]
    at_end = all(path[-1] in _KNOWN for path, _ in of_weights)
    for path, entry in of_weights:
        slots.setdefault(path[-1] if at_end else path[min(1, len(path) - 1)], []).append(entry)
    return slots, shared
