"""The same truth, predictions, weights and masks to Hornbeam's losses and to Keras's: same values, gradients, configs."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.keras import losses as ours
from tests.tolerances import assert_close

theirs = keras.losses

B, T, D = 6, 3, 4


def data(kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth (b, t, d), or (b, t) for class numbers, and predictions (b, t, d)."""
    draw = np.random.default_rng(seed)
    shape = (B, T, D)
    numbers = draw.normal(size=shape).astype("float32")
    inside = draw.uniform(0.05, 0.95, shape).astype("float32")
    classes = draw.integers(0, D, shape[:-1])
    return {
        "numbers": (draw.normal(size=shape).astype("float32"), numbers),
        "positive": (draw.uniform(0.5, 3, shape).astype("float32"), 3 * inside),
        "counts": (draw.integers(0, 5, shape), 3 * inside),
        "binary": (draw.integers(0, 2, shape), inside),
        "binary logits": (draw.integers(0, 2, shape), 4 * numbers),
        "signs": (draw.choice([-1.0, 1.0], shape).astype("float32"), numbers),
        "one-hot": (np.eye(D, dtype="float32")[classes], inside),
        "one-hot logits": (np.eye(D, dtype="float32")[classes], 4 * numbers),
        "classes": (classes, inside),
        "classes logits": (classes, 4 * numbers),
        "distributions": (draw.dirichlet(np.ones(D), shape[:-1]).astype("float32"), inside),
    }[kind]


# Class, arguments, kind of data.
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("MeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "positive"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("LogCosh", {}, "numbers"),
    ("Huber", {}, "numbers"),
    ("Huber", {"delta": 0.3}, "numbers"),
    ("CosineSimilarity", {}, "numbers"),
    ("CosineSimilarity", {"axis": 1}, "numbers"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary logits"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary logits"),
    ("BinaryCrossentropy", {"axis": 1}, "binary"),
    ("BinaryFocalCrossentropy", {}, "binary"),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5},
        "binary",
    ),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary logits"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one-hot logits"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot logits"),
    ("CategoricalCrossentropy", {}, "distributions"),
    ("CategoricalCrossentropy", {"axis": 1}, "one-hot"),
    ("CategoricalFocalCrossentropy", {}, "one-hot"),
    (
        "CategoricalFocalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        "one-hot logits",
    ),
    ("SparseCategoricalCrossentropy", {}, "classes"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "classes logits"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "classes"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0, "from_logits": True}, "classes logits"),
    ("KLDivergence", {}, "distributions"),
    ("Poisson", {}, "counts"),
    ("Hinge", {}, "signs"),
    ("Hinge", {}, "binary logits"),
    ("SquaredHinge", {}, "signs"),
    ("CategoricalHinge", {}, "one-hot logits"),
    ("Dice", {}, "binary"),
    ("Dice", {"axis": (1, 2)}, "binary"),
    ("Tversky", {"alpha": 0.3, "beta": 0.8}, "binary"),
]
IDS = [f"{name}({', '.join(f'{k}={v}' for k, v in kw.items())}) {kind}" for name, kw, kind in CASES]
cases = pytest.mark.parametrize(("name", "arguments", "kind"), CASES, ids=IDS)

REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None]
MASK = np.random.default_rng(1).random((B, T)) > 0.4
WEIGHTS = np.random.default_rng(2).uniform(0, 2, (B, T)).astype("float32")
WEIGHTS[0] = 0


def masked(p: Any, mask: Any) -> Any:
    """Predictions that carry a mask, for Keras."""
    p = jnp.asarray(p)
    if mask is not None:
        p._keras_mask = jnp.asarray(mask)
    return p


def value_and_gradient(loss: Any, y: Any, p: Any, weights: Any, mask: Any) -> Any:
    """Our loss and the gradient of its sum with respect to the predictions."""

    def total(raw: Any) -> tuple[Any, Any]:
        prediction = Tensor(raw)
        prediction._keras_mask = None if mask is None else Tensor(jnp.asarray(mask))
        value = unwrap(loss(y, prediction, sample_weight=weights))
        return jnp.sum(value), value

    (_, value), gradient = jax.value_and_grad(total, has_aux=True)(p)
    return value, gradient


