"""The `input_signature` of a function: specifications that its arguments have to fit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.host import is_text, strings
from hornbeam.core.tensor import convert_to_tensor, is_tensor
from hornbeam.core.variable import Variable
from hornbeam.tensors.creation import refuse_loss


def is_spec(value: object) -> TypeGuard[Any]:
    """Return whether `value` is a `tf.TensorSpec`, or another object that has but a shape and a type."""
    is_one = hasattr(value, "shape") and hasattr(value, "dtype")
    return is_one and not isinstance(value, type) and not hasattr(value, "__array__")


class InputSignature:
    """Specifications of the first arguments of a function."""

    def __init__(self, specs: Sequence[Any], function: Callable[..., Any]) -> None:
        """Raises TypeError for more specifications than the function has parameters."""
        if not isinstance(specs, (list, tuple)):
            raise TypeError(
                f"`input_signature` is a list or tuple of tf.TensorSpec; received {specs!r}."
            )
        self.specs = tuple(specs)
        self._signature, self._has_self = _without_self(inspect.signature(function))
        try:
            bound = self._signature.bind(*self.specs)
        except TypeError as error:
            raise TypeError(
                f"`input_signature` {self.specs} does not fit the parameters {self._signature}: {error}."
            ) from None
        self._names = list(bound.arguments)

    def cast(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments as tensors of the specified types. Raises TypeError where they don't fit."""
        own, args = (args[:1], args[1:]) if self._has_self else ((), args)
        try:
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            taken = self._taken(args, kwargs)
            return *own, *map(cast_to, taken, self.specs)
        except TypeError as error:
            raise TypeError(
                f"Binding inputs to tf.function failed due to `{error}`. Received args: {args} and kwargs: {kwargs} for "
                f"signature: {self._shown()}."
            ) from None

    def _taken(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        if len(args) > len(self.specs):
            raise TypeError("too many positional arguments")
        rest = dict(kwargs)
        taken = list(args)
        for name in self._names[len(args) :]:
            if name not in rest:
                raise TypeError(f"missing a required argument: {name!r}")
            taken.append(rest.pop(name))
        if rest:
            raise TypeError(f"got arguments that `input_signature` does not have: {sorted(rest)}")
        return taken

    def _shown(self) -> str:
        pairs = zip(self._names, self.specs, strict=False)
        return f"({', '.join(f'{name}: {spec}' for name, spec in pairs)})"


def _without_self(signature: inspect.Signature) -> tuple[inspect.Signature, bool]:
    """Return the signature without `self`, and whether it had it: a class decorates its methods before they are bound."""
    parameters = list(signature.parameters.values())
    has_self = bool(parameters) and parameters[0].name == "self"
    return signature.replace(parameters=parameters[has_self:]), has_self


def cast_to(value: Any, spec: Any) -> Any:
    """Return `value` in the form of `spec`, tensors in the places of specifications."""
    if is_spec(spec):
        return _as_specified(value, spec)
    if isinstance(spec, dict):
        _check_same(isinstance(value, dict) and set(value) == set(spec), value, spec)
        return {key: cast_to(value[key], each) for key, each in spec.items()}
    if isinstance(spec, (list, tuple)):
        _check_same(isinstance(value, (list, tuple)) and len(value) == len(spec), value, spec)
        parts = [cast_to(v, s) for v, s in zip(value, spec, strict=True)]
        return type(spec)(*parts) if hasattr(spec, "_fields") else type(spec)(parts)
    if isinstance(spec, Variable) or callable(spec) or spec is None:
        _check_same(value is spec, value, spec)
    else:
        _check_same(type(value) is type(spec) and value == spec, value, spec)
    return value


def _check_same(is_same: bool, value: object, spec: object) -> None:
    if not is_same:
        raise TypeError(f"Can not cast {value!r} to {spec!r}")


def _as_specified(value: Any, spec: Any) -> Any:
    wanted = as_dtype(spec.dtype)
    if is_spec(value):
        tensor = value
    elif wanted.name == "string":
        _check_same(is_text(value), value, spec)
        tensor = strings(value)
    elif isinstance(value, (np.ndarray, np.generic)):  # whose type is seldom meant
        tensor = convert_to_tensor(value, wanted)
    elif is_tensor(value) or hasattr(value, "dtype"):
        tensor = convert_to_tensor(value)
    else:  # Python's numbers take the type that is asked for, where it can hold them
        refuse_loss(value, wanted)
        tensor = convert_to_tensor(value, wanted)
    has_any_rank = spec.shape is None or getattr(spec.shape, "rank", 0) is None
    shape: tuple[Any, ...] | None = None if has_any_rank else tuple(spec.shape or ())
    fits = shape is None or (
        len(shape) == len(tensor.shape)
        and all(a in (None, b) for a, b in zip(shape, tuple(tensor.shape), strict=True))
    )
    if not fits or as_dtype(tensor.dtype) != wanted:
        raise TypeError(
            f"Can not cast TensorSpec(shape={tuple(tensor.shape)}, dtype=tf.{as_dtype(tensor.dtype).name}, name=None) to "
            f"{spec!r}"
        )
    return tensor
