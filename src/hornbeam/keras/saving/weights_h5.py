"""Weights in `.weights.h5` files, exchanged with Keras 3 both ways.

Format: for every layer, and for the optimizer of a compiled model, a group `vars` with what its `save_own_variables`
writes: by default one dataset for each of its own weights, "0", "1", ... in their order. The groups follow the
attributes that hold the objects: `layers/dense/vars/0` in a Sequential or functional model (names of classes,
numbered), `encoder/vars/0` for an attribute `encoder`, `blocks/dense/vars/0` for a list `blocks`.

Reading compares first and assigns afterwards: nothing is changed unless all fits, or, with `skip_mismatch`, an object
is loaded whole or left as it is.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from hornbeam.core.atomic import atomic_write
from hornbeam.core.optional import require
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.saving.h5_store import Reader, Writer
from hornbeam.keras.saving.places import places

_ENDING = ".weights.h5"


def save_weights(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights of `model`; the file is there completely or not at all.

    Raises ValueError for another ending than `.weights.h5`, FileExistsError where `overwrite` is False and the file
    exists.
    """
    path = _checked_path(filepath)
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data or build it, then save."
        )
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists already; delete it, or pass overwrite=True.")
    h5py = require("h5py", extra="h5", purpose="saving weights in HDF5")
    with atomic_write(path) as stream, h5py.File(stream, "w") as file:
        for place, obj in places(model):
            group = file.create_group(_group(place))
            group.attrs["name"] = obj.name
            obj.save_own_variables(Writer(group, repr(obj.name)))


def load_weights(
    model: Layer,
    filepath: str | os.PathLike[str],
    skip_mismatch: bool = False,
    objects_to_skip: Iterable[Any] = (),
) -> None:
    """Read the weights of `model`, without those of `objects_to_skip`.

    Raises ValueError, with every difference, where the file does not fit; with `skip_mismatch`, loads the layers that
    do, and warns with the same list.
    """
    path = _checked_path(filepath)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"There is no file {path}.")
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data or build it, then load."
        )
    h5py = require("h5py", extra="h5", purpose="loading weights from HDF5")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is no HDF5 file, or a damaged one: {error}") from error
    with file:
        found = [
            _Loading(obj, Reader(h5py, file, _group(place)))
            for place, obj in places(model, objects_to_skip)
        ]
        problems = [problem for each in found for problem in each.problems]
        if problems and not skip_mismatch:
            for each in found:
                each.undo()
            raise ValueError(_report(path, model, problems, "no weight was changed"))
        for each in found:
            each.finish()
    if problems:
        what = "what differs was left as it is, the rest was loaded"
        warnings.warn(_report(path, model, problems, what), stacklevel=2)


def _report(path: str, model: Layer, problems: list[str], what: str) -> str:
    listed = "\n  ".join(problems[:20])
    rest = f"\n  ... and {len(problems) - 20} more" if len(problems) > 20 else ""
    return f"{path} does not fit the model {model.name!r}; {what}:\n  {listed}{rest}"


class _Loading:
    """The loading of one object: its problems are known before anything is final."""

    def __init__(self, obj: Any, store: Reader) -> None:
        self.obj = obj
        self.store = store
        self.problems: list[str] = []
        self.undo: Callable[[], None] = _nothing
        self.finish: Callable[[], None] = _nothing
        if store.problem is not None:
            self.problems.append(f"{obj.name}: {store.place} {store.problem}")
        elif isinstance(obj, Optimizer):
            self._optimizer(obj)
        elif type(obj).load_own_variables is Layer.load_own_variables:
            self._layer(obj)
        else:
            self._own_method()

    def _layer(self, layer: Layer) -> None:
        own = layer._own_weights()
        for index, variable in enumerate(own):
            shape, problem = self.store.shape(str(index))
            if problem is None and shape != tuple(variable.shape):
                problem = f"has shape {shape}"
            if problem is not None:
                place = f"{self.store.place}/{index}"
                self.problems.append(f"{variable.path} {tuple(variable.shape)}: {place} {problem}")
        names = {str(index) for index in range(len(own))}
        for name in sorted(set(self.store) - names):
            self.problems.append(
                f"{layer.path}: the file has {self.store.place}/{name} as well, the layer has {len(own)} weights"
            )
        if not self.problems:
            self.finish = lambda: layer.load_own_variables(self.store)  # type: ignore[arg-type]

    def _optimizer(self, optimizer: Optimizer) -> None:
        """Load the state of an optimizer that has the same; others start anew, which is no fault of the file's."""
        variables = optimizer.variables
        shapes = [self.store.shape(str(i))[0] for i in range(len(variables))]
        same = shapes == [tuple(v.shape) for v in variables] and len(self.store) == len(variables)
        if optimizer.built and same:
            self.finish = lambda: optimizer.load_own_variables(self.store)

    def _own_method(self) -> None:
        """Call a method of the user's, whose needs are not known before; what it changed can be taken back."""
        attributes = dict(vars(self.obj))
        values = [(v, v.numpy()) for v in _variables(self.obj)]

        def undo() -> None:
            vars(self.obj).clear()
            vars(self.obj).update(attributes)
            for variable, value in values:
                variable.assign(value)

        try:
            self.obj.load_own_variables(self.store)
        except Exception as error:
            undo()
            said = error.args[0] if isinstance(error, KeyError) and error.args else error
            self.problems.append(f"{self.obj.name}: {self.store.place}: {said}")
        else:
            self.undo = undo


def _nothing() -> None:
    """Change nothing."""


def _variables(obj: Any) -> list[Variable]:
    return list(getattr(obj, "variables", ()))


def _group(place: str) -> str:
    return f"{place}/vars" if place else "vars"


def _checked_path(filepath: str | os.PathLike[str]) -> str:
    path = os.fspath(filepath)
    if not path.endswith(_ENDING):
        raise ValueError(f"The name of a file of weights ends with `{_ENDING}`; received {path!r}.")
    return path
