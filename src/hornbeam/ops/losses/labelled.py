"""Losses of labels that are numbers: the circle loss of embeddings, and one for labels that may be wrong."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array, inexact
from hornbeam.ops.losses.common import shape_error


@op
def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    ref_labels: TensorLike | None = None,
    ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> jax.Array:
    """Return softplus(logsumexp over equal labels + logsumexp over others) of weighted cosine distances; (b,), (b, d) -> (b,)

    With d = 1 - cosine the terms are gamma * (d + margin) * (d - margin) for equal labels and
    gamma * (1 + margin - d) * (1 - margin - d) for others. Each row is compared with `ref_embeddings`, which are the rows
    themselves by default; `remove_diagonal` leaves out a row's comparison with itself. y_pred has rows of length 1. A row
    without a partner of its label has 0. Source: Sun et al., Circle Loss, arXiv:2002.10857.

    >>> from hornbeam import keras
    >>> rows = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    >>> print(keras.losses.circle([0, 0, 1], rows, gamma=1.0).numpy().round(3))
    [0.546 0.546 0.   ]
    """
    found = inexact(y_pred)
    labels = array(y_true).astype("int32").reshape(-1)
    if found.ndim != 2 or labels.shape != found.shape[:1]:
        raise shape_error("circle", array(y_true), found, "the shapes (b,) and (b, d)")
    others = found if ref_embeddings is None else array(ref_embeddings, found.dtype)
    names = labels if ref_labels is None else array(ref_labels).astype("int32").reshape(-1)
    distance = jnp.maximum(1 - found @ others.T, 0)
    same = labels[:, None] == names[None, :]
    near = same & ~jnp.eye(*same.shape, dtype=bool) if remove_diagonal else same
    pull = gamma * jnp.maximum(distance + margin, 0) * (distance - margin)
    push = gamma * jnp.maximum(1 + margin - distance, 0) * (1 - margin - distance)
    both = jnp.any(near, axis=1) & jnp.any(~same, axis=1)
    total = _log_sum(pull, near) + _log_sum(push, ~same)
    return jnp.where(both, jax.nn.softplus(jnp.where(both, total, 0)), 0)


def _log_sum(values: jax.Array, counted: jax.Array) -> jax.Array:
    """Return log(sum(exp(values))) of the counted ones in each row, 0 where there are none."""
    some = jnp.any(counted, axis=1, keepdims=True)
    safe = jnp.where(counted | ~some, values, -jnp.inf)
    return jnp.where(some[:, 0], jax.nn.logsumexp(safe, axis=1), 0)


@op
def categorical_generalized_cross_entropy(
    y_true: TensorLike, y_pred: TensorLike, q: float
) -> jax.Array:
    """Return (1 - p[y_true]^q) / q, for labels that are numbers of classes; (b, ...), (b, ..., classes) -> (b, ...)

    Wrong labels weigh less than in the crossentropy, which it becomes as q goes to 0. y_pred holds probabilities.
    Source: Zhang & Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels,
    arXiv:1805.07836.

    >>> from hornbeam import keras
    >>> print(keras.losses.categorical_generalized_cross_entropy([0, 1], [[0.25, 0.75], [0.0, 1.0]], q=0.5).numpy())
    [1. 0.]
    """
    found = inexact(y_pred)
    labels = array(y_true)
    if labels.shape != found.shape[:-1]:
        expected = "the shapes (b, ...) and (b, ..., classes)"
        raise shape_error("categorical_generalized_cross_entropy", labels, found, expected)
    chosen = jax.nn.one_hot(labels.astype("int32"), found.shape[-1], dtype=found.dtype)
    p = jnp.sum(found * chosen, axis=-1)
    # The power has no slope at 0.
    return (1 - jnp.where(p > 0, jnp.where(p > 0, p, 1) ** q, 0)) / q
