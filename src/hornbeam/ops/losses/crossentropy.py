"""Distances between distributions: what is predicted of classes or counts, against what is true."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.config import epsilon
from hornbeam.core.jax_typed import finfo
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.core.user_code import warn
from hornbeam.ops import crossentropy
from hornbeam.ops.common import array, class_numbers, inexact
from hornbeam.ops.losses.common import aligned, mean_last, same_rank, shape_error


@op(name="losses.binary_crossentropy")
def binary_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Return -mean(y_true * log(p) + (1 - y_true) * log(1 - p)) over the axis

    p is y_pred, kept epsilon away from 0 and 1, or sigmoid(y_pred) for logits. `label_smoothing` s moves labels to
    y_true * (1 - s) + s / 2. (b, ..., d) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.binary_crossentropy([[0.0], [1.0]], [[0.1], [0.5]]).numpy().round(4))
    [0.1054 0.6931]
    """
    y_true, y_pred = _binary("binary_crossentropy", y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    loss = crossentropy.binary_crossentropy.raw(y_true, y_pred, from_logits)
    return jnp.mean(loss, axis=axis) if loss.ndim else loss


@op
def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Return binary cross-entropy times (1 - p_t)^gamma, where p_t is the probability given to the truth

    What is already predicted well counts less. With `apply_class_balancing`, 1s weigh alpha and 0s 1 - alpha.
    (b, ..., d) -> (b, ...). Source: Lin et al., Focal Loss for Dense Object Detection, arXiv:1708.02002.

    >>> from hornbeam import keras
    >>> print(keras.losses.binary_focal_crossentropy([[0.0], [1.0]], [[0.1], [0.5]]).numpy().round(4))
    [0.0011 0.1733]
    """
    y_true, y_pred = _binary("binary_focal_crossentropy", y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    p = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    p_true = y_true * p + (1 - y_true) * (1 - p)
    loss = jnp.power(1 - p_true, gamma) * crossentropy.binary_crossentropy.raw(
        y_true, y_pred, from_logits
    )
    if apply_class_balancing:
        loss = loss * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return jnp.mean(loss, axis=axis) if loss.ndim else loss


@op(name="losses.categorical_crossentropy")
def categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Return -sum(y_true * log(p)) over the axis of classes, for one-hot or soft labels

    p is y_pred divided by its sum, or softmax(y_pred) for logits. `label_smoothing` s moves labels to
    y_true * (1 - s) + s / classes. (b, ..., classes) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.categorical_crossentropy([[0.0, 1.0, 0.0]], [[0.05, 0.9, 0.05]]).numpy())
    [0.1054]
    """
    y_true, y_pred = _one_hot("categorical_crossentropy", y_true, y_pred, axis)
    y_true = _smoothed(y_true, label_smoothing, y_pred.shape[axis])
    return crossentropy.categorical_crossentropy.raw(y_true, y_pred, from_logits, axis)


@op
def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Return -sum(alpha * (1 - p)^gamma * y_true * log(p)) over the axis of classes

    What is already predicted well counts less. (b, ..., classes) -> (b, ...). Source: Lin et al., Focal Loss for Dense
    Object Detection, arXiv:1708.02002.

    >>> from hornbeam import keras
    >>> print(keras.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy())
    [0.0433]
    """
    y_true, y_pred = _one_hot("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = _smoothed(y_true, label_smoothing, y_pred.shape[axis])
    origin = crossentropy.logits_behind(y_pred, from_logits, "categorical_focal_crossentropy")
    if origin is not None:
        log_p = crossentropy.log_distribution(origin, axis)
        p = jnp.minimum(jnp.exp(log_p), 1 - epsilon())
    else:
        p = jax.nn.softmax(y_pred, axis=axis) if from_logits else y_pred
        p = p / jnp.sum(p, axis=axis, keepdims=True)
        p = jnp.clip(p, epsilon(), 1 - max(epsilon(), float(finfo(p.dtype).epsneg)))
        log_p = jnp.log(p)
    loss = -jnp.sum(alpha * jnp.power(1 - p, gamma) * y_true * log_p, axis=axis)
    return loss.astype(y_pred.dtype)


@op(name="losses.sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> jax.Array:
    """Return -log(p[y_true]), where y_true is the number of the class, from 0

    p as in `categorical_crossentropy`. Labels `ignore_class` (a void class, say) cost 0. Any other label that is no
    class costs NaN, as in TensorFlow: compiled code can't raise. `fit` checks labels before it starts.
    y_true: integers (b, ...) or (b, ..., 1), y_pred: (b, ..., classes) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.sparse_categorical_crossentropy([1, 0], [[0.05, 0.9, 0.05], [0.5, 0.2, 0.3]]).numpy().round(4))
    [0.1054 0.6931]
    """
    labels, y_pred = _labels(y_true, y_pred, axis)
    if ignore_class is None:
        return crossentropy.sparse_categorical_crossentropy.raw(labels, y_pred, from_logits, axis)
    kept = labels != ignore_class
    safe = jnp.where(kept, labels, 0)
    return jnp.where(
        kept, crossentropy.sparse_categorical_crossentropy.raw(safe, y_pred, from_logits, axis), 0
    )


@op
def labels_kept(
    y_true: TensorLike, y_pred: TensorLike, ignore_class: int, axis: int = -1
) -> jax.Array:
    """Return where the labels of `sparse_categorical_crossentropy` differ from `ignore_class`, in the loss's shape."""
    return _labels(y_true, y_pred, axis)[0] != ignore_class


