"""Initial values that are still to be drawn when a file has been read."""

from __future__ import annotations

from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.layer import Layer


def draw_the_rest(model: Layer, made: list[Variable], name: str) -> None:
    """Draw what the file has no value for; name the weights among it."""
    weights = {id(v): v for v in model.weights}
    left = [v for v in made if not v.is_drawn]
    named = [v.path for v in left if id(v) in weights]
    for variable in left:
        variable.numpy()
    if named:
        listed = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
        warn(
            f"{name} has no values for {listed}: they have their initial values. Does load_own_variables assign them?",
        )
