"""`tf.autograph`: what functions are rewritten to, and functions that are left alone."""

from __future__ import annotations

import logging

import pytest

import hornbeam as tf


def positive(x):
    if x > 0:
        return x
    return -x


def test_to_code_shows_the_rewriting_of_functions_and_of_compiled_ones() -> None:
    text = tf.autograph.to_code(positive)
    assert text == tf.autograph.to_code(tf.function(positive))
    assert "ag__.if_(x > 0, ag__if_1, ag__else_1, ('ag__return',), ('ag__return',), ())" in text


def test_to_graph_is_the_rewritten_function() -> None:
    converted = tf.autograph.to_graph(positive)
    assert int(converted(-3)) == 3
    program = tf.function(converted, autograph=False)
    assert [int(program(tf.constant(n))) for n in (2, -2)] == [2, 2]


def test_what_runs_as_it_is_says_why() -> None:
    def numbers(x):
        yield x

    with pytest.raises(ValueError, match="generators and coroutines run as they are"):
        tf.autograph.to_code(numbers)


def test_functions_that_are_left_alone() -> None:
    @tf.autograph.experimental.do_not_convert
    def alone(x):
        return x if x > 0 else -x

    @tf.function
    def program(x):
        return alone(x)

    with pytest.raises(TypeError, match="needs the values of a tensor"):
        program(tf.constant(1))
    assert tf.autograph.experimental.do_not_convert()(positive)(-1) == 1


def test_options_of_loops_are_accepted() -> None:
    @tf.function
    def program(x):
        while x > 0:
            tf.autograph.experimental.set_loop_options(
                parallel_iterations=1, shape_invariants=[(x, tf.TensorShape([]))]
            )
            x -= 1
        return x

    assert int(program(tf.constant(3))) == 0


def test_verbosity_logs_what_runs_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    def looks(x):
        return sorted(locals())

    logger = logging.getLogger("hornbeam.autograph")
    tf.autograph.set_verbosity(1)
    try:
        with caplog.at_level(logging.DEBUG, "hornbeam.autograph"):
            tf.function(looks)(tf.constant(1))
    finally:
        tf.autograph.set_verbosity(0)
    assert "`locals` looks into the frame of its caller" in caplog.text
    assert logger.handlers == []
