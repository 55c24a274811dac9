"""What every exported metric keeps: a class without an entry here fails."""

from __future__ import annotations

import copy
import inspect
import json
from typing import Any

import jax
import numpy as np
import pytest

from hornbeam.core.scope import pure
from hornbeam.core.tensor import unwrap
from hornbeam.keras import losses, metrics
from tests.tolerances import assert_close

draw = np.random.default_rng(0)
NUMBERS = draw.normal(size=(4, 3)).astype("float32")
INSIDE = draw.uniform(0.1, 0.9, (4, 3)).astype("float32")
BINARY = draw.integers(0, 2, (4, 3))
ONE_HOT = np.eye(3, dtype="float32")[[0, 2, 1, 1]]
LABELS = np.array([0, 2, 1, 1])

# Arguments other than the defaults, and a batch.
ENTRIES: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "AUC": ({"num_thresholds": 5, "curve": "PR", "multi_label": True, "num_labels": 3, "label_weights": [1.0, 2.0, 0.5]}, (BINARY, INSIDE)),
    "Accuracy": ({}, (LABELS, LABELS[::-1])),
    "BinaryAccuracy": ({"threshold": 0.3}, (BINARY, INSIDE)),
    "BinaryCrossentropy": ({"from_logits": True}, (BINARY, NUMBERS)),
    "BinaryIoU": ({"threshold": 0.4}, (BINARY, INSIDE)),
    "CategoricalAccuracy": ({}, (ONE_HOT, INSIDE)),
    "CategoricalCrossentropy": ({"label_smoothing": 0.1}, (ONE_HOT, INSIDE)),
    "CategoricalHinge": ({}, (ONE_HOT, INSIDE)),
    "ConcordanceCorrelation": ({"axis": 1}, (NUMBERS, INSIDE)),
    "CosineSimilarity": ({"axis": 0}, (NUMBERS, INSIDE)),
    "F1Score": ({"average": "macro"}, (BINARY, INSIDE)),
    "FBetaScore": ({"average": "weighted", "beta": 0.5, "threshold": 0.4}, (BINARY, INSIDE)),
    "FalseNegatives": ({"thresholds": [0.2, 0.6]}, (BINARY, INSIDE)),
    "FalsePositives": ({"thresholds": 0.6}, (BINARY, INSIDE)),
    "Hinge": ({}, (BINARY, NUMBERS)),
    "IoU": ({"num_classes": 3, "target_class_ids": [0, 2], "ignore_class": 1}, (LABELS, LABELS[::-1])),
    "KLDivergence": ({}, (ONE_HOT, INSIDE)),
    "LogCoshError": ({}, (NUMBERS, INSIDE)),
    "Mean": ({}, (NUMBERS,)),
    "MeanAbsoluteError": ({}, (NUMBERS, INSIDE)),
    "MeanAbsolutePercentageError": ({}, (NUMBERS, INSIDE)),
    "MeanIoU": ({"num_classes": 3, "sparse_y_pred": False}, (LABELS, INSIDE)),
    "MeanMetricWrapper": ({"fn": losses.huber, "delta": 0.5}, (NUMBERS, INSIDE)),
    "MeanSquaredError": ({}, (NUMBERS, INSIDE)),
    "MeanSquaredLogarithmicError": ({}, (INSIDE, INSIDE + 1)),
    "OneHotIoU": ({"num_classes": 3, "target_class_ids": [1]}, (ONE_HOT, INSIDE)),
    "OneHotMeanIoU": ({"num_classes": 3, "axis": 1}, (ONE_HOT, INSIDE)),
    "PearsonCorrelation": ({"axis": 1}, (NUMBERS, INSIDE)),
    "Poisson": ({}, (BINARY, INSIDE)),
    "Precision": ({"top_k": 2, "class_id": 1}, (BINARY, INSIDE)),
    "PrecisionAtRecall": ({"recall": 0.4, "num_thresholds": 7}, (BINARY, INSIDE)),
    "R2Score": ({"class_aggregation": "variance_weighted_average"}, (NUMBERS, INSIDE)),
    "Recall": ({"thresholds": [0.3, 0.1]}, (BINARY, INSIDE)),
    "RecallAtPrecision": ({"precision": 0.3, "class_id": 1}, (BINARY, INSIDE)),
    "RootMeanSquaredError": ({}, (NUMBERS, INSIDE)),
    "SensitivityAtSpecificity": ({"specificity": 0.4, "num_thresholds": 7}, (BINARY, INSIDE)),
    "SparseCategoricalAccuracy": ({}, (LABELS, INSIDE)),
    "SparseCategoricalCrossentropy": ({"ignore_class": 1}, (LABELS, INSIDE)),
    "SparseTopKCategoricalAccuracy": ({"k": 2}, (LABELS, INSIDE)),
    "SpecificityAtSensitivity": ({"sensitivity": 0.4, "num_thresholds": 7}, (BINARY, INSIDE)),
    "SquaredHinge": ({}, (BINARY, NUMBERS)),
    "Sum": ({}, (NUMBERS,)),
    "TopKCategoricalAccuracy": ({"k": 2}, (ONE_HOT, INSIDE)),
    "TrueNegatives": ({"thresholds": 0.3}, (BINARY, INSIDE)),
    "TruePositives": ({"thresholds": 0.3}, (BINARY, INSIDE)),
}  # fmt: skip
# Their variables have the number of classes, which the first batch tells.
MADE_LATE = ("F1Score", "FBetaScore", "R2Score")
# Their names alone don't say what they measure.
NEED_ARGUMENTS = [
    "IoU",
    "MeanIoU",
    "MeanMetricWrapper",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]
