"""Functions of the table `program_table.py`: classes, dataclasses, decorators, functions in functions."""

from __future__ import annotations

import dataclasses
import functools

import hornbeam as tf
from tests.control.autograph.program_table import case

# Code that a linter would mend is what has to be tried.
# pyright: basic, reportPossiblyUnbound=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# ruff: noqa


@dataclasses.dataclass
class P:
    a: object
    b: object = 1


@case(3, -3)
def dc(x):
    p = P(x)
    if x > 0:
        p.a = x * 2
        p.b = x
    else:
        p.b = x * 3
    return p.a, p.b


class Base:
    def f(self, x):
        if x > 0:
            return x * 2
        return x

    @staticmethod
    def s(x):
        return x if x > 0 else -x

    @classmethod
    def c(cls, x):
        return cls.s(x) + 1

    @property
    def p(self):
        if self.v > 0:
            return self.v
        return -self.v

    def __getitem__(self, i):
        if i > 0:
            return i * 3
        return i

    def __add__(self, i):
        if i > 0:
            return i * 4
        return i


class Der(Base):
    def f(self, x):
        y = super().f(x)
        if y > 4:
            y = super().f(y)
        return y


@case(3, -3, 1)
def classes(x):
    d = Der()
    return d.f(x), d.s(x), d.c(x), Der.s(x)


@case(3, -3)
def partials(x):
    def g(a, b, c=1):
        if a > b:
            return a * c
        return b * c

    return functools.partial(g, 0, c=2)(x), functools.partial(g, b=x)(1)


def deco(f):
    @functools.wraps(f)
    def w(*a):
        r = f(*a)
        return r + 1 if r > 0 else r

    return w


@case(3, -3)
@deco
def decorated(x):
    if x > 0:
        return x * 2
    return x


@case(3)
def lru(x):
    @functools.lru_cache
    def g(n):
        return n * 2

    return g(2) * x


@case(3)
def shadow_builtin(x):
    range = lambda n: [n, n]
    s = 0
    for i in range(x):
        s += i
    return s


@case(3, -3)
def shadow_tf(x):
    len = x
    if len > 0:
        len = len * 2
    return len


@case(3, -3)
def empty_branch(x):
    if x > 0:
        pass
    else:
        x = x * 2
    return x


@case(3, -3)
def only_side(x):
    v = x
    if x > 0:
        v
    return v


@case(3, 0, -2)
def chain(x):
    return -1 < x < 2, 0 < x, 1 if -1 < x <= 3 else 0


@case(3, -3)
def str_fmt(x):
    n = "a"
    if x > 0:
        n = "a"
    return len(f"{n}") * x


@case(3, -3)
def types_bool(x):
    flag = False
    if x > 0:
        flag = True
    if flag:
        y = 1
    else:
        y = 2
    return y
