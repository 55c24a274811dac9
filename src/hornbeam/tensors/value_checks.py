"""Assertions about the values of tensors: errors that show where the values are not as expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from hornbeam.core import effects
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import invalid
from hornbeam.core.jax_typed import cond
from hornbeam.core.tensor import Tensor, convert_to_tensor, is_traced, known_value, unwrap

if TYPE_CHECKING:
    from hornbeam.core.typing import NumpyArray, RawArray, TensorLike

_FIRST = 3  # elements that a text shows where the caller does not say how many


def check(test: Callable[..., str | None], *values: TensorLike) -> None:
    """Raise InvalidArgumentError with the text that `test` returns for the values as NumPy arrays.

    In a program that is being compiled the values are tested when it runs, and whoever called it is told at its end.
    """
    raws = [known_value(unwrap(convert_to_tensor(each))) for each in values]

    def run(*arrays: Any) -> None:
        text = test(*map(np.asarray, arrays))
        if text is not None:
            raise invalid(text)

    if any(map(is_traced, raws)):
        jax.debug.callback(effects.kept(run, _nothing), *raws)
    else:
        run(*raws)


def check_unless(holds: RawArray, test: Callable[..., str | None], *values: TensorLike) -> None:
    """Do what `check` does unless `holds`, which says the same as `test`: only a program that fails calls Python then."""
    if is_traced(known_value(holds)):
        cond(holds, lambda: None, lambda: check(test, *values))
    else:
        check(test, *values)


def _nothing() -> None:
    """Stand in for a test whose error is kept."""


def Assert(
    condition: TensorLike, data: Any, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise InvalidArgumentError, with `data` in its text, unless the condition holds for all elements.

    >>> import hornbeam as tf
    >>> tf.debugging.Assert(tf.reduce_all([True, True]), ["never"])
    >>> tf.debugging.Assert(1 > 2, ["one is not more than", 2])
    Traceback (most recent call last):
        ...
    hornbeam.errors.InvalidArgumentError: Expected 'False' to be true. Summarized data: b'one is not more than'
    2
    """
    tensors = [each for each in data if isinstance(each, Tensor)]
    is_tensor = isinstance(condition, Tensor)

    def test(holds: NumpyArray, *values: NumpyArray) -> str | None:
        if holds.all():
            return None
        shown = f"tf.Tensor({holds}, shape={holds.shape}, dtype=bool)" if is_tensor else condition
        known = iter(values)
        parts = [
            _summary(next(known) if isinstance(each, Tensor) else each, summarize) for each in data
        ]
        return f"Expected '{shown!s}' to be true. Summarized data: " + "\n".join(parts)

    check(test, condition, *tensors)


def _summary(value: Any, summarize: int | None) -> str:
    if isinstance(value, str):
        return repr(value.encode())
    flat = np.asarray(unwrap(value)).ravel()
    shown = _count(summarize, flat.size)
    return ", ".join([*map(str, flat[:shown]), *["..."] * (flat.size > shown)])


def _count(summarize: int | None, size: int) -> int:
    wanted = _FIRST if summarize is None else summarize
    return size if wanted < 0 else min(wanted, size)


def _binary(name: str, sign: str, holds: Callable[..., Any], meaning: str) -> Callable[..., None]:
    def check_both(
        x: TensorLike,
        y: TensorLike,
        message: str | None = None,
        summarize: int | None = None,
        name: str | None = None,
    ) -> None:
        def test(x: NumpyArray, y: NumpyArray) -> str | None:
            try:
                right = np.asarray(holds(x, y))
            except ValueError:
                return f"Incompatible shapes: {list(x.shape)} vs. {list(y.shape)}"
            return None if right.all() else _told(x, y, right, sign, message, summarize)

        check(test, x, y)

    check_both.__name__ = check_both.__qualname__ = name
    check_both.__doc__ = f"Raise InvalidArgumentError, which shows elements and places, unless {meaning} for all elements."
    return check_both


def _told(
    x: NumpyArray,
    y: NumpyArray,
    right: NumpyArray,
    sign: str,
    message: str | None,
    summarize: int | None,
) -> str:
    """Return the text of an assertion about two tensors that does not hold."""
    lines = [message] if message else []
    lines.append(f"Condition x {sign} y did not hold.")
    if x.shape == y.shape and x.ndim:
        wrong = np.argwhere(~right)
        places = wrong[: _count(summarize, len(wrong))]
        at = tuple(places.T)
        lines += [
            f"Indices of first {len(places)} different values:\n{places}",
            f"Corresponding x values:\n{x[at]}",
            f"Corresponding y values:\n{y[at]}",
        ]
    for title, each in (("x", x), ("y", y)):
        count = _count(summarize, each.size)
        lines.append(f"First {count} elements of {title}:\n{each.ravel()[:count]}")
    return "\n".join(lines)