pytestmark = pytest.mark.filterwarnings("ignore:.*the fractions of its weights are lost")
CLASSES = [n for n in metrics.__all__ if inspect.isclass(getattr(metrics, n)) and n != "Metric"]
every_metric = pytest.mark.parametrize("name", CLASSES)
# With axis=0 a batch is one vector.
by_samples = pytest.mark.parametrize("name", [n for n in CLASSES if n != "CosineSimilarity"])
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0], "float32")


def make(name: str, /, **more: Any) -> tuple[Any, tuple[Any, ...]]:
    assert name in ENTRIES, f"{name} has no entry in ENTRIES of {__file__}"
    arguments, batch = ENTRIES[name]
    metric = getattr(metrics, name)(**arguments, **more)
    if name in MADE_LATE:
        metric.update_state(*batch)
        metric.reset_state()
    return metric, batch


def weights_for(name: str) -> Any:
    return None if name == "CosineSimilarity" else WEIGHTS  # axis=0: values are not samples


@every_metric
@pytest.mark.parametrize("more", [{}, {"name": "mine", "dtype": "bfloat16"}])
def test_config_round_trip(name, more):
    metric, batch = make(name, **more)
    again = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
    assert again.dtype == metric.dtype
    assert_close(again(*batch), metric(*batch))


@every_metric
def test_compiled_is_eager(name):
    metric, batch = make(name)
    state = [v.value for v in metric.variables]
    weights = weights_for(name)

    @jax.jit
    def step(state: Any, *batch: Any) -> Any:
        run = pure(lambda *b: metric(*b, sample_weight=weights), metric.variables)
        result, state = run([unwrap(x) for x in state], *batch)
        return unwrap(result), state

    compiled, state = step(state, *batch)
    compiled, state = step(state, *batch)
    metric(*batch, sample_weight=weights)
    assert_close(compiled, metric(*batch, sample_weight=weights))
    assert_close(state, [v.numpy() for v in metric.variables])


@every_metric
def test_reset(name):
    metric, batch = make(name)
    fresh, first = metric.result(), metric(*batch)
    metric.reset_state()
    assert_close(metric.result(), fresh)
    assert all(not v.numpy().any() for v in metric.variables)
    assert_close(metric(*batch), first)


@by_samples
def test_halves_are_the_whole(name):
    metric, batch = make(name)
    whole = metric(*batch, sample_weight=WEIGHTS)
    metric.reset_state()
    for part in (slice(0, 1), slice(1, 4)):
        metric.update_state(*(x[part] for x in batch), sample_weight=WEIGHTS[part])
    assert_close(metric.result(), whole)


@by_samples
def test_weight_zero_leaves_out_even_nan(name):
    metric, batch = make(name)
    kept = metric(*(x[:2] for x in batch), sample_weight=WEIGHTS[:2])
    metric.reset_state()
    broken = np.array(batch[-1], "float32")
    broken[2] = np.nan
    batch = (*(x[:3] for x in batch[:-1]), broken[:3])
    assert_close(metric(*batch, sample_weight=WEIGHTS[:3]), kept)


@every_metric
def test_state(name):
    metric, batch = make(name, name="mine")
    assert metric.variables and all(v.path.startswith("mine/") for v in metric.variables)
    assert not any(v.trainable for v in metric.variables)
    before = [v.numpy() for v in metric.variables]
    state = metric.stateless_update_state(before, *batch)
    assert_close([v.numpy() for v in metric.variables], before)
    assert_close(metric.stateless_result(state), metric(*batch))
    assert metric.result().dtype == "float32"


@every_metric
def test_copies_are_apart(name):
    metric, batch = make(name)
    twin = copy.deepcopy(metric)
    metric.update_state(*batch)
    assert all(not v.numpy().any() for v in twin.variables)


@every_metric
def test_repr_tells_what_differs(name):
    metric, _ = make(name)
    text = repr(metric)
    assert text.startswith(f"<{name} name=") and len(text) < 150
    assert all(f"{key}=" in text for key in ENTRIES[name][0] if key != "fn")


def test_a_wrapper_is_not_found_by_name_alone():
    with pytest.raises(TypeError, match="fn"):
        metrics.get("MeanMetricWrapper")


@pytest.mark.parametrize("name", [n for n in CLASSES if n not in NEED_ARGUMENTS])
def test_names(name):
    kind = getattr(metrics, name)
    assert type(metrics.get(name)) is kind
    assert type(metrics.get({"class_name": name, "config": {}})) is kind
    assert metrics.get(name) is not metrics.get(name)


@pytest.mark.parametrize("name", [n for n in CLASSES if n not in ("Mean", "Sum")])
def test_shapes_that_do_not_fit(name):
    metric, (y, p) = make(name)
    with pytest.raises(ValueError, match=r"y_true\.shape=.*y_pred\.shape="):
        metric.update_state(np.concatenate([y, y]), p)
