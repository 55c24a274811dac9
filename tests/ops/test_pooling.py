"""Adaptive pooling into many windows."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from hornbeam.ops import pooling
from tests.tolerances import assert_close


@pytest.mark.parametrize("name", ["adaptive_average_pool", "adaptive_max_pool"])
@pytest.mark.parametrize("count", [3, 13])
def test_windows_that_are_gathered_are_those_that_are_cut_out(name, count, monkeypatch):
    x = np.random.default_rng(0).normal(size=(2, 8, 3, 3)).astype("float32")
    pool = getattr(pooling, name)
    cut = pool(x, (count, 2)).numpy()
    monkeypatch.setattr(pooling, "_MOST_SLICES", 0)
    assert_close(pool(x, (count, 2)), cut)


def test_any_number_of_windows_is_traced_at_once():
    """A file may ask for that many."""
    x = jax.ShapeDtypeStruct((2, 6, 4), "float32")
    found = jax.eval_shape(lambda x: pooling.adaptive_average_pool(x, 1 << 27), x)
    assert found.shape == (2, 1 << 27, 4)
    with pytest.raises(ValueError, match="`output_size` asks for 1073741824 windows"):
        pooling.adaptive_max_pool(np.ones((2, 6, 4), "float32"), 1 << 30)
