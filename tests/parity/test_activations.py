"""Activations against Keras's: names, signatures, values and gradients."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import keras
import numpy as np
import pytest

from hornbeam.core.tensor import unwrap
from hornbeam.keras import activations as ours
from tests.tolerances import assert_close

theirs = keras.activations

CASES: list[tuple[str, dict[str, Any]]] = [
    *(
        (name, {})
        for name in sorted(
            set(ours.__all__) - {"get", "serialize", "deserialize", "threshold", "sparsemax"}
        )
    ),
    ("celu", {"alpha": 0.5}),
    ("elu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("glu", {"axis": 0}),
    ("hard_shrink", {"threshold": 1.0}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("log_softmax", {"axis": 0}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 2.0}),
    ("relu", {"threshold": 0.7}),
    ("relu", {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.7}),
    ("soft_shrink", {"threshold": 1.0}),
    ("softmax", {"axis": 0}),
    ("softmax", {"axis": (0, 1)}),
    ("squareplus", {"b": 1}),
    ("threshold", {"threshold": 0.5, "default_value": 9.0}),
]
cases = pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)


def x() -> np.ndarray:
    """Values on all pieces of the functions, none on a kink."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(2, 8)), rng.uniform(-8, 8, (2, 8))]).astype("float32")


@cases
def test_values_and_gradients(name: str, kwargs: dict[str, Any]):
    def value_and_gradient(module: Any) -> Any:
        def weighted(x: Any) -> Any:
            y = unwrap(getattr(module, name)(x, **kwargs))
            return (y * np.arange(y.size).reshape(y.shape)).sum(), y

        (_, y), gradient = jax.jit(jax.value_and_grad(weighted, has_aux=True))(x())
        return y, gradient

    assert_close(value_and_gradient(ours), value_and_gradient(theirs))


@cases
def test_bfloat16_stays(name: str, kwargs: dict[str, Any]):
    value = jax.numpy.asarray(x(), "bfloat16")
    mine, peer = (
        unwrap(getattr(ours, name)(value, **kwargs)),
        getattr(theirs, name)(value, **kwargs),
    )
    assert mine.dtype == peer.dtype == "bfloat16"
    assert_close(mine, peer, "bfloat16")


def test_sparsemax_is_the_projection_on_the_simplex():
    # Keras 3.15's result does not sum to 1, so the formula is the peer: max(x - tau, 0) with sum 1.
    y = ours.sparsemax(x()).numpy()
    assert_close(y.sum(-1), np.ones(4, "float32"))
    tau = (x() - y).max(-1, keepdims=True, where=y > 0, initial=-np.inf)
    assert_close(y, np.maximum(x() - tau, 0))


def test_names_and_signatures():
    assert set(ours.__all__) == {name for name in dir(theirs) if not name.startswith("_")}
    for name in ours.__all__:
        mine, peer = (
            [
                (each.name, each.default)
                for each in inspect.signature(getattr(module, name)).parameters.values()
            ]
            for module in (ours, theirs)
        )
        assert mine == peer, name
        assert getattr(ours, name).__name__ == getattr(theirs, name).__name__


@pytest.mark.parametrize(
    "name", ["relu", "swish", "hard_swish", "softmax", "linear", "exponential"]
)
def test_written_names(name: str):
    assert ours.serialize(ours.get(name)) == theirs.serialize(theirs.get(name))
