"""Tensors beside what NumPy says."""

import copy
import operator
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.tensor import Tensor, convert_to_tensor, is_tensor
from hornbeam.core.variable import Variable
from tests.buffers import shareable
from tests.tolerances import assert_close

A = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
BINARY = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod),
    *(operator.pow, operator.matmul, operator.lt, operator.le, operator.gt, operator.ge),
    *(operator.eq, operator.ne),
]


@pytest.mark.parametrize("fn", BINARY, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("left", [convert_to_tensor, Variable, np.asarray])
def test_binary_operators(fn, left):
    result = fn(left(A), convert_to_tensor(A + 1))
    assert isinstance(result, Tensor)
    assert_close(result, fn(A, A + 1))


@pytest.mark.parametrize("fn", [operator.neg, operator.abs, operator.pos])
def test_unary_operators(fn):
    assert_close(fn(convert_to_tensor(-A)), fn(-A))


@pytest.mark.parametrize("fn", [operator.and_, operator.or_, operator.xor])
def test_logic_on_booleans(fn):
    a, b = np.array([True, True, False]), np.array([True, False, False])
    np.testing.assert_array_equal(fn(convert_to_tensor(a), convert_to_tensor(b)), fn(a, b))
    np.testing.assert_array_equal(~convert_to_tensor(a), ~a)


@pytest.mark.parametrize(
    "key", [0, -1, slice(None, None, -1), (0, 1), (..., None), np.array([1, 0, 1])]
)
def test_indexing(key):
    np.testing.assert_array_equal(convert_to_tensor(A)[key], A[key])


def test_numbers_on_either_side():
    x = convert_to_tensor([1, 2])
    np.testing.assert_array_equal(2 - x, [1, 0])
    np.testing.assert_array_equal([1, 1] + x, [2, 3])  # noqa: RUF005 - the operator is what is tested
    assert (x + 1).dtype == "int32"
    assert (x + 1.5).dtype == "float32"


def test_numpy_and_jax_take_tensors():
    x = convert_to_tensor(A)
    assert_close(np.sin(x), np.sin(A))
    assert_close(jnp.sum(x), A.sum())
    assert_close(jax.jit(lambda t: t * 2)(x), A * 2)
    assert_close(jax.grad(lambda t: (t * t)._value.sum())(x), 2 * A)


def test_shape_is_a_tuple_and_answers_as_tensorflow():
    shape = convert_to_tensor(np.zeros((2, 3, 4))).shape
    assert shape == (2, 3, 4) and isinstance(shape, tuple)
    assert shape.as_list() == [2, 3, 4]
    assert shape[1:].num_elements() == 12
    assert repr(shape) == "TensorShape([2, 3, 4])" and str(shape) == "(2, 3, 4)"
    open_ = tf.TensorShape([None, 3])
    assert open_.num_elements() is None and open_.is_compatible_with([5, 3])
    assert not open_.is_compatible_with([5, 4]) and not open_.is_compatible_with([3])
    open_.assert_same_rank(tf.TensorShape(None))
    with pytest.raises(ValueError, match="must have the same rank"):
        open_.assert_same_rank([3])


def test_sizes_lie_on_the_host():
    assert tf.shape(A).device == "/job:localhost/replica:0/task:0/device:CPU:0"


def test_numpy_gives_a_copy_that_can_be_written():
    x = convert_to_tensor(A)
    x.numpy()[:] = 0
    assert_close(x, A)


def test_copies_and_pickles():
    x = convert_to_tensor(A)
    assert copy.deepcopy(x) is x
    assert_close(pickle.loads(pickle.dumps(x)), A)


def test_tensors_are_no_keys_but_their_references_are():
    x, y = convert_to_tensor(1.0), convert_to_tensor(1.0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    assert {x.ref(): 1}[x.ref()] == 1 and x.ref() != y.ref()
    assert x.ref().deref() is x


def test_values_are_not_known_while_compiling():
    with pytest.raises(RuntimeError, match="being compiled"):
        jax.jit(lambda t: t.numpy())(convert_to_tensor(A))
    for kind in (AttributeError, NotImplementedError, TypeError):  # what TensorFlow raises
        with pytest.raises(kind, match=r"`\.numpy\(\)` needs the values"):
            jax.jit(lambda t: t.numpy())(convert_to_tensor(A))
        with pytest.raises(kind, match="A NumPy function needs the values"):
            jax.jit(lambda t: np.mean(t))(convert_to_tensor(A))
    with pytest.raises(RuntimeError, match=r"tf\.where"):
        jax.jit(lambda t: t if t > 0 else -t)(convert_to_tensor(1.0))


@pytest.mark.parametrize("bad", ["text", ["a", "b"], np.array(["x"]), object()])
def test_what_is_not_numeric_is_refused(bad):
    with pytest.raises(TypeError):
        convert_to_tensor(bad)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="non-rectangular"):
        convert_to_tensor([[1, 2], [3]])


def test_scalars_format_and_convert():
    x = convert_to_tensor(2.5)
    assert f"{x:.1f}" == "2.5" and float(x) == 2.5 and int(x) == 2 and bool(x)
    assert repr(x) == "<tf.Tensor: shape=(), dtype=float32, numpy=2.5>"
    assert str(x) == "tf.Tensor(2.5, shape=(), dtype=float32)"
    assert f"{tf.constant(3.0, 'bfloat16')}" == "3.0"


def test_is_tensor():
    assert is_tensor(convert_to_tensor(1)) and is_tensor(jnp.ones(2)) and is_tensor(Variable(1.0))
    assert not is_tensor([1]) and not is_tensor(np.ones(2))


@pytest.mark.parametrize("same", ["float32", np.float32, np.dtype("float32"), DType("float32")])
def test_a_dtype_equals_whatever_means_the_same(same):
    assert as_dtype(same) == "float32" and as_dtype("float32") == same
    assert np.dtype(as_dtype(same)) == np.float32
    assert as_dtype("float32") != "int32" and as_dtype("float32") is not None


def test_dtypes_describe_themselves():
    bfloat16 = as_dtype("bfloat16")
    assert bfloat16.is_floating and bfloat16.size == 2 and float(bfloat16.max) > 1e38
    assert as_dtype("uint8").max == 255 and as_dtype("uint8").is_unsigned
    assert as_dtype(bool).is_bool and as_dtype(str) == "string"
    with pytest.raises(ValueError, match="Did you mean 'float32'"):
        as_dtype("flaot32")


@pytest.mark.parametrize(
    "keep",
    [
        convert_to_tensor,
        Variable,
        lambda a: Variable(np.zeros(a.shape, "float32")).assign(a),
        lambda a: convert_to_tensor(memoryview(a)),
    ],
    ids=["tensor", "variable", "assign", "buffer"],
)
def test_what_is_written_into_an_array_later_changes_nothing(keep):
    array = shareable((64, 64), 1.0)
    kept = keep(array)
    array[:] = 2.0
    assert_close(kept, np.ones((64, 64)))


def test_what_is_written_into_an_array_later_changes_no_result():
    """JAX reads large arrays after the call has returned."""
    ones = np.ones((3000, 3000), "float32")
    for fn in (lambda a: tf.add(a, 1.0), tf.identity, keras.ops.sin, tf.reduce_mean):
        given = ones.copy()
        result = fn(given)
        given[:] = 5
        np.testing.assert_array_equal(np.asarray(result), np.asarray(fn(ones)))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1.5, "float32"),
        (-0.0, "float32"),
        (float("nan"), "float32"),
        (float("-inf"), "float32"),
        (-(2**31), "int32"),
        (2**31, "int64"),
        (True, "bool"),
    ],
)
def test_a_python_number_has_its_type(value: float, dtype: str) -> None:
    for tensor in (tf.constant(value), tf.convert_to_tensor(value)):
        assert tensor.dtype == dtype and tensor.shape == ()
        assert np.array_equal(np.asarray(tensor), np.asarray(value, dtype), equal_nan=True)
        assert np.signbit(float(tensor)) == np.signbit(float(value))
    traced = jax.make_jaxpr(lambda x: x + tf.constant(value)._value)(1.0)
    assert len(traced.eqns) <= 2, "in a program a number is a constant"
