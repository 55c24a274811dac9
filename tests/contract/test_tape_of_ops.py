"""The tape's gradients of every op are those that JAX takes of its body: first and second order, three ways.

Eagerly, a chain of calls is differentiated call by call or as a whole, each a compiled program (a call of an op is one
link, its gradient another one); inside of `tf.function` all of it is part of the program.
"""

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import programs
from hornbeam.core.op import registry
from hornbeam.core.tape import output_leaves
from hornbeam.core.tensor import Tensor, convert_to_tensor, unwrap
from tests.ops import cases, maths_rows, models_rows
from tests.ops.rows import Made, arrays
from tests.tolerances import assert_close

ops = keras.ops
# Nothing to differentiate, by reason.
WITHOUT = {
    "only takes integers, booleans or sizes": """
        arange bartlett bincount bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
        blackman empty eye gcd hamming hanning identity invert isin joined_masks keras.backend.ctc_merged lcm
        logical_and logical_not logical_or logical_xor multi_hot one_hot ones sequence_mask tf.math.invert_permutation
        tf.nn.collapse_repeated tf.random.make_seeds tf.reduce_mean tri unique unravel_index utils.to_categorical
        zeros""",
    "returns integers, booleans or sizes": """
        all allclose allowed_pairs any argmax argmin argpartition argsort count_nonzero digitize equal greater
        greater_equal in_top_k isclose isfinite isinf isnan isneginf isposinf isreal labels_kept less less_equal
        matrix_rank nanargmax nanargmin nonzero not_equal searchsorted signbit size tf.argmax tf.argmin tf.argsort
        tf.histogram_fixed_width_bins tf.math.is_non_decreasing tf.shape view""",
    "draws integers, which depend on the parameters by steps": """
        random.binomial random.categorical random.randint tf.random.binomial tf.random.bits tf.random.categorical
        tf.random.fold_in tf.random.poisson tf.random.split""",
    "is a loop of unknown length, which JAX can't run backwards: the error is tested in tests/ops/test_control.py": """
        while_loop""",
    "decomposes matrices that are not symmetric, which JAX has no gradient of": """
        eig tf.linalg.eigvals tf.linalg.logm tf.linalg.sqrtm""",
}
# Ops that no gradient flows through: None, not zero.
NO_GRADIENT = """
    ceil empty_like floor floor_divide ones_like round stop_gradient tf.floordiv tf.math.truncatediv trunc zeros_like"""
# Only first order: JAX has no second derivatives of the first three, those of the others take seconds to compile.
ONCE = """
    random.beta random.gamma tf.random.gamma ctc ctc_loss keras.backend.ctc_batch_cost tf.linalg.expm tf.math.erfcinv
    tf.math.ndtri tf.math.special.bessel_j0 tf.math.special.bessel_j1 tf.math.special.bessel_k0
    tf.math.special.bessel_k0e tf.math.special.bessel_k1 tf.math.special.bessel_k1e tf.math.special.bessel_y0
    tf.math.special.bessel_y1 tf.math.special.spence tf.math.zeta"""


def op_of(name):
    """Return the op that a row names."""
    return registry[name] if name in registry else getattr(ops, name)


def floats(case):
    """Whether the case has a floating input and floating results."""
    takes = any(arrays()[name].dtype.kind == "f" for name in case.places())
    to_integers = isinstance(case, cases.Case) and "int" in str(case.kwargs.get("dtype"))
    return takes and not to_integers and op_of(case.name).name not in LEFT_OUT


LEFT_OUT = {name for names in WITHOUT.values() for name in names.split()}
TABLE = [*cases.CASES, *maths_rows.ROWS, *models_rows.ROWS]
CASES = [case for case in TABLE if hasattr(op_of(case.name), "raw") and floats(case)]
FIRST = list({op_of(case.name).name: case for case in reversed(CASES)}.values())
OTHERS = [case for case in CASES if case not in FIRST]


