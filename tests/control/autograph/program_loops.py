"""Functions of the table `program_table.py`: loops of Python that tensors end, types that widen, recursion."""

from __future__ import annotations

import numpy as np

import hornbeam as tf
from tests.control.autograph.program_table import case

# Code that a linter would mend is what has to be tried.
# pyright: basic, reportPossiblyUnbound=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# ruff: noqa


@case(3)
def py_loop_continue_tensor(x):
    s = 0
    for i in range(6):
        if x > i:
            continue
        s += i
    return s


@case(3)
def py_loop_break_else(x):
    s = 0
    for i in range(6):
        if i > x:
            break
        s += i
    else:
        s = -1
    return s


@case(3, 30)
def py_loop_return(x):
    for i in range(6):
        if i > x:
            return tf.constant(i)
    return tf.constant(-1)


@case(3, 30)
def while_py_then_tensor(x):
    i = 0
    while i < 3:
        i += 1
        if x > i:
            x = x - 1
    return x, i


@case(3, 30)
def while_float(x):
    y = 1
    while y < x:
        y = y * 1.5
    return y


@case(3)
def int_loop_var_type(x):
    s = 0
    for i in tf.range(3):
        s = s + tf.cast(i, tf.int64)
    return s


@case(3)
def tensorarray(x):
    ta = tf.TensorArray(tf.int32, size=3)
    for i in tf.range(3):
        if i > 1:
            ta = ta.write(i, x)
        else:
            ta = ta.write(i, i)
    return ta.stack()


@case(3)
def swap(x):
    a, b = x, x * 2
    for i in tf.range(3):
        a, b = b, a
    return a, b


@case(3)
def shadow_item(x):
    i = x
    for i in tf.range(2):
        pass
    return i


@case(3)
def chg_item(x):
    s = 0
    for i in tf.range(4):
        i = i * 2
        s += i
    return s, i


@case(3)
def nested_tuple_item(x):
    s = 0
    for a, b in tf.constant([[1, 2], [3, 4]]):
        s += a * b
    return s


@case(3)
def lambda_default(x):
    fs = [lambda v, k=k: v * k if v > k else v for k in range(4)]
    return [f(x) for f in fs]


@case(3)
def ternary_nested(x):
    return 1 if x > 5 else 2 if x > 2 else 3


@case(3)
def boolop_mixed(x):
    return (x > 1 and x < 5 and x != 4) or x == 9


@case(3)
def setcomp(x):
    return sorted({i for i in range(3)}), {k: v * x for k, v in {"a": 1}.items()}


@case(3)
def is_(x):
    y = x
    if y is x:
        return x
    return -x


@case(3)
def exc_var(x):
    try:
        raise ValueError("q")
    except ValueError as e:
        m = str(e)
        if x > 0:
            x = x * 2
    return x


@case(3)
def yield_from(x):
    def g(n):
        for i in range(n):
            yield i * x

    return list(g(3))


@case(3)
def recursion(x):
    def fact(n, a):
        return a if n == 0 else fact(n - 1, a * n)

    return fact(4, x)


@case(3)
def np_cond(x):
    n = np.array(3)
    if n > 2:
        return x * 2
    return x


@case(3)
def shape_cond(x):
    t = tf.zeros([x.shape.rank + 2])
    if t.shape[0] > 1:
        return x * 2
    if tf.shape(t)[0] > 1:
        return x * 3
    return x
