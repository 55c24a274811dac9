"""The exception classes of `tf.errors`.

TensorFlow raises them where Keras on JAX, NumPy and Python raise ValueError, TypeError, IndexError or FileNotFoundError.
Here they derive from those too, so code that was written for either catches them.
"""

from __future__ import annotations

from typing import Any

# Where users find the classes; tracebacks show it, and pickles look there.
_PUBLIC = "hornbeam.errors"

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """The base of all errors that an operation raises.

    >>> import hornbeam as tf
    >>> error = tf.errors.NotFoundError(None, None, "no such file")
    >>> error.message, error.error_code == tf.errors.NOT_FOUND
    ('no such file', True)
    """

    code = UNKNOWN

    def __init__(
        self, node_def: Any, op: Any, message: str, error_code: int, *args: dict[Any, Any] | None
    ) -> None:
        """`node_def` and `op` are kept for TensorFlow's sake; None here."""
        # The text is what `args` holds, as in Python's own errors; so tools that rewrite texts find it.
        super().__init__(message)
        self._node_def, self._op, self._error_code = node_def, op, error_code
        self._payloads: dict[Any, Any] = (args[0] or {}) if args else {}

    @property
    def message(self) -> str:
        """What went wrong."""
        return self.args[0] if self.args else ""

    @property
    def op(self) -> Any:
        """The operation that failed; None, for there is no graph of operations."""
        return self._op

    @property
    def node_def(self) -> Any:
        """The definition of the operation that failed; None, for there is no graph of operations."""
        return self._node_def

    @property
    def error_code(self) -> int:
        """The number of the kind of error, e.g. `tf.errors.NOT_FOUND`."""
        return self._error_code

    @property
    def experimental_payloads(self) -> dict[Any, Any]:
        """What else was given with the error."""
        return self._payloads

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        given = (self.node_def, self.op, self.message)
        return type(self), (*given, self.error_code) if type(self) is OpError else given


class _Coded(OpError):
    def __init__(self, node_def: Any, op: Any, message: str, *args: Any) -> None:
        super().__init__(node_def, op, message, self.code, *args)


class CancelledError(_Coded):
    """An operation was cancelled."""

    code = CANCELLED


class UnknownError(_Coded):
    """An error of no known kind."""

    code = UNKNOWN


class InvalidArgumentError(_Coded, ValueError, TypeError):
    """An operation received an argument that it can't take; also a ValueError and a TypeError.

    >>> import hornbeam as tf
    >>> try:
    ...     tf.ones(3) + tf.ones(4)
    ... except ValueError as error:
    ...     print(type(error).__name__)
    InvalidArgumentError
    """

    code = INVALID_ARGUMENT


class OutOfBoundsError(InvalidArgumentError, IndexError):
    """An index lies beyond an axis: an `InvalidArgumentError`, under that name, which is also an IndexError."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _out_of_bounds, (self.node_def, self.op, self.message)


def _out_of_bounds(node_def: Any, op: Any, message: str) -> OutOfBoundsError:
    """Return the error of a pickle, which would not find its class under the name that it shows."""
    return OutOfBoundsError(node_def, op, message)


def invalid(text: str) -> InvalidArgumentError:
    """Return the error of an argument that can't be taken."""
    return InvalidArgumentError(None, None, text)


def out_of_bounds(text: str) -> InvalidArgumentError:
    """Return the error of an index beyond an axis."""
    return OutOfBoundsError(None, None, text)


class DeadlineExceededError(_Coded):
    """An operation took longer than it was given."""

    code = DEADLINE_EXCEEDED


class NotFoundError(_Coded, FileNotFoundError):
    """A file or another thing does not exist; also a FileNotFoundError."""

    code = NOT_FOUND


class AlreadyExistsError(_Coded, FileExistsError):
    """A file or another thing exists already; also a FileExistsError."""

    code = ALREADY_EXISTS


class PermissionDeniedError(_Coded, PermissionError):
    """A file may not be read or written; also a PermissionError."""

    code = PERMISSION_DENIED


class UnauthenticatedError(_Coded):
    """The caller did not say who they are."""

    code = UNAUTHENTICATED


class ResourceExhaustedError(_Coded, MemoryError):
    """Memory or another resource has run out; also a MemoryError."""

    code = RESOURCE_EXHAUSTED


class FailedPreconditionError(_Coded, ValueError, TypeError):
    """Something was not in the state that an operation needs; also a ValueError and a TypeError."""

    code = FAILED_PRECONDITION


class AbortedError(_Coded):
    """An operation was stopped by another one."""

    code = ABORTED


class OutOfRangeError(_Coded, IndexError):
    """The end of the data was reached; also an IndexError."""

    code = OUT_OF_RANGE


class UnimplementedError(_Coded, ValueError, TypeError):
    """An operation does not exist for these arguments; also a ValueError and a TypeError."""

    code = UNIMPLEMENTED


class InternalError(_Coded):
    """Something inside the library is broken."""

    code = INTERNAL


class UnavailableError(_Coded):
    """A service can't be reached."""

    code = UNAVAILABLE


class DataLossError(_Coded):
    """Data is lost or damaged."""

    code = DATA_LOSS


class OperatorNotAllowedInGraphError(TypeError, RuntimeError):
    """A tensor's value was asked for while a program is being compiled; also a RuntimeError."""


for _value in list(globals().values()):
    if isinstance(_value, type) and issubclass(_value, Exception):
        _value.__module__ = _PUBLIC
# Users see one class; the other is a kind of it only in what else catches it.
OutOfBoundsError.__name__ = OutOfBoundsError.__qualname__ = "InvalidArgumentError"


class UnknownValueError(NotImplementedError, AttributeError, TypeError):
    """NumPy's form of a tensor was asked for while a program is being compiled.

    In TensorFlow this is an AttributeError from `.numpy()`, a NotImplementedError from NumPy's functions, and a TypeError
    from Python's.
    """
