"""Configurations as Keras 3 writes them to `.h5` files.

The model, the optimizer, losses and metrics have no module there. Layers inside the model keep theirs, by which Keras
tells the op `Multiply` from the layer: it writes none itself, and then can't read graphs with ops.
"""

from __future__ import annotations

from typing import Any

from hornbeam.keras.registry import get_registered_name, serialize_keras_object, tables
from hornbeam.keras.saving.keras2.names import Config


def of_model(model: Any) -> Config:
    """Return the configuration of a model.

    With the shapes of its inputs for a model whose layers are made in code: its weights need them. Keras ignores them.
    """
    config = {
        "class_name": _class_name(model),
        "config": serialize_keras_object(model.get_config()),
    }
    if "layers" not in config["config"] and (build := model.get_build_config()) is not None:
        config["build_config"] = serialize_keras_object(build)
    return config


def of_training(model: Any) -> Config:
    """Return how a model is compiled; empty where that can't be written."""
    config = dict(model.get_compile_config())
    if not config:
        return {}
    del config["optimizer"]
    for key in ("loss", "metrics", "weighted_metrics"):
        config[key] = _without_modules(config.get(key), key == "loss")
    optimizer = model.optimizer
    settings = serialize_keras_object(optimizer.get_config())
    config["optimizer_config"] = {"class_name": _class_name(optimizer), "config": settings}
    return config


def _class_name(obj: Any) -> str:
    own = tables.written(type(obj))
    return own[1] if own is not None else get_registered_name(type(obj))


def _without_modules(tree: Any, is_loss: bool) -> Any:
    """Return losses or metrics as Keras writes them here: functions by name, objects without a module."""
    if isinstance(tree, dict) and "class_name" in tree:
        if tree["class_name"] == "function":
            return tree["config"]
        return {
            "class_name": tree.get("registered_name") or tree["class_name"],
            "config": tree["config"],
        }
    if isinstance(tree, dict):
        return {key: _without_modules(each, is_loss) for key, each in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_without_modules(each, is_loss) for each in tree]
    return _full_name(tree) if is_loss and isinstance(tree, str) else tree


def _full_name(name: str) -> str:
    """Return the name of a function of losses in full: Keras can't read its own `mse` from these files."""
    (losses,) = tables.tables_of("keras.losses")
    found = tables.written(losses.own(name))
    return name if found is None else found[1]
