"""`tf.print` writes what TensorFlow 2.21 writes (its texts were taken down), eagerly and from programs."""

import logging
import sys

import numpy as np
import pytest

import hornbeam as tf

# What is printed, as a function of the library, and TensorFlow's text.
TEXTS = [
    (lambda: [tf.constant(1.5)], "1.5"),
    (lambda: ["a", tf.constant(1), tf.constant([1, 2])], "a 1 [1 2]"),
    (lambda: [tf.constant([[1.0, 2.5], [3, 4]])], "[[1 2.5]\n [3 4]]"),
    (lambda: [tf.range(10)], "[0 1 2 ... 7 8 9]"),
    (lambda: [tf.range(6)], "[0 1 2 3 4 5]"),
    (lambda: [tf.reshape(tf.range(8), [2, 2, 2])], "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]"),
    (lambda: [{"a": tf.constant(1), "b": [tf.constant(2.0), "x"]}], "{'a': 1, 'b': [2, 'x']}"),
    (lambda: [[1, 2, tf.constant(3)], (tf.constant(1), None)], "[1, 2, 3] (1, None)"),
    (lambda: [tf.constant([True, False]), True, None], "[1 0] True None"),
    (
        lambda: [tf.constant([1.0, 2.123456789, 1e-10, np.nan, np.inf])],
        "[1 2.12345672 1e-10 nan inf]",
    ),
    (lambda: [0.1, 3.0, 1e-7, tf.Variable([1.0, 2.0])], "0.1 3.0 1e-07 [1 2]"),
    (lambda: [tf.zeros([0]), tf.float32], "[] tf.float32"),
    (lambda: [tf.constant([0.1, 1.5], tf.float16)], "[0.0999755859 1.5]"),
    (
        lambda: [tf.constant([1e5, 1234567.0, 123456.7, 0.0001, 0.00001])],
        "[100000 1234567 123456.703 0.0001 1e-05]",
    ),
    (lambda: [tf.constant("b")], "b"),
    (lambda: [tf.constant("a\nb")], "a\nb"),
    (lambda: [tf.constant("")], ""),
    (lambda: [tf.constant(["a", "é b"])], '["a" "é b"]'),
    (
        lambda: [tf.constant(["a\nb", "q\"q'", "t\t\x01\x7f\\"])],
        r'["a\nb" "q\"q\'" "t\t\001\177\\"]',
    ),
    (lambda: ["x:", tf.constant("s"), b"s"], "x: \"s\" b's'"),
    (lambda: [[tf.constant("a")]], '["a"]'),
    (lambda: [(tf.constant("a"),)], '("a",)'),
    (lambda: [{"k": tf.constant("a"), "b": "x"}], "{'b': 'x', 'k': \"a\"}"),
    (lambda: [tf.constant(["a"] * 8)], '["a" "a" "a" ... "a" "a" "a"]'),
    (lambda: [tf.constant([["a"], ["b"]])], '[["a"]\n ["b"]]'),
    (lambda: [np.array(["a", "b"])], "array(['a', 'b'], dtype='<U1')"),
    (lambda: [tf.constant([0.1, 1 / 3, 1e22], tf.float64)], "[0.1 0.33333333333333331 1e+22]"),
    (lambda: [tf.zeros([0, 2])], "[]"),
    (lambda: [tf.zeros([2, 0])], "[\n ...]"),
    (lambda: [tf.zeros([2, 0, 3])], "[\n\n ...]"),
    (lambda: [range(3), [range(2)], list(range(9))], f"[0, 1, 2] [[0, 1]] {list(range(9))}"),
    (lambda: [tf.constant([-1, 2], tf.int8), tf.constant(3, tf.uint32)], "[-1 2] 3"),
    (lambda: [tf.constant([1 / 3, 65504], tf.float16)], "[0.333251953 65504]"),
    (lambda: [tf.constant([0.1, 1e10], tf.bfloat16)], "[0.100097656 9.99922074e+09]"),
    (
        lambda: [3.0, 1e20, 1 + 2j, tf.TensorShape([1, None])],
        "3.0 1e+20 (1+2j) TensorShape([1, None])",
    ),
]


@pytest.mark.parametrize("values, text", TEXTS)
def test_texts(values, text, capsys):
    tf.print(*values(), summarize=3 if "..." in text else -1)
    assert capsys.readouterr() == ("", text + "\n")


def test_no_elements_are_asked_for(capsys):
    tf.print(tf.range(10), tf.constant(["a", "b"]), summarize=0)
    assert capsys.readouterr().err == "[ ...] [ ...]\n"


def test_elements_left_out(capsys):
    tf.print(tf.range(2), summarize=1)
    assert capsys.readouterr().err == "[0 1]\n"
    cube = tf.reshape(tf.range(1000), [10, 10, 10])
    tf.print(cube, summarize=1, output_stream=sys.stdout)
    assert capsys.readouterr().out == (
        "[[[0 ... 9]\n  ...\n  [90 ... 99]]\n\n ...\n\n [[900 ... 909]\n  ...\n  [990 ... 999]]]\n"
    )


def test_a_program_prints_at_every_call_in_order(capsys):
    v = tf.Variable(0)

    @tf.function
    def f(x):
        tf.print("x", x, sep="=")
        tf.while_loop(lambda i: i < 2, lambda i: (tf.print("turn", i) or i + 1,), (0,))
        tf.cond(x > 1, lambda: tf.print("large"), lambda: tf.print("small"))
        tf.print("v", v.assign_add(x), {"x": [x]}, end="!\n")
        return x

    f(tf.constant(1)), f(tf.constant(2))
    first = "x=1\nturn 0\nturn 1\nsmall\nv 1 {'x': [1]}!\n"
    assert capsys.readouterr().err == first + first.replace("=1", "=2").replace(
        "small", "large"
    ).replace("v 1", "v 3").replace("[1]", "[2]")


def test_the_first_call_that_makes_variables_prints_once(capsys):
    made = []

    @tf.function
    def f(x):
        tf.print("called")
        if not made:
            made.append(tf.Variable(x * 2))
        return made[0] + x

    assert float(f(tf.constant(1.0))) == 3 and capsys.readouterr().err == "called\n"


def test_streams(tmp_path, caplog, capsys):
    with open(tmp_path / "file", "w") as file:
        tf.print("one", output_stream=file)
    tf.print("two", output_stream=f"file://{tmp_path / 'file'}")
    assert (tmp_path / "file").read_text() == "one\ntwo\n"
    with caplog.at_level("WARNING"):
        tf.print("third", output_stream="log(warning)")
    assert caplog.records.pop().message == "third"
    tf.print("three", output_stream=logging.getLogger("hornbeam").warning)
    assert [record.message for record in caplog.records] == ["three\n"]
    with pytest.raises(ValueError, match="output_stream"):
        tf.print("four", output_stream="nowhere")
