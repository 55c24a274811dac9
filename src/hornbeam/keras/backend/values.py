"""Variables and constants of `keras.backend`, and what can be asked of a tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.tensor import convert_to_tensor, is_tensor
from hornbeam.core.typing import DTypeLike, Shape, TensorLike
from hornbeam.core.variable import Variable as CoreVariable
from hornbeam.random import draws
from hornbeam.tensors import creation, shaping
from hornbeam.tensors.variable import Variable

Dtype: TypeAlias = "DTypeLike | None"
Seed = int | None


def variable(
    value: TensorLike,
    dtype: Dtype = None,
    name: str | None = None,
    constraint: Callable[..., Any] | None = None,
) -> Variable:
    """Return a variable with that value, of the default float type unless `dtype` is given.

    >>> from hornbeam.keras import backend as K
    >>> K.get_value(K.variable([1, 2]))
    array([1., 2.], dtype=float32)
    """
    return Variable(value, dtype=dtype or floatx(), name=name, constraint=constraint)


def constant(
    value: TensorLike, dtype: Dtype = None, shape: Any = None, name: str | None = None
) -> Any:
    """Return a tensor of that value, of the default float type unless `dtype` is given."""
    return creation.constant(value, dtype or floatx(), shape)


def get_value(x: Any) -> Any:
    """Return the values of a tensor or variable as a NumPy array; anything else as it is."""
    return x.numpy() if is_tensor(x) or isinstance(x, CoreVariable) else x


def eval(x: Any) -> Any:
    """Return the values of a tensor or variable as a NumPy array."""
    return get_value(x)


def set_value(x: Variable, value: TensorLike) -> None:
    """Set the value of a variable.

    >>> from hornbeam.keras import backend as K
    >>> v = K.variable(1.0)
    >>> K.set_value(v, 3)
    >>> float(K.get_value(v))
    3.0
    """
    x.assign(np.asarray(value, x.dtype.as_numpy_dtype))


def batch_get_value(tensors: Iterable[Any]) -> list[Any]:
    """Return the values of several tensors or variables."""
    return [get_value(each) for each in tensors]


def batch_set_value(tuples: Iterable[tuple[Variable, TensorLike]]) -> None:
    """Set the values of several variables, given as pairs (variable, value)."""
    for each, value in tuples:
        set_value(each, value)


def update(x: Variable, new_x: TensorLike) -> Variable:
    """Set the value of a variable and return the variable."""
    return x.assign(new_x)


def update_add(x: Variable, increment: TensorLike) -> Variable:
    """Add to the value of a variable and return the variable."""
    return x.assign_add(increment)


def update_sub(x: Variable, decrement: TensorLike) -> Variable:
    """Subtract from the value of a variable and return the variable."""
    return x.assign_sub(decrement)


def moving_average_update(x: Variable, value: TensorLike, momentum: TensorLike) -> Variable:
    """Set the variable to momentum x + (1 - momentum) value and return it."""
    share = ops.subtract(1, ops.cast(momentum, x.dtype))
    return x.assign_sub(ops.multiply(ops.subtract(x, ops.cast(value, x.dtype)), share))


def _maybe_variable(tensor: Any, dtype: Dtype, name: str | None) -> Any:
    return variable(tensor, dtype, name) if all(tensor.shape) else tensor


def zeros(shape: Shape, dtype: Dtype = None, name: str | None = None) -> Any:
    """Return a variable full of zeros."""
    return _maybe_variable(creation.zeros(shape, dtype or floatx()), dtype, name)


def ones(shape: Shape, dtype: Dtype = None, name: str | None = None) -> Any:
    """Return a variable full of ones."""
    return _maybe_variable(creation.ones(shape, dtype or floatx()), dtype, name)


def eye(size: Any, dtype: Dtype = None, name: str | None = None) -> Any:
    """Return a variable with ones on the diagonal, zeros elsewhere."""
    return variable(creation.eye(size, dtype=dtype or floatx()), dtype, name)


def zeros_like(x: TensorLike, dtype: Dtype = None, name: str | None = None) -> Any:
    """Return zeros of the shape and type of `x`."""
    return creation.zeros_like(x, dtype)


def ones_like(x: TensorLike, dtype: Dtype = None, name: str | None = None) -> Any:
    """Return ones of the shape and type of `x`."""
    return creation.ones_like(x, dtype)


def random_normal_variable(
    shape: Shape,
    mean: TensorLike,
    scale: TensorLike,
    dtype: Dtype = None,
    name: str | None = None,
    seed: Seed = None,
) -> Variable:
    """Return a variable whose first values are drawn from a normal distribution."""
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)


def random_uniform_variable(
    shape: Shape,
    low: TensorLike,
    high: TensorLike,
    dtype: Dtype = None,
    name: str | None = None,
    seed: Seed = None,
) -> Variable:
    """Return a variable whose first values are spread evenly from `low` to `high`."""
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal(
    shape: Shape,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: Dtype = None,
    seed: Seed = None,
) -> Any:
    """Return values of a normal distribution.

    >>> from hornbeam.keras import backend as K
    >>> K.random_normal((2, 3)).shape
    TensorShape([2, 3])
    """
    return draws.normal(shape, mean, stddev, dtype or floatx(), seed)


def truncated_normal(
    shape: Shape,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: Dtype = None,
    seed: Seed = None,
) -> Any:
    """Return values of a normal distribution, none farther than two deviations from the mean."""
    return draws.truncated_normal(shape, mean, stddev, dtype or floatx(), seed)


def random_uniform(
    shape: Shape,
    minval: TensorLike = 0.0,
    maxval: TensorLike = 1.0,
    dtype: Dtype = None,
    seed: Seed = None,
) -> Any:
    """Return values spread evenly from `minval` up to but without `maxval`."""
    return draws.uniform(shape, minval, maxval, dtype or floatx(), seed)


def random_bernoulli(
    shape: Shape, p: TensorLike = 0.0, dtype: Dtype = None, seed: Seed = None
) -> Any:
    """Return ones with probability `p`, zeros elsewhere."""
    return ops.cast(ops.less_equal(random_uniform(shape, seed=seed), p), dtype or floatx())


def arange(
    start: TensorLike, stop: TensorLike | None = None, step: TensorLike = 1, dtype: Any = "int32"
) -> Any:
    """Return start, start + step, ... up to but without `stop`; `arange(n)` begins at 0."""
    if stop is None and not isinstance(start, Sequence) and convert_to_tensor(start) < 0:
        start = 0
    return shaping.cast(creation.range(start, stop, step), dtype)


def cast(x: TensorLike, dtype: DTypeLike) -> Any:
    """Return the values in another type."""
    return shaping.cast(x, dtype)


def cast_to_floatx(x: Any) -> Any:
    """Return the values in the default float type: a tensor for a tensor or variable, else a NumPy array."""
    if is_tensor(x) or isinstance(x, CoreVariable):
        return shaping.cast(x, floatx())
    return np.asarray(x, floatx())


def shape(x: TensorLike) -> Any:
    """Return the shape as a tensor of integers."""
    return creation.shape(x)


def int_shape(x: Any) -> tuple[int | None, ...]:
    """Return the shape as a tuple, None for a size that is not known.

    >>> from hornbeam.keras import backend as K
    >>> K.int_shape(K.zeros((2, 3)))
    (2, 3)
    """
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(x.shape)


def dtype(x: Any) -> str:
    """Return the name of the element type."""
    return x.dtype.name


def count_params(x: Any) -> int:
    """Return the number of elements."""
    return math.prod(x.shape)


def is_sparse(tensor: Any) -> bool:
    """Return whether the tensor is sparse: none is here."""
    return False


def to_dense(tensor: Any) -> Any:
    """Return the tensor, which is dense."""
    return tensor
