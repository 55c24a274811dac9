"""The tape's gradients of every op are those that JAX takes of its body, first and second order."""

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.tape import output_leaves
from hornbeam.core.tensor import Tensor, convert_to_tensor, unwrap
from tests.ops import cases
from tests.tolerances import assert_close

ops = keras.ops


def floats(case):
    """Whether the case has a floating input and a floating output."""
    arrays = cases.arrays()
    return any(arrays[name].dtype.kind == "f" for name in case.places()) and hasattr(
        getattr(ops, case.name), "raw"
    )


CASES = [case for case in cases.CASES if floats(case)]
FIRST = list({case.name: case for case in reversed(CASES)}.values())


class Call:
    """A case as a function of its floating inputs, to its floating results."""

    def __init__(self, case):
        self.case = case
        arrays = cases.arrays()
        self.given = [arrays[name] for name in case.places()]
        self.places = [i for i, value in enumerate(self.given) if value.dtype.kind == "f"]
        self.start = [self.given[i] for i in self.places]

    def __call__(self, *values):
        filled = list(self.given)
        for place, value in zip(self.places, values, strict=True):
            filled[place] = value
        outputs = getattr(ops, self.case.name)(*self.case.arguments(filled), **self.case.kwargs)
        return [x for x in output_leaves(outputs) if isinstance(x, Tensor) and is_float(x)]

    def raw(self, *values):
        return [unwrap(x) for x in self(*map(Tensor, values))]


def is_float(tensor):
    return tensor.dtype.is_floating


def rows(outputs):
    """Another weight for each element of each output."""
    return [np.cos(np.arange(x.size) + 1.0).reshape(x.shape).astype("float32") for x in outputs]


def expected(call):
    """What JAX says: the gradients of a weighted sum of the outputs, and zeros where there are none."""
    targets, back = jax.vjp(call.raw, *map(jax.numpy.asarray, call.start))
    return [np.asarray(each) for each in back(list(map(jax.numpy.asarray, rows(targets))))]


def found(call):
    """What the tape says."""
    tensors = list(map(convert_to_tensor, call.start))
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        targets = call(*tensors)
    weights = rows([x.numpy() for x in targets])
    return tape.gradient(targets, tensors, weights, unconnected_gradients="zero")


def check(case):
    call = Call(case)
    assert_close([each.numpy() for each in found(call)], expected(call), err_msg=str(case))


SAMPLE = FIRST[::12]


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_a_sample(case):
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_first_order(case):
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", FIRST, ids=str)
def test_second_order(case):
    """The gradients of a weighted sum of the gradients."""
    call = Call(case)

    def slopes(*values):
        targets, back = jax.vjp(call.raw, *values)
        return list(back(list(map(jax.numpy.asarray, rows(targets)))))

    start = list(map(jax.numpy.asarray, call.start))
    first, back = jax.vjp(slopes, *start)
    want = [np.asarray(each) for each in back(list(map(jax.numpy.asarray, rows(first))))]
    tensors = list(map(convert_to_tensor, call.start))
    with tf.GradientTape() as outer:
        outer.watch(tensors)
        with tf.GradientTape() as inner:
            inner.watch(tensors)
            targets = call(*tensors)
        weights = rows([x.numpy() for x in targets])
        gradients = inner.gradient(targets, tensors, weights, unconnected_gradients="zero")
    weights = rows([x.numpy() for x in gradients])
    got = outer.gradient(gradients, tensors, weights, unconnected_gradients="zero")
    assert_close([each.numpy() for each in got], want, err_msg=str(case))
