"""`fit`, `evaluate` and `predict`: they schedule, report and call callbacks; the step does the maths."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import numpy as np

from hornbeam.core.ordered import tree_map
from hornbeam.core.shield import Shield
from hornbeam.core.user_code import warn
from hornbeam.keras.callbacks import Callback, CallbackList, History
from hornbeam.keras.sources.source import Data, Feed
from hornbeam.keras.training.blocks import blocks_of
from hornbeam.keras.training.eager import EagerProgram
from hornbeam.keras.training.programs import program_for
from hornbeam.keras.training.run import Run
from hornbeam.keras.training.step import Program

if TYPE_CHECKING:
    from hornbeam.keras.training.trainer import Trainer

Logs: TypeAlias = dict[str, Any]
AnyProgram: TypeAlias = Program | EagerProgram
Callbacks: TypeAlias = Callback | CallbackList | list[Any] | tuple[Any, ...] | None


@dataclass(frozen=True)
class Schedule:
    """Which epochs run, and after which of them the model is validated."""

    epochs: int = 1
    first: int = 0
    validation: int | Collection[int] = 1

    def __post_init__(self) -> None:
        """Raise ValueError for what is no number of epochs."""
        for name, value in (("epochs", self.epochs), ("initial_epoch", self.first)):
            if not isinstance(value, Integral):
                raise ValueError(f"`{name}` is a whole number; received {value!r}.")
        every = self.validation
        several = isinstance(every, Collection) and all(isinstance(e, Integral) for e in every)
        if not several and not (isinstance(every, Integral) and int(every) >= 1):
            raise ValueError(
                f"`validation_freq` is a number of epochs, 1 or more, or a list of epochs; received {every!r}."
            )

    def validates(self, epoch: int) -> bool:
        """Return whether the model is validated after this epoch, counted from 0."""
        if isinstance(self.validation, Collection):
            return epoch + 1 in self.validation
        return (epoch + 1) % self.validation == 0


def fit(
    model: Trainer,
    program: AnyProgram,
    feed: Feed,
    validation: Feed | None,
    schedule: Schedule,
    callbacks: Callbacks,
    verbose: int | str,
) -> History:
    """Train the model and return its `History`."""
    reports = _reports(model, callbacks, verbose, feed, schedule.epochs, add_history=True)
    outer = model._run  # a callback may train the model that is being trained
    run = vars(model)["_run"] = Run(model, feed, reports, validation, schedule.first)
    model.stop_training = False
    try:
        with Shield() as shield:
            reports.on_train_begin()  # may go on from a checkpoint
            logs: Logs = run.logs
            for epoch in () if run.has_ended else range(run.epoch, schedule.epochs):
                model.reset_metrics()
                run.begin(epoch)
                reports.on_epoch_begin(epoch)
                trained = _train_epoch(model, program, run, shield)
                if trained is None:
                    break
                logs = trained
                if validation is not None and schedule.validates(epoch):
                    run.begin_validation(logs)
                    tested = _test(model, validation, reports)
                    logs.update({f"val_{name}": value for name, value in tested.items()})
                reports.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
            model.finish_training()
            reports.on_train_end(logs)
    finally:
        run.is_over = True
        vars(model)["_run"] = None if outer is None or outer.is_over else outer
        vars(model)["history"] = reports.history
        reports.close()
    return model.history


def _train_epoch(model: Trainer, program: AnyProgram, run: Run, shield: Shield) -> Logs | None:
    """Train for one epoch; return its logs, or None where the data had no batch left."""
    feed, reports = run.feed, run.reports
    logs: Logs = run.logs if run.step else {}
    if run.step and model.stop_training:
        return logs  # a checkpoint of the moment after the last step
    for step in _steps(program, feed, shield, reports.needs_train_batches):
        reports.on_train_batch_begin(run.step)
        logs, done = step()
        run.step += done
        reports.on_train_batch_end(run.step - 1, logs)
        if model.stop_training:
            break
    else:
        _warn_of_missing_steps(feed, run.step, "the epoch")
    return to_host(logs) if run.step else None


def _warn_of_missing_steps(feed: Feed, count: int, where: str) -> None:
    if count and (feed.steps is None or count >= feed.steps):
        return
    warn(
        f"The data ended after {count} of {feed.steps or 'an unknown number of'} steps of {where}. A generator can be "
        "read once: let it go on forever and give the number of steps, or use a PyDataset.",
    )


def _steps(
    program: AnyProgram, feed: Feed, shield: Shield, each_batch: bool
) -> Iterator[Callable[[], tuple[Logs, int]]]:
    """Yield the steps of an epoch, alone or in blocks: functions that run them and return their logs and number."""
    rows = feed.source.as_rows()
    resident = None if rows is None else rows.resident
    blocks = None if each_batch or feed.is_cut or rows is None else blocks_of(program, rows)
    if blocks is None or rows is None:
        for batch in feed.epoch():
            yield lambda batch=batch: (program(resident, batch, shield), 1)
        return
    begun = feed.resumed()
    whole, rest = rows.order(begun)
    order, at = jax.device_put(whole), begun["used"] if begun else 0
    try:
        while at < len(whole):
            count = min(blocks.pace.steps, len(whole) - at)
            start, at = at, at + count
            rows.advance(count)
            run = partial(blocks, resident, order, start, count, shield)
            yield lambda run=run, count=count: (run(), count)
    finally:
        blocks.pace.drop()
    if len(rest) and at == len(whole):
        rows.advance(1)
        yield lambda: (program(resident, rest, shield), 1)


def evaluate(model: Trainer, feed: Feed, callbacks: Callbacks, verbose: int | str) -> Logs:
    """Return the loss and metrics over the data."""
    with closing(_reports(model, callbacks, verbose, feed)) as reports:
        return _test(model, feed, reports)


def _test(model: Trainer, feed: Feed, reports: CallbackList) -> Logs:
    program = program_for(model, "test", feed.source)
    model.reset_metrics()
    logs: Logs = {}
    with Shield() as shield:
        reports.on_test_begin()
        count = 0
        for step in _steps(program, feed, shield, reports.needs_test_batches):
            reports.on_test_batch_begin(count)
            logs, done = step()
            count += done
            reports.on_test_batch_end(count - 1, logs)
        _warn_of_missing_steps(feed, count, "the evaluation")
        logs = to_host(logs)
        reports.on_test_end(logs)
    return logs


def predict(model: Trainer, feed: Feed, callbacks: Callbacks, verbose: int | str) -> Any:
    """Return the outputs for the data, as NumPy arrays."""
    program = program_for(model, "predict", feed.source)
    parts: list[Any] = []
    with closing(_reports(model, callbacks, verbose, feed)) as reports:
        reports.on_predict_begin()
        for step, batch in enumerate(feed.epoch()):
            reports.on_predict_batch_begin(step)
            outputs = program(None, batch)
            parts.append(outputs)
            reports.on_predict_batch_end(step, {"outputs": outputs})
        if not parts:
            raise ValueError("There is no data: the generator gave no batch.")
        result = tree_map(_joined, *parts)
        reports.on_predict_end()
    return result


def on_batch(model: Trainer, kind: str, program: AnyProgram, batch: Data) -> Any:
    """Run one step of training, evaluation or prediction; return the logs, or the outputs on the device."""
    if kind != "predict":
        model.reset_metrics()
    with Shield() as shield:
        outputs = program(None, batch, shield)
    return outputs if kind == "predict" else to_host(outputs)


def _joined(*parts: jax.Array) -> np.ndarray:
    """Return the rows of all parts, in an array of their own."""
    if len(parts) == 1:
        return np.array(parts[0])
    return np.concatenate([np.asarray(part) for part in parts])


def to_host(logs: Logs) -> Logs:
    """Return the logs as Python floats."""
    return {
        name: float(value) if np.ndim(value) == 0 else np.asarray(value)
        for name, value in (logs or {}).items()
    }


def _reports(
    model: Trainer,
    callbacks: Callbacks,
    verbose: int | str,
    feed: Feed,
    epochs: int = 1,
    add_history: bool = False,
) -> CallbackList:
    return CallbackList(
        callbacks,
        add_history=add_history,
        add_progbar=verbose != 0,
        model=model,
        verbose=1 if verbose == "auto" else verbose,
        epochs=epochs,
        steps=feed.steps,
    )
