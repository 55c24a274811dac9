"""One program of a function, for arguments of one kind."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from hornbeam.control.input_signature import cast_to, is_spec
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.probes import probes_apart_from
from hornbeam.core.tensor import Tensor
from hornbeam.core.type_specs import TensorSpec
from hornbeam.core.variable import Variable

if TYPE_CHECKING:
    from hornbeam.control.function import Function
    from hornbeam.core.block import Block


class ConcreteFunction:
    """A function with fixed shapes and types, and fixed values of everything but tensors.

    A None in a shape takes any size; each size is compiled when it comes first.
    """

    def __init__(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """`args` and `kwargs` are in the order of the function's parameters, with specifications for tensors."""
        self._function = function
        self._names = _names(function, args)
        self._args, self._kwargs = _as_specs((args, kwargs), self._names)
        self._blocks = [self._block(size) for size in _two_sizes((self._args, self._kwargs))]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns. Arguments that are no tensors may be left out."""
        given = dict(zip(self._names, args, strict=False))
        for name, value in kwargs.items():
            given[self._by_spec_name(name)] = value
        if len(args) > len(self._names) or set(given) - {*self._names, *self._kwargs}:
            raise TypeError(
                f"{self.name} takes {self.structured_input_signature}; received {len(args)} arguments and the names "
                f"{sorted(kwargs)}."
            )
        filled = [self._cast(n, given, s) for n, s in zip(self._names, self._args, strict=True)]
        named = {name: self._cast(name, given, spec) for name, spec in self._kwargs.items()}
        return self._function.on_bound(tuple(filled), named)

    @property
    def name(self) -> str:
        """The function's name."""
        return self._function.__name__

    @property
    def structured_input_signature(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, positional ones and others, with specifications in the places of tensors."""
        return self._args, self._kwargs

    @property
    def structured_outputs(self) -> Any:
        """What the function returns, with specifications in the places of tensors."""
        first, second = self._blocks[0], self._blocks[-1]
        specs = [
            TensorSpec(
                [m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)], a.dtype
            )
            for a, b in zip(first.types(), second.types(), strict=True)
        ]
        return first.form.fill(specs, lambda spec: spec)

    @property
    def inputs(self) -> list[TensorSpec]:
        """The specifications of all tensors that go in."""
        return [s for s in _leaves((self._args, self._kwargs)) if is_spec(s)]

    @property
    def outputs(self) -> list[TensorSpec]:
        """The specifications of all tensors that come out."""
        return [s for s in _leaves(self.structured_outputs) if is_spec(s)]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that the function reads or assigns."""
        block = self._blocks[0]
        return tuple({id(v): v for v in (*block.reading, *block.assigned)}.values())

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of them that can be trained."""
        return tuple(variable for variable in self.variables if variable.trainable)

    def __repr__(self) -> str:
        pairs = zip(self._names, self._args, strict=True)
        shown = ", ".join(f"{name}: {spec!r}" for name, spec in (*pairs, *self._kwargs.items()))
        return f"<ConcreteFunction {self.name}({shown}) -> {self.structured_outputs}>"

    def _by_spec_name(self, name: str) -> str:
        specs = {getattr(s, "name", None): n for n, s in zip(self._names, self._args, strict=True)}
        return name if name in self._names else specs.get(name, name)

    def _cast(self, name: str, given: dict[str, Any], spec: Any) -> Any:
        if name in given:
            try:
                return cast_to(given[name], spec)
            except TypeError as error:
                raise TypeError(
                    f"{self.name}: the argument {name!r} does not fit: {error}."
                ) from None
        if any(is_spec(each) for each in _leaves(spec)):
            raise TypeError(
                f"{self.name}: missing a required argument: {name!r}, {spec!r}. It takes "
                f"{self.structured_input_signature}."
            )
        return spec

    def _block(self, size: int) -> Block:
        def stand_in(spec: Any) -> Any:
            if not is_spec(spec):
                return spec
            shape = tuple(size if n is None else n for n in spec.shape)
            return Tensor(jax.ShapeDtypeStruct(shape, np.dtype(spec.dtype)))  # type: ignore[arg-type]

        if any(as_dtype(spec.dtype).name == "string" for spec in self.inputs):
            raise self._refused("strings live on the host")
        filled = tree_map(stand_in, (self._args, self._kwargs), is_leaf=_is_leaf)
        found = self._function.block_for(*filled)
        if found is None:
            raise self._refused(
                "the shape of a result, or the number of turns of a loop with a gradient, depends on values"
            )
        return found

    def _refused(self, reason: str) -> ValueError:
        return ValueError(
            f"{self.name} can't be compiled: {reason}. Call the tf.function itself, whose Python then runs at each call."
        )


def _names(function: Function, args: tuple[Any, ...]) -> list[str]:
    parameters = list(function.parameters)
    return [parameters[i] if i < len(parameters) else f"argument_{i}" for i in range(len(args))]


def _as_specs(arguments: Any, names: list[str]) -> Any:
    """Return the arguments with a specification in the place of each tensor and array."""
    args, kwargs = arguments
    named = [*zip(names, args, strict=True), *kwargs.items()]
    specs = [tree_map(lambda x, n=n: _as_spec(x, n), each, is_leaf=_is_leaf) for n, each in named]
    return tuple(specs[: len(args)]), dict(zip(kwargs, specs[len(args) :], strict=True))


def _as_spec(value: Any, name: str) -> Any:
    if is_spec(value):
        return TensorSpec(value.shape, value.dtype, getattr(value, "name", None) or name)
    is_array = isinstance(value, (Tensor, jax.Array, np.ndarray, np.generic))
    return TensorSpec(value.shape, value.dtype, name) if is_array else value


def _two_sizes(arguments: Any) -> list[int]:
    """Return two sizes that stand for None, or one number where every size is known."""
    shapes = [tuple(s.shape) for s in _leaves(arguments) if is_spec(s)]
    sizes = {n for shape in shapes for n in shape}
    found = probes_apart_from({n for n in sizes if n is not None})
    return [next(found), next(found)] if None in sizes else [0]


def _is_leaf(value: object) -> bool:
    return value is None or is_spec(value) or is_box(value)


def _leaves(tree: object) -> list[Any]:
    return jax.tree.leaves(tree, is_leaf=_is_leaf)
