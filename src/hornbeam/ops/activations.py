"""Activation functions."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core import fusion, kinks
from hornbeam.core.jax_typed import iota
from hornbeam.core.op import op
from hornbeam.core.origins import Probabilities, made_of
from hornbeam.core.shapes import as_axis
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.ops.common import array, inexact

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]

# Klambauer et al. 2017 (arXiv:1706.02515): the fixed point with mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@op
def relu(x: TensorLike) -> jax.Array:
    """Return max(x, 0)

    >>> from hornbeam.keras import ops
    >>> print(ops.relu([-1.0, 0.0, 2.0]).numpy())
    [0. 0. 2.]
    """
    if (offered := fusion.offered(x, fusion.Relu)) is not None:
        return offered.compute()
    x = array(x)
    # jax.nn.relu has gradient 0 at 0, as in Keras; that of a maximum is not.
    return jax.nn.relu(x.astype("int32") if x.dtype == bool else x)


@op
def relu6(x: TensorLike) -> jax.Array:
    """Return min(max(x, 0), 6)"""
    return jax.nn.relu6(inexact(x))


@op
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> jax.Array:
    """Return x where x > 0, else negative_slope * x"""
    x = inexact(x)
    return jnp.where(x > 0, x, negative_slope * x)


@op
def elu(x: TensorLike, alpha: float = 1.0) -> jax.Array:
    """Return x where x > 0, else alpha * (e^x - 1) (Clevert et al. 2015, arXiv:1511.07289)"""
    return jax.nn.elu(inexact(x), alpha)


@op
def celu(x: TensorLike, alpha: float = 1.0) -> jax.Array:
    """Return max(x, 0) + min(alpha * (e^(x / alpha) - 1), 0) (Barron 2017, arXiv:1704.07483)"""
    return jax.nn.celu(inexact(x), alpha)


@op
def selu(x: TensorLike) -> jax.Array:
    """Return 1.0507 * elu(x, 1.6733) (Klambauer et al. 2017, arXiv:1706.02515)"""
    x = inexact(x)
    below = SELU_ALPHA * jnp.expm1(jnp.where(x >= 0, 0, x))  # finite where it is not taken
    return SELU_SCALE * jnp.where(x >= 0, x, below)


@op
def gelu(x: TensorLike, approximate: bool = True) -> jax.Array:
    """Return x * P(X <= x) for a standard normal X (Hendrycks and Gimpel 2016, arXiv:1606.08415)

    `approximate` uses x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).

    >>> from hornbeam.keras import ops
    >>> print(ops.gelu([-1.0, 1.0]).numpy().round(4))
    [-0.1588  0.8412]
    """
    return jax.nn.gelu(inexact(x), approximate)


@op
def silu(x: TensorLike) -> jax.Array:
    """Return x * sigmoid(x), also named swish"""
    return jax.nn.silu(inexact(x))


@op
def sigmoid(x: TensorLike) -> jax.Array:
    """Return 1 / (1 + e^-x)"""
    x = inexact(x)
    return made_of(jax.nn.sigmoid(x), Probabilities(x))


@op
def log_sigmoid(x: TensorLike) -> jax.Array:
    """Return log(sigmoid(x)), without overflow on the way"""
    return jax.nn.log_sigmoid(inexact(x))


@op
def hard_sigmoid(x: TensorLike) -> jax.Array:
    """Return min(max(x + 3, 0), 6) / 6, straight pieces in place of sigmoid"""
    return jax.nn.hard_sigmoid(inexact(x))


@op
def hard_silu(x: TensorLike) -> jax.Array:
    """Return x * hard_sigmoid(x), also named hard_swish (Howard et al. 2019, arXiv:1905.02244)"""
    return jax.nn.hard_silu(inexact(x))


@op
def hard_tanh(x: TensorLike) -> jax.Array:
    """Return min(max(x, -1), 1)"""
    x = array(x)
    return jax.nn.hard_tanh(x.astype("int32") if x.dtype == bool else x)


@op
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> jax.Array:
    """Return x where |x| > threshold, else 0"""
    x = inexact(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0)


@op
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> jax.Array:
    """Return x moved towards 0 by the threshold, 0 where |x| <= threshold"""
    x = inexact(x)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0))


@op
def tanh_shrink(x: TensorLike) -> jax.Array:
    """Return x - tanh(x)"""
    x = inexact(x)
    return x - jnp.tanh(x)


@op
def threshold(x: TensorLike, threshold: float, default_value: float) -> jax.Array:
    """Return x where x > threshold, else default_value"""
    x = inexact(x)
    return jnp.where(x > threshold, x, default_value)


@op
def softplus(x: TensorLike) -> jax.Array:
    """Return log(1 + e^x)"""
    return jax.nn.softplus(inexact(x))


@op
def softsign(x: TensorLike) -> jax.Array:
    """Return x / (1 + |x|)"""
    return jax.nn.soft_sign(inexact(x))


@op
def squareplus(x: TensorLike, b: float = 4) -> jax.Array:
    """Return (x + sqrt(x^2 + b)) / 2"""
    return jax.nn.squareplus(inexact(x), b)


@op
def sparse_plus(x: TensorLike) -> jax.Array:
    """Return 0 below -1, (x + 1)^2 / 4 up to 1, x above"""
    x = inexact(x)
    return jnp.where(x <= -1, 0, jnp.where(x < 1, jnp.square(x + 1) / 4, x))


@op
def sparse_sigmoid(x: TensorLike) -> jax.Array:
    """Return 0 below -1, (x + 1) / 2 up to 1, 1 above"""
    x = inexact(x)
    return jnp.where(x <= -1, 0, jnp.where(x >= 1, 1, 0.5 * (x + 1)))


@op
def sparsemax(x: TensorLike, axis: int = -1) -> jax.Array:
    """Return the distribution nearest to x, with zeros for what is unlikely (arXiv:1602.02068).

    >>> from hornbeam.keras import ops
    >>> print(ops.sparsemax([0.5, 0.2, -3.0]).numpy())
    [0.65 0.35 0.  ]
    """
    x = inexact(x)
    descending = -jnp.sort(-x, axis=axis)
    total = jnp.cumsum(descending, axis=axis)
    count = 1 + iota(x.dtype, x.shape, axis % x.ndim)
    support = 1 + count * descending > total
    kept = jnp.sum(support, axis=axis, keepdims=True)
    last = jnp.take_along_axis(total, kept - 1, axis=axis)
    return jnp.maximum(x - (last - 1) / kept.astype(x.dtype), 0)


@op
def glu(x: TensorLike, axis: int = -1) -> jax.Array:
    """Return a * sigmoid(b), where a and b are the halves of x along an axis (arXiv:1612.08083)"""
    x = inexact(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"`glu` halves axis {axis}, which must be even; the input's shape is {x.shape}."
        )
    return jax.nn.glu(x, axis)


@op
def softmax(x: TensorLike, axis: Axis = -1) -> jax.Array:
    """Return e^x / sum(e^x) over the axis, over several, or over all (None)

    >>> from hornbeam.keras import ops
    >>> print(ops.softmax([0.0, 0.0]).numpy())
    [0.5 0.5]
    """
    x, axis = inexact(x), as_axis(axis)
    y = jax.nn.softmax(x, axis)
    return made_of(y, Probabilities(x, axis % x.ndim)) if isinstance(axis, int) else y


@op
def log_softmax(x: TensorLike, axis: Axis = -1) -> jax.Array:
    """Return log(softmax(x)), without overflow on the way"""
    return jax.nn.log_softmax(inexact(x), as_axis(axis))


swish = silu
hard_swish = hard_silu


@op
def shaped_relu(
    x: TensorLike, negative_slope: float, max_value: float | None, threshold: float
) -> jax.Array:
    """Apply `relu` with a slope, an upper end or a threshold"""
    x = inexact(x)
    above = x if max_value is None else kinks.minimum(x, jnp.asarray(max_value, x.dtype))
    return jnp.where(x > threshold, above, negative_slope * (x - threshold))


@op
def mish(x: TensorLike) -> jax.Array:
    """Return x * tanh(softplus(x)) (Misra 2019, arXiv:1908.08681)"""
    return jax.nn.mish(inexact(x))


@op
def parametric_relu(x: TensorLike, alpha: TensorLike) -> jax.Array:
    """Return x where x >= 0, else alpha * x; alpha broadcasts against one example"""
    x = array(x)
    return jax.nn.relu(x) - array(alpha) * jax.nn.relu(-x)


@op
def masked_softmax(x: TensorLike, mask: TensorLike, axis: Axis) -> jax.Array:
    """Return the softmax over the places where the mask is true, 0 elsewhere."""
    x = jnp.asarray(x)
    allowed = jnp.asarray(mask, bool)
    fits = allowed.ndim == x.ndim and all(
        m in (1, n) for m, n in zip(allowed.shape, x.shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"The mask of a Softmax layer has the shape of its inputs, {x.shape}, or 1 on some axes; received "
            f"{allowed.shape}."
        )
    # A large finite number instead of -inf: where nothing is allowed, the sum stays free of NaN.
    lowest = -3e4 if x.dtype == jnp.float16 else -1e9
    weights = softmax.raw(jnp.where(allowed, x, x + lowest), axis)
    return jnp.where(allowed, weights, 0)
