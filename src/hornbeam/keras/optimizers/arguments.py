"""The constructor arguments that all optimizers share."""

from __future__ import annotations

import inspect
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
    """Raise ValueError for unknown arguments, with advice on those of old versions of Keras."""
    if not unknown:
        return
    advice = ""
    if "lr" in unknown:
        advice += f" `lr` is now `learning_rate`: {cls}(learning_rate={unknown['lr']!r})."
    if "decay" in unknown:
        advice += (
            " In place of `decay`, pass a schedule: learning_rate=keras.optimizers.schedules."
            f"InverseTimeDecay(learning_rate, decay_steps=1, decay_rate={unknown['decay']!r})."
        )
    raise ValueError(f"{cls} does not know the arguments {', '.join(map(repr, unknown))}.{advice}")


def check_arguments(
    clipping: dict[str, float | None],
    ema_momentum: float | None,
    ema_overwrite_frequency: int | None,
    gradient_accumulation_steps: int | None,
) -> None:
    """Raise ValueError for two ways of clipping, and for values out of range."""
    if sum(limit is not None for limit in clipping.values()) > 1:
        names = ", ".join(f"{name}={limit}" for name, limit in clipping.items())
        raise ValueError(
            "At most one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set; received "
            f"{names}."
        )
    if ema_momentum is not None and not 0 <= ema_momentum <= 1:
        raise ValueError(f"`ema_momentum` must be between 0 and 1; received {ema_momentum!r}.")
    check_count("ema_overwrite_frequency", ema_overwrite_frequency, 1)
    check_count("gradient_accumulation_steps", gradient_accumulation_steps, 2)


def signature_with_base(cls: type, base: type) -> inspect.Signature | None:
    """Return the signature of a constructor with the arguments that its `**kwargs` hands on to `base`.

    None where it has no `**kwargs`.
    """
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]
    if not own or own[-1].kind is not inspect.Parameter.VAR_KEYWORD:
        return None
    names = {each.name for each in own}
    given = list(inspect.signature(base.__init__).parameters.values())[1:-1]
    shared = [each.replace(kind=each.KEYWORD_ONLY) for each in given if each.name not in names]
    return inspect.Signature([*own[:-1], *shared, own[-1]])
