"""The constructor arguments that all optimizers share."""

from __future__ import annotations

import numbers
from typing import Any, TypedDict


class OptimizerArguments(TypedDict, total=False):
    """What every optimizer takes besides its own arguments; `Optimizer` says what it means."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


def check_count(name: str, value: Any, least: int) -> None:
    """Raise ValueError unless `value` is None or an integer >= `least`."""
    if value is not None and (not isinstance(value, numbers.Integral) or value < least):
        raise ValueError(f"`{name}` is an integer >= {least} or None; received {value!r}.")


def refuse_unknown(cls: str, unknown: dict[str, Any]) -> None:
    """The error for unknown arguments, with advice on those of old versions of Keras."""
    if not unknown:
        return
    advice = ""
    if "lr" in unknown:
        advice += f" `lr` is now `learning_rate`: {cls}(learning_rate={unknown['lr']!r})."
    if "decay" in unknown:
        advice += (
            " In place of `decay`, give a schedule: learning_rate=keras.optimizers.schedules."
            f"InverseTimeDecay(learning_rate, decay_steps=1, decay_rate={unknown['decay']!r})."
        )
    raise ValueError(f"{cls} does not know the arguments {', '.join(map(repr, unknown))}.{advice}")
