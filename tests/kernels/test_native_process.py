"""Native kernels in a process: beside other libraries that carry their own oneDNN, and where they are not there."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hornbeam.kernels import native

# Where the peers are installed, if not in this environment; see `make test-peers`.
PEERS_PATH = os.environ.get("HORNBEAM_PEERS_PATH", "")

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
    if importlib.util.find_spec(peer) is None and not Path(PEERS_PATH, peer).is_dir():
        pytest.skip(f"{peer} is not installed; `make test-peers` brings it")
    parts = [OURS, PEERS[peer]] if ours_first else [PEERS[peer], OURS]
    path = [f"import sys; sys.path.append({PEERS_PATH!r})"] if PEERS_PATH else []
    run("\n".join(path + parts + parts))


def test_several_devices():
    """An array that lies on four devices: what a kernel needs of it is brought together, and the result is the same."""
    run(
        """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from hornbeam.kernels import dense
x, k = (np.random.default_rng(i).normal(size=(256, 64 + i)).astype("float32") for i in (0, 1))
step = jax.jit(jax.grad(lambda x, k: (dense.affine(x.T, k, activation="relu") ** 2).sum(), argnums=(0, 1)))
spread = NamedSharding(Mesh(np.array(jax.devices()), ("device",)), PartitionSpec("device"))
for one, four in zip(step(x, k), step(jax.device_put(x, spread), k)):
    # Four parts of a sum of 256 are added in another order: some 16 roundings of the largest element.
    one = np.asarray(one)
    np.testing.assert_allclose(four, one, rtol=0, atol=16 * np.finfo("float32").eps * abs(one).max())
"""
    )


def test_without_the_module():
    """As after an installation without a compiler: all works, and the reason is told."""
    run(
        """
import sys
sys.modules["hornbeam.kernels._native"] = None
from hornbeam.kernels import dense, native
import jax.numpy as jnp
assert not native.available() and "not built" in native.why_not(), native.why_not()
assert dense.affine(jnp.ones((64, 512)), jnp.ones((512, 64)))[0, 0] == 512
""",
        HORNBEAM_NATIVE="1",
    )


def test_the_reason_that_the_installation_wrote(tmp_path, monkeypatch):
    package = sys.modules["hornbeam.kernels"]
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    (tmp_path / "not_built.txt").write_text("there was no C++ compiler")
    assert native._why_not_built() == "there was no C++ compiler"


def run(code: str, **environ: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environ}
    )
    assert result.returncode == 0, result.stderr
