"""Loops of the program that may have no turn, and names that only their turns define."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import hornbeam as tf

# pyright: basic, reportPossiblyUnbound=false, reportAttributeAccessIssue=false
# ruff: noqa: B007, F821, F841, SIM108


def for_range(n):
    for i in tf.range(n):
        y = i
    return y


def while_loop(n):
    while n > 0:
        y = n
        n -= 1
    return y


def with_break(n):
    for i in tf.range(n):
        y = i
        if i > 1:
            break
    return y


def within_a_loop(n):
    for i in tf.range(n, -1, -1):
        for j in tf.range(i):
            y = j
    return y


def under_if(n):
    if n < 10:
        for i in tf.range(n):
            y = i
    else:
        y = 1
    return y


def structures(n):
    for i in tf.range(n):
        y = i, {"a": [i]}
    return y


def none_before(n):
    y = None
    for i in tf.range(n):
        y = i
    return y


def an_attribute(n):
    y = SimpleNamespace()
    for i in tf.range(n):
        y.last = i
    return y.last


def an_item(n):
    y = {}
    for i in tf.range(n):
        y["last"] = i
    return y["last"]


def a_number(n):
    for _ in tf.range(n):
        y = 5
    return y


DEFINE = [for_range, while_loop, with_break, within_a_loop, under_if, structures, none_before, an_attribute, an_item, a_number]  # fmt: skip


@pytest.mark.parametrize("fn", DEFINE)
def test_a_name_that_only_turns_define_needs_one(fn) -> None:
    """TensorFlow raises the same: zeros would be wrong, and Python's error comes too late for a program."""
    program = tf.function(fn)
    for _ in range(2):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"must iterate at least once to initialize y.*first value"):  # fmt: skip
            program(tf.constant(0))


def test_turns_define_it() -> None:
    for fn in set(DEFINE) - {within_a_loop}:
        program = tf.function(fn)
        program(tf.constant(3))
        assert program.experimental_get_tracing_count() == 1
    assert [int(tf.function(fn)(tf.constant(3))) for fn in (for_range, while_loop, with_break, an_attribute, an_item, a_number)] == [2, 1, 2, 2, 2, 5]  # fmt: skip


def item_alone(n):
    for i in tf.range(n):
        pass
    return i


def not_read_behind(n):
    for i in tf.range(n):
        y = i
        n += y
    return n


def read_by_functions_inside(n):
    for i in tf.range(n):
        y = i
        n += (lambda: y + i)()
    return n


def returns(n):
    for i in tf.range(n):
        if i > 1:
            return i
    return -1


def deleted(n):
    for i in tf.range(n):
        y = i
        n += y
        del y
    return n


def other_branch(n):
    if n > 10:
        for i in tf.range(n):
            y = i
    else:
        y = n
    return y


@pytest.mark.parametrize(("fn", "expected"), [
    (item_alone, 0), (not_read_behind, 0), (read_by_functions_inside, 0), (returns, -1), (deleted, 0), (other_branch, 0),
])  # fmt: skip
def test_what_nobody_reads_may_be_undefined(fn, expected) -> None:
    """What a loop goes over begins as zero, as in TensorFlow."""
    assert int(tf.function(fn)(tf.constant(0))) == expected


def test_a_loop_of_no_rows_defines_nothing() -> None:
    def fn(x):
        for row in x:
            y = row
        return y

    with pytest.raises(UnboundLocalError, match="'y'"):
        tf.function(fn)(tf.zeros([0, 2]))


def test_what_a_turn_reads_first_must_be_defined_before() -> None:
    def fn(n):
        for i in tf.range(n):
            if i > 0:
                y = y + 1
            else:
                y = 0
        return n

    def other(n):
        if n:
            y = n
        return y

    line = fn.__code__.co_firstlineno + 1
    with pytest.raises(UnboundLocalError, match=f"line {line} is a part .* reads 'y', which must be defined before"):  # fmt: skip
        tf.function(fn)(tf.constant(3))
    with pytest.raises(UnboundLocalError) as caught:
        tf.function(other)(0)
    assert "loop" not in str(caught.value), "the reason is that of another function"
