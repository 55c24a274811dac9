"""Clipping, on raw arrays."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from hornbeam.keras.optimizers.gradients import clip_by_global_norm, clip_by_norm, clip_by_value
from tests.tolerances import assert_close


def test_a_long_gradient_is_shortened_and_a_short_one_kept():
    assert_close(clip_by_norm(jnp.array([3.0, 4.0]), 1.0), np.float32([0.6, 0.8]))
    np.testing.assert_array_equal(clip_by_norm(jnp.array([0.3, 0.4]), 1.0), np.float32([0.3, 0.4]))
    np.testing.assert_array_equal(clip_by_norm(jnp.zeros(2), 1.0), np.zeros(2))


def test_the_global_norm_is_that_of_all_elements():
    clipped = clip_by_global_norm([jnp.array([3.0]), jnp.array([[4.0]])], 1.0)
    assert_close(clipped, [np.float32([0.6]), np.float32([[0.8]])])
    spoilt = clip_by_global_norm([jnp.array([jnp.inf]), jnp.array([4.0])], 1.0)
    np.testing.assert_array_equal(spoilt[1], [np.nan])  # and not 0, which hides the infinity


def test_values():
    assert_close(clip_by_value(jnp.array([-3.0, 0.5]), 1.0), np.float32([-1, 0.5]))


def test_squares_of_half_precision_do_not_overflow():
    gradient = jnp.full(4, 1000.0, "float16")
    assert_close(clip_by_norm(gradient, 2.0), np.ones(4, "float16"), "float16")


def test_nan_is_not_hidden():
    assert np.isnan(np.asarray(clip_by_norm(jnp.array([np.nan, 1.0]), 1.0))).all()