def their_gradient(loss: Any, y: Any, p: Any, weights: Any, mask: Any) -> Any:
    """The gradient of Keras's loss. JAX's tracers can't carry a mask: its effect is written out as weights."""
    scale = 1.0
    if mask is not None:
        if np.ndim(weights):
            weights = weights.reshape(*mask.shape[:1], *(-1,) * (mask.ndim - 1))
        weights = mask * (1.0 if weights is None else weights)
        if loss.reduction in ("sum_over_batch_size", "mean"):
            # Keras itself scales by the classes that it ignores.
            ignored = getattr(loss, "ignore_class", None)
            counted = np.ones_like(mask) if ignored is None else y != ignored
            scale = counted.sum() / max((mask & counted).sum(), 1)
    return scale * jax.grad(lambda q: jnp.sum(loss(y, q, sample_weight=weights)))(p)


def compare(
    name: str,
    arguments: dict[str, Any],
    y: Any,
    p: Any,
    weights: Any,
    mask: Any,
    compiled: bool = False,
) -> None:
    """Compare values and gradients, op by op, which many cases share, or in one program of this case's own."""
    mine, loss = (getattr(library, name)(**arguments) for library in (ours, theirs))

    def both(p: Any) -> Any:
        found = value_and_gradient(mine, y, p, weights, mask)
        # JAX's tracers can't carry a mask: a masked value is computed apart.
        value = None if mask is not None else loss(y, p, sample_weight=weights)
        return found, (value, their_gradient(loss, y, p, weights, mask))

    found, expected = (jax.jit(both) if compiled else both)(jnp.asarray(p))
    value = loss(y, masked(p, mask), sample_weight=weights) if expected[0] is None else expected[0]
    assert_close(found[0], value, err_msg="value")
    assert_close(found[1], expected[1], err_msg="gradient")


@cases
@pytest.mark.parametrize(
    ("weights", "mask"), [(None, None), (WEIGHTS, MASK)], ids=["plain", "weights and mask"]
)
def test_value_and_gradient(name, arguments, kind, weights, mask):
    y, p = data(kind)
    values = getattr(ours, name)(**arguments, reduction=None)
    shape = jax.eval_shape(lambda: unwrap(values(y, p))).shape
    if shape != (B, T):
        # Values of another shape: weights and masks for whole samples.
        weights = None if weights is None or not shape else weights[:, :1]
        mask = None if mask is None or not shape else mask[:, :1]
        if shape == (B,):
            weights = None if weights is None else weights[:, 0]
            mask = None if mask is None else mask[:, 0]
    compare(name, arguments, y, p, weights, mask, compiled=True)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("mask", [None, MASK, MASK & False], ids=["", "mask", "nothing left"])
@pytest.mark.parametrize(
    "weights",
    [None, 2.0, WEIGHTS, WEIGHTS[:, :1], WEIGHTS[..., None]],
    ids=["", "scalar", "(b, t)", "(b, 1)", "(b, t, 1)"],
)
def test_reductions(reduction, mask, weights):
    y, p = data("numbers")
    compare("MeanSquaredError", {"reduction": reduction}, y, p, weights, mask)


@cases
def test_two_axes(name, arguments, kind):
    y, p = data(kind)
    arguments = {k: v for k, v in arguments.items() if k != "axis"}
    expected = getattr(theirs, name)(**arguments)(y[:, 0], p[:, 0], sample_weight=WEIGHTS[:, 0])
    assert_close(getattr(ours, name)(**arguments)(y[:, 0], p[:, 0], WEIGHTS[:, 0]), expected)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("MeanSquaredError", "numbers"), ("BinaryCrossentropy", "binary"), ("Huber", "numbers")],
)
@pytest.mark.parametrize(
    ("true_shape", "pred_shape"), [((B,), (B, 1)), ((B, 1), (B,)), ((B,), (B,)), ((B, 3, 1), (B, 3)), ((B, 3), (B, 3, 1))]
)  # fmt: skip
def test_a_missing_last_axis(name, kind, true_shape, pred_shape):
    y, p = data(kind)
    y, p = (
        y.reshape(-1)[: np.prod(true_shape)].reshape(true_shape),
        p.reshape(-1)[: np.prod(pred_shape)].reshape(pred_shape),
    )
    compare(name, {"reduction": None}, y, p, None, None)


@cases
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(name, arguments, kind, dtype):
    y, p = data(kind)
    p = np.asarray(jnp.asarray(p, dtype), "float32")  # numbers that the type can hold, for both
    actual = getattr(ours, name)(**arguments, dtype=dtype)(y, p)
    exact = getattr(theirs, name)(**arguments)(y, p)
    assert actual.dtype == dtype
    assert_close(actual, exact, dtype)


