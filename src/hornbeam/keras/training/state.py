"""The variables that decide the next step of a training, by paths that another process finds again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hornbeam.core.names import snake_case
from hornbeam.core.rng import global_generator
from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.keras.engine import tracking
from hornbeam.keras.optimizers import Optimizer
from hornbeam.keras.saving.comparison import Part, Subject, load, missing
from hornbeam.keras.saving.places import places
from hornbeam.keras.saving.state_folder import StoredState
from hornbeam.keras.sources.source import Data
from hornbeam.keras.training.step import Program, reach_of

if TYPE_CHECKING:
    from hornbeam.keras.training.trainer import Trainer


_ELSEWHERE = "elsewhere"
_NUMBER = re.compile(r"_\d+(?=/|$)")


def variables_by_path(model: Trainer) -> dict[str, Variable]:
    """Return all variables that a training step of the model may change, by path.

    A path follows the attributes that hold the variable, as in files of weights, so it is the same in every process that
    builds the model in the same way: `layers/dense/vars/kernel`, `optimizer/slots/layers/dense/vars/kernel/momentum`,
    `metrics/mean/vars/total`, `global_seed`.
    """
    found: dict[int, tuple[str, Variable]] = {}
    counts: Counter[str] = Counter()

    def note(path: str, variable: Variable) -> None:
        if id(variable) not in found:
            counts[path] += 1
            number = counts[path] - 1
            found[id(variable)] = f"{path}_{number}" if number else path, variable

    optimizers: list[tuple[str, Optimizer]] = []
    for place, obj in places(model):
        if isinstance(obj, Optimizer):
            optimizers.append((place, obj))
            continue
        for variable in _own_variables(obj):
            note(_joined(place, "vars", variable.name), variable)
    for path, variable in _of_metrics(model.metrics, "metrics"):
        note(path, variable)
    taught = {v.path.replace("/", "_"): path for path, v in found.values()}
    for place, optimizer in optimizers:
        for variable in optimizer.variables:
            note(_joined(place, *_slot(variable.name, taught)), variable)
    note("global_seed", global_generator().state)
    reach = reach_of(model, "train")
    for variable in (*reach.changing, *reach.shared):
        note(_joined("others", variable.path), variable)
    return dict(found.values())


def _own_variables(obj: Any) -> list[Variable]:
    seeds = [generator.state for generator in tracking.own_seed_generators(obj)]
    return [*tracking.own_variables(obj), *seeds]


def _of_metrics(metrics: list[Any], place: str) -> Iterator[tuple[str, Variable]]:
    counts: Counter[str] = Counter()
    for metric in metrics:
        name = snake_case(type(metric).__name__)
        counts[name] += 1
        inner = f"{place}/{name}" if counts[name] == 1 else f"{place}/{name}_{counts[name] - 1}"
        for variable in tracking.own_variables(metric):
            yield f"{inner}/vars/{variable.name}", variable
        yield from _of_metrics(tracking.own_metrics(metric), inner)


def _slot(name: str, taught: Mapping[str, str]) -> list[str]:
    """Return the parts of the path of an optimizer's variable: those of slots follow the variable that they belong to.

    Names of slots are made of the path of a variable, which other processes may number otherwise, and their own.
    """
    cut = len(name)
    while (cut := name.rfind("_", 0, cut)) > 0:
        if name[:cut] in taught:
            return ["slots", taught[name[:cut]], name[cut + 1 :]]
    return ["vars", name]


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def variables_elsewhere(model: Trainer) -> dict[str, tuple[Program, Variable]]:
    """Return what compiled training steps of the model use and the model does not hold, such as a global variable.

    Numbers that names have got in this process are left out of the paths. Of equal ones, each says which of how many it is,
    in the order in which the step meets them: among others it means another variable.
    """
    found: dict[int, tuple[Program, Variable]] = {}
    for (kind, _), program in vars(model).get("_programs", {}).items():
        for variable in program.found() if kind == "train" else ():
            found.setdefault(id(variable), (program, variable))
    named: dict[str, list[tuple[Program, Variable]]] = {}
    for each in found.values():
        path = _joined(_ELSEWHERE, _NUMBER.sub("", each[1].path))
        named.setdefault(path, []).append(each)
    return {
        path if len(equal) == 1 else f"{path}_{number}_of_{len(equal)}": each
        for path, equal in named.items()
        for number, each in enumerate(equal, 1)
    }


def changed_elsewhere(model: Trainer) -> dict[str, Variable]:
    """Return those of `variables_elsewhere` that were assigned since the step was traced; scripts make the others anew."""
    return {
        path: variable
        for path, (program, variable) in variables_elsewhere(model).items()
        if program.has_changed(variable)
    }


def load_variables(model: Trainer, stored: StoredState, data: tuple[Data, Data]) -> list[Variable]:
    """Set the variables of the model, and those that its step reads elsewhere, to the arrays of a checkpoint; return them.

    Those that the step makes or finds are there after it was traced on `data`, which its program takes. Raises ValueError, with every difference, for a checkpoint of
    another model, and changes nothing then.
    """
    variables = variables_by_path(model)
    if not variables.keys() >= set(stored.names):
        for (kind, _), program in vars(model).get("_programs", {}).items():
            if kind == "train":
                program.find(*data)
        variables = variables_by_path(model)
    variables |= _elsewhere_in(model, stored)
    with stored.entries() as entries:
        parts: dict[str, Part] = {}
        for path, variable in variables.items():
            place = path.rpartition("/")[0]
            part = parts.setdefault(place, Part(place))
            part.needs.append((variable, entries.pop(path, None) or missing(path)))
        for path, entry in entries.items():
            if path.startswith(f"{_ELSEWHERE}/"):
                continue
            place = path.rpartition("/")[0]
            parts.setdefault(place, Part(place)).left_over.append(entry)
        try:
            load(list(parts.values()), Subject(stored.path, model.name))
        except ValueError as error:
            raise ValueError(
                f"{error}\nThe checkpoint is that of another training: build and compile the model as it was, or use another "
                "folder."
            ) from None
    return list(variables.values())


def _elsewhere_in(model: Trainer, stored: StoredState) -> dict[str, Variable]:
    """Return the variables that the model does not hold, and for which a checkpoint has values."""
    names = [name for name in stored.names if name.startswith(f"{_ELSEWHERE}/")]
    if not names:
        return {}
    found = variables_elsewhere(model)
    if left := [name.partition("/")[2] for name in names if name not in found]:
        warn(
            f"{stored.path} has values of variables that the model does not hold, and its training step does not read them "
            f"now: {', '.join(left)}. They are as the script made them.",
        )
    return {name: found[name][1] for name in names if name in found}
