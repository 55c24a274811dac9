"""`tf.linalg.LinearOperator*` answer as TensorFlow's do, whose answers are recorded."""

import json

import numpy as np
import pytest

import hornbeam as tf
from tests.linalg.operators import GRADIENTS, OPERATORS, QUESTIONS, answers, gradient, steps
from tests.linalg.record import FILE
from tests.tolerances import assert_close

# Each operator is asked two dozen questions, which takes a second; some of each kind are asked always.
QUICK = ("diag", "lower", "compact bands", "circulant", "kronecker", "blocks", "low rank")
# TensorFlow's circulant matrices of real numbers have adjoints of complex ones, and its wide zeros no product.
DIFFERENT = {
    **dict.fromkeys(["circulant", "circulant 2d", "circulant 3d"], ("adjoint", "product")),
    "wide zeros": ("product",),
}


def quick_or_slow(names):
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


RECORDED = json.loads(FILE.read_text())


def comparable(answer):
    """Return floats as an array of float32, anything else as a text."""
    if isinstance(answer, dict):
        return {key: comparable(each) for key, each in answer.items()}
    is_floats = bool(flat(answer)) and all(map(is_float, flat(answer)))
    return np.asarray(answer, "float32") if is_floats else repr(answer)


def flat(answer):
    return [x for each in answer for x in flat(each)] if isinstance(answer, list) else [answer]


def is_float(value):
    return isinstance(value, float)


def test_every_operator_is_recorded():
    assert set(RECORDED) == {*OPERATORS, "gradients", "steps"}
    assert set(RECORDED["gradients"]) == set(GRADIENTS)


@pytest.mark.parametrize("name", quick_or_slow(OPERATORS))
def test_answers(name):
    found = answers(tf, name)
    assert list(found) == list(QUESTIONS)
    asked = {
        key: each for key, each in RECORDED[name].items() if key not in DIFFERENT.get(name, ())
    }
    for question, expected in asked.items():
        assert_close(comparable(found[question]), comparable(expected), err_msg=question)


@pytest.mark.parametrize("name", quick_or_slow(GRADIENTS))
def test_gradients(name):
    expected = comparable(RECORDED["gradients"][name])
    assert_close(comparable(gradient(tf, name)), expected, err_msg=name)


def test_conjugate_gradients():
    for found, expected in zip(steps(tf), RECORDED["steps"], strict=True):
        assert_close(comparable(found), comparable(expected))
