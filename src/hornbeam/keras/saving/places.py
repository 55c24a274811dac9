"""Where in a file of weights each object's own variables stand.

Whatever has the methods `save_own_variables` and `load_own_variables` has a place: layers and optimizers. The places
follow the attributes that hold the objects, as in Keras.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hornbeam.core.names import snake_case
from hornbeam.core.rng import SeedGenerator
from hornbeam.keras.engine.tracking import UNTRACKED, in_order


def is_saveable(value: Any, seeds: bool = False) -> bool:
    """Return whether an object writes and reads its own variables; random generators do with `seeds`."""
    if isinstance(value, SeedGenerator):
        return seeds
    return hasattr(type(value), "save_own_variables") and hasattr(type(value), "load_own_variables")


def places(model: Any, skipped: Iterable[Any] = (), seeds: bool = False) -> list[tuple[str, Any]]:
    """Return every object that is saved with the path of its group, each once, and without those `skipped`.

    With `seeds` random generators are among them.
    """
    seen = {id(each) for each in skipped}
    # The containers themselves, too: `model.layers` is made when it is asked for, and a list that is gone leaves its number
    # to the next one.
    containers: dict[int, Any] = {}

    def visit(obj: Any, place: str) -> Iterator[tuple[str, Any]]:
        if id(obj) in seen:
            return
        seen.add(id(obj))
        yield place, obj
        for name, child in _children(obj, seeds):
            inner = f"{place}/{name}" if place else name
            if is_saveable(child, seeds):
                yield from visit(child, inner)
            else:
                yield from visit_container(child, inner)

    def visit_container(container: Any, place: str) -> Iterator[tuple[str, Any]]:
        if id(container) in containers:
            return
        containers[id(container)] = container
        counts: dict[str, int] = {}
        for each in in_order(container.values() if isinstance(container, dict) else container):
            saveable = is_saveable(each, seeds)
            if not saveable and not isinstance(each, (list, tuple, dict)):
                continue
            name = snake_case(type(each).__name__) if saveable else "container"
            number = counts.get(name, 0)
            counts[name] = number + 1
            inner = f"{place}/{name}_{number}" if number else f"{place}/{name}"
            yield from visit(each, inner) if saveable else visit_container(each, inner)

    return list(visit(model, ""))


def _children(obj: Any, seeds: bool) -> list[tuple[str, Any]]:
    """Return the attributes that may hold objects, by name, private ones last; `layers` is one, as in Keras."""
    renamed = getattr(type(obj), "names_in_files", {})
    found = {
        renamed.get(name, name): value
        for name, value in vars(obj).items()
        if name not in UNTRACKED
        and (is_saveable(value, seeds) or isinstance(value, (list, tuple, dict, set)))
    }
    if isinstance(getattr(type(obj), "layers", None), property):
        found["layers"] = obj.layers
    return sorted(found.items(), key=lambda item: (item[0].startswith("_"), item[0]))
