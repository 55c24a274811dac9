"""State: where a metric's variables are found, how they are named, and what reset does."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.scope import autocast
from hornbeam.core.tensor import Tensor
from hornbeam.keras import losses, metrics, ops
from tests.tolerances import assert_close


class Own(metrics.Metric):
    def __init__(self, name="own", **base):
        super().__init__(name=name, **base)
        self.a = self.add_variable((), "zeros", name="a")
        self.b = self.add_weight(shape=(2,), initializer="ones", name="b", dtype="int32")
        self.inner = metrics.Mean(name="inner")
        self.several = [metrics.Sum()]

    def update_state(self, x, sample_weight=None):
        self.a.assign_add(ops.sum(x))
        self.inner.update_state(x, sample_weight)

    def result(self):
        return {"a": self.a.value, "inner": self.inner.result()}


def test_variables_of_metrics_in_attributes_are_found():
    metric = Own()
    paths = [v.path for v in metric.variables]
    assert paths == ["own/a", "own/b", "inner/total", "inner/count", "sum/total"]
    assert_close(metric([1.0, 3.0]), {"a": 4.0, "inner": 2.0})
    metric.reset_state()
    assert all(not v.numpy().any() for v in metric.variables)  # also `b`, which began with ones
    assert metric.get_config() == {"name": "own", "dtype": "float32"}
    assert repr(metric) == "<Own name=own>"


def test_stateless_methods_inside_of_jit():
    metric = Own()
    state = [v.value for v in metric.variables]
    state = jax.jit(lambda s, x: metric.stateless_update_state(s, x))(state, jnp.arange(4.0))
    assert_close(jax.jit(metric.stateless_result)(state), {"a": 6.0, "inner": 1.5})
    assert_close(metric.a.numpy(), 0.0)
    with pytest.raises(ValueError, match=r"has 5 variables .*received 2 values"):
        metric.stateless_update_state(state[:2], [1.0])


def test_update_inside_of_a_plain_jit_is_refused():
    metric = metrics.Mean()
    with pytest.raises(RuntimeError, match="mean/total"):
        jax.jit(metric.update_state)(jnp.ones(3))


def test_abstract_methods_say_what_to_write():
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state(1)
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric().result()


def test_names_are_numbered():
    keras.utils.clear_session()
    assert [metrics.AUC().name for _ in range(2)] == ["auc", "auc_1"]
    assert [metrics.Mean().name for _ in range(2)] == ["mean", "mean"]


def test_counting_is_not_narrowed_by_mixed_precision():
    metric = metrics.Sum()
    with autocast("bfloat16"):
        for _ in range(3):
            metric.update_state([256.0, 1.0])
        assert_close(metric.result(), 771.0)


def test_mean_over_batches_of_different_sizes():
    metric = metrics.Mean()
    metric.update_state([1.0, 2.0, 3.0])
    metric.update_state(6.0)
    assert_close(metric.result(), 3.0)
    assert_close(metrics.Mean().result(), 0.0)


def masked(values: np.ndarray, mask: np.ndarray) -> Tensor:
    tensor = Tensor(jnp.asarray(values))
    tensor._keras_mask = Tensor(jnp.asarray(mask))
    return tensor


@pytest.mark.parametrize(
    "weights", [None, np.random.default_rng(3).uniform(0, 2, (5, 4)).astype("float32")]
)
def test_masks_leave_values_out(weights):
    draw = np.random.default_rng(0)
    mask = draw.random((5, 4)) > 0.4
    w = mask * (1 if weights is None else weights)
    y, p = draw.normal(size=(2, 5, 4)).astype("float32")
    assert_close(metrics.Mean()(masked(p, mask), weights), (p * w).sum() / w.sum())
    assert_close(metrics.Sum()(masked(p, mask), weights), (p * w).sum())
    rmse = metrics.RootMeanSquaredError()(y, masked(p, mask), weights)
    assert_close(rmse, np.sqrt(((y - p) ** 2 * w).sum() / w.sum()))
    mse = metrics.MeanSquaredError()(y[..., None], masked(p[..., None], mask), weights)
    assert_close(mse, ((y - p) ** 2 * w).sum() / w.sum())
    truth = (y > 0).astype("int32")
    for name, of in (("TruePositives", truth == 1), ("FalsePositives", truth == 0)):
        assert_close(
            getattr(metrics, name)()(truth, masked(p, mask), weights), (w * of * (p > 0.5)).sum()
        )


def test_ignored_class_is_not_counted():
    p = np.random.default_rng(0).dirichlet(np.ones(3), 4).astype("float32")
    labels = np.array([0, 255, 2, 255])
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=255)
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    assert_close(metric(labels, p), loss(labels, p))


def test_a_function_is_averaged():
    metric = metrics.MeanMetricWrapper(lambda y, p: ops.mean(abs(y - p), axis=-1), name="mine")
    assert_close(metric([[0.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [3.0, 1.0]), 0.375)
    wrapper = metrics.MeanMetricWrapper(losses.mean_squared_error, name="z")
    again = metrics.deserialize(metrics.serialize(wrapper))
    assert again.fn is losses.mean_squared_error


def test_unknown_names_propose_near_ones():
    with pytest.raises(ValueError, match=r"Unknown metric: 'acuracy'\. Did you mean 'accuracy'"):
        metrics.get("acuracy")
