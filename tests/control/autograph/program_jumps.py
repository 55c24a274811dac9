"""Functions of the table `program_table.py`: comprehensions, loops, jumps, `try`, `with`, `match`, expressions."""

from __future__ import annotations

import contextlib

import hornbeam as tf
from tests.control.autograph.program_table import Obj, case

# Code that a linter would mend is what has to be tried.
# pyright: basic, reportPossiblyUnbound=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# ruff: noqa


@case(3)
def comp_after(x):
    return (
        [i * x for i in range(3)],
        {i: x for i in range(2)},
        [x if x > i else -x for i in range(5)],
    )


@case(3)
def comp_over_tensor(x):
    t = tf.stack([x, x + 1, x + 2])
    return [v * 2 for v in t], sum(v for v in t), max(int(1) for v in t)


@case(3)
def gen_over_tensor(x):
    t = tf.stack([x, x + 1, x + 2])
    return (
        sum(v * 2 for v in t),
        list(map(lambda v: v + 1, t)),
        list(enumerate(t))[1][1],
        [a * b for a, b in zip(t, t)],
    )


@case(3)
def enum_tensor(x):
    t = tf.stack([x, x + 1, x + 2])
    s = 0
    for i, v in enumerate(t):
        s += i * v
    return s


@case(3)
def zip_tensor(x):
    t = tf.stack([x, x + 1, x + 2])
    s = 0
    for a, b in zip(t, t):
        s += a * b
    return s


@case(3)
def enum_range(x):
    s = 0
    for i, v in enumerate(tf.range(x)):
        s += i * v
    return s


@case(3)
def zip_range(x):
    s = 0
    for i, v in zip(range(3), tf.range(x)):
        s += i * v
    return s


@case(3)
def list_of_range(x):
    return [v for v in tf.range(x)]


@case(3)
def reversed_t(x):
    t = tf.stack([x, x + 1, x + 2])
    s = 0
    for v in reversed(t):
        s = s * 10 + v
    return s


@case(3, 0)
def break_nested(x):
    s = 0
    for i in tf.range(5):
        for j in tf.range(5):
            if j > i:
                break
            if i == x:
                continue
            s += j + 10
        if i > 3:
            break
    return s


@case(3, 9)
def return_nested(x):
    for i in tf.range(5):
        for j in tf.range(5):
            if i * j > x:
                return i * 10 + j
    return tf.constant(-1)


@case(3, 9)
def return_in_while(x):
    while True:
        x = x + 1
        if x > 10:
            return x * 2


@case(3, 9)
def try_in(x):
    try:
        if x > 5:
            y = x * 2
        else:
            y = x * 3
    except ValueError:
        y = x
    finally:
        z = 1
    return y + z


@case(3, 9)
def loop_with_try(x):
    s = 0
    for i in tf.range(x):
        try:
            if i > 2:
                continue
            s += i
        finally:
            s += 100
    return s


@case(3, 9)
def with_in_loop(x):
    s = 0
    for i in tf.range(x):
        with contextlib.nullcontext():
            if i > 4:
                break
            s += i
        s += 10
    return s


@case(3, -3)
def walrus_test(x):
    if (y := x * 2) > 0:
        z = y
    else:
        z = -y
    return y, z


@case(3, -3)
def walrus_while(x):
    n = 0
    while (x := x + 1) < 10:
        n += 1
    return x, n


@case(3, -3)
def matchv(x):
    match x > 0:
        case True:
            return x
        case _:
            return -x


@case(3, -3)
def eq_branch(x):
    if x == 3:
        return x
    return x * 2


@case(3, -3)
def ne_none(x):
    y = None
    if x is not None and x > 0:
        y = x
    else:
        y = x * 2
    return y


@case(3, -3)
def or_default(x):
    y = None or x
    z = x and 5
    w = 0 or x
    return y, z, w


@case(0, 3)
def and_value(x):
    return x and x + 1, x or x + 7


@case(3, -3)
def not_not(x):
    return not not x, not x, bool(x > 0) if False else x


@case(3, -3)
def multiple_assign(x):
    a = b = x
    if x > 0:
        a, b = b * 2, a * 3
    return a, b


@case(3, -3)
def star(x):
    a, *b = [x, x + 1, x + 2]
    if x > 0:
        *a, b = [x, x * 2, x * 3]
        a = a[0]
        b = [b, b]
    return a, b


@case(3)
def aug_attr(x):
    o = Obj(x)
    for i in tf.range(3):
        o.x += i
    return o.x


@case(3)
def nested_fn_loop(x):
    def body(a):
        for i in tf.range(3):
            a = a + i
            if a > 5:
                return a
        return a * 100

    return body(x), body(x - 10)


@case(3)
def loop_else(x):
    for i in tf.range(5):
        if i == x:
            break
    else:
        return tf.constant(-1)
    return i


@case(3, 9)
def loop_else2(x):
    s = 0
    for i in tf.range(5):
        if i == x:
            break
        s += 1
    else:
        s = s + 1000
    return s


@case(3, 9)
def while_else2(x):
    i = 0
    while i < 5:
        if i == x:
            i = i * 100
            break
        i += 1
    else:
        i = -1
    return i
