"""What rewritten functions do their control flow with, on Python values: exactly what Python does.

`TensorOperators` in `runtime` adds what is done where a value is a tensor of a program being traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hornbeam.control.autograph import calls
from hornbeam.control.autograph.errors import explain, unbound
from hornbeam.control.autograph.places import Name
from hornbeam.control.autograph.unconverted import tell_reason

Names = tuple[Name, ...]
Thunk = Callable[[], Any]


class Operators:
    """The operators that rewritten functions know as `ag__`."""

    def if_(
        self,
        test: object,
        body: Thunk,
        orelse: Thunk | None,
        names: Names,
        live: Names,
        changeable: Names,
    ) -> None:
        """Run `body` or `orelse`. They bind `names`, of which `live` are read later; so with the loops.

        Lists and dicts that they may change in place are among the values of `changeable`.
        """
        try:
            if test:
                body()
            elif orelse is not None:
                orelse()
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
        """Run `body` as long as `test()` holds.

        A turn reads `first` before it assigns them, and what stands behind the loop reads `after`.
        """
        try:
            while test():
                body()
        except NameError as error:
            raise unbound(error) from error.__cause__

    def for_(
        self,
        items: Iterable[Any],
        goes_on: Thunk | None,
        body: Callable[[Any], None],
        names: Names,
        live: Names,
        first: Names,
        after: Names,
        changeable: Names,
    ) -> None:
        """Run `body` for each item, as long as `goes_on()` holds after a turn."""
        try:
            for item in items:
                body(item)
                if goes_on is not None and not goes_on():
                    break
        except NameError as error:
            raise unbound(error) from error.__cause__

    def caught(self) -> None:
        """Do what has to be done first where an error is handled: nothing."""

    def and_(self, value: Any, *others: Thunk) -> Any:
        """Return the first value that is false, or the last one."""
        for other in others:
            if not value:
                return value
            value = run(other)
        return value

    def or_(self, value: Any, *others: Thunk) -> Any:
        """Return the first value that is true, or the last one."""
        for other in others:
            if value:
                return value
            value = run(other)
        return value

    def not_(self, value: object) -> Any:
        """Return `not value`."""
        return not value

    def if_exp(self, test: object, body: Thunk, orelse: Thunk) -> Any:
        """Return `body() if test else orelse()`."""
        return run(body if test else orelse)

    def chain(self, left: Any, *parts: Callable[..., Any]) -> Any:
        """Return `left < b < c`; `parts` are, in turns, a comparison of two values and the next value."""
        compare, other, *rest = parts
        right = run(other)
        result = compare(left, right)
        return self.and_(result, lambda: self.chain(right, *rest)) if rest else result

    def assert_(self, test: object, text: Thunk | None) -> None:
        """Raise AssertionError with `text()` unless `test` holds."""
        if test:
            return
        raise AssertionError(*([] if text is None else [run(text)]))

    def call(self, fn: Any) -> Any:
        """Return what to call in the place of `fn`: the same function, converted."""
        return calls.converted(fn, self)

    def run(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:
        """Call `fn` converted; errors that leave it look as they do in plain Python."""
        try:
            return self.call(fn)(*args, **kwargs)
        except Exception as error:
            tell_reason(error)
            explain(error)
            raise


def run(operand: Thunk) -> Any:
    """Return the value of an operand."""
    try:
        return operand()
    except NameError as error:
        raise unbound(error) from error.__cause__
