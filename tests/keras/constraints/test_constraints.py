"""Constraints: allowed values stay, others move to the nearest allowed ones."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam.keras import constraints
from tests.tolerances import assert_close

W = np.float32([[3, 0.3, 0], [4, -0.4, 0]])  # norms along axis 0: 5, 0.5, 0


@pytest.mark.parametrize(
    ("constraint", "norms"),
    [
        (constraints.MaxNorm(2), [2, 0.5, 0]),
        (constraints.UnitNorm(), [1, 1, 0]),
        (constraints.MinMaxNorm(1, 2), [2, 1, 0]),
        (constraints.MinMaxNorm(1, 2, rate=0.5), [3.5, 0.75, 0]),
        (constraints.Constraint(), [5, 0.5, 0]),
    ],
)
def test_norms(constraint, norms):
    moved = np.asarray(constraint(W))
    assert_close(np.linalg.norm(moved, axis=0), np.float32(norms))
    assert (np.sign(moved) == np.sign(W)).all()


def test_axes():
    kernel = np.ones((2, 3, 4, 5), "float32")
    moved = np.asarray(constraints.MaxNorm(1, axis=[0, 1, 2])(kernel))
    assert_close((moved**2).sum((0, 1, 2)), np.ones(5, "float32"))


def test_non_negative():
    assert_close(constraints.NonNeg()(W), np.maximum(W, 0))


def test_names():
    for name in ("max_norm", "non_neg", "unit_norm", "min_max_norm"):
        assert type(constraints.get(name)) is getattr(constraints, name)
    assert constraints.get(None) is None
    assert constraints.get(abs) is abs
    with pytest.raises(
        ValueError, match=r"Unknown constraint: 'max_nrom'\. Did you mean 'max_norm'"
    ):
        constraints.get("max_nrom")
