"""The state of an optimizer in a legacy `.h5` file, under the names that three generations of Keras gave it.

    Adam/dense/kernel/m:0           before Keras 2.11: all m, then all v
    Adam/m/dense/kernel:0           from Keras 2.11 on: m and v of one weight after the other
    adam/dense_kernel_momentum      Keras 3

The names tell the slot; the weights follow one another in the order in which the model lists what it trains. What belongs to
no weight stands alone: the steps, the product of Nadam's momenta, the factor of a scaled loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.keras.optimizers.nadam import Nadam, product_after
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.saving.comparison import Entry, Part

_STEPS = ("iter", "iteration", "iterations")
_PRODUCT = "momentum_cache"
_SCALE, _GOOD_STEPS = "current_loss_scale", "good_steps"
# What belongs to no weight; learning rates are in the configuration as well.
_ALONE = (*_STEPS, _PRODUCT, _SCALE, _GOOD_STEPS, "learning_rate", "current_learning_rate", "lr", "decay")  # fmt: skip
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
_NAMES = {*_KNOWN, "average", *(name for each in _SLOTS.values() for name in each)}


def part(optimizer: Optimizer, stored: Sequence[tuple[str, Entry]]) -> Part:
    """Return what the optimizer takes from the state in a file; that of another optimizer is no fault of the file."""
    made = Part(optimizer.name, obj=optimizer, optional=True)
    variables = optimizer.variables
    if len(stored) == len(variables) and _same_shapes(stored, variables) and not _is_old(stored):
        made.needs = [(v, entry) for v, (_, entry) in zip(variables, stored, strict=True)]
        return made
    slots, alone = _by_slot(stored)
    inner = optimizer.inner_optimizer if isinstance(optimizer, LossScaleOptimizer) else optimizer
    steps = next((alone[name] for name in _STEPS if name in alone), None)
    if steps is not None:
        made.needs += [(inner._iterations, steps), *needs_alone(optimizer, inner, steps, alone)]
    elif slots:
        made.problems.append("the file does not have the number of steps")
    # A file without slots is that of an optimizer that has not trained yet: its slots begin anew, as they did there.
    for name, own in _columns(inner) if slots else ():
        old = next((each for each in slots if name in (each, *_SLOTS.get(each, ()))), "")
        found = slots.pop(old, [])
        if len(found) != len(own):
            made.problems.append(
                f"the file has {len(found)} arrays for {name!r}, one for each of {len(own)} weights is wanted"
            )
        made.needs += zip(own, found, strict=False)
    made.problems += [f"nothing takes the {len(slots[each])} arrays for {each!r} in the file" for each in slots]  # fmt: skip
    for variable, entry in made.needs:
        if entry.problem is not None or tuple(entry.shape) != tuple(variable.shape):
            wrong = entry.problem or f"has shape {entry.shape}, not {tuple(variable.shape)}"
            made.problems.append(f"{entry.path} {wrong}")
    return made


def _columns(optimizer: Optimizer) -> Iterator[tuple[str, list[Variable]]]:
    """Yield the names of what is kept for each weight, and the variables."""
    yield from optimizer._slots.items()
    if optimizer._averages:
        yield "average", optimizer._averages


def needs_alone(
    optimizer: Optimizer, inner: Optimizer, steps: Entry, alone: dict[str, Entry]
) -> Iterator[tuple[Variable, Entry]]:
    """Yield what belongs to no weight, besides the number of steps."""
    if isinstance(inner, Nadam):
        # Since Keras 2.11 it is not saved, or wrong: in a graph it was multiplied once for each weight.
        product = alone.get(_PRODUCT) or _product(inner.beta_1, steps)
        yield inner._shared["u_product"], product
    if isinstance(optimizer, LossScaleOptimizer):
        scaling = {_SCALE: optimizer.dynamic_scale, _GOOD_STEPS: optimizer.step_counter}
        yield from ((scaling[name], alone[name]) for name in scaling if name in alone)


def _product(beta_1: float, steps: Entry) -> Entry:
    """Return the product of Nadam's momenta after a number of steps."""
    if steps.read is None or steps.shape:
        return steps  # what is wrong with it is told
    read = steps.read
    return Entry(steps.path, (), "float32", lambda: product_after(beta_1, int(read())))


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
    alone = {path[-1]: entry for path, entry in steps if path[-1] in _ALONE}
    of_weights = [(path, entry) for path, entry in steps if path[-1] not in alone]
    at_end = all(path[-1] in _KNOWN for path, _ in of_weights)
    for path, entry in of_weights:
        slots.setdefault(path[-1] if at_end else _early(path), []).append(entry)
    return slots, alone


def _early(path: list[str]) -> str:
    """Return the slot of a path that has it before the weight's, behind the optimizer's name if it has that."""
    return next((each for each in path[:2] if each in _NAMES), path[min(1, len(path) - 1)])
