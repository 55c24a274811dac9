"""Reductions, weights, masks and structures, against sums written out in NumPy."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.tensor import Tensor
from hornbeam.keras import losses
from tests.tolerances import assert_close

draw = np.random.default_rng(0)
Y, P = (draw.normal(size=(5, 3, 2)).astype("float32") for _ in range(2))
VALUES = ((Y - P) ** 2).mean(-1)  # b t
MASK = draw.random((5, 3)) > 0.4
WEIGHTS = draw.uniform(0, 2, (5, 3)).astype("float32")


def masked(p: np.ndarray, mask: np.ndarray) -> Tensor:
    tensor = Tensor(jnp.asarray(p))
    tensor._keras_mask = Tensor(jnp.asarray(mask))
    return tensor


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum_over_batch_size", (VALUES * WEIGHTS * MASK).sum() / MASK.sum()),
        ("mean", (VALUES * WEIGHTS * MASK).sum() / MASK.sum()),
        ("sum", (VALUES * WEIGHTS * MASK).sum()),
        ("mean_with_sample_weight", (VALUES * WEIGHTS * MASK).sum() / (WEIGHTS * MASK).sum()),
        ("none", VALUES * WEIGHTS * MASK),
    ],
)
def test_weights_and_mask(reduction, expected):
    loss = losses.MeanSquaredError(reduction=reduction)
    assert_close(loss(Y, masked(P, MASK), WEIGHTS), expected)


def test_weights_of_samples_weigh_samples_even_where_steps_are_as_many():
    y, p, weights = Y[:3], P[:3], WEIGHTS[:3, 0]
    loss = losses.MeanSquaredError(reduction=None)
    assert_close(loss(y, p, weights), VALUES[:3] * weights[:, None])
    assert_close(loss(y, p, weights.tolist()), VALUES[:3] * weights[:, None])


@pytest.mark.parametrize("shape", [(4,), (5, 2), (5, 3, 2), (3,)])
def test_weights_of_a_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"`sample_weight` must have the shape .* \(5, 3\)"):
        losses.MeanSquaredError()(Y, P, np.ones(shape))


def test_mask_of_a_wrong_shape():
    with pytest.raises(ValueError, match="`mask` must have the shape"):
        losses.MeanSquaredError()(Y, masked(P, np.ones((5, 4), bool)))


def test_weight_zero_leaves_out_what_is_not_a_number():
    p = P.copy()
    p[0] = np.nan
    weights = np.ones(5)
    weights[0] = 0
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert_close(loss(Y, p, weights), VALUES[1:].sum() / weights.sum())
    assert np.isnan(loss(Y, p))


def test_structures_are_handed_to_call():
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return abs(y_true["a"] - y_pred["a"]) + abs(y_true["b"][0] - y_pred["b"][0])

    y, p = {"a": [1, 2], "b": [np.array([0, 0])]}, {"a": np.array([2.0, 2.0]), "b": [[1, 3]]}
    assert_close(Both()(y, p), 2.5)
    assert_close(Both(reduction=None)(y, p, sample_weight=[1.0, 0.0]), [2.0, 0.0])


def test_integers_become_floats_of_the_loss():
    class Types(losses.Loss):
        def call(self, y_true, y_pred):
            seen.extend([y_true.dtype, y_pred.dtype])
            return y_true - y_pred

    seen: list[str] = []
    assert Types(dtype="float16")(np.array([1, 2]), [3, 4]).dtype == "float16"
    assert seen == ["float16", "float16"]


def test_own_loss_keeps_its_arguments():
    class Scaled(losses.Loss):
        def __init__(self, scale, **base):
            super().__init__(**base)
            self.scale = scale

        def call(self, y_true, y_pred):
            return self.scale * abs(y_true - y_pred)

    loss = Scaled(3.0, reduction="sum", name="mine")
    assert loss.get_config() == {"scale": 3.0, "reduction": "sum", "name": "mine"}
    assert_close(Scaled.from_config(loss.get_config())([1.0], [2.0]), 3.0)
    with pytest.raises(NotImplementedError, match=r"call\(self, y_true, y_pred\)"):
        losses.Loss()([1.0], [1.0])


def test_a_plain_function_is_aligned_and_averaged():
    loss = losses.as_loss(lambda y, p: abs(y - p))
    assert_close(loss(np.zeros(4), np.ones((4, 1))), 1.0)  # not (4, 4)
    assert isinstance(losses.as_loss("huber"), losses.Huber)
    assert losses.as_loss(None) is None
    wrapped = losses.LossFunctionWrapper(losses.huber, delta=2.0)
    again = losses.LossFunctionWrapper.from_config(wrapped.get_config())
    assert again.fn is losses.huber
    assert_close(again([[0.0]], [[1.5]]), 1.125)


def test_unknown_names_propose_near_ones():
    with pytest.raises(
        ValueError, match=r"Unknown loss: 'mean_square_error'\. Did you mean 'mean_squared_error'"
    ):
        losses.get("mean_square_error")
    with pytest.raises(ValueError, match="Could not interpret 3 as a loss"):
        losses.get(3)
    assert losses.get(None) is None


def test_many_values_do_not_overflow_half_precision():
    y = np.zeros((70000, 1), "float32")
    assert_close(losses.MeanSquaredError(dtype="float16")(y, y + 2), 4.0, "float16")
    assert_close(losses.MeanSquaredError(dtype="bfloat16")(y, y + 2), 4.0, "bfloat16")
