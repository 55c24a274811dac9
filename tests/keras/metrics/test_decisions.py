"""Metrics of decisions against counts written out in NumPy: odd inputs, arguments, errors."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.keras import metrics
from tests.tolerances import assert_close

draw = np.random.default_rng(0)
Y = draw.integers(0, 2, 500)
P = draw.random(500).astype("float32").round(2)  # many scores lie on thresholds
WEIGHTS = draw.integers(0, 8, 500) / 4


@pytest.mark.parametrize("thresholds", [[0.5], [0.9, 0.1, 0.1, 0.5], list(np.linspace(0, 1, 11))])
def test_counts_are_those_of_a_table(thresholds):
    above = np.asarray(thresholds, "float32")[:, None] < P
    table = {
        "TruePositives": above & (Y == 1),
        "FalsePositives": above & (Y == 0),
        "TrueNegatives": ~above & (Y == 0),
        "FalseNegatives": ~above & (Y == 1),
    }
    for name, decided in table.items():
        metric = getattr(metrics, name)(thresholds=thresholds)
        metric.update_state(Y, P, WEIGHTS)
        assert_close(metric.accumulator, (decided * WEIGHTS).sum(1).astype("float32"))


def test_area_under_the_roc_curve_is_the_share_of_pairs_in_order():
    first, second = P[Y == 1][:, None], P[Y == 0]
    share = (first > second).mean() + (first == second).mean() / 2
    # Scores are hundredths: with a threshold between any two of them the curve is exact.
    exact = metrics.AUC(thresholds=list((np.arange(100) + 0.5) / 100))
    assert_close(exact(Y, P), share)
    assert float(metrics.AUC()([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])) == 1.0


def test_columns_have_areas_of_their_own():
    y, p = Y.reshape(-1, 5), P.reshape(-1, 5)
    alone = [float(metrics.AUC()(y[:, i], p[:, i])) for i in range(5)]
    assert_close(metrics.AUC(multi_label=True)(y, p), np.mean(alone))
    weights = [1.0, 0.0, 2.0, 3.0, 1.0]
    metric = metrics.AUC(multi_label=True, num_labels=5, label_weights=weights)
    assert_close(metric(y, p), np.average(alone, weights=weights))
    metric = metrics.AUC(multi_label=True, curve="PR")
    assert_close(metric.result(), 0.0)  # before it knows how many columns there are
    metric.update_state(y, p)
    assert metric.interpolate_pr_auc().shape == (5,)


def test_nan_is_no_hit():
    precision = metrics.Precision()
    assert_close(precision([1, 1, 0], [0.9, np.nan, np.nan]), 1.0)
    assert_close(metrics.Recall()([1, 1, 0], [0.9, np.nan, np.nan]), 0.5)


def test_without_anything_the_share_is_0():
    assert_close(metrics.Precision().result(), 0.0)
    assert_close(metrics.Recall()([0, 0], [0.1, 0.9]), 0.0)


def test_a_missing_last_axis_is_no_table_of_all_pairs():
    metric = metrics.TruePositives()
    assert_close(metric(np.ones(3), np.ones((3, 1)), sample_weight=[1.0, 2.0, 3.0]), 6.0)


def test_top_k():
    scores = np.array([[0.1, 0.9, 0.8, 0.8], [0.3, 0.3, 0.3, 0.3], [np.nan, 0.1, 0.2, 0.3]])
    top = metrics.sparse_top_k_categorical_accuracy
    assert top([2, 3, 0], scores, k=2).numpy().tolist() == [1, 1, 0]  # ties are in, NaN is out
    assert top([0, 0, 1], scores, k=3).numpy().tolist() == [0, 1, 1]
    assert top([4, -1, 9], scores, k=4).numpy().tolist() == [0, 0, 0]  # no classes
    assert top([0, 1, 2], scores, k=9).numpy().tolist() == [1, 1, 1]
    ids = [[3, 1, 0], [0, 2, 1]]
    assert top([1, 1], ids, k=2, from_sorted_ids=True).numpy().tolist() == [1, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(thresholds=1.2), r"from 0 to 1; received \[1.2\]"),
        (lambda: metrics.TruePositives(thresholds=[0.2, -1]), r"received \[-1.0\]"),
        (lambda: metrics.AUC(thresholds=[0.2, 1.5]), r"received \[1.5\]"),
        (lambda: metrics.AUC(num_thresholds=1), "integer above 1"),
        (lambda: metrics.AUC(curve="RO"), "Unknown curve: 'RO'. Did you mean 'ROC'"),
        (lambda: metrics.AUC(summation_method="x"), "Unknown summation_method"),
        (lambda: metrics.AUC(num_labels=3), "multi_label=True"),
        (lambda: metrics.AUC(multi_label=True, num_labels=3, label_weights=[1, 2]), "2 entries for 3"),
        (lambda: metrics.AUC(multi_label=True, num_labels=3)(Y.reshape(-1, 2), P.reshape(-1, 2)), "counts 3 labels"),
        (lambda: metrics.AUC(multi_label=True)(Y.reshape(-1, 5, 2), P.reshape(-1, 5, 2)), r"\(b, labels\)"),
        (lambda: metrics.Precision(class_id=5)(Y.reshape(-1, 5), P.reshape(-1, 5)), "class_id=5 is not a class"),
        (lambda: metrics.Precision()(Y[:4], P[:5]), r"\(4,\).*\(5,\)"),
        (lambda: metrics.SparseCategoricalAccuracy()([0, 1], [0.5, 0.5]), r"\(b, ..., classes\)"),
        (lambda: metrics.CategoricalAccuracy()([0, 1], np.eye(2)), "sparse_categorical_accuracy"),
        (lambda: metrics.SparseCategoricalAccuracy()(np.eye(2), np.eye(2)), "one-hot, use categorical_accuracy"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=message):
        make()