assert_equal = _binary("assert_equal", "==", np.equal, "x == y")
assert_less = _binary("assert_less", "<", np.less, "x < y")
assert_less_equal = _binary("assert_less_equal", "<=", np.less_equal, "x <= y")
assert_greater = _binary("assert_greater", ">", np.greater, "x > y")
assert_greater_equal = _binary("assert_greater_equal", ">=", np.greater_equal, "x >= y")
_none_equal = _binary("assert_none_equal", "!=", np.not_equal, "x != y")


def assert_none_equal(
    x: TensorLike,
    y: TensorLike,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> None:
    """Raise InvalidArgumentError, which shows elements and places, unless x != y for all elements."""
    _none_equal(x, y, message, summarize)


def assert_near(
    x: TensorLike,
    y: TensorLike,
    rtol: TensorLike | None = None,
    atol: TensorLike | None = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raise InvalidArgumentError unless |x - y| <= atol + rtol |y| for all elements.

    Both tolerances are 10 times the machine epsilon of the type, where they are not given.

    >>> import hornbeam as tf
    >>> tf.debugging.assert_near([1.0, 2.0], [1.0, 2.0 + 1e-6])
    """
    first = convert_to_tensor(x)
    if not first.dtype.is_floating:
        raise ValueError(
            f"assert_near compares floating-point tensors; received {first.dtype.name}."
        )
    default = 10 * float(jax.numpy.finfo(first.dtype.name).eps)
    relative, absolute = (
        default if each is None else float(convert_to_tensor(each)) for each in (rtol, atol)
    )

    def holds(a: NumpyArray, b: NumpyArray) -> Any:
        return np.abs(a - b) <= absolute + relative * np.abs(b)

    text = f"x and y not equal to tolerance rtol = {relative}, atol = {absolute}"
    _binary("assert_near", "~", holds, "x ~ y")(
        x, y, "\n".join(filter(None, (message, text))), summarize
    )


def _unary(name: str, sign: str, holds: Callable[..., Any]) -> Callable[..., None]:
    def check_one(
        x: TensorLike,
        message: str | None = None,
        summarize: int | None = None,
        name: str | None = None,
    ) -> None:
        def test(values: NumpyArray) -> str | None:
            if np.all(holds(values, 0)):
                return None
            head = f"{message}.  " if message else ""
            shown = (
                list(map(str, values.ravel()[: _count(summarize, values.size)]))
                if values.ndim
                else values
            )
            return (
                f"{head}\nCondition x {sign} 0 did not hold element-wise:\n"
                f"x (shape={values.shape} dtype={as_dtype(values.dtype).name}) = \n{shown}"
            )

        check(test, x)

    check_one.__name__ = check_one.__qualname__ = name
    check_one.__doc__ = (
        f"Raise InvalidArgumentError, which shows elements, unless x {sign} 0 for all."
    )
    return check_one


assert_positive = _unary("assert_positive", ">", np.greater)
assert_negative = _unary("assert_negative", "<", np.less)
assert_non_negative = _unary("assert_non_negative", ">=", np.greater_equal)
assert_non_positive = _unary("assert_non_positive", "<=", np.less_equal)


def check_numerics(tensor: TensorLike, message: str, name: str | None = None) -> Any:
    """Return the tensor. Raises InvalidArgumentError, with `message`, where an element is NaN or infinite.

    >>> import hornbeam as tf
    >>> tf.debugging.check_numerics([1.0, float("nan")], "after the update")
    Traceback (most recent call last):
        ...
    hornbeam.errors.InvalidArgumentError: after the update : Tensor had NaN values [Op:CheckNumerics]
    """
    values = convert_to_tensor(tensor)

    def test(array: NumpyArray) -> str | None:
        array = array.astype("float32") if array.dtype.kind == "V" else array
        found = {"Inf": np.isinf(array).any(), "NaN": np.isnan(array).any()}
        what = " and ".join(name for name, there in found.items() if there)
        return f"{message} : Tensor had {what} values [Op:CheckNumerics]" if what else None

    check(test, values)
    return values


def assert_all_finite(x: TensorLike, message: str, name: str | None = None) -> Any:
    """Return the tensor. Raises InvalidArgumentError, with `message`, where an element is NaN or infinite."""
    return check_numerics(x, message)
