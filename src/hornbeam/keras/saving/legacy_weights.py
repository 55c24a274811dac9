"""The weights of a model in a group of a legacy `.h5` file: lists of names, and arrays under these names.

Layers are matched by their names where the file and the model have the same ones, else by their order; so are the weights
in a layer. The order in a file depends on what was trainable when it was written, names do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbeam.core.variable import Variable
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.saving import cudnn_weights, theano_weights
from hornbeam.keras.saving.comparison import Entry, Part, Subject, missing
from hornbeam.keras.saving.h5_writer import NewGroup, Writer
from hornbeam.keras.saving.keras2 import safe_name

TOP = "top_level_model_weights"
_LARGEST_LIST = 64512  # bytes of one attribute


# Writing


def write(model: Layer, group: NewGroup) -> None:
    """Write the weights of a model into a group."""
    layers = _layers(model)
    names = _unique((each.name for each in layers), {TOP})
    write_names(group, "layer_names", names)
    # In the order of names, as Keras, which reads files in the order of `layer_names`.
    for name, layer in sorted(zip(names, layers, strict=True), key=lambda pair: pair[0]):
        write_variables(_in_order(layer), group.create_group(name))
    write_variables(model._own_weights(), group.create_group(TOP))


def write_variables(variables: list[Variable], group: NewGroup) -> None:
    """Write variables under their paths, made different where two are the same."""
    names = _unique(variable.path for variable in variables)
    write_names(group, "weight_names", names)
    writer = Writer(group, group.name)
    for name, variable in zip(names, variables, strict=True):
        writer[name] = variable.numpy()


def write_names(group: NewGroup, attribute: str, names: list[str]) -> None:
    """Write a list of names, split where it is too long for one attribute."""
    data = np.asarray([name.encode() for name in names])
    count = -(-data.nbytes // _LARGEST_LIST)
    if count <= 1:
        group.attrs[attribute] = data
        return
    parts = np.array_split(data, -(-len(data) // (_LARGEST_LIST // data.itemsize)))
    for index, part in enumerate(parts):
        group.attrs[f"{attribute}{index}"] = part


def _unique(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return names of which none is another's, or the beginning of another's path."""
    arrays, groups = set(taken), set[str]()
    found: list[str] = []
    for name in names:
        unique, number = name, 0
        base = name.replace("/", "_") if arrays.intersection(_above(name)) else name
        while unique in arrays or unique in groups or arrays.intersection(_above(unique)):
            number += 1
            unique = f"{base}_{number}"
        arrays.add(unique)
        groups.update(_above(unique))
        found.append(unique)
    return found


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


# Reading


@dataclass
class Stored:
    """The weights that a file has for a layer, in their order."""

    layer: str
    place: str
    names: list[str]
    entries: list[Entry]
    of_theano: bool = False


def parts(
    model: Layer, stored: list[Stored], top: Stored, subject: Subject, by_name: bool = False
) -> tuple[list[Part], Subject]:
    """Return what each layer takes, and the subject with how layers were matched.

    `stored` has the weights of the layers right inside the model, `top` those of the model itself.
    """
    filled = {safe_name(each.layer): each for each in stored if each.entries}
    layers = [layer for layer in _layers(model) if layer.weights]
    found: list[Part] = []
    if by_name or set(filled) == {each.name for each in layers}:
        found += [_part(each, filled[each.name]) for each in layers if each.name in filled]
    else:
        found += [_part(a, b) for a, b in zip(layers, filled.values(), strict=False)]
        found += [_absent(each, top) for each in layers[len(filled) :]]
        found += [_too_much(model, each) for each in list(filled.values())[len(layers) :]]
        how = "layers matched by order, because their names differ"
        subject = Subject(f"{subject.file} ({how})", subject.model)
    own = model._own_weights()
    if own and (top.entries or not by_name):
        found.append(_part(model, top, own))
    return found, subject


def _layers(model: Any) -> list[Layer]:
    return list(model.layers) if hasattr(model, "layers") else model.sublayers()


def _part(layer: Layer, stored: Stored, own: list[Variable] | None = None) -> Part:
    """Return what a layer takes; `own` are its weights where they are not all that are in it."""
    variables = _matching(_orders(layer) if own is None else [own], stored)
    absent = [missing(f"{stored.place}/{each.name}") for each in variables[len(stored.names) :]]
    needs = list(zip(variables, [*stored.entries, *absent], strict=False))
    needs = cudnn_weights.converted(layer, needs)
    if stored.of_theano:
        needs = theano_weights.turned(layer, needs)
    return Part(layer.path, needs, left_over=stored.entries[len(variables) :], obj=layer)


def _absent(layer: Layer, top: Stored) -> Part:
    place = "/".join([*top.place.split("/")[:-1], layer.name])
    needs = [(each, missing(f"{place}/{each.name}")) for each in _in_order(layer)]
    return Part(layer.path, needs, obj=layer)


def _too_much(model: Layer, stored: Stored) -> Part:
    count = len(stored.names)
    return Part(
        model.name,
        problems=[f"{model.name}: the file has {stored.place} of {count} weights as well"],
    )


def _in_order(layer: Layer) -> list[Variable]:
    """Return the weights of a layer as the format orders them: those that are trained first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _orders(layer: Layer) -> list[list[Variable]]:
    """Return the orders that the file may have, by what was frozen when it was written."""
    every = layer.weights
    thawed = [v for v in every if v.made_trainable] + [v for v in every if not v.made_trainable]
    return [_in_order(layer), thawed, every]


def _matching(orders: list[list[Variable]], stored: Stored) -> list[Variable]:
    """Return a layer's variables in the order of the file: by name, else in the first order that fits.

    Where layers inside have other names, an order fits whose shapes and last names ("kernel", "bias") are the file's, or
    whose shapes are.
    """
    named = _by_name(orders[0], stored.names)
    if named is not None:
        return named
    shapes = [tuple(entry.shape) for entry in stored.entries]
    fitting = [order for order in orders if [tuple(v.shape) for v in order] == shapes]
    ends = [_steps(each)[-1] for each in stored.names]
    alike = (order for order in fitting if [_steps(v.path)[-1] for v in order] == ends)
    return next(alike, fitting[0] if fitting else orders[0])


def _by_name(variables: list[Variable], names: list[str]) -> list[Variable] | None:
    """Return the variables of these names, in their order, or None where the names differ.

    The last steps of the paths are compared, as many as tell the weights of the layer apart.
    """
    wanted, own = [_steps(each) for each in names], [_steps(each.path) for each in variables]
    for count in range(1, max(map(len, [*wanted, *own]), default=0) + 1):
        a, b = ([tuple(each[-count:]) for each in paths] for paths in (wanted, own))
        if len(set(a)) == len(a) and len(set(b)) == len(b):
            return [variables[b.index(each)] for each in a] if set(a) == set(b) else None
    return None


def _steps(path: str) -> list[str]:
    """Return the steps of a weight's path; TensorFlow ends it with the number of an output."""
    return path.partition(":")[0].split("/")
