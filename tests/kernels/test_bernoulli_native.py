"""Native draws against JAX's own: the same bits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.kernels import bernoulli, native
from tests.marks import native_only


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule of what pays is left out, so that all sizes are drawn natively."""
    monkeypatch.setattr(bernoulli, "pays", lambda elements: True)


@pytest.mark.parametrize("probability", [0.0, 1e-6, 0.1, 0.5, 0.8, 0.9999999, 1.0])
def test_the_draws_of_jax(probability: Any) -> None:
    for shape in [(), (0,), (5,), (16,), (33, 7), (3, 100, 1001)]:
        key = jax.random.key(sum(shape) + 2**31)
        assert not native.available() or bernoulli.BERNOULLI.is_native(key, probability, shape)
        drawn = bernoulli.bernoulli(key, probability, shape)
        assert drawn.dtype == bool and drawn.shape == shape
        np.testing.assert_array_equal(drawn, jax.random.bernoulli(key, probability, shape))


def test_keys_of_another_kind() -> None:
    key = jax.random.key(3, impl="rbg")
    expected = jax.random.bernoulli(key, 0.3, (40,))
    np.testing.assert_array_equal(bernoulli.bernoulli(key, 0.3, (40,)), expected)


def test_vmap_and_scan() -> None:
    keys = jax.random.split(jax.random.key(1), 4)
    expected = np.stack([jax.random.bernoulli(key, 0.4, (9, 5)) for key in keys])
    draw = lambda key: bernoulli.bernoulli(key, 0.4, (9, 5))  # noqa: E731
    np.testing.assert_array_equal(jax.jit(jax.vmap(draw))(keys), expected)
    scanned = jax.jit(lambda keys: jax.lax.scan(lambda c, key: (c, draw(key)), 0, keys)[1])
    np.testing.assert_array_equal(scanned(keys), expected)


def test_from_many_threads() -> None:
    key = jax.random.key(9)
    expected = np.asarray(jax.random.bernoulli(key, 0.7, (1000, 300)))
    draw = jax.jit(lambda key: bernoulli.bernoulli(key, 0.7, (1000, 300)))
    with ThreadPoolExecutor(6) as threads:
        for job in [threads.submit(draw, key) for _ in range(24)]:
            np.testing.assert_array_equal(job.result(), expected)


def test_dropout_and_its_gradient() -> None:
    x = jnp.arange(1.0, 2001.0)

    def dropped(x: Any, scale: Any) -> Any:
        return scale * keras.random.dropout(x, 0.25, seed=3)._value

    actual = jax.jit(jax.value_and_grad(lambda *a: jnp.sum(dropped(*a)), (0, 1)))(x, 2.0)
    with native.switched_off():
        expected = jax.jit(jax.value_and_grad(lambda *a: jnp.sum(dropped(*a)), (0, 1)))(x, 2.0)
    jax.tree.map(np.testing.assert_array_equal, actual, expected)
    tangent = jax.jvp(lambda x: dropped(x, 1.0), (x,), (x,))  # forward mode passes a mask
    np.testing.assert_array_equal(*tangent)


@native_only
def test_wrong_key() -> None:
    result = jax.ShapeDtypeStruct((4,), "bool")
    with pytest.raises(Exception, match=r"bernoulli: expected a key \(2,\)"):
        native.call("bernoulli", result, jnp.ones(3, "uint32"), limit=5)
