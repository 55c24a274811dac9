"""The programs of a model: one for each kind of step, kept while the model's variables stay the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax

from hornbeam.core.changes import change_count
from hornbeam.core.variable import Variable
from hornbeam.keras.sources.source import Data, Source
from hornbeam.keras.training.eager import EagerProgram
from hornbeam.keras.training.step import Program, Step, reach_of
from hornbeam.keras.utils.packing import unpack_x_y_sample_weight

if TYPE_CHECKING:
    from hornbeam.keras.training.trainer import Trainer


def program_for(model: Trainer, kind: str, source: Source) -> Program | EagerProgram:
    """Return the program of a step, "train", "test" or "predict", on the data of `source`.

    Before, all state that the step needs is made, and the data are checked.
    """
    rows = source.as_rows()
    gather = None if rows is None else rows.gather
    key = kind, rows is not None
    kept = _kept(model, key)
    form = _form(source.first()) if kind != "predict" else None
    can_skip = form in kept.forms if kept is not None else kind == "predict" and _is_built(model)
    if not can_skip:
        with model.as_compiled():
            model.prepare(source.first(), kind)
        kept = _kept(model, key)
    source.check(model.check_batch)
    if model.run_eagerly:
        return EagerProgram(_step(model, kind), gather)
    if kept is None:
        count, reach = change_count(), reach_of(model, kind)
        programs = vars(model).setdefault("_programs", {})
        kept = programs.get(key)
        if kept is None or not kept.reach.equals(reach):
            find_reach = partial(reach_of, model, kind)
            kept = Program(_step(model, kind), gather, reach, find_reach, model.placement)
            programs[key] = kept
        kept.made_at, kept.contents = count, reach.contents
    kept.forms.add(form)
    return kept


def check_validation(model: Trainer, validation: Source, training: Source) -> None:
    """Raise what the first validation would raise after an epoch: missing targets, wrong labels, sizes that don't fit.

    The step is traced only for data of another form than the training data, whose first step would tell the same.
    """
    first = validation.first()
    key = "test", validation.as_rows() is not None
    kept = _kept(model, key)
    is_known = kept is not None and _form(first) in kept.forms
    program = program_for(model, "test", validation)
    if is_known or _form(_x_and_y(first)) == _form(_x_and_y(training.first())):
        return
    if isinstance(program, EagerProgram) and model.has_own_step("test"):
        return  # the user's Python would run once more than it should
    try:
        program.find(*first_data(validation))
    except Exception:
        vars(model).get("_programs", {}).pop(key, None)  # so that the next `fit` tries it again
        raise


def first_data(source: Source) -> tuple[Data, Data]:
    """Return what a step of the program for `source` takes at first: resident arrays, and a batch or its row numbers."""
    rows = source.as_rows()
    return (None, source.first()) if rows is None else (rows.resident, rows.first)


def _x_and_y(batch: Data) -> Data:
    return unpack_x_y_sample_weight(batch)[:2]


def _kept(model: Trainer, key: tuple[str, bool]) -> Program | None:
    """Return the program of an earlier call, if no state was made, frozen, attached or moved since."""
    program = vars(model).get("_programs", {}).get(key)
    if program is None or program.made_at != change_count() or not program.contents.is_current():
        return None
    return program


def _form(batch: Data) -> object:
    leaves, tree = jax.tree.flatten(batch)
    return tree, tuple((leaf.shape[1:], leaf.dtype) for leaf in leaves)


def _is_built(model: Trainer) -> bool:
    return model.built and all(layer.built for layer in model.flatten_layers())


def _step(model: Trainer, kind: str) -> Step:
    """Return the step of that kind, the layers trainable as they were at `compile`."""
    step = getattr(model, f"{kind}_step")

    def run(data: Data) -> Any:
        with model.as_compiled():
            outputs = step(data)
        if kind == "predict":
            return outputs
        if not isinstance(outputs, dict):
            raise TypeError(
                f"{type(model).__name__}.{kind}_step returned {type(outputs).__name__} {outputs!r}; expected a dict of "
                f"logs by name. Return for instance {{'loss': loss}} or self.compute_metrics(x, y, y_pred)."
            )
        logs = _flat(outputs)
        for name, value in logs.items():
            if not (isinstance(value, (int, float)) or hasattr(value, "dtype")):
                raise TypeError(
                    f"{type(model).__name__}.{kind}_step returned {value!r} under {name!r}; expected a number."
                )
        return logs

    return run


def _flat(logs: dict[str, Any]) -> dict[str, Any]:
    """Return the logs without nesting: `{m.name: m.result() for m in self.metrics}` nests those of `compile`.

    They are sorted by name, and nested ones stand where the name around them belongs, as in Keras. A metric's `result`
    may return its variable: the log is the value that it has now.
    """
    found: dict[str, Any] = {}
    for name, value in sorted(logs.items()):
        if isinstance(value, dict):
            found.update(_flat(value))
        else:
            found[name] = value.read_value() if isinstance(value, Variable) else value
    return found
