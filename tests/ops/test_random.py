"""Draws: repeatable by seed, of the promised distribution, shape and type."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from hornbeam import ops
from hornbeam.core.rng import SeedGenerator, set_random_seed
from hornbeam.ops import random
from tests.tolerances import assert_close

N = 20_000
# Call, mean and deviation that it must have, least and largest value.
DRAWS: list[tuple[str, dict[str, Any], float, float, float, float]] = [
    ("normal", {"mean": 2.0, "stddev": 0.5}, 2, 0.5, -np.inf, np.inf),
    ("truncated_normal", {"mean": 1.0, "stddev": 2.0}, 1, 2 * 0.8796, -3, 5),
    ("uniform", {"minval": -1.0, "maxval": 3.0}, 1, 4 / 12**0.5, -1, 3),
    ("randint", {"minval": 2, "maxval": 5}, 3, (2 / 3) ** 0.5, 2, 4),
    ("gamma", {"alpha": 4.0}, 4, 2, 0, np.inf),
    ("beta", {"alpha": 2.0, "beta": 2.0}, 0.5, 0.05**0.5, 0, 1),
    ("binomial", {"counts": 10.0, "probabilities": 0.3}, 3, 2.1**0.5, 0, 10),
]


@pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: draw[0])
def test_distribution_and_seed(draw: Any) -> None:
    name, kwargs, mean, deviation, low, high = draw
    fn: Callable[..., Any] = getattr(random, name)
    x = fn((N,), seed=3, **kwargs).numpy().astype("float64")
    # Five standard errors: a wrong parameter fails, chance does not.
    assert abs(x.mean() - mean) < 5 * deviation / N**0.5
    assert abs(x.std() - deviation) < 0.05 * deviation
    assert x.min() >= low and x.max() <= high
    assert_close(fn((N,), seed=3, **kwargs), x)
    assert not np.array_equal(fn((N,), seed=4, **kwargs), x)


def test_types() -> None:
    for dtype in ("bfloat16", "float32", "float64"):
        for name, kwargs, *_ in [draw for draw in DRAWS if draw[0] != "randint"]:
            fn = partial(getattr(random, name), (2, 3), seed=1, dtype=dtype, **kwargs)
            assert jax.eval_shape(fn).dtype == dtype
    assert random.randint((2,), 0, 5, seed=1).dtype == "int32"
    assert random.uniform((2,), 0, 5, dtype="int32", seed=1).dtype == "int32"
    with pytest.raises(ValueError, match="returns integers"):
        random.randint((2,), 0, 5, dtype="float32")


def test_generators_go_on_and_none_is_the_global_one() -> None:
    seeds = SeedGenerator(5)
    first, second = (random.normal((4,), seed=seeds).numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    again = SeedGenerator(5)
    assert_close([random.normal((4,), seed=again) for _ in range(2)], [first, second])
    set_random_seed(1)
    a, b = random.normal((4,)).numpy(), random.normal((4,)).numpy()
    assert not np.array_equal(a, b)
    set_random_seed(1)
    assert_close(random.normal((4,)), a)


def test_dropout() -> None:
    x = ops.ones((100, 50))
    y = random.dropout(x, 0.3, seed=1).numpy()
    assert_close(np.unique(y), np.array([0, 1 / 0.7], "float32"))
    assert abs((y == 0).mean() - 0.3) < 0.03
    shared = random.dropout(x, 0.5, noise_shape=(None, 1), seed=1).numpy()
    assert (shared == shared[:, :1]).all() and 0 < shared.mean() < 2
    assert_close(random.dropout(x, 0.0), x.numpy())
    assert not random.dropout(x, 1.0).numpy().any()
    with pytest.raises(ValueError, match="probability from 0 to 1"):
        random.dropout(x, 1.5)


def test_categorical_and_shuffle() -> None:
    logits = np.log([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]).astype("float32")
    classes = random.categorical(logits, 5000, seed=1).numpy()
    assert classes.shape == (2, 5000) and classes.dtype == "int32"
    assert abs((classes[0] == 0).mean() - 0.7) < 0.04 and abs((classes[1] == 2).mean() - 0.8) < 0.04
    mixed = random.shuffle(ops.arange(50), seed=1).numpy()
    assert sorted(mixed.tolist()) == list(range(50)) != mixed.tolist()
    columns = random.shuffle(ops.reshape(ops.arange(40), (2, 20)), axis=1, seed=1).numpy()
    assert (columns[1] - columns[0] == 20).all()
