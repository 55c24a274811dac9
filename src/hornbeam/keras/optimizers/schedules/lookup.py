"""Schedules by configuration."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.optimizers.schedules.base import LearningRateSchedule, registry


def serialize(learning_rate_schedule: LearningRateSchedule) -> Any:
    """Return the configuration of a schedule.

    >>> from hornbeam import keras
    >>> schedules = keras.optimizers.schedules
    >>> schedules.serialize(schedules.CosineDecay(0.1, 1000))["class_name"]
    'CosineDecay'
    """
    return registry.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the schedule that `serialize` described.

    >>> from hornbeam import keras
    >>> schedules = keras.optimizers.schedules
    >>> config = schedules.serialize(schedules.CosineDecay(0.1, 1000))
    >>> schedules.deserialize(config).decay_steps
    1000
    """
    return registry.deserialize(config, custom_objects)
