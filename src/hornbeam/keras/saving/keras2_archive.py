"""`.keras` archives that Keras 2 wrote: TensorFlow 2.12 to 2.15, and tf-keras. Keras 3 reads none of them.

Their configurations have Keras 3's form, with modules and registered names, and Keras 2's arguments, calls and names of
functions. Weights lie where the attributes of Keras 2's layers are, some of which began with an underscore. An optimizer has
its steps and slots among its variables, not its learning rate; the optimizers of before Keras 2.11 have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.optimizers.loss_scale_optimizer import LossScaleOptimizer
from hornbeam.keras.optimizers.optimizer import Optimizer
from hornbeam.keras.registry import tables
from hornbeam.keras.saving import legacy_optimizer, weights_h5
from hornbeam.keras.saving.comparison import Entry, Part
from hornbeam.keras.saving.h5_store import H5File, Reader
from hornbeam.keras.saving.old_models import Described, make


def made(config: dict[str, Any], name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that is described in the file `name`, compiled as it says, without its weights."""
    config = {**config}
    training = config.pop("compile_config", None)
    if training is not None:
        training = _without_modules(training)
        training["optimizer_config"] = training.pop("optimizer", None)
    return make(Described(_without_modules(config), training), name, custom_objects)


def _without_modules(tree: Any) -> Any:
    """Return a configuration in the older form of Keras 2, in which Keras's own classes have no module."""
    if isinstance(tree, list):
        return [_without_modules(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    kept = {key: _without_modules(value) for key, value in tree.items()}
    if "class_name" in tree and _is_keras_module(tree.get("module")):
        kept = {k: v for k, v in kept.items() if k not in ("module", "registered_name")}
    return kept


def _is_keras_module(module: object) -> bool:
    return isinstance(module, str) and tables.is_keras_module(module.removeprefix("tf_"))


def read_weights(
    model: Layer,
    file: H5File,
    skip_mismatch: bool = False,
    objects_to_skip: Iterable[Any] = (),
    whole: bool = False,
) -> None:
    """Read the weights of a model; see `weights_h5.read`."""
    store = _Store(file)
    weights_h5.read(model, store, skip_mismatch, objects_to_skip, whole, _optimizer_part)


_LAYERS_OF_2_12 = "_layer_checkpoint_dependencies"
_UNBUILT = 1  # variable of an optimizer before it is built: the count of steps


class _Store:
    """A file of weights, in which some objects have another name."""

    def __init__(self, file: H5File) -> None:
        self._file = file
        self.name = file.name
        self._is_of_2_12 = file.root.group(_LAYERS_OF_2_12) is not None

    def reader(self, place: str) -> Reader:
        """Return what there is for the object whose group is at `place`."""
        if self._is_of_2_12:
            place = _place_in_2_12(place)
        found = self._file.reader(place)
        if found or found.problem is not None:
            return found
        *outer, name, variables = ["", *place.split("/")]
        return self._file.reader("/".join([*outer, f"_{name}", variables]).lstrip("/")) or found

    def entries(self) -> Iterable[Entry]:
        """Return all arrays."""
        return self._file.entries()


def _optimizer_part(model: Layer, optimizer: Optimizer, store: Reader, whole: bool) -> Part:
    part = weights_h5.state_part(model, optimizer, store, whole, _UNBUILT)
    if not store or store.problem is not None:
        return part
    # One whose loss is scaled has the variables of the optimizer inside, not its scale.
    inner = optimizer.inner_optimizer if isinstance(optimizer, LossScaleOptimizer) else optimizer
    steps, *stored = (store.entry(str(i)) for i in range(len(store)))
    part.needs = [
        (inner._iterations, steps),
        *legacy_optimizer.needs_alone(optimizer, inner, steps, {}),
    ]
    alone = {
        id(each) for each in (inner._iterations, inner._learning_rate, *inner._shared.values())
    }
    slots = [each for each in inner.variables if id(each) not in alone]
    if len(slots) != len(stored):
        part.problems.append(
            f"{optimizer.name}: the file has {len(stored)} arrays for {len(slots)}"
        )
    part.needs += zip(slots, stored, strict=False)
    return part


def _place_in_2_12(place: str) -> str:
    """Return the place of a group in files of TensorFlow 2.12, which counts every layer with weights twice.

    >>> from hornbeam.keras.saving.keras2_archive import _place_in_2_12
    >>> _place_in_2_12("layers/dense_1/vars")
    '_layer_checkpoint_dependencies/dense_2/vars'
    """
    steps = place.split("/")
    for i, step in enumerate(steps[:-1]):
        if step == "layers":
            name, _, number = steps[i + 1].rpartition("_")
            steps[i] = _LAYERS_OF_2_12
            if name and number.isdecimal():
                steps[i + 1] = f"{name}_{2 * int(number)}"
    return "/".join(steps)
