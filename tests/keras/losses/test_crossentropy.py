"""Labels: which are accepted, which are refused and how, and what the device gives for those that are no class."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.keras import losses
from tests.tolerances import assert_close

P = np.random.default_rng(0).dirichlet(np.ones(4), 6).astype("float32")
LABELS = np.array([0, 3, 1, 2, 2, 0])


@pytest.mark.parametrize("label", [4, -1, 100, -4])
@pytest.mark.parametrize("from_logits", [False, True])
def test_a_label_that_is_no_class_is_nan_not_some_other_class(label, from_logits):
    labels = LABELS.copy()
    labels[2] = label
    values = losses.sparse_categorical_crossentropy(labels, P, from_logits=from_logits).numpy()
    assert np.isnan(values[2]) and np.isfinite(np.delete(values, 2)).all()
    assert np.isnan(losses.SparseCategoricalCrossentropy(from_logits=from_logits)(labels, P))


def test_a_wrong_label_that_weighs_nothing_is_left_out():
    labels = np.where(LABELS == 2, -100, LABELS)
    weights = (labels >= 0).astype("float32")
    loss = losses.SparseCategoricalCrossentropy()

    def of(p):
        return unwrap(loss(labels, Tensor(p), weights))

    value, gradient = jax.value_and_grad(of)(jnp.asarray(P))
    assert_close(value, -np.log(P[np.arange(6), LABELS])[labels >= 0].sum() / 6)
    assert np.isfinite(gradient).all() and not np.asarray(gradient)[labels < 0].any()


def test_ignored_class_is_not_counted():
    labels = np.where(LABELS == 2, 255, LABELS)
    kept = -np.log(P[np.arange(6), LABELS])[labels < 4]
    assert_close(losses.SparseCategoricalCrossentropy(ignore_class=255)(labels, P), kept.mean())
    assert_close(
        losses.SparseCategoricalCrossentropy(ignore_class=255)(labels[:, None], P), kept.mean()
    )


def test_many_classes_in_half_precision_stay_apart():
    p = np.random.default_rng(0).normal(size=(3, 300)).astype("float32")
    labels = np.array([257, 258, 299])
    exact = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)(labels, p)
    half = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None, dtype="bfloat16")(
        labels, p
    )
    assert_close(half, exact, "bfloat16")


def test_any_axis_may_hold_the_classes():
    p = np.moveaxis(np.stack([P, P[::-1]], 1), -1, 1)  # b c t
    labels = np.stack([LABELS, LABELS[::-1]], 1)
    expected = losses.sparse_categorical_crossentropy(labels, np.moveaxis(p, 1, -1))
    assert_close(losses.sparse_categorical_crossentropy(labels, p, axis=1), expected)


def test_extreme_probabilities_and_logits_are_finite():
    for dtype in ("float32", "float16", "bfloat16"):
        p = jnp.asarray([[0.0, 1.0]], dtype)
        assert np.isfinite(losses.BinaryCrossentropy(dtype=dtype)([[1.0, 0.0]], p))
        assert np.isfinite(losses.CategoricalCrossentropy(dtype=dtype)([[1.0, 0.0]], p))
    big = np.array([[1e4, -1e4]], "float32")
    assert_close(losses.BinaryCrossentropy(from_logits=True)([[1.0, 0.0]], big), 0.0)
    assert_close(losses.BinaryCrossentropy(from_logits=True)([[0.0, 1.0]], big), 1e4)
    assert_close(losses.CategoricalCrossentropy(from_logits=True)([[0.0, 1.0]], big), 2e4)


@pytest.mark.parametrize(
    ("loss", "y", "p", "hint"),
    [
        ("CategoricalCrossentropy", LABELS, P, r"to_categorical\(y, 4\)"),
        ("CategoricalCrossentropy", LABELS[:, None], P, "sparse_categorical_crossentropy"),
        ("SparseCategoricalCrossentropy", np.eye(4)[LABELS], P, "use categorical_crossentropy"),
        ("BinaryCrossentropy", LABELS, P, "one unit with a sigmoid"),
        ("SparseCategoricalCrossentropy", LABELS[:5], P, "but for the classes"),
        ("MeanSquaredError", P[:, :3], P, "shapes that fit"),
        ("MeanSquaredError", LABELS, P, "shapes that fit"),
    ],
)
def test_shapes_that_do_not_fit_are_both_named(loss, y, p, hint):
    with pytest.raises(ValueError, match=hint) as error:
        getattr(losses, loss)()(y, p)
    assert str(np.shape(y)) in str(error.value) and str(np.shape(p)) in str(error.value)


def test_a_single_class_is_warned_of():
    with pytest.warns(SyntaxWarning, match="single class"):
        losses.categorical_crossentropy(np.ones((3, 1)), np.ones((3, 1)))


@pytest.mark.parametrize("smoothing", [-0.1, 1.5, "much"])
def test_smoothing_outside_of_0_to_1(smoothing):
    with pytest.raises(ValueError, match="label_smoothing"):
        losses.CategoricalCrossentropy(label_smoothing=smoothing)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 4], r"label 4 in row 2 .* 4 outputs; labels go from 0 to 3\. Give the last layer 5 units"),
        ([1, 2, 3, 4], "counted from 1: use y - 1"),
        ([0, -1, 2], "label -1 in row 1 .*ignore_class=-1"),
        ([0, -7, 2], "can't be negative"),
        ([[0, 1], [2, 9]], "label 9 in row 1"),
        ([0.0, 5.0], "label 5.0 in row 1"),
        ([0.0, np.nan], "label nan in row 1"),
    ],
)  # fmt: skip
def test_check_labels_says_which_row(labels, message):
    with pytest.raises(ValueError, match="^y: .*" + message):
        losses.check_labels(np.array(labels), 4, "y")


@pytest.mark.parametrize("labels", [[0, 3, 2], [], [[1], [2]], [True, False], [0.0, 3.0]])
def test_check_labels_accepts(labels):
    losses.check_labels(np.array(labels), 4, "y")
    losses.check_labels(np.array([*np.ravel(labels), 255]), 4, "y", ignore_class=255)
