"""Calls from programs back into Python: `tf.py_function`, `tf.numpy_function`, and what `tf.print` uses."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import io_callback

from hornbeam.control.input_signature import is_spec
from hornbeam.core import effects, scope
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import InvalidArgumentError
from hornbeam.core.op import is_box, wrap
from hornbeam.core.tensor import Tensor, convert_to_tensor, is_traced, known_value

_WIDE = ("int64", "uint64", "float64", "complex128")

Types = Any
"""A type, a `tf.TensorSpec`, or a list or tuple of these."""


def ordered_effect(fn: Callable[..., object], arrays: Sequence[Any]) -> None:
    """Call `fn` with the values of `arrays` whenever the program that is being traced runs, in the order of the trace."""
    jax.debug.callback(effects.kept(fn, lambda: None), *arrays, ordered=True)


def py_function(
    func: Callable[..., Any] | None = None,
    inp: Sequence[Any] | None = None,
    Tout: Types = None,
    name: str | None = None,
) -> Any:
    """Return `func(*inp)`, run by Python on tensors, as tensors of the types `Tout`.

    A program can call `func` if `Tout` tells shapes, too, as a `tf.TensorSpec` does; a traced function where it does not
    is run by Python at each call. Errors of `func` reach the caller as they are. No gradient flows through `func` in a program.

    >>> import hornbeam as tf
    >>> float(tf.py_function(lambda x: x.numpy() ** 2, [tf.constant(3.0)], tf.float32))
    9.0
    """
    return _call("py_function", func, inp or (), Tout, on_arrays=False)


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Sequence[Any] | None = None,
    Tout: Types = None,
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Return `func(*inp)`, run by Python on NumPy arrays, as tensors of the types `Tout`.

    As for `tf.py_function`, programs need `tf.TensorSpec`s with shapes as `Tout`. Used without `inp` it is a decorator.

    >>> import hornbeam as tf
    >>> import numpy as np
    >>> print(tf.numpy_function(np.sort, [tf.constant([3, 1, 2])], tf.int32))
    tf.Tensor([1 2 3], shape=(3,), dtype=int32)
    """
    if inp is None:
        return lambda *args: _call("numpy_function", func, args, Tout, on_arrays=True)
    return _call("numpy_function", func, inp, Tout, on_arrays=True)


def _call(
    name: str, func: Callable[..., Any] | None, inp: Sequence[Any], types: Types, on_arrays: bool
) -> Any:
    if not callable(func):
        raise ValueError(f"`{name}` needs a function; received {func!r}.")
    tensors = [each if on_arrays and not is_box(each) else convert_to_tensor(each) for each in inp]
    values = [known_value(x._value) if isinstance(x, Tensor) else x for x in tensors]
    several = isinstance(types, (list, tuple))
    kinds = list(types) if several else [] if types is None else [types]

    def run(*arrays: Any) -> list[Any]:
        given = map(np.asarray, arrays) if on_arrays else map(wrap, arrays)
        result = func(*given)
        results = list(result) if several else [] if types is None else [result]
        if len(results) != len(kinds):
            raise ValueError(
                f"`{name}`: the function returned {len(results)} values; `Tout` has {len(kinds)}."
            )
        return [_as_type(x, kind, name) for x, kind in zip(results, kinds, strict=True)]

    if scope.is_tracing() or any(map(is_traced, values)):
        made = _staged(name, run, values, kinds)
    elif on_arrays:
        made = run(*values)
    else:
        made = [_as_type(x, k, name) for x, k in zip(_results(func(*tensors), types), kinds, strict=True)]  # fmt: skip
    outputs = [convert_to_tensor(each) for each in made]
    return outputs if several else outputs[0] if outputs else None


def _results(result: Any, types: Types) -> list[Any]:
    return list(result) if isinstance(types, (list, tuple)) else [] if types is None else [result]


def _staged(
    name: str, run: Callable[..., list[Any]], values: list[Any], kinds: list[Any]
) -> list[Any]:
    shapes = [_shape(kind) for kind in kinds]
    if any(shape is None for shape in shapes):
        raise RuntimeError(
            f"`{name}` in a program needs the values of its arguments, for the shapes of its results are not known. Give "
            "`Tout` as tf.TensorSpec(shape, dtype) without None, or compile the model with run_eagerly=True."
        )
    types = [
        jax.ShapeDtypeStruct(shape, np.dtype(_dtype(kind)))
        for shape, kind in zip(shapes, kinds, strict=True)
    ]

    def checked(*arrays: Any) -> list[Any]:
        results = [np.asarray(each) for each in run(*arrays)]
        for result, wanted in zip(results, types, strict=True):
            if result.shape != wanted.shape:
                raise ValueError(
                    f"`{name}`: the function returned an array of shape {result.shape}; `Tout` says {wanted.shape}."
                )
        return [_as_words(each) for each in results]

    zeros = lambda: [_as_words(np.zeros(t.shape, t.dtype)) for t in types]  # noqa: E731
    words = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in zeros()]
    found = io_callback(effects.kept(checked, zeros), words, *values, ordered=True)
    return [wrap(_of_words(x, t.dtype)) for x, t in zip(found, types, strict=True)]


def _as_words(array: Any) -> Any:
    """Return an array; one of 64-bit numbers as words of 32 bits: JAX's callbacks refuse 64-bit results."""
    if array.dtype.name not in _WIDE:
        return array
    words = array.dtype.itemsize // 4
    return np.ascontiguousarray(array).reshape(-1).view("uint32").reshape(*array.shape, words)


def _of_words(words: jax.Array, dtype: Any) -> jax.Array:
    """Return the array that `_as_words` took apart."""
    if dtype.name not in _WIDE:
        return words
    if dtype.name == "complex128":
        half = np.dtype("float64")
        return jax.lax.complex(_of_words(words[..., :2], half), _of_words(words[..., 2:], half))
    return jax.lax.bitcast_convert_type(words, dtype)


def _shape(kind: Any) -> tuple[int, ...] | None:
    if not is_spec(kind) or getattr(kind.shape, "rank", 0) is None or None in tuple(kind.shape):
        return None
    return tuple(kind.shape)


def _dtype(kind: Any) -> Any:
    return as_dtype(kind.dtype if is_spec(kind) else kind)


def _as_type(value: Any, kind: Any, name: str) -> Any:
    """Return a result of the function in its declared type. Raises InvalidArgumentError for an array of another type."""
    wanted = _dtype(kind)
    if hasattr(value, "dtype") and as_dtype(value.dtype) != wanted:
        raise InvalidArgumentError(
            None,
            None,
            f"`{name}`: the function returned {as_dtype(value.dtype).name}; `Tout` says {wanted.name}.",
        )
    return convert_to_tensor(value, wanted)
