"""How a model of Keras 2 was compiled, as the arguments of `compile` in Keras 3's form.

The names "accuracy" and "crossentropy" stay names: which metric they mean follows from the loss and the outputs.
"""

from __future__ import annotations

from typing import Any

from hornbeam.core.user_code import warn
from hornbeam.keras.saving.keras2.names import (
    Config,
    function_config,
    is_users,
    named,
    own_class,
    plain,
    without_unknown,
)

_KEPT = ("loss_weights", "run_eagerly", "steps_per_execution", "jit_compile")
_BY_LOSS = ("accuracy", "acc", "crossentropy", "ce")
_OPTIMIZERS = "keras.optimizers"
_SCHEDULES = "keras.optimizers.schedules"
_RENAMED = {"LossScaleOptimizerV3": "LossScaleOptimizer"}
_OBSOLETE: Config = {
    "decay": 0.0,
    "dynamic": ...,
    "is_legacy_optimizer": ...,
    "jit_compile": ...,
    "schedule_decay": ...,
    "l2_shrinkage_regularization_strength": 0.0,
}


def compile_config(training: Config, outputs: list[str]) -> Config:
    """Return the arguments of `compile`; `outputs` are the names of the model's outputs.

    Raises ValueError for what can't be translated.
    """
    training = plain(training)
    config: Config = {key: training[key] for key in _KEPT if training.get(key) is not None}
    optimizer = training.get("optimizer_config")
    if optimizer is not None:
        config["optimizer"] = optimizer_config(optimizer)
    config["loss"] = _each(training.get("loss"), _loss)
    for key in ("metrics", "weighted_metrics"):
        found = _each(training.get(key), lambda metric: _metric(metric, outputs))
        if (
            isinstance(found, list)
            and len(found) == 1 == len(outputs)
            and isinstance(found[0], list)
        ):
            found = found[0]
        config[key] = found
    return config


def _each(tree: Any, translate: Any) -> Any:
    """Return a structure of losses or metrics with each of them translated."""
    if isinstance(tree, dict) and "class_name" not in tree:
        return {key: _each(value, translate) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_each(value, translate) for value in tree]
    return tree if tree is None else translate(tree)


def _loss(loss: Any) -> Any:
    if not isinstance(loss, dict):
        return loss
    return _with_today_s_arguments("keras.losses", loss, {"fn": ...})


def _metric(metric: Any, outputs: list[str]) -> Any:
    """Return a metric; its name lost that of the output, with which Keras 2 began it."""
    if not isinstance(metric, dict):
        return metric
    inner = dict(metric["config"])
    name = str(inner.get("name", ""))
    if len(outputs) > 1:
        prefix = next((f"{each}_" for each in outputs if name.startswith(f"{each}_")), "")
        inner["name"] = name = name.removeprefix(prefix)
    if metric["class_name"] == "MeanMetricWrapper" and not is_users(metric):
        if name in _BY_LOSS:
            return name
        fn = inner.get("fn")
        inner["fn"] = function_config(fn) if isinstance(fn, str) else fn
    return _with_today_s_arguments("keras.metrics", {**metric, "config": inner}, {"fn": ...})


def _with_today_s_arguments(module: str, config: Config, obsolete: Config) -> Config:
    inner = dict(config["config"])
    if inner.get("reduction") == "auto":
        inner["reduction"] = "sum_over_batch_size"
    made = named(module, {**config, "config": inner})
    return without_unknown(module, made, obsolete, f"{config['class_name']}")


def optimizer_config(config: Config | str) -> Config | str:
    """Return the configuration of an optimizer, or its name if that is all there is.

    `decay`, which lowers the learning rate with every step, becomes the schedule that does the same. Warns of a Nadam that
    goes on with other momenta.
    """
    if isinstance(config, str):
        return config
    renamed = _RENAMED.get(config["class_name"], config["class_name"])
    made = named(_OPTIMIZERS, {**config, "class_name": renamed})
    if is_users(config) or own_class(_OPTIMIZERS, made["class_name"]) is None:
        return made
    inner = {
        key: value
        for key, value in made["config"].items()
        if value is not None or key not in ("decay", "epsilon")
    }
    if made["class_name"] == "Nadam":
        _tell_of_nadam(inner)
    if "lr" in inner:
        inner["learning_rate"] = inner.pop("lr")
    wrapped = inner.get("inner_optimizer")
    if isinstance(wrapped, dict):
        inner["inner_optimizer"] = optimizer_config(wrapped)
    rate = inner.get("learning_rate")
    if isinstance(rate, dict):
        inner["learning_rate"] = named(_SCHEDULES, rate)
    elif decay := inner.pop("decay", 0.0):
        settings = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
        inner["learning_rate"] = {
            "module": _SCHEDULES,
            "class_name": "InverseTimeDecay",
            "config": settings,
            "registered_name": None,
        }
    made = {**made, "config": inner}
    return without_unknown(_OPTIMIZERS, made, _OBSOLETE, f"The optimizer {made['class_name']}")


def _tell_of_nadam(inner: Config) -> None:
    """Take the speed of the momentum out of a configuration of Nadam before Keras 2.11, and warn unless it is today's."""
    found = [inner.pop(key) for key in ("decay", "schedule_decay") if key in inner]
    if found and found[0] != 1.0:
        warn(
            f"Nadam before Keras 2.11 let its momentum rise at the speed schedule_decay={found[0]!r}. Today's has no such "
            "argument, and lets it rise at the speed 1: training goes on with other momenta.",
        )
