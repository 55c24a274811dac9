"""`tf.Module`: an object that finds the variables and modules among its attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from hornbeam.core.changes import note_contents
from hornbeam.core.names import name_scope, snake_case
from hornbeam.core.variable import Variable


class Module:
    """A holder of variables and of other modules, in its attributes and in lists, tuples and dicts there.

    >>> import hornbeam as tf
    >>> class Dense(tf.Module):
    ...     def __init__(self, inputs, outputs):
    ...         super().__init__()
    ...         self.w = tf.Variable(tf.ones([inputs, outputs]), name="w")
    ...         self.b = tf.Variable(tf.zeros([outputs]), trainable=False, name="b")
    ...     @tf.function
    ...     def __call__(self, x):
    ...         return x @ self.w + self.b
    >>> dense = Dense(3, 2)
    >>> dense(tf.ones([1, 3])).numpy(), len(dense.variables), len(dense.trainable_variables)
    (array([[3., 3.]], dtype=float32), 2, 1)
    """

    def __init__(self, name: str | None = None) -> None:
        """`name` is by default that of the class in snake_case. Raises ValueError for what is no identifier."""
        name = snake_case(type(self).__name__) if name is None else name
        if not name.isidentifier():
            raise ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python identifiers (e.g. a valid class name)."
            )
        self._name = name

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        note_contents(self)

    @property
    def name(self) -> str:
        """The name."""
        try:
            return self._name
        except AttributeError:
            raise AttributeError(
                f"{type(self).__name__} has no name yet: call super().__init__() first in its constructor."
            ) from None

    @property
    def name_scope(self) -> Any:
        """A context that puts the module's name before those of variables that are made in it."""
        return _named(self.name)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of the module and of the modules in it."""
        return tuple(self._flatten(lambda x: isinstance(x, Variable)))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of them that can be trained."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """Those of them that can't be trained."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules in this one, at any depth."""
        return tuple(self._flatten(lambda x: isinstance(x, Module) or _is_layer(x)))

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method that runs in the module's `name_scope`.

        >>> import hornbeam as tf
        >>> class Counter(tf.Module):
        ...     @tf.Module.with_name_scope
        ...     def make(self):
        ...         return tf.Variable(0, name="count")
        >>> Counter().make().path
        'counter/count'
        """

        @functools.wraps(method)
        def run(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return run

    def _flatten(self, wanted: Callable[[object], bool]) -> list[Any]:
        found: dict[int, Any] = {}
        seen = {id(self)}
        waiting: list[Any] = [self]
        for owner in waiting:  # grows while it is read: own attributes come before those of modules
            for value in _held(owner):
                if wanted(value):
                    found.setdefault(id(value), value)
                if (isinstance(value, Module) or _is_layer(value)) and id(value) not in seen:
                    seen.add(id(value))
                    waiting.append(value)
        return list(found.values())


@contextmanager
def _named(name: str) -> Generator[str]:
    with name_scope(name):
        yield f"{name}/"


def _held(owner: Any) -> Iterator[Any]:
    """Yield what the attributes of an object hold, by name; of a layer, its variables and layers."""
    if _is_layer(owner):
        yield from owner.variables
        return
    for _, value in sorted(vars(owner).items()):
        yield from _opened(value)


def _opened(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _opened(value[key])
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _opened(each)
    else:
        yield value


def _is_layer(value: object) -> bool:
    """Return whether `value` is a layer or the like, which lists its variables by itself."""
    return not isinstance(value, (Module, type)) and hasattr(value, "trainable_variables") and hasattr(value, "variables")  # fmt: skip
