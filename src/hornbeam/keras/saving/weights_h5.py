"""Weights in `.weights.h5` files, exchanged with Keras 3 both ways.

Format: for every layer, and for the optimizer of a compiled model, a group `vars` with what its `save_own_variables`
writes: by default one dataset for each of its own weights, "0", "1", ... in their order. The groups follow the
attributes that hold the objects: `layers/dense/vars/0` in a Sequential or functional model (names of classes,
numbered), `encoder/vars/0` for an attribute `encoder`, `blocks/dense/vars/0` for a list `blocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

from hornbeam.core.atomic import atomic_write
from hornbeam.core.rng import SeedGenerator
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.saving.comparison import Entry, Part, Subject, load
from hornbeam.keras.saving.h5_store import Reader, h5_reading, h5_writing
from hornbeam.keras.saving.h5_writer import NewGroup, Writer
from hornbeam.keras.saving.places import places

_UNBUILT = (
    2  # variables of an optimizer before it is built: the count of steps and the learning rate
)


def save_weights(model: Layer, path: str) -> None:
    """Write the weights of `model`; the file is there completely or not at all."""
    with atomic_write(path) as stream, h5_writing(stream) as file:
        write(model, file)


def load_weights(
    model: Layer, path: str, skip_mismatch: bool = False, objects_to_skip: Iterable[Any] = ()
) -> None:
    """Read the weights of `model`, without those of `objects_to_skip`; see `comparison.load`."""
    with h5_reading(path) as file:
        read(model, file, skip_mismatch, objects_to_skip)


def write(model: Layer, file: NewGroup, whole: bool = False) -> None:
    """Write the weights of a model into an open file, one array after the other.

    In a `whole` model the states of random generators are written, too; Keras does not look at them.
    """
    for place, obj in places(model, seeds=whole):
        group = file.create_group(group_of(place))
        group.attrs["name"] = obj.name
        obj.save_own_variables(Writer(group, repr(obj.name)))


OptimizerPart: TypeAlias = Callable[[Layer, Optimizer, Reader, bool], Part]
"""Return what the optimizer of a model takes from its group in a file, which was written whole or not."""


class Store(Protocol):
    """What weights are read from: one file, or several that make one set."""

    name: str

    def reader(self, place: str) -> Reader:
        """Return what there is for the object whose group is at `place`."""
        ...

    def entries(self) -> Iterable[Entry]:
        """Return all arrays."""
        ...


def read(
    model: Layer,
    store: Store,
    skip_mismatch: bool = False,
    objects_to_skip: Iterable[Any] = (),
    whole: bool = False,
    optimizer_part: OptimizerPart | None = None,
) -> None:
    """Read the weights of a model from what is open: of what that was written `whole`, or of any other.

    `optimizer_part` says what the optimizer takes, where that is not its variables in their order.
    """
    parts = []
    for place, obj in places(model, objects_to_skip, seeds=whole):
        reader = store.reader(group_of(place))
        if isinstance(obj, Optimizer):
            parts.append((optimizer_part or _optimizer_part)(model, obj, reader, whole))
        else:
            parts.append(_part(obj, reader))
    load(parts, Subject(store.name, model.name), skip_mismatch, store.entries)


def _part(obj: Any, store: Reader) -> Part:
    """Return what one object takes from the file."""
    part = Part(getattr(obj, "path", obj.name), obj=obj)
    if store.problem is not None:
        part.problems.append(f"{obj.name}: {store.place} {store.problem}")
    elif isinstance(obj, SeedGenerator):
        part.optional = True  # Keras writes none
        part.needs = [(obj.state, store.entry("0"))]
    elif type(obj).load_own_variables is Layer.load_own_variables:
        _numbered(part, obj._own_weights(), store)
    else:
        part.owner = f"{obj.name}: {store.place}"
        part.load = lambda: obj.load_own_variables(store)
    return part


def _optimizer_part(model: Layer, optimizer: Optimizer, store: Reader, whole: bool) -> Part:
    part = state_part(model, optimizer, store, whole, _UNBUILT)
    if store.problem is None:
        _numbered(part, optimizer.variables, store)
    return part


def state_part(
    model: Layer, optimizer: Optimizer, store: Reader, whole: bool, unbuilt: int
) -> Part:
    """Return the part for the state of an optimizer, which needs nothing yet, and build the optimizer if there is a state.

    There is one if the file has more than `unbuilt` variables. That of another optimizer is no fault of the file: this one
    starts anew, with a warning if the file was written `whole`.
    """
    is_built = len(store) > unbuilt
    if is_built and not optimizer.built:
        optimizer.build(model.trainable_variables)  # or its state would be lost
    part = Part(optimizer.name, obj=optimizer, optional=True)
    if store.problem is not None:
        part.problems.append(f"{optimizer.name}: {store.place} {store.problem}")
    elif whole and is_built:
        part.otherwise = (
            f"The state of the optimizer {optimizer.name!r} in {store.file} does not fit the optimizer that the model was "
            "compiled with: training starts anew."
        )
    return part


def _numbered(part: Part, variables: list[Any], store: Reader) -> None:
    """Pair variables with the entries "0", "1", ..., and list what the group has besides."""
    names = {str(index) for index in range(len(variables))}
    part.needs = [(v, store.entry(str(index))) for index, v in enumerate(variables)]
    part.left_over = [store.entry(name) for name in sorted(set(store) - names)]


def group_of(place: str) -> str:
    """Return the path of the group with the variables of the object at `place`."""
    return f"{place}/vars" if place else "vars"
