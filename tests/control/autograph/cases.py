"""Functions in every shape that Python's grammar has, with arguments: what is rewritten must do the same.

No test framework and no JAX here: `python_only.py` runs the table under any Python.
"""
# Code that a linter would mend is what has to be tried.
# ruff: noqa: B023, F823, F841
# pyright: basic, reportAttributeAccessIssue=false, reportUndefinedVariable=false

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

COUNTER = 0
LOG: list[object] = []


@dataclass
class Case:
    """A function and the argument lists to call it with."""

    fn: Callable[..., Any]
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    as_it_is: bool = False


CASES: dict[str, Case] = {}


def case(
    *calls: tuple[Any, ...], as_it_is: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add a function to the table; `as_it_is`: one that the rewriting has to leave alone."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        name = fn.__name__ if fn.__name__ not in CASES else f"{fn.__name__} {len(CASES)}"
        CASES[name] = Case(fn, list(calls), as_it_is)
        return fn

    return add


def note(value: Any) -> Any:
    LOG.append(value)
    return value


@contextlib.contextmanager
def noting(name: str) -> Iterator[str]:
    LOG.append(("enter", name))
    try:
        yield name
    finally:
        LOG.append(("leave", name))


# --- branches and returns


@case((1,), (-1,), (0,))
def early_returns(x):
    """Return early, three times."""
    if x > 0:
        return note("positive")
    if x < 0:
        return note("negative")
    return note("zero")


@case((1, 1), (1, -1), (-1, 1), (-1, -1))
def return_on_some_ways(x, y):
    if x > 0:
        if y > 0:
            return "both"
        note("x")
    elif y > 0:
        note("y")
    else:
        return
    return "one"


@case((1,), (-1,))
def falls_off_the_end(x):
    if x > 0:
        return x


@case((1,), (0,))
def undefined_in_one_branch(x):
    if x:
        y = x
    return y


@case((1,), (0,), (None,))
def undefined_read_in_a_branch(x):
    if x is None:
        y = 3
    if x:
        return 1
    else:
        return y + 1


@case((1,), (0,))
def deleted_in_a_branch(x):
    y = 2
    if x:
        del y
    return y


@case((1,), (5,), ("a",))
def raises_in_a_branch(x):
    if x == 1:
        raise ValueError("one")
    elif x > 2:
        return x / 0
    return x


@case((1,), (2,), (3,))
def many_names(x):
    a, (b, *c), d = 1, (2, 3, 4), [0]
    if x > 1:
        a, b = b, a
        d[0], c = a, c[:1]
        a += 10
    if x > 2:
        import os.path as b
        from math import floor

        b = b.join("x", str(floor(2.5)))
    return a, b, c, d


@case((3,), (-3,))
def annotated(x: int) -> int:
    y: int
    z: int = 0
    if x > 0:
        y: int = 1
        z: int = 2
    else:
        y = 3
    return y + z


@case((True,), (False,))
def unreachable_names_stay_local(x):
    if x:
        return 1
    return COUNTER
    COUNTER = 2


# --- loops


@case(([],), ([1, 2, 3],), ([1, -1, 2],), ([1, 7, 2],), ([0, 100],))
def for_with_everything(xs):
    total = 0
    for x in xs:
        if x < 0:
            continue
        if x == 7:
            break
        if x == 100:
            return "hundred"
        total += note(x)
    else:
        total += 1000
    return total


@case((0,), (5,), (12,), (30,))
def while_with_everything(n):
    total = 0
    while note(n) > 0:
        n -= 1
        if n % 3 == 0:
            continue
        if n == 10:
            break
        if n == 20:
            return total
        total += n
    else:
        total = -total
    return total, n


@case((3,), (0,))
def loops_with_else_alone(n):
    while n > 1:
        n -= 1
    else:
        n *= 10
    for i in range(n):
        note(i)
    else:
        note("end")
    return n


@case(([1, 2],), ([],))
def jumps_without_branches(xs):
    for x in xs:
        with noting("a"):
            break
        note(x)
    while True:
        try:
            return len(xs)
        finally:
            note("finally")


@case((4,), (0,))
def nested_loops(n):
    out = []
    for i in range(n):
        for j in range(n):
            if j > i:
                break
            if (i + j) % 2:
                continue
            k = 0
            while True:
                k += 1
                if k > j:
                    break
            out.append((i, j, k))
        else:
            out.append("all")
            if i == 2:
                continue
            out.append("more")
    return out


@case((3,), (0,))
def return_from_nested_loops(n):
    for i in range(n):
        for j in range(n):
            if i * j == 2:
                return i, j
    return None


@case((3,), (1,))
def break_of_the_outer_loop_in_else(n):
    seen = []
    for i in range(5):
        for j in range(2):
            seen.append((i, j))
        else:
            if i == n:
                break
    return seen, i


@case(([1, 2],), ([],))
def loop_variable_after_the_loop(xs):
    for x in xs:
        y = x
    return x, y


@case((3,))
def unpacking_targets(n):
    d = {}
    for i, (d["a"], [b, *c]) in enumerate([(1, "xyz"), (2, "uv")]):
        note((i, dict(d), b, c))
    return i, b, c


@case()
def changes_the_list_it_loops_over():
    xs = [1, 2, 3]
    for x in xs:
        if x < 3:
            xs.append(x + 10)
        if len(xs) > 6:
            break
    return xs


@case()
def a_generator_is_not_read_too_far():
    numbers = iter(range(10))
    for n in numbers:
        if n == 3:
            break
    return next(numbers)


@case((0,), (3,))
def errors_in_loops(n):
    for i in range(5):
        x = 1 / (i - n)
        if i == 4:
            note(x)
    while True:
        note(undefined_name)  # noqa: F821


@case((3,))
def long_loop_of_flags(n):
    found = done = False
    while not found and not done:
        n += 1
        found = n % 7 == 0
        done = n > 100
    return n, found, done


# --- expressions


@case((0, 1, 2), (1, 0, 2), (1, 2, 0), ([], "", None))
def short_circuits(a, b, c):
    return (
        note(a) and note(b) and note(c),
        note(a) or note(b) or note(c),
        not note(a),
        note(a) and (note(b) or not note(c)),
    )


@case((1, 2, 3), (3, 2, 1), (1, 1, 1), (1, "a", 2))
def chains(a, b, c):
    return note(a) < note(b) <= note(c), note(a) == note(b) != note(c) or a in [b] in [[c]]


@case((1,), (0,))
def conditional_expressions(x):
    return note("a") if note(x) else note("b"), [1 if i > x else (2 if i else 3) for i in range(3)]


@case((4,), (11,), (0,))
def walrus(n):
    if (half := n // 2) > 2 and (twice := n * 2) > 10:
        note((half, twice))
    while (n := n - 3) > 0:
        note(n)
    seen = [last := i for i in range(3)]
    return half, n, seen, last, (a := 1 if half else (b := 2)), [x for x in seen if (y := x) or y]


@case((2,))
def comprehensions(n):
    table = {i: [j for j in range(i) if j % 2 or i > 2] for i in range(4) if i}
    every = {(i, j) for i in range(n) for j in range(n) if not (i and j)}
    return table, sorted(every), sum(i if i > 1 else -i for i in range(4)), n


@case((1,), (-1,))
def asserts(x):
    assert isinstance(x, int)
    assert x > 0, f"got {note(x)}"
    assert x, "never"
    return x


@case(((1, 2), {"c": 3}), ((1,), {"b": 4}), ((), {}))
def calls(args, kwargs):
    def inner(a, b=2, *rest, c=0, **more):
        if a > c:
            return a, b, rest, c, more
        return None

    return (
        inner(*args, **kwargs),
        sorted([3, 1, 2], key=lambda v: -v if v > 1 else v),
        str(max(1, 2)),
    )


@case((3,))
def f_strings(x):
    return f"{x if x > 2 else 0:>{4 if x else 5}} {x!r} {x=} {'yes' if not x else 'no'}"


# --- try, with, match


@case((0,), (1,), (2,), (3,))
def tries(x):
    try:
        note("try")
        if x == 0:
            return "returned"
        if x == 1:
            raise KeyError("one")
        y = 1 / (x - 2)
    except KeyError as error:
        note(str(error))
        if x:
            return "caught"
    except ZeroDivisionError:
        y = "zero"
    else:
        note("else")
    finally:
        note("finally")
    return y


@case(([0, 1, 2, 3, 4],))
def tries_in_loops(xs):
    out = []
    for x in xs:
        try:
            if x == 1:
                continue
            if x == 3:
                break
            out.append(10 / x)
        except ZeroDivisionError:
            out.append("zero")
            continue
        finally:
            out.append("end")
        out.append("after")
    return out


@case((0,), (1,), (2,), (3,))
def withs(x):
    with noting("a") as a, noting("b"):
        if x == 0:
            return a
        with contextlib.suppress(ValueError):
            if x == 1:
                raise ValueError
            if x == 2:
                return "two"
            note("inside")
        note("behind")
    return "end"


@case(([],), ([1, 2],), (["x", 1],), ({"k": 3, "r": 4},), (5,), (-5,), ("word",))
def matches(value):
    match value:
        case []:
            return "empty"
        case [int(first), *others]:
            result = first, others
        case ["x", y]:
            result = y
        case {"k": k, **others}:
            if k > 2:
                result = others
        case int() as number if number > 0 and number < 10:
            return number
        case _:
            result = None
    return result


@case((0,), (1,), (2,))
def matches_in_loops(n):
    for i in range(4):
        match i:
            case 0:
                continue
            case 2 if n:
                break
            case _:
                note(i)
        if i == n:
            return "same"
    return i


@case((1,), (0,), as_it_is=True)
def finally_returns(x):
    for i in range(3):
        try:
            if x:
                raise ValueError(i)
        finally:
            return i  # noqa: B012


# --- scopes


@case((3,), (0,))
def closures_that_change(n):
    total = 0

    def add(x):
        nonlocal total
        if x > 0:
            total += x
        return total

    seen = []
    for i in range(n):
        if i != 1:
            seen.append(lambda: total + i if i else i)
        add(i)
    return [each() for each in seen], total


@case((1,), (0,))
def uses_globals(x):
    global COUNTER
    COUNTER = 5
    if x:
        COUNTER += 1
    for i in range(2):
        COUNTER += i
        if i and x:
            global OTHER_COUNTER
            OTHER_COUNTER = COUNTER
    return COUNTER


def make_adder(start):
    count = start

    def add(x, step=1, *, scale=2):
        """Add."""
        nonlocal count
        count = start
        while x > 0:
            x -= step
            count += scale
        return count

    return add


add_from_ten = case((3,), (0,), (2,))(make_adder(10))


class Base:
    """A class whose methods call those of its base, with private names."""

    def __init__(self, x=1):
        self.__private = x

    def value(self, x):
        if x > 0:
            return self.__private + x
        return -x


class Derived(Base):
    def __init__(self):
        super().__init__(5)
        self.__private = 7

    def value(self, x):
        result = __class__.__name__
        if x > 1:
            for _ in range(1):
                result = super().value(x), self.__private
        elif x == 1:
            __hidden = 3
            result = __hidden
        return result

    @staticmethod
    def static(x):
        return x if x else None

    @classmethod
    def build(cls, x):
        return cls.static(x) or cls.__name__

    @property
    def double(self):
        return self.__private * 2 if self.__private else 0


@case((0,), (1,), (2,))
def methods(x):
    made = Derived()
    return made.value(x), Derived.static(x), made.build(x), made.double


derived_value = case((Derived(), 2), (Derived(), 1), (Derived(), 0))(Derived.value)


@case((0,), (2,))
def classes_inside(x):
    class Inner:
        kind = "a" if x else "b"

        def run(self, y):
            if y > x:
                return self.kind
            return [y for _ in range(2) if y or x]

    if x:

        class Other(Inner):
            def run(self, y):
                return super().run(y) if y else "nothing"

        return Other().run(0), Other().run(3), Other.__qualname__, Other.run.__qualname__
    return Inner().run(1), Inner.__qualname__


def twice(fn):
    @functools.wraps(fn)
    def call(*args, **kwargs):
        result = fn(*args, **kwargs)
        if result:
            return fn(*args, **kwargs)
        return result

    return call


@case((2,), (0,))
@twice
def decorated(x):
    if note(x) > 1:
        return x
    return 0


@case((3,))
def decorated_inside(n):
    @twice
    def inner(x):
        return note(x) if x else 0

    @functools.lru_cache
    def cached(x=n if n else 0):
        return note(x + 1 if x else 0)

    return inner(n), cached(), cached(), functools.partial(inner, 0)()


pick = case((1, 2), (2, 1))(lambda a, b: a if note(a) > b else (b and note(b)))
one, other = case((1,), (0,))(lambda a: a if a else 1), case((1,), (0,))(lambda a: not a or 5)


@case((5,), (1,))
def recursion(n):
    return 1 if n < 2 else n * recursion(n - 1)


@case((3,))
def generators_inside(n):
    def numbers(stop):
        i = 0
        while i < stop:
            if i != 1:
                yield i
            i += 1

    return list(numbers(n)), [*(x for x in numbers(n) if x or n)]


@case((3,), (0,), as_it_is=True)
def looks_at_its_frame(x):
    if x:
        y = 1
    return sorted(locals()), eval("x + 1")


@case((2,))
def default_arguments(x, y=[1, 2], *, z={"a": 1}):  # noqa: B006
    if x > 1:
        y, z = list(y), dict(z)
        y.append(x)
        z["b"] = x
    return y, z


@case((1,), (0,))
def attributes_and_items(x):
    made = Derived()
    made.flag, items = None, {"a": [0]}
    if x:
        made.flag = x
        items["a"][0] += 1
        made.other = items
    return made.flag, items, hasattr(made, "other")


@case((1,), (-1,))
def text_over_lines(x):
    text = """
    if this is not dedented
 it stays
"""
    if x > 0:
        text += """
  as it is"""
    return text
