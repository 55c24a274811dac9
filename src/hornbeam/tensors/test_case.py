"""`tf.test.TestCase`: unittest's class with assertions about tensors."""

from __future__ import annotations

import random as python_random
import re
import tempfile
import unittest
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import InvalidArgumentError, OpError
from hornbeam.core.nest import is_nested, map_structure
from hornbeam.core.rng import set_seed
from hornbeam.core.tensor import is_tensor
from hornbeam.core.typing import NumpyArray

_SEED = 87654321
# Below float32 comparisons are as exact as the type.
_LOOSE = {"float16": 1e-3, "bfloat16": 1e-2}


class TestCase(unittest.TestCase):
    """A test case with assertions about tensors, arrays and nested structures of them.

    Random numbers are the same in each test.

    >>> import hornbeam as tf
    >>> class SquareTest(tf.test.TestCase):
    ...     def test_square(self):
    ...         self.assertAllClose(tf.square([1.0, 2.0]), [1.0, 4.0])
    >>> SquareTest("test_square").debug()
    """

    def setUp(self) -> None:
        """Start all random numbers anew."""
        super().setUp()
        self._folder: str | None = None
        python_random.seed(_SEED)
        np.random.seed(_SEED)
        set_seed(_SEED)

    def evaluate(self, tensors: Any) -> Any:
        """Return NumPy arrays for the tensors in a structure."""
        return map_structure(lambda x: x.numpy() if is_tensor(x) else x, tensors)

    def get_temp_dir(self) -> str:
        """Return a folder for this test, which is removed after it."""
        if self._folder is None:
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            self._folder = folder.name
        return self._folder

    def fail(self, msg: Any = None, user_msg: str | None = None) -> NoReturn:
        """Fail with a text, and what the user said of it."""
        raise self.failureException(f"{msg}{_behind(user_msg)}")

    def assertDictEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail unless two dicts are equal."""
        super().assertDictEqual(a, b, msg)

    def assertShapeEqual(self, input_a: Any, input_b: Any, msg: str | None = None) -> None:
        """Fail unless both have one shape."""
        self.assertEqual(tuple(np.shape(input_a)), tuple(np.shape(input_b)), msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """Fail unless the elements are of the type."""
        self.assertEqual(as_dtype(_array(target).dtype), as_dtype(expected_dtype))

    def assertNear(self, f1: float, f2: float, err: float, msg: str | None = None) -> None:
        """Fail unless two numbers differ by at most `err`."""
        if not (f1 == f2 or abs(f1 - f2) <= err):
            self.fail(f"{f1} != {f2} +/- {err}{_behind(msg)}")

    def assertArrayNear(
        self, farray1: Sequence[float], farray2: Sequence[float], err: float, msg: str | None = None
    ) -> None:
        """Fail unless the numbers differ by at most `err` each."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for one, other in zip(farray1, farray2, strict=True):
            self.assertNear(float(one), float(other), err, msg)

    def assertNDArrayNear(
        self, ndarray1: Any, ndarray2: Any, err: float, msg: str | None = None
    ) -> None:
        """Fail unless the norm of the difference is at most `err`."""
        distance = float(np.linalg.norm(_array(ndarray1) - _array(ndarray2)))
        self.assertLessEqual(distance, err, msg)

    def assertAllClose(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
        """Fail unless |a - b| <= atol + rtol |b| for all elements, in structures of one form."""
        self._all_close(a, b, rtol, atol, msg, ())

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:
        """Fail unless all elements are close; how close is said for each type."""
        by_type = {
            "float32": (float_rtol, float_atol),
            "float16": (half_rtol, half_atol),
            "bfloat16": (bfloat16_rtol, bfloat16_atol),
        }
        for name in {as_dtype(_array(each).dtype).name for each in (a, b)} & set(by_type):
            rtol, atol = max(rtol, by_type[name][0]), max(atol, by_type[name][1])
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNotAllClose(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
        """Fail where all elements are close."""
        try:
            self.assertAllClose(a, b, rtol, atol)
        except AssertionError:
            return
        self.fail(f"The two values are close at all elements.{_behind(msg)}")

    def _all_close(
        self, a: Any, b: Any, rtol: float, atol: float, msg: str | None, path: tuple[Any, ...]
    ) -> None:
        where = f" at {''.join(f'[{each!r}]' for each in path)}" if path else ""
        if isinstance(a, Mapping):
            self.assertEqual(set(a), set(b), f"keys{where}")
            for key in cast("Mapping[Any, Any]", a):
                self._all_close(a[key], b[key], rtol, atol, msg, (*path, key))
        elif is_nested(a) and not _is_numeric(a):
            self.assertEqual(len(a), len(b), f"lengths{where}")
            for place, (one, other) in enumerate(zip(a, b, strict=True)):
                self._all_close(one, other, rtol, atol, msg, (*path, place))
        else:
            one, other = _array(a), _array(b)
            self.assertEqual(one.shape, other.shape, f"shapes{where}{_behind(msg)}")
            loose = max([_LOOSE.get(each.dtype.name, 0.0) for each in (one, other)])
            np.testing.assert_allclose(
                _plain(one),
                _plain(other),
                max(rtol, loose),
                max(atol, loose),
                err_msg=f"{where}{_behind(msg)}",
            )

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail unless all elements are equal; NaN equals NaN."""
        one, other = _array(a), _array(b)
        self.assertEqual(one.shape, other.shape, f"shapes{_behind(msg)}")
        np.testing.assert_array_equal(_plain(one), _plain(other), err_msg=msg or "")

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail where all elements are equal."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        self.fail(f"The two values are equal at all elements.{_behind(msg)}")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are greater."""
        self.assertGreater(_array(a).min(), comparison_target)

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are less."""
        self.assertLess(_array(a).max(), comparison_target)

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are greater or equal."""
        self.assertGreaterEqual(_array(a).min(), comparison_target)

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are less or equal."""
        self.assertLessEqual(_array(a).max(), comparison_target)

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: float,
        upper_bound: float,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Fail unless all elements lie between the bounds."""
        values = _plain(_array(target))
        low = values > lower_bound if open_lower_bound else values >= lower_bound
        high = values < upper_bound if open_upper_bound else values <= upper_bound
        wrong = values[~(low & high)]
        if wrong.size:
            self.fail(
                f"{wrong.size} elements lie outside of {lower_bound} to {upper_bound}: {wrong[:10]}"
            )

    def assertAllInSet(self, target: Any, expected_set: Collection[Any]) -> None:
        """Fail unless all elements are members of the set."""
        wrong = [each for each in _array(target).ravel().tolist() if each not in expected_set]
        if wrong:
            self.fail(f"{len(wrong)} elements are not in {expected_set}: {wrong[:10]}")

    def assertEmpty(self, container: Collection[Any], msg: str | None = None) -> None:
        """Fail unless there is nothing in the container."""
        self.assertEqual(len(container), 0, msg)

    def assertNotEmpty(self, container: Collection[Any], msg: str | None = None) -> None:
        """Fail where there is nothing in the container."""
        self.assertGreater(len(container), 0, msg)

    def assertLen(
        self, container: Collection[Any], expected_len: int, msg: str | None = None
    ) -> None:
        """Fail unless the container has so many members."""
        self.assertEqual(len(container), expected_len, msg)

    def assertBetween(self, value: Any, minv: Any, maxv: Any, msg: str | None = None) -> None:
        """Fail unless minv <= value <= maxv."""
        self.assertTrue(
            minv <= value <= maxv, msg or f"{value!r} not between {minv!r} and {maxv!r}"
        )

    def assertStartsWith(self, actual: str, expected_start: str, msg: str | None = None) -> None:
        """Fail unless the text begins so."""
        if not actual.startswith(expected_start):
            self.fail(f"{actual!r} does not start with {expected_start!r}{_behind(msg)}")

    def assertEndsWith(self, actual: str, expected_end: str, msg: str | None = None) -> None:
        """Fail unless the text ends so."""
        if not actual.endswith(expected_end):
            self.fail(f"{actual!r} does not end with {expected_end!r}{_behind(msg)}")

    @contextmanager
    def assertRaisesWithPredicateMatch(
        self,
        exception_type: type[BaseException],
        expected_err_re_or_predicate: str | Callable[[BaseException], bool],
    ) -> Generator[None]:
        """Fail unless an error of the class is raised whose text has a pattern, or that satisfies a function."""
        try:
            yield
        except exception_type as error:
            wanted = expected_err_re_or_predicate
            fits = wanted(error) if callable(wanted) else re.search(wanted, str(error))
            if not fits:
                self.fail(f"Exception of type {type(error)}: {error} does not fit {wanted!r}")
        else:
            self.fail(f"{exception_type.__name__} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """Fail unless an error of an operation is raised whose text has a pattern."""
        return self.assertRaisesWithPredicateMatch(OpError, expected_err_re_or_predicate)

    def assertRaisesIncompatibleShapesError(
        self,
        exception_type: type[BaseException] = InvalidArgumentError,
        regex: str = r"shape|broadcast",
    ) -> Any:
        """Fail unless an error about shapes that don't fit is raised."""
        return self.assertRaisesRegex(exception_type, regex)


def _array(value: Any) -> NumpyArray:
    return np.asarray(value)


def _plain(array: NumpyArray) -> NumpyArray:
    """Return bfloat16 and its kin, which NumPy can't compare closely, as float32."""
    return array.astype("float32") if array.dtype.kind == "V" else array


def _is_numeric(value: Any) -> bool:
    """Return whether a list or tuple is one array of numbers."""
    try:
        return np.asarray(value).dtype.kind in "biufcV"
    except (ValueError, TypeError):  # of parts that differ in shape
        return False


def _behind(msg: str | None) -> str:
    return f": {msg}" if msg else ""
