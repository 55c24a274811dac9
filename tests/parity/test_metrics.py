"""The same batches to Hornbeam's metrics and to Keras's: same results, variables and configs after each."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.core.tensor import Tensor
from hornbeam.keras import losses
from hornbeam.keras import metrics as ours
from tests.parity.test_losses import data
from tests.tolerances import assert_close

theirs = keras.metrics

# Keras's Variable has no `copy` argument in __array__, of which NumPy complains.
# Its confusion matrices ask for 64-bit integers, of which JAX complains; it warns of an R2Score without samples.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64"),
    pytest.mark.filterwarnings("ignore:More independent predictors than datapoints"),
]

# Class, arguments, kind of data.
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("Mean", {}, "values"),
    ("Sum", {}, "values"),
    ("Accuracy", {}, "labels"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.7}, "binary"),
    ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "classes"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    ("TopKCategoricalAccuracy", {}, "one-hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "classes logits"),
    ("MeanSquaredError", {}, "numbers"),
    ("RootMeanSquaredError", {}, "numbers"),
    ("MeanAbsoluteError", {}, "numbers"),
    ("MeanAbsolutePercentageError", {}, "positive"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("LogCoshError", {}, "numbers"),
    ("CosineSimilarity", {}, "numbers"),
    ("KLDivergence", {}, "distributions"),
    ("Poisson", {}, "counts"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary logits"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot logits"),
    ("SparseCategoricalCrossentropy", {}, "classes"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "classes logits"),
    ("Hinge", {}, "signs"),
    ("SquaredHinge", {}, "binary logits"),
    ("CategoricalHinge", {}, "one-hot"),
    ("Precision", {}, "binary"),
    ("Precision", {"thresholds": [0.7, 0.2, 0.5]}, "binary"),
    ("Precision", {"thresholds": 0.3, "name": "mine"}, "binary"),
    ("Precision", {"top_k": 2}, "binary"),
    ("Precision", {"top_k": 2, "class_id": 1, "thresholds": 0.4}, "binary"),
    ("Recall", {}, "binary"),
    ("Recall", {"class_id": 2}, "binary"),
    ("Recall", {"top_k": 1}, "one-hot"),
    ("TruePositives", {}, "binary"),
    ("TrueNegatives", {"thresholds": [0.4, 0.6]}, "binary"),
    ("FalsePositives", {"thresholds": 0.25}, "binary"),
    ("FalseNegatives", {}, "binary"),
    ("AUC", {}, "binary"),
    ("AUC", {"num_thresholds": 7, "summation_method": "minoring"}, "binary"),
    ("AUC", {"num_thresholds": 7, "summation_method": "majoring", "name": "mine"}, "binary"),
    ("AUC", {"curve": "PR"}, "binary"),
    ("AUC", {"curve": "PR", "num_thresholds": 9, "summation_method": "minoring"}, "binary"),
    ("AUC", {"curve": "PR", "num_thresholds": 9, "summation_method": "majoring"}, "binary"),
    ("AUC", {"curve": "PRGAIN", "num_thresholds": 9}, "binary"),
    ("AUC", {"thresholds": [0.6, 0.25, 0.5]}, "binary"),
    ("AUC", {"from_logits": True}, "binary logits"),
    ("AUC", {"multi_label": True, "num_labels": 4}, "binary"),
    ("AUC", {"multi_label": True, "curve": "PR"}, "binary"),
    ("AUC", {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 2.0, 0.0, 0.5]}, "binary"),
    ("AUC", {"label_weights": [1.0, 2.0, 0.0, 0.5], "num_thresholds": 20}, "binary"),
    ("PearsonCorrelation", {}, "numbers"),
    ("ConcordanceCorrelation", {}, "numbers"),
    ("F1Score", {}, "binary"),
    ("F1Score", {"average": "micro", "threshold": 0.4}, "binary"),
    ("F1Score", {"average": "macro"}, "one-hot"),
    ("FBetaScore", {"average": "weighted", "beta": 0.5, "threshold": 0.3}, "binary"),
    ("R2Score", {}, "numbers"),
    ("R2Score", {"class_aggregation": None}, "numbers"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, "numbers"),
    ("SensitivityAtSpecificity", {"specificity": 0.4}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.7, "num_thresholds": 2}, "binary"),
    ("PrecisionAtRecall", {"recall": 0.6, "num_thresholds": 9}, "binary"),
    ("PrecisionAtRecall", {"recall": 0.6, "class_id": 1}, "one-hot"),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 1}, "binary"),
    ("IoU", {"num_classes": 4, "target_class_ids": [2, 0], "dtype": "float32"}, "flat labels"),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1, "sparse_y_pred": False, "dtype": "float32"}, "classes"),
    ("BinaryIoU", {"threshold": 0.6, "dtype": "float32"}, "flat binary"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1, 3], "dtype": "float32"}, "one-hot"),
    ("OneHotMeanIoU", {"num_classes": 4, "dtype": "float32"}, "one-hot"),
]  # fmt: skip
IDS = [f"{name}({', '.join(f'{k}={v}' for k, v in kw.items())}) {kind}" for name, kw, kind in CASES]
cases = pytest.mark.parametrize(("name", "arguments", "kind"), CASES, ids=IDS)


def batches(kind: str, axes: int, count: int = 3) -> list[tuple[np.ndarray, ...]]:
    """Batches of different sizes of truth and predictions with `axes` axes, (b, t, d) or (b, d)."""
    found = []
    for seed in range(count):
        if kind == "values":
            arrays: tuple[np.ndarray, ...] = (data("numbers", seed)[0],)
        elif kind == "labels":
            arrays = (data("classes", seed)[0], data("classes", seed + 7)[0])
            axes = 3
        elif kind == "flat labels":
            arrays = (data("classes", seed)[0], data("classes", seed + 7)[0])
        elif kind == "flat binary":
            arrays = tuple(each[..., 0] for each in data("binary", seed))
        else:
            arrays = data(kind, seed)
        arrays = tuple(a[: 6 - seed // 2] if axes == 3 else a[: 6 - seed // 2, 0] for a in arrays)
        found.append(arrays)
    return found


def weights_for(arrays: tuple[np.ndarray, ...], how: str | None, seed: int) -> Any:
    if how is None:
        return None
    # Eighths add up exactly, in any order.
    draw = (
        np.random.default_rng(seed).integers(0, 16, (*arrays[0].shape[:1], 3)).astype("float32") / 8
    )
    return draw[:, 0] if how == "samples" else draw


def check(name: str, arguments: dict[str, Any], kind: str, axes: int, how: str | None) -> None:
    arguments = {"name": "same", **arguments}
    actual, expected = getattr(ours, name)(**arguments), getattr(theirs, name)(**arguments)
    for _ in range(2):
        for i, arrays in enumerate(batches(kind, axes)):
            weights = weights_for(arrays, how, i)
            for metric in (actual, expected):
                metric.update_state(*arrays, sample_weight=weights)
            assert_close(actual.result(), expected.result(), err_msg=f"batch {i}")
        assert [v.path for v in actual.variables] == [v.path for v in expected.variables]
        for mine, other in zip(actual.variables, expected.variables, strict=True):
            assert_close(mine, np.asarray(other.value), err_msg=mine.path)
            assert mine.dtype == other.dtype and not mine.trainable
        actual.reset_state()
        expected.reset_state()
        assert_close(actual.result(), expected.result(), err_msg="after reset")


@cases
@pytest.mark.parametrize("how", [None, "samples"])
def test_batches_of_vectors(name, arguments, kind, how):
    check(name, arguments, kind, 2, how)


SEQUENCES: list[tuple[str, dict[str, Any], str]] = [
    ("MeanSquaredError", {}, "numbers"),
    ("RootMeanSquaredError", {}, "numbers"),
    ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "classes"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "classes"),
    ("SparseCategoricalCrossentropy", {}, "classes"),
    ("BinaryAccuracy", {}, "binary"),
    ("Precision", {"class_id": 1}, "binary"),
    ("AUC", {}, "binary"),
]


@pytest.mark.parametrize(("name", "arguments", "kind"), SEQUENCES)
@pytest.mark.parametrize("how", [None, "values"])
def test_batches_of_sequences(name, arguments, kind, how):
    if how and name in ("RootMeanSquaredError", "BinaryAccuracy", "Precision", "AUC"):
        pytest.skip("Keras does not take weights (b, t) for values (b, t, d)")
    check(name, arguments, kind, 3, how)


MASK = np.random.default_rng(1).random((6, 3)) > 0.4


@pytest.mark.parametrize("how", [None, "values"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("MeanSquaredError", "numbers"),
        ("SparseCategoricalAccuracy", "classes"),
        ("CategoricalCrossentropy", "one-hot"),
    ],
)
def test_masks(name, kind, how):
    arrays = batches(kind, 3, 1)[0]
    carried, raw = Tensor(jnp.asarray(arrays[-1])), jnp.asarray(arrays[-1])
    carried._keras_mask, raw._keras_mask = Tensor(jnp.asarray(MASK)), jnp.asarray(MASK)
    weights = weights_for(arrays, how, 0)
    actual = getattr(ours, name)()(*arrays[:-1], carried, sample_weight=weights)
    expected = getattr(theirs, name)()(*arrays[:-1], raw, sample_weight=weights)
    assert_close(actual, expected)


@cases
def test_config(name, arguments, kind):
    arguments = {"name": "mine", **arguments}
    expected = getattr(theirs, name)(**arguments).get_config()
    for key in ("label_weights", "thresholds"):
        if expected.get(key) is not None:
            expected[key] = np.asarray(expected[key], "float64").tolist()
    assert getattr(ours, name)(**arguments).get_config() == expected


def test_names_of_tensorflow_alone_are_those_of_losses():
    others = {n for n in ours.__all__ if not hasattr(theirs, n)}
    assert others == {n for n in losses.__all__ if not hasattr(keras.losses, n)} - {"Reduction"}
    assert all(getattr(ours, each) is getattr(losses, each) for each in others)


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in ours.__all__
        if hasattr(theirs, n) and n not in ("get", "serialize", "deserialize")
    ],
)
def test_signatures(name):
    def parameters(library: Any) -> list[tuple[str, Any]]:
        found = inspect.signature(getattr(library, name)).parameters.values()
        return [(p.name, p.default) for p in found if p.kind is not p.VAR_KEYWORD]

    assert parameters(ours) == parameters(theirs)


NAMES = ["mse", "MSE", "mae", "mape", "msle", "bce", "BCE", "mean_squared_error", "MeanSquaredError", "accuracy",
    "Accuracy", "auc", "AUC", "precision", "recall", "hinge", "poisson", "sum", "mean", "true_positives",
    "kl_divergence", "top_k_categorical_accuracy", "cosine_similarity", "log_cosh_error"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_mean_the_same(name):
    actual, expected = ours.get(name), theirs.get(name)
    assert type(actual).__name__ == type(expected).__name__


def test_functions_are_those_of_losses():
    shared = [
        n
        for n in ours.__all__
        if n[0].islower() and n in losses.__all__ and "serialize" not in n and n != "get"
    ]
    assert len(shared) > 10 and all(getattr(ours, n) is getattr(losses, n) for n in shared)


FUNCTIONS = [("binary_accuracy", "binary"), ("categorical_accuracy", "one-hot"), ("sparse_categorical_accuracy", "classes"),
    ("top_k_categorical_accuracy", "one-hot"), ("sparse_top_k_categorical_accuracy", "classes")]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), FUNCTIONS)
@pytest.mark.parametrize("axes", [2, 3])
def test_functions(name, kind, axes):
    (arrays,) = batches(kind, axes, 1)
    arguments = {"k": 2} if "top_k" in name else {}
    assert_close(
        getattr(ours, name)(*arrays, **arguments), getattr(theirs, name)(*arrays, **arguments)
    )


def test_stateless_methods():
    metrics = ours.MeanSquaredError(name="same"), theirs.MeanSquaredError(name="same")
    state = [jnp.asarray(2.0), jnp.asarray(3.0)]
    y, p = data("numbers")
    states = [
        m.stateless_update_state(state, y[:, 0], p[:, 0], sample_weight=np.arange(6.0))
        for m in metrics
    ]
    assert_close(*states)
    assert_close(metrics[0].stateless_result(states[0]), metrics[1].stateless_result(states[1]))
    assert_close(metrics[0].stateless_reset_state(), metrics[1].stateless_reset_state())
    assert_close(metrics[0].result(), 0.0)
