"""Why a gradient is None: where values left the sight of the tape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.core.backward import made_of
from hornbeam.core.tape import Exit, Tape
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable

_PLACES = 3  # that a text names


def told_where(
    tape: Tape, sources: Sequence[Tensor | Variable], gradients: Sequence[Any]
) -> str | None:
    """Return the text of a warning for sources without a gradient whose values left the tape's sight, None without any."""
    if not tape.exits:
        return None
    names: list[str] = []
    exits: dict[str, Exit] = {}
    for source, gradient in zip(sources, gradients, strict=True):
        found = _exits(tape, source) if gradient is None else []
        if found:
            names.append(_named(source))
            exits.update((each.place, each) for each in found)
    if not exits:
        return None
    places = [f"at {each.place} by {each.by}" for each in exits.values()]
    more = f", and at {len(places) - _PLACES} more places" if len(places) > _PLACES else ""
    return (
        f"The gradient for {', '.join(names)} is None: the tape recorded no way to the target, but values were taken out of "
        f"its sight {', '.join(places[:_PLACES])}{more}. What Python, NumPy or JAX computes from them has no gradient on the "
        "tape: use the functions of tf (tf.sin for np.sin), or give it one by tf.custom_gradient."
    )


def _exits(tape: Tape, source: Tensor | Variable) -> list[Exit]:
    """Return where the source left, or what is made of it."""
    _, made = made_of(tape, tape.slots_of(source))
    return [each for each in tape.exits if each.box is source or id(each.box) in made]


def _named(source: Tensor | Variable) -> str:
    if isinstance(source, Variable):
        return f"the variable {source.name!r}"
    return f"the tensor of shape {tuple(source.shape)}"