class Call:
    """A case as a function of its floating inputs, to its floating results."""

    def __init__(self, case):
        self.case = case
        self.given = [arrays()[name] for name in case.places()]
        self.places = [i for i, value in enumerate(self.given) if value.dtype.kind == "f"]
        self.start = [self.given[i] for i in self.places]

    def __call__(self, *values):
        filled = list(self.given)
        for place, value in zip(self.places, values, strict=True):
            filled[place] = value
        return [part for x in output_leaves(self._outputs(filled)) for part in parts(x)]

    def _outputs(self, filled):
        case = self.case
        if isinstance(case, Made):
            return case.call(op_of(case.name), *filled)
        return op_of(case.name)(*case.arguments(filled), **case.kwargs)

    def raw(self, *values):
        return [unwrap(x) for x in self(*map(Tensor, values))]


def parts(output):
    """A floating result, the two parts of a complex one."""
    if not isinstance(output, Tensor):
        return []
    if output.dtype.is_complex:
        return [ops.real(output), ops.imag(output)]
    return [output] if output.dtype.is_floating else []


def rows(outputs):
    """Another weight for each element of each output."""
    return [
        np.cos(np.arange(np.prod(x.shape)) + 1.0).reshape(tuple(x.shape)).astype("float32")
        for x in outputs
    ]


def slopes(call, *values):
    """What JAX says: the gradients of a weighted sum of the outputs, and zeros where there are none."""
    targets, back = jax.vjp(call.raw, *values)
    assert targets, "nothing to differentiate"
    return list(back(rows(targets)))


def slopes_of_slopes(call, *values):
    """And the gradients of a weighted sum of these."""
    first, back = jax.vjp(lambda *each: slopes(call, *each), *values)
    return first, list(back(rows(first)))


def found(call, *tensors):
    """What the tape says: None where there are none."""
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        targets = call(*tensors)
    return tape.gradient(targets, tensors, rows(targets))


def found_once(call, *tensors):
    """And zeros."""
    gradients = zip(found(call, *tensors), tensors, strict=True)
    return [tf.zeros_like(x) if each is None else each for each, x in gradients]


def found_twice(call, *tensors):
    """And the gradients of a weighted sum of the gradients, which is a chain of calls."""
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        first = found_once(call, *tensors)
        loss = tf.add_n([tf.reduce_sum(x * w) for x, w in zip(first, rows(first), strict=True)])
    return first, tape.gradient(loss, tensors, unconnected_gradients="zero")


# Before any test runs: tests, and examples in docstrings, register ops of their own.
OURS = {name for name, fn in registry.items() if fn.__module__.startswith("hornbeam.")}


def test_every_op_is_compared_or_told() -> None:
    """A new op needs a row in `tests/ops/maths_rows.py` or `models_rows.py`, or a reason here."""
    compared = {op_of(case.name).name for case in CASES}
    named = [name for names in WITHOUT.values() for name in names.split()]
    assert sorted([*compared, *named]) == sorted(OURS)


def check(case, monkeypatch, *, whole):
    """Compare both orders with JAX's: a chain of calls differentiated as a whole or call by call, and in a program."""
    call, name = Call(case), op_of(case.name).name
    expected, run = (
        (slopes, found_once) if name in ONCE.split() else (slopes_of_slopes, found_twice)
    )
    want = jax.jit(lambda *each: expected(call, *each))(*map(jax.numpy.asarray, call.start))
    tensors = list(map(convert_to_tensor, call.start))
    monkeypatch.setattr(programs, "_is_worth", lambda *_: whole)
    assert_close(run(call, *tensors), want, err_msg=f"{case}, eagerly")
    inside = tf.function(lambda *each: run(call, *each))
    assert_close(inside(*tensors), want, err_msg=f"{case}, in a program")
    assert (name in NO_GRADIENT.split()) == all(each is None for each in found(call, *tensors))


SAMPLE = FIRST[::12]


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_a_sample(case, monkeypatch):
    check(case, monkeypatch, whole=False)


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in FIRST if case not in SAMPLE], ids=str)
def test_every_op(case, monkeypatch):
    check(case, monkeypatch, whole=False)


@pytest.mark.slow
@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_chains_as_a_whole(case, monkeypatch):
    check(case, monkeypatch, whole=True)


@pytest.mark.slow
@pytest.mark.parametrize("case", OTHERS, ids=str)
def test_other_ways_to_call_it(case):
    """First order, eagerly."""
    call = Call(case)
    want = slopes(call, *map(jax.numpy.asarray, call.start))
    assert_close(found_once(call, *map(convert_to_tensor, call.start)), want, err_msg=str(case))
