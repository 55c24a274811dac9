"""Penalties against their formulas, and the errors of bad arguments."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from hornbeam.keras import regularizers
from tests.tolerances import assert_close

X = np.float32([[1, -2, 0], [0.5, 4, -1]])


def cosines(rows: np.ndarray) -> float:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = [abs(unit[i] @ unit[j]) for i in range(len(unit)) for j in range(i)]
    return float(np.mean(pairs))


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.L1(0.5), 0.5 * abs(X).sum()),
        (regularizers.L2(0.5), 0.5 * (X**2).sum()),
        (regularizers.L1L2(0.1, 0.2), 0.1 * abs(X).sum() + 0.2 * (X**2).sum()),
        (regularizers.L1L2(), 0.0),
        (regularizers.OrthogonalRegularizer(0.5), 0.5 * cosines(X)),
        (regularizers.OrthogonalRegularizer(0.5, "columns"), 0.5 * cosines(X.T)),
        (regularizers.Regularizer(), 0.0),
    ],
)
def test_value(regularizer, expected: float):
    assert_close(np.float32(regularizer(X)), np.float32(expected))


def test_gradient_at_zero_rows_is_finite():
    def penalty(x):
        return regularizers.OrthogonalRegularizer()(x).__jax_array__()

    assert np.isfinite(jax.grad(penalty)(np.zeros((3, 3), "float32"))).all()


def test_names():
    for name, cls in {"l1": "L1", "l2": "L2", "l1_l2": "L1L2", "L1L2": "L1L2"}.items():
        assert type(regularizers.get(name)).__name__ == cls
    assert regularizers.get(None) is None
    assert regularizers.get(cosines) is cosines
    assert regularizers.L1(None).l1 == 0.01


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "0.1", True])
def test_factors_are_finite_numbers(value):
    with pytest.raises(ValueError, match=r"`l2` must be a (finite )?number >= 0"):
        regularizers.L2(value)


def test_orthogonal_refuses_other_modes_and_ranks():
    with pytest.raises(ValueError, match="Unknown mode of OrthogonalRegularizer: 'diagonal'"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ValueError, match=r"takes a matrix.*\(2, 2, 2\)"):
        regularizers.OrthogonalRegularizer()(np.ones((2, 2, 2)))


def test_unknown_name():
    with pytest.raises(ValueError, match=r"Unknown regularizer: 'l3'\. Known names: L1"):
        regularizers.get("l3")
