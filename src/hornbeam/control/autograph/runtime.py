"""The operators of rewritten functions, on tensors of a program that is being traced; on all else they do as Python."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from hornbeam.control.autograph import branches, loops
from hornbeam.control.autograph.errors import staged_origin, unbound
from hornbeam.control.autograph.operators import Names, Operators, Thunk, run
from hornbeam.control.autograph.places import Places
from hornbeam.control.autograph.staged import is_staged, is_tensor, is_tracing
from hornbeam.control.autograph.turns import Loop
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.ops import cast
from hornbeam.tensors.creation import range as tensor_range
from hornbeam.tensors.ranges import TracedRange


class TensorOperators(Operators):
    """The operators that `tf.function` gives to rewritten functions."""

    def if_(
        self,
        test: object,
        body: Thunk,
        orelse: Thunk | None,
        names: Names,
        live: Names,
        changeable: Names,
    ) -> None:
        """Run one of the branches, or let the program choose."""
        if not is_staged(test):
            return super().if_(test, body, orelse, names, live, changeable)
        try:
            branches.branch(test, body, orelse, names, live, changeable)
        except NameError as error:
            raise unbound(error) from error.__cause__

    def while_(
        self,
        test: Thunk,
        body: Thunk,
        names: Names,
        live: Names,
        first: Names,
        after: Names,
        changeable: Names,
    ) -> None:
        """Run a loop, from the turn on at which its condition is a tensor as a part of the program."""
        try:
            goes_on = test()
            while not (is_staged(goes_on) or (is_tensor(goes_on) and is_tracing())):
                if not goes_on:
                    return
                body()
                goes_on = test()
            places = Places(names, body, test)
            loops.repeat(Loop(places, live, first, after, changeable, body, test), goes_on)
        except NameError as error:
            raise unbound(error) from error.__cause__

    def for_(
        self,
        items: Any,
        goes_on: Thunk | None,
        body: Callable[[Any], None],
        names: Names,
        live: Names,
        first: Names,
        after: Names,
        changeable: Names,
    ) -> None:
        """Run a turn for each item; for the rows of a tensor as a part of the program."""
        try:
            loop = Loop(Places(names, body), live, first, after, changeable, body, goes_on)
            if isinstance(items, TracedRange):
                loops.over_range(loop, items)
            elif is_tensor(items) and (is_tracing() or is_staged(items)):
                loops.over_rows(loop, convert_to_tensor(items))
            else:
                self._for_python(loop, items)
        except NameError as error:
            raise unbound(error) from error.__cause__

    def _for_python(self, loop: Loop, items: Iterable[Any]) -> None:
        """Run a turn for each item; once a tensor says whether to go on, each turn is a branch of the program."""
        body, goes_on, names = loop.body, loop.goes_on, loop.places.names
        go: Any = True
        for item in items:
            if go is True:
                body(item)
            else:
                branches.branch(
                    go, lambda item=item: body(item), None, names, loop.live, loop.changeable, body
                )
            if goes_on is None:
                continue
            go = goes_on()
            if not is_staged(go):
                if not go:
                    break
                go = True

    def caught(self) -> None:
        """Raise TypeError where an error is handled that ended the trace of a branch or turn: a program can't raise it."""
        error = sys.exc_info()[1]
        if (where := staged_origin(error)) is not None:
            raise TypeError(
                f"{type(error).__name__} was raised by {where}, which is a part of the program, and then caught: it was raised while "
                "the program was made, whatever the values say. Choose between values instead, or let Python run: "
                "tf.config.run_functions_eagerly(True)."
            ) from error

    def and_(self, value: Any, *others: Thunk) -> Any:
        """Return the first value that is false, or the last one."""
        if not others:
            return value
        if is_staged(value):
            return branches.choose(
                value, lambda: self.and_(others[0](), *others[1:]), lambda: value
            )
        return self.and_(run(others[0]), *others[1:]) if value else value

    def or_(self, value: Any, *others: Thunk) -> Any:
        """Return the first value that is true, or the last one."""
        if not others:
            return value
        if is_staged(value):
            return branches.choose(value, lambda: value, lambda: self.or_(others[0](), *others[1:]))
        return value if value else self.or_(run(others[0]), *others[1:])

    def not_(self, value: Any) -> Any:
        """Return `not value`."""
        if not is_staged(value):
            return not value
        return Tensor(~branches.scalar(value))

    def if_exp(self, test: object, body: Thunk, orelse: Thunk) -> Any:
        """Return one of two values, or let the program choose."""
        if not is_staged(test):
            return super().if_exp(test, body, orelse)
        return branches.choose(test, body, orelse)

    def call(self, fn: Any) -> Any:
        """Return what to call in the place of `fn`: the same function converted, or one that also takes tensors."""
        if (made := _BUILTINS.get(id(fn))) is not None:
            return made
        return partial(self._with_converted, fn) if _takes_functions(fn) else super().call(fn)

    def _with_converted(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Return `fn(*args, **kwargs)` with the functions among the arguments converted."""
        named = {name: self._converted(each) for name, each in kwargs.items()}
        return fn(*map(self._converted, args), **named)

    def _converted(self, value: Any) -> Any:
        if isinstance(value, (FunctionType, MethodType, partial)):
            return self.call(value)
        if type(value) is dict:
            return {key: self._converted(each) for key, each in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self._converted, value))
        return value


def _takes_functions(fn: Any) -> bool:
    """Return whether a function calls others of the user's, which it is given, in the program."""
    if fn is map or fn is functools.reduce:
        return True
    if getattr(fn, "__name__", None) not in _HIGHER_ORDER:
        return False
    return str(getattr(fn, "__module__", None)).startswith("hornbeam.")


def _range(*args: Any) -> Any:
    """Return `range(*args)`; of a tensor, what a loop of the program goes over."""
    return tensor_range(*args) if any(map(is_staged, args)) else range(*args)


def _int(*args: Any, **kwargs: Any) -> Any:
    """Return `int(x)`; of a tensor the program can't know, an int32."""
    return cast(args[0], "int32") if len(args) == 1 and is_staged(args[0]) else int(*args, **kwargs)


def _float(*args: Any) -> Any:
    """Return `float(x)`; of a tensor the program can't know, a float32."""
    return cast(args[0], "float32") if args and is_staged(args[0]) else float(*args)


_HIGHER_ORDER = frozenset(
    {
        "associative_scan",
        "case",
        "cond",
        "custom_gradient",
        "foldl",
        "foldr",
        "map",
        "map_fn",
        "recompute_grad",
        "scan",
        "switch",
        "switch_case",
        "vectorized_map",
        "while_loop",
    }
)
_BUILTINS: dict[int, Any] = {id(range): _range, id(int): _int, id(float): _float}

OPERATORS = TensorOperators()
