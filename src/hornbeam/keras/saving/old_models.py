"""Models of Keras's old formats: made from their configurations, compiled as they were, filled with what the file has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hornbeam.core import deferred
from hornbeam.core.user_code import warn
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.registry import CustomObjectScope, deserialize_keras_object
from hornbeam.keras.registry.reading import sharing_objects
from hornbeam.keras.registry.unknown import check_known
from hornbeam.keras.saving import legacy_optimizer, legacy_weights
from hornbeam.keras.saving.comparison import Entry, Part, Subject, load
from hornbeam.keras.saving.described import described_in
from hornbeam.keras.saving.keras2 import compile_config, model_config
from hornbeam.keras.saving.legacy_weights import Stored
from hornbeam.keras.saving.undrawn import draw_the_rest

Config = dict[str, Any]


class Source(Protocol):
    """What an old format has for a model."""

    name: str

    def weights(self) -> tuple[list[Stored], Stored]:
        """Return the weights of each layer right inside the model, and those of the model itself."""
        ...

    def optimizer(self) -> Sequence[tuple[str, Entry]]:
        """Return the state of the optimizer by name, in its order; nothing where there is none."""
        ...


@dataclass(frozen=True)
class Described:
    """What an old format says of a model: how it is made and how it was compiled."""

    config: Config
    training: Config | None
    of_keras_3: bool = False


def load_model(
    source: Source,
    described: Described,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
) -> Any:
    """Return the model, compiled as it was unless `compile` is False."""
    if not compile:
        described = replace(described, training=None)
    with deferred.deferred_values() as made:
        with described_in(source.name):
            model = make(described, source.name, custom_objects)
        layers, top = source.weights()
        if not model.weights and any(each.names for each in layers):
            raise ValueError(
                f"{source.name} does not say for which inputs the {type(model).__name__} was built, so its layers have no weights "
                f"yet. Make it in code, call it on data, then call model.load_weights({source.name!r})."
            )
        parts, subject = legacy_weights.parts(model, layers, top, Subject(source.name, model.name))
        if described.training is not None and (state := source.optimizer()):
            parts.append(legacy_optimizer.part(model.optimizer, state))
        load(parts, subject)
        _tell_of_new_state(parts, source.name)
    draw_the_rest(model, made, source.name)
    return model


def make(described: Described, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the model that is described in the file `name`, compiled as it says, without its weights."""
    with CustomObjectScope(custom_objects or {}), sharing_objects():
        config = model_config(described.config, described.of_keras_3)
        check_known(config, name)
        model = deserialize_keras_object(config, custom_objects)
        if not isinstance(model, Layer) or not hasattr(model, "compile_from_config"):
            raise ValueError(f"{name} describes a {type(model).__name__}, not a model.")
        if described.training is not None:
            compiling = compile_config(described.training, _output_names(model))
            check_known(compiling, name)
            model.compile_from_config(compiling)
    return model


def _output_names(model: Any) -> list[str]:
    return list(getattr(model, "output_names", ()))  # none for a model without a graph


def _tell_of_new_state(parts: Sequence[Part], file: str) -> None:
    """Warn where the state of the optimizer was left out."""
    for problem in (part.problems[0] for part in parts if part.optional and part.problems):
        warn(f"{file}: the optimizer starts anew, because {problem}.")