@op
def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return sum(y_true * log(y_true / y_pred)) over the last axis, both kept between epsilon and 1

    The Kullback-Leibler divergence. (b, ..., d) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.kl_divergence([[0.5, 0.5]], [[0.9, 0.1]]).numpy())
    [0.5108]
    """
    y_true, y_pred = aligned("kl_divergence", y_true, y_pred)
    y_true, y_pred = jnp.clip(y_true, epsilon(), 1), jnp.clip(y_pred, epsilon(), 1)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


@op
def poisson(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return mean(y_pred - y_true * log(y_pred + epsilon)) over the last axis

    The negative log-likelihood of counts y_true under Poisson rates y_pred, up to a constant. (b, ..., d) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.poisson([[2.0, 0.0]], [[1.0, 3.0]]).numpy())
    [2.]
    """
    y_true, y_pred = aligned("poisson", y_true, y_pred)
    return mean_last(y_pred - y_true * jnp.log(y_pred + epsilon()))


def _smoothed(y_true: jax.Array, amount: float, classes: int) -> jax.Array:
    return y_true * (1 - amount) + amount / classes if amount else y_true


def _binary(name: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[jax.Array, jax.Array]:
    y_pred = inexact(y_pred)
    y_true, y_pred = same_rank(array(y_true).astype(y_pred.dtype), y_pred)
    if y_true.shape != y_pred.shape:
        hint = ""
        if y_true.ndim in (1, y_pred.ndim) and y_true.shape[:1] == y_pred.shape[:1]:
            hint = (
                "A model that decides between two classes ends in one unit with a sigmoid; for labels that are numbers "
                "of classes use sparse_categorical_crossentropy."
            )
        raise shape_error(name, y_true, y_pred, "the same shape", hint)
    return y_true, y_pred


def _one_hot(
    name: str, y_true: TensorLike, y_pred: TensorLike, axis: int
) -> tuple[jax.Array, jax.Array]:
    y_pred = inexact(y_pred)
    y_true = array(y_true).astype(y_pred.dtype)
    if y_true.shape != y_pred.shape:
        hint = ""
        if y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
            hint = (
                "These labels look like numbers of classes: use sparse_categorical_crossentropy, or make them one-hot "
                f"with keras.utils.to_categorical(y, {y_pred.shape[-1]})."
            )
        raise shape_error(name, y_true, y_pred, "the same shape", hint)
    if y_pred.ndim > 1 and y_pred.shape[axis] == 1:
        warn(
            f"{name} over a single class is always 0 (y_pred.shape={y_pred.shape}, axis={axis}). "
            "With two classes in one unit, use binary_crossentropy.",
            SyntaxWarning,
        )
    return y_true, y_pred


def _labels(y_true: TensorLike, y_pred: TensorLike, axis: int) -> tuple[jax.Array, jax.Array]:
    y_pred, labels = inexact(y_pred), array(y_true)
    if y_pred.ndim and labels.ndim == y_pred.ndim and labels.shape[axis] == 1:
        labels = jnp.squeeze(labels, axis=axis)
    axis = axis % max(y_pred.ndim, 1)
    if y_pred.ndim == 0 or labels.shape != y_pred.shape[:axis] + y_pred.shape[axis + 1 :]:
        hint = ""
        if labels.shape == y_pred.shape and y_pred.ndim > 1:
            hint = "If these labels are one-hot, use categorical_crossentropy."
        expected = f"the same shape but for the classes of `y_pred` (axis {axis})"
        raise shape_error("sparse_categorical_crossentropy", labels, y_pred, expected, hint)
    return class_numbers(labels), y_pred
