"""Make a layer's weights, once, when the shapes of its inputs are known."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from hornbeam.core import scope
from hornbeam.core.changes import note_contents
from hornbeam.core.names import current_path, name_scope
from hornbeam.core.probes import without_probes
from hornbeam.keras.engine.call_signature import shape_of
from hornbeam.keras.engine.input_spec import check_inputs

if TYPE_CHECKING:
    from hornbeam.keras.engine.layer import Layer

# One lock for all layers: building a layer builds those inside it, so separate locks could wait for each other.
_build_lock = threading.RLock()


def ensure_built(layer: Layer, tensors: Mapping[str, Any]) -> None:
    """Check the inputs, and build the layer for their shapes unless it is built."""
    # Check before building too, so that a wrong shape makes no weights.
    check_specs(layer, tensors)
    if not layer.built or layer._is_building:
        build(layer, tensors)
        check_specs(layer, tensors)


def check_specs(layer: Layer, tensors: Mapping[str, Any]) -> None:
    """Raise ValueError unless the layer's `input_spec` accepts the first argument."""
    if layer.input_spec is not None and tensors:
        check_inputs(layer.input_spec, next(iter(tensors.values())), layer)


def build(layer: Layer, tensors: Mapping[str, Any]) -> None:
    """Make the layer's weights for inputs of the shapes of `tensors`."""
    with _build_lock:
        if layer.built:  # by another thread, in the meantime
            return
        shapes = {name: without_probes(shape_of(value)) for name, value in tensors.items()}
        if layer._builds_in_call():
            layer._build_shapes = shapes
        else:
            parameters = _parameters(layer)
            named = {f"{name}_shape": shape for name, shape in shapes.items()}
            if len(parameters) > 1 and set(parameters) & set(named):
                layer.build(**{k: v for k, v in named.items() if k in parameters})
            else:
                layer.build(next(iter(shapes.values()), None))
        layer.built = True
        if layer._first_weights is not None:
            layer.set_weights(layer._first_weights)
        note_contents(layer)


def _parameters(layer: Layer) -> list[str]:
    method = type(layer).build
    return _argument_names(getattr(method, "__wrapped__", method))


def _argument_names(method: Callable[..., None]) -> list[str]:
    code = method.__code__
    return list(code.co_varnames[1 : code.co_argcount])


def tracked(method: Callable[..., None]) -> Callable[..., None]:
    """Wrap a subclass's `build` so that it can be called directly.

    The wrapper opens the scopes of names and types and sets `built` at the end. If `method` fails, it restores the
    layer, so that building can be tried again.
    """
    if getattr(method, "_is_tracked", False):
        return method
    names = _argument_names(method)

    @functools.wraps(method)
    def build(self: Layer, *args: object, **kwargs: object) -> None:
        with _build_lock, scope.autocast(None), ExitStack() as stack:
            if current_path().rpartition("/")[2] != self._name:
                stack.enter_context(name_scope(self._name))
            if self._path is None:
                self._path = current_path()
            attributes, variables = dict(vars(self)), list(self._variables)
            inside_another = self._is_building  # called by a subclass's `build`
            was_built = self.built and not inside_another
            # `method` may set `built` before its end; other threads wait until this flag is off.
            self._is_building = True
            try:
                method(self, *args, **kwargs)
                if was_built and len(self._variables) > len(variables):
                    raise ValueError(
                        f"The layer {self._name!r} ({type(self).__name__}) is built already, and `build` made weights again. Make "
                        "a new layer for inputs of another shape."
                    )
            except BaseException:
                _restore(self, attributes)
                self._variables[:] = variables
                raise
            self._build_shapes = {**dict(zip(names, args, strict=False)), **kwargs}
            self.built = True
            self._is_building = inside_another
            note_contents(self)

    build.__wrapped__ = getattr(method, "__wrapped__", method)  # type: ignore[attr-defined]
    build._is_tracked = True  # type: ignore[attr-defined]
    return build


def _restore(layer: Layer, attributes: dict[str, Any]) -> None:
    current = vars(layer)
    for name in list(current):
        if name not in attributes:
            del current[name]
    current.update(attributes)


def build_config(layer: Layer) -> dict[str, Any] | None:
    """Return the shapes that the layer was built for, or None if it is not built."""
    shapes = layer._build_shapes
    if not shapes:
        return None
    if len(shapes) == 1:
        return {"input_shape": next(iter(shapes.values()))}
    return {"shapes_dict": shapes}


def build_from_config(layer: Layer, config: Mapping[str, Any] | None) -> None:
    """Build the layer for the shapes that `build_config` returned."""
    if not config or layer.built:
        return
    if "input_shape" in config:
        shape = config["input_shape"]
        layer.build(tuple(shape) if isinstance(shape, list) else shape)
    elif "shapes_dict" in config:
        shapes = config["shapes_dict"].items()
        layer.build(**{f"{name.removesuffix('_shape')}_shape": shape for name, shape in shapes})
