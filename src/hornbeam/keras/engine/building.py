"""Building: making a layer's weights once, when the shapes of its inputs are known."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

from hornbeam.core import scope
from hornbeam.core.names import current_path, name_scope
from hornbeam.core.probes import without_probes
from hornbeam.keras.engine.calling import shape_of
from hornbeam.keras.engine.weights import WeightHolder

# One lock for all: building a layer builds the layers inside it, and two threads may start from different ends.
_build_lock = threading.RLock()


class Buildable(WeightHolder):
    """The part of a layer that makes its weights."""

    _build_shapes: dict[str, Any] | None
    _first_weights: Any

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the weights for inputs of that shape, `(None, ...)` with the batch axis."""
        self.built = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _tracked_build(vars(cls)["build"])  # type: ignore[method-assign]

    def _build(self, tensors: dict[str, Any]) -> None:
        with _build_lock:
            if self.built:  # another thread was faster
                return
            shapes = {name: without_probes(shape_of(value)) for name, value in tensors.items()}
            if self._builds_in_call():
                self._build_shapes = shapes
            else:
                parameters = self._build_parameters()
                named = {f"{name}_shape": shape for name, shape in shapes.items()}
                if len(parameters) > 1 and set(parameters) & set(named):
                    self.build(**{k: v for k, v in named.items() if k in parameters})
                else:
                    self.build(next(iter(shapes.values()), None))
            self.built = True
            if self._first_weights is not None:
                self.set_weights(self._first_weights)

    def _builds_in_call(self) -> bool:
        """Whether there is nothing to build but the layers inside, which the call reaches."""
        return type(self).build is Buildable.build

    def _build_parameters(self) -> list[str]:
        build = getattr(type(self).build, "__wrapped__", type(self).build)
        return list(build.__code__.co_varnames[1 : build.__code__.co_argcount])

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built for."""
        shapes = self._build_shapes
        if not shapes:
            return None
        return (
            {"input_shape": next(iter(shapes.values()))}
            if len(shapes) == 1
            else {"shapes_dict": shapes}
        )

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Build for the shapes that `get_build_config` gave."""
        if config and not self.built:
            if "input_shape" in config:
                shape = config["input_shape"]
                self.build(tuple(shape) if isinstance(shape, list) else shape)
            elif "shapes_dict" in config:
                self.build(
                    **{
                        f"{k.removesuffix('_shape')}_shape": v
                        for k, v in config["shapes_dict"].items()
                    }
                )


def _tracked_build(build: Any) -> Any:
    """`build` as a subclass wrote it, so that it can also be called directly: named scopes, `built` set at the end."""
    if getattr(build, "_is_tracked", False):
        return build

    def wrapped(self: Buildable, *args: Any, **kwargs: Any) -> None:
        with _build_lock, scope.autocast(None), ExitStack() as stack:
            if current_path().rpartition("/")[2] != self._name:
                stack.enter_context(name_scope(self._name))
            if self._path is None:
                self._path = current_path()
            attributes, variables = dict(vars(self)), list(self._variables)
            try:
                build(self, *args, **kwargs)
            except (
                BaseException
            ):  # a build that failed leaves nothing behind and can be tried again
                vars(self).clear()
                vars(self).update(attributes)
                self._variables[:] = variables
                raise
            names = build.__code__.co_varnames[1 : build.__code__.co_argcount]
            self._build_shapes = {**dict(zip(names, args, strict=False)), **kwargs}
            self.built = True

    wrapped.__wrapped__ = getattr(build, "__wrapped__", build)  # type: ignore[attr-defined]
    wrapped.__doc__, wrapped.__name__ = build.__doc__, "build"
    wrapped._is_tracked = True  # type: ignore[attr-defined]
    return wrapped
