"""Special functions under TensorFlow's names, for `tf.math` and `tf.math.special`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hornbeam import ops
from hornbeam.core.signatures import of_x, of_xy
from hornbeam.core.typing import TensorLike
from hornbeam.ops import bessel, gamma, reduction, space, special
from hornbeam.tensors.elementwise import add_n

bessel_i0 = of_x(ops.i0, "bessel_i0")
bessel_i0e = of_x(bessel.bessel_i0e)
bessel_i1 = of_x(bessel.bessel_i1)
bessel_i1e = of_x(bessel.bessel_i1e)
bessel_j0 = of_x(bessel.bessel_j0)
bessel_j1 = of_x(bessel.bessel_j1)
bessel_k0 = of_x(bessel.bessel_k0)
bessel_k0e = of_x(bessel.bessel_k0e)
bessel_k1 = of_x(bessel.bessel_k1)
bessel_k1e = of_x(bessel.bessel_k1e)
bessel_y0 = of_x(bessel.bessel_y0)
bessel_y1 = of_x(bessel.bessel_y1)
dawsn = of_x(gamma.dawsn)
erfcinv = of_x(gamma.erfcinv)
expint = of_x(gamma.expint)
fresnel_cos = of_x(gamma.fresnel_cos)
fresnel_sin = of_x(gamma.fresnel_sin)
invert_permutation = of_x(space.invert_permutation)
lbeta = of_x(gamma.lbeta)
ndtri = of_x(gamma.ndtri)
spence = of_x(gamma.spence)
realdiv = of_xy(ops.divide, "realdiv")
truncatediv = of_xy(gamma.truncate_divide, "truncatediv")
truncatemod = of_xy(gamma.truncate_remainder, "truncatemod")


def igamma(a: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the lower incomplete gamma function: the integral of t^(a-1) e^-t from 0 to x, over gamma(a).

    >>> import hornbeam as tf
    >>> tf.math.igamma([1.0, 2.0], [1.0, 2.0]).numpy()
    array([0.632121, 0.593994], dtype=float32)
    """
    return gamma.igamma(a, x)


def igammac(a: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the upper incomplete gamma function, 1 - igamma(a, x)."""
    return gamma.igammac(a, x)


def betainc(a: TensorLike, b: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the integral of t^(a-1) (1-t)^(b-1) from 0 to x over that from 0 to 1.

    >>> import hornbeam as tf
    >>> float(tf.math.betainc(1.0, 1.0, 0.25))
    0.25
    """
    return gamma.betainc(a, b, x)


def polygamma(a: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the derivative of order `a` of digamma, for whole a >= 0."""
    return gamma.polygamma(a, x)


def zeta(x: TensorLike, q: TensorLike, name: str | None = None) -> Any:
    """Return the sum of (n + q)^-x over n = 0, 1, 2, ...

    >>> import hornbeam as tf
    >>> float(tf.math.zeta(2.0, 1.0))
    1.644934
    """
    return gamma.zeta(x, q)


def nextafter(x1: TensorLike, x2: TensorLike, name: str | None = None) -> Any:
    """Return the float that follows x1 in the direction of x2."""
    return ops.nextafter(x1, x2)


def accumulate_n(
    inputs: Sequence[TensorLike],
    shape: Any = None,
    tensor_dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Return the sum of a list of tensors of one shape, as `add_n`."""
    return add_n(inputs)


def cumulative_logsumexp(
    x: TensorLike,
    axis: int = 0,
    exclusive: bool = False,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Return log(sum(exp(x))) of the elements up to each place; `exclusive` leaves the element itself out.

    >>> import hornbeam as tf
    >>> tf.math.cumulative_logsumexp([0.0, 0.0, 0.0]).numpy()
    array([0.      , 0.693147, 1.098612], dtype=float32)
    """
    return reduction.running_logsumexp(x, axis, exclusive, reverse)


def is_non_decreasing(x: TensorLike, name: str | None = None) -> Any:
    """Return whether no element is less than the one before."""
    return space.is_rising(x, strictly=False)


def is_strictly_increasing(x: TensorLike, name: str | None = None) -> Any:
    """Return whether each element is greater than the one before."""
    return space.is_rising(x, strictly=True)


class ApproxTopK(NamedTuple):
    """What `approx_max_k` and `approx_min_k` return."""

    values: Any
    indices: Any


def approx_max_k(
    operand: TensorLike,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopK:
    """Return the `k` greatest values along an axis, and their places; exact where the device has no faster way.

    >>> import hornbeam as tf
    >>> values, places = tf.math.approx_max_k([1.0, 5.0, 3.0], k=2)
    >>> print(values.numpy(), places.numpy())
    [5. 3.] [1 2]
    """
    return ApproxTopK(
        *special.approximate_top_k(operand, int(k), reduction_dimension, recall_target, True)
    )


def approx_min_k(
    operand: TensorLike,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopK:
    """Return the `k` least values along an axis, and their places; exact where the device has no faster way."""
    return ApproxTopK(
        *special.approximate_top_k(operand, int(k), reduction_dimension, recall_target, False)
    )
