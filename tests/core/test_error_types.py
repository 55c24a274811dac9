"""The classes of `tf.errors`, and what catches them."""

import copy
import pickle
import traceback

import jax
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.error_types import OutOfBoundsError

CODED = [
    each
    for each in vars(tf.errors).values()
    if isinstance(each, type)
    and issubclass(each, tf.errors.OpError)
    and each is not tf.errors.OpError
]
ALSO = {
    tf.errors.InvalidArgumentError: (ValueError, TypeError),
    tf.errors.UnimplementedError: (ValueError, TypeError),
    tf.errors.FailedPreconditionError: (ValueError, TypeError),
    tf.errors.NotFoundError: (FileNotFoundError,),
    tf.errors.AlreadyExistsError: (FileExistsError,),
    tf.errors.PermissionDeniedError: (PermissionError,),
    tf.errors.OutOfRangeError: (IndexError,),
    tf.errors.ResourceExhaustedError: (MemoryError,),
    tf.errors.OperatorNotAllowedInGraphError: (TypeError, RuntimeError),
    OutOfBoundsError: (ValueError, TypeError, IndexError, tf.errors.InvalidArgumentError),
}


def test_there_are_sixteen_kinds_with_a_number_each():
    assert sorted(each(None, None, "").error_code for each in CODED) == list(range(1, 17))


@pytest.mark.parametrize("kind", [*CODED, OutOfBoundsError], ids=lambda kind: kind.__name__)
def test_an_error_keeps_what_it_was_made_of(kind):
    error = kind("node", "op", "the text", {"a": "b"})
    assert (error.node_def, error.op, error.message) == ("node", "op", "the text")
    assert str(error) == "the text" and error.experimental_payloads == {"a": "b"}
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert (other.node_def, other.message, other.error_code) == (
            "node",
            "the text",
            error.error_code,
        )


def test_the_base_takes_a_number():
    error = pickle.loads(pickle.dumps(tf.errors.OpError(None, None, "text", 7)))
    assert (error.message, error.error_code) == ("text", tf.errors.PERMISSION_DENIED)


@pytest.mark.parametrize(
    ("kind", "others"), ALSO.items(), ids=lambda each: getattr(each, "__name__", "")
)
def test_what_else_catches_an_error(kind, others):
    assert all(issubclass(kind, other) for other in others)


def raised(fn):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        fn()
    return caught.value


def test_errors_that_a_body_raises_become_invalid_arguments():
    error = raised(lambda: tf.matmul(tf.ones((2, 3)), tf.ones((2, 3))))
    assert str(error).startswith("`tf.matmul`: ") and str(error).endswith("[Op:Matmul]")
    assert isinstance(error, ValueError) and isinstance(error, TypeError)
    # It is shown once, and down to the line that raised it.
    shown = "".join(traceback.format_exception(error))
    assert shown.count("leading axes that broadcast") == 1
    assert "direct cause" not in shown and "another exception" not in shown


def test_errors_of_jax_become_invalid_arguments():
    error = raised(lambda: tf.ones(3) + tf.ones(4))
    assert str(error).startswith("`add`: the shapes don't broadcast") and str(error).endswith(
        "[Op:Add]"
    )
    assert isinstance(error.__cause__, TypeError)


def test_too_many_indices_are_an_index_error_too():
    error = raised(lambda: tf.ones(3)[0, 0])
    assert type(error).__qualname__ == "InvalidArgumentError" and isinstance(error, IndexError)


def test_a_tensor_of_a_finished_program_names_the_function():
    kept = []

    def my_function(x):
        kept.append(x * 2)
        return x

    jax.jit(my_function)(tf.constant(1.0))
    with pytest.raises(
        TypeError, match=r"'my_function' \(.*test_error_types.py:\d+\).*Return it"
    ) as caught:
        kept[0] + 1
    assert not isinstance(caught.value, tf.errors.OpError)


def test_errors_of_functions_that_an_op_is_given_stay_as_they_are():
    def fails(x):
        raise ValueError("of the user")

    with pytest.raises(ValueError, match=r"^of the user") as caught:
        keras.ops.map(fails, tf.constant([1.0]))
    assert type(caught.value) is ValueError
