"""What Python does once, while a program is made, where the values should decide: it is refused instead of being wrong."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

import hornbeam as tf

# pyright: basic, reportPossiblyUnbound=false
# ruff: noqa: F841, SIM108

# Lists, dicts and sets of the function that are read later


def appends(x):
    items = [x]
    if x > 0:
        items.append(x)
    return tf.add_n(items)


def pops_in_else(x):
    items = [x, x]
    if x > 0:
        y = 1
    else:
        y = items.pop()
    return y + len(items)


def updates(x):
    items = {"a": x}
    if x > 0:
        items.update(a=x + x)
    return items["a"]


def sets_by_a_name(x):
    items, key = {"a": x}, "a"
    for _ in tf.range(x):
        items[key] = x + 1
    return items["a"]


def adds(x):
    items = {1}
    while x > 0:
        items.add(2)
        x -= 1
    return len(items)


def collects(x):
    items = []
    for i in tf.range(x):
        items.append(i)
    return tf.stack(items)


def in_a_loop_of_python(x):
    items = []
    for i in range(5):
        if i > x:
            break
        items.append(i)
    return len(items)


CHANGES = {appends: 2, pops_in_else: 2, updates: 2, sets_by_a_name: 2, adds: 2, collects: 2, in_a_loop_of_python: 3}  # fmt: skip


@pytest.mark.parametrize("fn", CHANGES)
def test_lists_that_branches_and_turns_change_in_place(fn) -> None:
    """TensorFlow changes them once, whatever the values say: a wrong answer."""
    line = fn.__code__.co_firstlineno + CHANGES[fn]
    with pytest.raises(TypeError, match=rf"'items' is a (list|dict|set) that .* on line {line} changes in place"):  # fmt: skip
        tf.function(fn)(tf.constant(3))


def test_lists_that_nobody_reads_later_and_those_of_others_may_be_changed() -> None:
    log: list[Any] = []

    def fn(x):
        items = [x, {"a": x}]
        if x > 0:
            log.append("positive")
            items[0] = x * 2
            items[1]["a"] = x * 3
            scratch = []
            scratch.append(x)
            y = scratch[0]
        else:
            log.append("negative")
            y = x
        for i in range(2):  # of Python
            items.append(i)
        return tf.add_n([y, items[0], items[1]["a"], len(items)])

    assert [int(tf.function(fn)(tf.constant(x))) for x in (3, -3)] == [22, -5]
    assert log == ["positive", "negative"] * 2


# Errors that are caught


def caught(x):
    try:
        if x > 5:
            raise ValueError("large")
        y = x
    except ValueError:
        y = x * 100
    return y


def caught_in_a_loop(x):
    for i in tf.range(x):
        try:
            if i > 1:
                raise KeyError(i)
        except (KeyError, ValueError) as error:
            x = x * 2
    return x


def raises(x):
    if x > 5:
        raise ValueError("large")
    return x


def caught_of_another_function(x):
    try:
        y = raises(x)
    except Exception:
        return x
    return y


@pytest.mark.parametrize("fn", [caught, caught_in_a_loop, caught_of_another_function])
def test_errors_of_branches_that_are_caught(fn) -> None:
    """They are raised while the program is made, so the handler would run for all values."""
    with pytest.raises(TypeError, match=r"was raised by a branch of the `if` on line \d+, .* and then caught"):  # fmt: skip
        tf.function(fn)(tf.constant(3))


def test_other_errors_may_be_caught_and_those_of_branches_raised_again() -> None:
    def fn(x):
        try:
            y = {}["missing"] if x is None else [][1]
        except IndexError:
            y = 1
            if x > 0:
                y = 2
        with contextlib.suppress(ValueError):
            raise ValueError
        return y

    def again(x):
        try:
            return raises(x)
        except ValueError as error:
            raise LookupError("again") from error

    assert [int(tf.function(fn)(tf.constant(x))) for x in (3, -3)] == [2, 1]
    with pytest.raises(LookupError, match="again"):
        tf.function(again)(tf.constant(3))


# Loops without end


def test_a_return_out_of_a_loop_without_end() -> None:
    def fn(x):
        while True:
            x = x + 1
            if x > 10:
                return x * 2

    def inner(x):
        while 1:
            for i in tf.range(x):
                if i > 2:
                    return i
            x += 1

    def breaks(x):
        while True:
            x = x + 1
            if x > 10:
                break
            if x > 20:
                return x
        return -x

    for f, answers in ((fn, [22, 44]), (inner, [3, 3]), (breaks, [-11, -22])):
        assert [int(tf.function(f)(tf.constant(x))) for x in (1, 21)] == answers