IN_KERAS = [n for n in ours.__all__ if hasattr(theirs, n) and n not in ("get", "serialize", "deserialize")]  # fmt: skip


def test_names_of_tensorflow_alone_are_other_names():
    functions = [getattr(ours, each) for each in IN_KERAS]
    others = {"KLD", "MAE", "MAPE", "MSE", "MSLE", "kld", "kullback_leibler_divergence", "logcosh", "mae", "mape", "mse", "msle"}  # fmt: skip
    assert {n for n in ours.__all__ if not hasattr(theirs, n)} == {*others, "Reduction"}
    assert all(getattr(ours, each) in functions for each in others)


@cases
def test_functions(name, arguments, kind):
    function = next(f for f, c in _functions().items() if c.__name__ == name)
    accepted = inspect.signature(getattr(theirs, function)).parameters
    arguments = {k: v for k, v in arguments.items() if k in accepted}
    y, p = data(kind)
    expected = getattr(theirs, function)(y, p, **arguments)
    actual = getattr(ours, function)(y, p, **arguments)
    assert_close(actual, expected)


def _functions() -> dict[str, type]:
    """The name of each function beside the class of the same meaning."""
    return {n: type(ours.as_loss(n)) for n in IN_KERAS if n[0].islower()}


@cases
def test_config(name, arguments, kind):
    arguments = {"reduction": "sum", "name": "mine", **arguments}
    expected = getattr(theirs, name)(**arguments).get_config()
    # Some configs of Keras lose arguments, CosineSimilarity's axis for one; ours write them.
    lost = {key: value for key, value in arguments.items() if key not in expected}
    assert getattr(ours, name)(**arguments).get_config() == {**expected, **lost}
    assert getattr(ours, name)().get_config() == getattr(theirs, name)().get_config()


@cases
def test_configs_are_exchanged(name, arguments, kind):
    loss = getattr(ours, name)(**arguments)
    y, p = data(kind)
    assert_close(loss(y, p), theirs.deserialize(ours.serialize(loss))(y, p))
    again = ours.deserialize(theirs.serialize(theirs.deserialize(ours.serialize(loss))))
    assert type(again) is type(loss)


NAMES = ["mse", "MSE", "mae", "mape", "msle", "bce", "BCE", "kld", "KLD", "mean_squared_error", "log_cosh", "LogCosh",
    "huber", "Huber", "hinge", "Hinge", "categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence",
    "KLDivergence", "cosine_similarity", "CosineSimilarity", "poisson", "Poisson", "dice", "Tversky"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_mean_the_same(name):
    def meaning(library: Any) -> Any:
        """Return the function, or the class of the object, that the name stands for."""
        found = library.get(name)
        return found if inspect.isfunction(found) else type(found)

    assert meaning(ours) is getattr(ours, meaning(theirs).__name__)


LABELS = np.array([0, 1, 0, 2, 1, 0])
ROWS = np.random.default_rng(5).normal(size=(6, 4)).astype("float32")
LABELLED: list[tuple[str, dict[str, Any], Any]] = [
    ("Circle", {}, ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)),
    ("Circle", {"gamma": 4.0, "margin": 0.2, "remove_diagonal": False}, ROWS / 4),
    ("CategoricalGeneralizedCrossEntropy", {}, np.abs(ROWS) / 4),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, np.abs(ROWS) / 4),
]


@pytest.mark.parametrize(("name", "arguments", "p"), LABELLED)
def test_losses_of_numbered_labels(name, arguments, p):
    mine, other = (getattr(library, name)(**arguments) for library in (ours, theirs))
    assert mine.get_config() == other.get_config()
    for weights in (None, np.arange(6.0, dtype="float32")):
        assert_close(mine(LABELS, p, weights), other(LABELS, p, sample_weight=weights))
    function = next(
        each for each in ("circle", "categorical_generalized_cross_entropy") if each == mine.name
    )
    arguments = {"q": 0.5, **arguments} if function != "circle" else arguments
    assert_close(
        getattr(ours, function)(LABELS, p, **arguments),
        getattr(theirs, function)(LABELS, p, **arguments),
    )


@pytest.mark.parametrize("name", IN_KERAS)
def test_signatures(name):
    def parameters(library: Any) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(library, name)).parameters.values()
        return [(p.name, p.default) for p in found if p.kind is not p.VAR_KEYWORD]

    assert parameters(ours) == parameters(theirs)
