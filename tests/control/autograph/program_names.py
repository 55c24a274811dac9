"""Functions of the table `program_table.py`: names, `global`, `nonlocal`, closures, objects that have two names."""

from __future__ import annotations

import hornbeam as tf
from tests.control.autograph.program_table import Obj, case

# Code that a linter would mend is what has to be tried.
# pyright: basic, reportPossiblyUnbound=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# ruff: noqa

G = 0


@case(3, -3)
def glob(x):
    global G
    G = x * 2
    if x > 0:
        G = G + 1
    return G


@case(3, -3)
def glob_in_loop(x):
    global G
    G = tf.constant(0)
    for i in tf.range(3):
        G = G + x
    return G


@case(3, -3)
def nonl(x):
    c = x

    def inc(d):
        nonlocal c
        if d > 0:
            c = c + d
        else:
            c = c - 10

    inc(x)
    inc(-x)
    return c


@case(3, -3)
def list_append_in_branch(x):
    l = [x]
    if x > 0:
        l.append(x * 2)
        y = l[-1]
    else:
        l.append(x * 3)
        y = l[-1]
    return y


@case(3)
def list_aug_loop(x):
    d = [x, x]
    for i in tf.range(3):
        d[0] += i
    return d[0], d[1]


@case(3, -3)
def attr_of_attr(x):
    o = Obj(Obj(x))
    if x > 0:
        o.x.x = x * 5
    return o.x.x


@case(3, -3)
def alias(x):
    a = [x]
    b = a
    if x > 0:
        a[0] = x * 5
    return b[0]


@case(3, -3)
def alias_obj(x):
    a = Obj(x)
    b = a
    if x > 0:
        b.x = x * 5
    return a.x


@case(3)
def alias_loop(x):
    a = [x]
    b = a
    for i in tf.range(3):
        a[0] = a[0] + i
    return b[0]


@case(3)
def closure_late(x):
    fs = []
    for k in range(3):
        fs.append(lambda: k * x)
    return [f() for f in fs]


@case(3)
def closure_after_change(x):
    y = x
    f = lambda: y
    if x > 0:
        y = x * 7
    return f()


@case(3)
def closure_after_loop(x):
    y = x
    f = lambda: y
    for i in tf.range(3):
        y = y + i
    return f()


@case(3)
def closure_in_loop_body(x):
    y = x
    f = lambda: y + 1
    for i in tf.range(3):
        y = f()
    return y
