"""What every exported loss keeps: a class without an entry here fails."""

from __future__ import annotations

import inspect
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.keras import losses
from tests.tolerances import assert_close

draw = np.random.default_rng(0)
NUMBERS = draw.normal(size=(4, 3)).astype("float32")
INSIDE = draw.uniform(0.1, 0.9, (4, 3)).astype("float32")
BINARY = draw.integers(0, 2, (4, 3))
ONE_HOT = np.eye(3, dtype="float32")[[0, 2, 1, 1]]

# Arguments other than the defaults, truth, predictions.
ENTRIES: dict[str, tuple[dict[str, Any], Any, np.ndarray]] = {
    "BinaryCrossentropy": ({"from_logits": True, "label_smoothing": 0.1}, BINARY, NUMBERS),
    "BinaryFocalCrossentropy": ({"gamma": 1.5, "alpha": 0.3}, BINARY, INSIDE),
    "CategoricalCrossentropy": ({"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, NUMBERS),
    "CategoricalFocalCrossentropy": ({"gamma": 1.5, "alpha": 0.3}, ONE_HOT, INSIDE),
    "CategoricalHinge": ({}, ONE_HOT, NUMBERS),
    "CategoricalGeneralizedCrossEntropy": ({"q": 0.7}, np.array([0, 2, 1, 1]), INSIDE),
    "CTC": (
        {},
        np.array([[1, 2], [2, 2], [1, 0], [2, 1]]),
        draw.normal(size=(4, 5, 3)).astype("float32"),
    ),
    "Circle": ({"gamma": 2.0, "margin": 0.3}, np.array([0, 2, 1, 1]), INSIDE),
    "CosineSimilarity": ({"axis": 0}, NUMBERS, INSIDE),
    "Dice": ({"axis": 1}, BINARY, INSIDE),
    "Hinge": ({}, 2 * BINARY - 1, NUMBERS),
    "Huber": ({"delta": 0.5}, NUMBERS, INSIDE),
    "KLDivergence": ({}, ONE_HOT, INSIDE),
    "LogCosh": ({}, NUMBERS, INSIDE),
    "MeanAbsoluteError": ({}, NUMBERS, INSIDE),
    "MeanAbsolutePercentageError": ({}, NUMBERS, INSIDE),
    "MeanSquaredError": ({}, NUMBERS, INSIDE),
    "MeanSquaredLogarithmicError": ({}, INSIDE, INSIDE + 1),
    "Poisson": ({}, BINARY, INSIDE),
    "SparseCategoricalCrossentropy": ({"ignore_class": 1}, np.array([0, 2, 1, 1]), INSIDE),
    "SquaredHinge": ({}, 2 * BINARY - 1, NUMBERS),
    "Tversky": ({"alpha": 0.3, "beta": 0.9}, BINARY, INSIDE),
}
# The truth of these is no prediction.
OTHER_TRUTH = [
    "CategoricalGeneralizedCrossEntropy",
    "CTC",
    "Circle",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
]
CLASSES = [
    n
    for n in losses.__all__
    if inspect.isclass(getattr(losses, n)) and n not in ("Loss", "Reduction")
]
every_loss = pytest.mark.parametrize("name", CLASSES)


def make(name: str, /, **more: Any) -> tuple[Any, Any, np.ndarray]:
    assert name in ENTRIES, f"{name} has no entry in ENTRIES of {__file__}"
    arguments, y, p = ENTRIES[name]
    return getattr(losses, name)(**arguments, **more), y, p


@every_loss
@pytest.mark.parametrize("more", [{}, {"reduction": "sum", "name": "mine"}, {"dtype": "bfloat16"}])
def test_config_round_trip(name, more):
    loss, y, p = make(name, **more)
    config = json.loads(json.dumps(losses.serialize(loss)))
    again = losses.deserialize(config)
    assert type(again) is type(loss) and again.get_config() == loss.get_config()
    assert again.dtype == loss.dtype
    assert_close(again(y, p), loss(y, p))


@every_loss
def test_jit_is_eager(name):
    loss, y, p = make(name)
    weights = np.arange(4.0, dtype="float32")
    jitted = jax.jit(lambda *args: unwrap(loss(*args)))
    weights = None if loss(y, p).ndim else weights
    if np.shape(type(loss)(**ENTRIES[name][0], reduction=None)(y, p)) != (4,):
        weights = None
    eager = loss(y, p, weights)
    assert eager.shape == () and eager.dtype == "float32"
    assert_close(jitted(y, p, weights), eager)


@every_loss
@pytest.mark.parametrize("at", ["inside", "zero", "truth"])
def test_gradient_is_finite(name, at):
    loss, y, p = make(name)
    if at == "zero":
        p = np.zeros_like(p)
        if "Categorical" in name and not getattr(loss, "from_logits", True):
            pytest.skip("probabilities that add up to 0 are no distribution")
    elif at == "truth" and np.shape(y) == p.shape:
        p = np.asarray(y, "float32")
    value, gradient = jax.value_and_grad(lambda q: unwrap(loss(y, Tensor(q))))(jnp.asarray(p))
    assert np.isfinite(value) and np.isfinite(gradient).all()


@every_loss
def test_lists_and_tensors_are_arrays(name):
    loss, y, p = make(name)
    assert_close(loss(y.tolist(), p.tolist()), loss(Tensor(jnp.asarray(y)), Tensor(jnp.asarray(p))))


@every_loss
def test_more_is_worse(name):
    """The truth itself is never worse than a guess."""
    loss, y, p = make(name)
    if name in OTHER_TRUTH or getattr(loss, "from_logits", False):
        pytest.skip("the truth is no prediction of this loss")
    assert float(loss(y, np.asarray(y, "float32"))) <= float(loss(y, p))


@every_loss
def test_repr_tells_what_differs(name):
    loss, _, _ = make(name)
    text = repr(loss)
    assert text.startswith(f"<{name} name=") and len(text) < 120
    assert all(f"{key}=" in text for key in ENTRIES[name][0])


@every_loss
@pytest.mark.parametrize("reduction", ["auto", "average", 0])
def test_unknown_reduction(name, reduction):
    with pytest.raises(ValueError, match=r"Unknown reduction.*sum_over_batch_size"):
        getattr(losses, name)(reduction=reduction)


@every_loss
def test_names(name):
    assert type(losses.get(name)) is getattr(losses, name)
    assert type(losses.get({"class_name": name, "config": {}})) is getattr(losses, name)
    assert type(losses.get(getattr(losses, name))) is getattr(losses, name)


@every_loss
def test_shapes_that_do_not_fit(name):
    loss, y, p = make(name)
    with pytest.raises(ValueError, match=r"y_true\.shape=.*y_pred\.shape="):
        loss(np.concatenate([y, y]), p)
