"""Native kernels beside other libraries that carry their own oneDNN, whichever is loaded first."""

import importlib.util
import subprocess
import sys

import pytest

OURS = """
import jax, numpy as np
from hornbeam.kernels import dense
x, k = (np.random.default_rng(i).normal(size=(64, 256)).astype("float32") for i in (0, 1))
np.testing.assert_allclose(jax.jit(dense.affine)(x, k.T), x @ k.T, rtol=1e-4, atol=1e-4)
"""
PEERS = {
    "torch": """
import torch
torch.nn.Conv2d(8, 8, 3)(torch.rand(4, 8, 16, 16)).sum().backward()
""",
    "tensorflow": """
import tensorflow as tf
assert float(tf.reduce_sum(tf.nn.conv2d(tf.ones((2, 8, 8, 3)), tf.ones((3, 3, 3, 4)), 1, "SAME")))
""",
}


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("ours_first", [True, False])
def test_a_peer_in_the_same_process(peer, ours_first):
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    parts = [OURS, PEERS[peer]] if ours_first else [PEERS[peer], OURS]
    code = "\n".join(parts + parts)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
