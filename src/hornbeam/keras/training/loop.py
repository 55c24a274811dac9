"""`fit`, `evaluate` and `predict`: they schedule, report and call callbacks; the step does the maths."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from hornbeam.core.changes import change_count
from hornbeam.core.rng import global_generator
from hornbeam.keras.callbacks import CallbackList
from hornbeam.keras.engine.tracking import unique
from hornbeam.keras.training.adapters import (
    Feed,
    arrays_of,
    check_batch,
    is_stream,
    make_feed,
    with_class_weight,
)
from hornbeam.keras.training.arrays import ArraySource, split_rows
from hornbeam.keras.training.blocks import Blocks
from hornbeam.keras.training.eager import EagerProgram
from hornbeam.keras.training.shield import Shield
from hornbeam.keras.training.step import (
    Program,
    evaluation_state,
    optimizer_settings,
    same_settings,
    training_state,
)
from hornbeam.keras.utils.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight


def fit(
    model: Any,
    x: Any,
    y: Any,
    *,
    batch_size: int | None,
    epochs: int,
    verbose: int | str,
    callbacks: Any,
    validation_split: float,
    validation_data: Any,
    shuffle: bool | str,
    class_weight: dict[int, float] | None,
    sample_weight: Any,
    initial_epoch: int,
    steps_per_epoch: int | None,
    validation_steps: int | None,
    validation_batch_size: int | None,
    validation_freq: int | list[int],
) -> Any:
    """See `Model.fit`."""
    _require_compiled(model, "fit")
    if validation_split and validation_data is None:
        if is_stream(x):
            raise ValueError(
                "`validation_split` needs arrays; give `validation_data` beside a generator or PyDataset."
            )
        (x, y, sample_weight), validation_data = split_rows(
            arrays_of(x, y, sample_weight), validation_split
        )
    feed = make_feed(
        model,
        x,
        y,
        sample_weight,
        batch_size=batch_size,
        steps=steps_per_epoch,
        shuffle=shuffle,
        class_weight=class_weight,
    )
    validation = None
    if validation_data is not None:
        validation = _validation_feed(
            model, validation_data, validation_batch_size or batch_size, validation_steps
        )
    model._tell_changes_since_compile()
    _prepare(model, feed, training=True)
    program = _program(model, "train", feed)
    reports = CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=1 if verbose == "auto" else verbose,
        epochs=epochs,
        steps=feed.steps,
    )
    model.stop_training = False
    logs: dict[str, Any] = {}
    try:
        with Shield() as shield:
            reports.on_train_begin()
            for epoch in range(initial_epoch, epochs):
                model.reset_metrics()
                reports.on_epoch_begin(epoch)
                found = _train_epoch(model, program, feed, reports, shield)
                if found is None:
                    break
                logs = found
                if validation is not None and _validates(epoch, validation_freq):
                    measured = _evaluate(model, validation, reports)
                    logs.update({f"val_{name}": value for name, value in measured.items()})
                reports.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
            with model.as_compiled():
                if hasattr(model.optimizer, "finalize_variable_values") and model.optimizer.built:
                    model.optimizer.finalize_variable_values(model.trainable_variables)
            reports.on_train_end(logs)
    finally:
        reports.close()
    return model.history


def _train_epoch(
    model: Any, program: Program | EagerProgram, feed: Feed, reports: CallbackList, shield: Shield
) -> dict[str, Any] | None:
    """Train for one epoch; return its logs, or None where the data had no batch left."""
    logs: dict[str, Any] = {}
    count = 0
    for step in _steps(program, feed, shield, reports.needs_train_batches):
        reports.on_train_batch_begin(count)
        logs, done = step()
        count += done
        reports.on_train_batch_end(count - 1, logs)
        if model.stop_training:
            break
    else:
        _warn_of_missing_steps(feed, count, "the epoch")
    return to_host(logs) if count else None


def _warn_of_missing_steps(feed: Feed, count: int, where: str) -> None:
    if count and (feed.steps is None or count >= feed.steps):
        return
    warnings.warn(
        f"The data ended after {count} of {feed.steps or 'an unknown number of'} steps of {where}. A generator can be "
        "gone through once only: let it go on forever and give the number of steps, or use a PyDataset.",
        stacklevel=6,
    )


def _steps(
    program: Program | EagerProgram, feed: Feed, shield: Shield, each_batch: bool
) -> Iterator[Callable[[], tuple[Any, int]]]:
    """The steps of an epoch, alone or in blocks: functions that run them and give their logs and number."""
    source = feed.source
    blocks = None if each_batch else _blocks(program, feed)
    if blocks is None:
        for batch in feed.epoch():
            yield lambda batch=batch: (program(source.resident, batch, shield), 1)
        return
    whole, rest = source.order()
    order, at = jax.device_put(whole), 0
    try:
        while at < len(whole):
            count = min(blocks.pace.steps, len(whole) - at)
            start, at = at, at + count
            run = partial(blocks, source.resident, order, start, count, shield)
            yield lambda run=run, count=count: (run(), count)
    finally:
        blocks.pace.drop()
    if len(rest):
        yield lambda: (program(source.resident, rest, shield), 1)


def _blocks(program: Program | EagerProgram, feed: Feed) -> Blocks | None:
    """The program in blocks of steps, where it can be run so on these data."""
    source = feed.source
    if (
        isinstance(program, EagerProgram)
        or feed.is_cut
        or source.resident is None
        or source.length < 2 * source.batch_size
    ):
        return None
    if program.blocks is None:
        blocks = Blocks(program)
        program.blocks = blocks if blocks.is_fast(source.resident, source.first_rows()) else False
    return program.blocks or None


def _validates(epoch: int, frequency: int | list[int]) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _validation_feed(model: Any, data: Any, batch_size: int | None, steps: int | None) -> Feed:
    if is_stream(data):
        return make_feed(model, data, steps=steps)
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    return make_feed(model, x, y, sample_weight, batch_size=batch_size, steps=steps)


def evaluate(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: int | str,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
) -> dict[str, Any]:
    """See `Model.evaluate`; gives the logs."""
    _require_compiled(model, "evaluate")
    feed = make_feed(model, x, y, sample_weight, batch_size=batch_size, steps=steps)
    reports = _reports(model, callbacks, verbose, feed)
    try:
        return _evaluate(model, feed, reports)
    finally:
        reports.close()


def _evaluate(model: Any, feed: Feed, reports: CallbackList) -> dict[str, Any]:
    _prepare(model, feed, training=False)
    program = _program(model, "test", feed)
    model.reset_metrics()
    logs: dict[str, Any] = {}
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


def predict(
    model: Any,
    x: Any,
    batch_size: int | None,
    verbose: int | str,
    steps: int | None,
    callbacks: Any,
) -> Any:
    """See `Model.predict`."""
    feed = make_feed(model, x, batch_size=batch_size, steps=steps, resident=False)
    _prepare_call(model, feed)
    program = _program(model, "predict", feed)
    reports = _reports(model, callbacks, verbose, feed)
    parts: list[Any] = []
    try:
        reports.on_predict_begin()
        for step, batch in enumerate(feed.epoch()):
            reports.on_predict_batch_begin(step)
            outputs = program(feed.source.resident, batch)
            parts.append(outputs)
            reports.on_predict_batch_end(step, {"outputs": outputs})
        if not parts:
            raise ValueError("There is no data: the generator gave no batch.")
        result = jax.tree.map(_joined, *parts)
        reports.on_predict_end()
    finally:
        reports.close()
    return result


def on_batch(
    model: Any,
    kind: str,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | None = None,
) -> Any:
    """One step of training, evaluation or prediction on one batch."""
    if kind != "predict":
        _require_compiled(model, f"{kind}_on_batch")
    data = pack_x_y_sample_weight(*arrays_of(x, y, sample_weight))
    if class_weight is not None:
        data = with_class_weight(data, class_weight)
    feed = Feed(ArraySource(data, batch_size=1 << 31, resident=False))
    if kind == "predict":
        _prepare_call(model, feed)
    else:
        _prepare(model, feed, training=kind == "train")
        model.reset_metrics()
    program = _program(model, kind, feed)
    with Shield() as shield:
        outputs = program(None, feed.source.first(), shield)
    return outputs if kind == "predict" else to_host(outputs)


def _joined(*parts: Any) -> np.ndarray:
    """The rows of all parts, in an array of their own."""
    if len(parts) == 1:
        return np.array(parts[0])
    return np.concatenate([np.asarray(part) for part in parts])


def to_host(logs: Any) -> dict[str, Any]:
    """The logs as Python floats."""
    return {
        name: float(value) if np.ndim(value) == 0 else np.asarray(value)
        for name, value in (logs or {}).items()
    }


def _reports(model: Any, callbacks: Any, verbose: int | str, feed: Feed) -> CallbackList:
    return CallbackList(
        callbacks,
        add_progbar=verbose != 0,
        model=model,
        verbose=1 if verbose == "auto" else verbose,
        epochs=1,
        steps=feed.steps,
    )


def _require_compiled(model: Any, what: str) -> None:
    if not model.compiled:
        raise ValueError(
            f"The model {model.name!r} must be compiled before {what}: call "
            "model.compile(optimizer='adam', loss=..., metrics=[...]) first."
        )


def _prepare(model: Any, feed: Feed, training: bool) -> None:
    first = feed.source.first()
    with model.as_compiled():
        model.prepare(first, "train" if training else "test")
    whole = isinstance(feed.source, ArraySource) and not feed.source.is_sparse
    check_batch(model, feed.source.data if whole else first)


def _prepare_call(model: Any, feed: Feed) -> None:
    if _unchanged(model, "predict", feed) is None and (
        not model.built or any(not layer.built for layer in model.flatten_layers())
    ):
        model.prepare(feed.source.first(), "predict")
    if isinstance(feed.source, ArraySource) and not feed.source.is_sparse:
        check_batch(model, feed.source.data)


def _unchanged(model: Any, kind: str, feed: Feed) -> Program | EagerProgram | None:
    """The program of an earlier call, if no state was made, frozen or attached anywhere since."""
    program = vars(model).get("_programs", {}).get((kind, feed.source.resident is not None))
    return program if program is not None and program.made_at == change_count() else None


def _program(model: Any, kind: str, feed: Feed) -> Program | EagerProgram:
    """The compiled step, made anew where the model's variables have changed since."""
    if (program := _unchanged(model, kind, feed)) is not None:
        return program
    programs = vars(model).setdefault("_programs", {})
    gathers = feed.source.resident is not None
    program, count = programs.get((kind, gathers)), change_count()
    # The seeds that all models draw from, which another thread's program may be reading.
    seeds = [global_generator().state]
    if kind == "train":
        changing, shared, reading = training_state(model), seeds, []
    elif kind == "test":
        (changing, reading), shared = evaluation_state(model), []
    else:
        changing, shared, reading = [], [], unique([*model.variables, *seeds])
    if model.run_eagerly:
        return EagerProgram(_step(model, kind), type(feed.source).gather if gathers else None)
    with model.as_compiled():
        frozen = tuple(map(id, model.trainable_variables)) if kind == "train" else ()
    settings = optimizer_settings(model) if kind == "train" else []
    if (
        program is None
        or not program.matches(changing, reading)
        or program.frozen != frozen
        or not same_settings(program.settings, settings)
    ):
        step = _step(model, kind)
        program = Program(
            step,
            type(feed.source).gather if gathers else None,
            changing,
            reading,
            shared,
        )
        program.frozen, program.settings = frozen, settings
        programs[kind, gathers] = program
    program.made_at = count
    return program


def _step(model: Any, kind: str) -> Callable[[Any], Any]:
    """Return the step of that kind, the layers trainable as they were at `compile`."""
    step = getattr(model, f"{kind}_step")

    def run(data: Any) -> Any:
        with model.as_compiled():
            outputs = step(data)
        if kind != "predict" and not isinstance(outputs, dict):
            raise TypeError(
                f"{type(model).__name__}.{kind}_step returned {type(outputs).__name__} {outputs!r}; expected a dict of "
                f"logs by name. Return for instance {{'loss': loss}} or self.compute_metrics(x, y, y_pred)."
            )
        return outputs if kind == "predict" else _flat(outputs)

    return run


def _flat(logs: dict[str, Any]) -> dict[str, Any]:
    """Return the logs without nesting: `{m.name: m.result() for m in self.metrics}` holds a dict for those of compile."""
    found: dict[str, Any] = {}
    for name, value in logs.items():
        found.update(_flat(value) if isinstance(value, dict) else {name: value})
    return found
