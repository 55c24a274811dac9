"""Native kernels in a process: beside other libraries that carry their own oneDNN, and where they are not there."""

import importlib.util
import os
import shutil
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
from tests.tolerances import assert_close
x, k = (np.random.default_rng(i).normal(size=(64, 256)).astype("float32") / 16 for i in (0, 1))
assert_close(jax.jit(dense.affine)(x, k.T), x @ k.T)
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
# Its kernels are not asked for: there is no `targets`.
OLD_PROCESSOR = """
import types
module = types.SimpleNamespace(build_info=lambda: {"cpu": []})
sys.modules["hornbeam.kernels._native"] = module
"""


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
from tests.tolerances import assert_close
x, k = (np.random.default_rng(i).normal(size=(256, 64 + i)).astype("float32") for i in (0, 1))
step = jax.jit(jax.grad(lambda x, k: (dense.affine(x.T, k, activation="relu") ** 2).sum(), argnums=(0, 1)))
spread = NamedSharding(Mesh(np.array(jax.devices()), ("device",)), PartitionSpec("device"))
for one, four in zip(step(x, k), step(jax.device_put(x, spread), k)):
    # Four parts of a sum of 256 are added in another order: some roundings of the largest element.
    largest = abs(np.asarray(one)).max()
    assert_close(four / largest, one / largest)
"""
    )


@pytest.mark.parametrize(
    ("setup", "switch", "reason"),
    [
        ('sys.modules["hornbeam.kernels._native"] = None', "1", "not built"),
        (OLD_PROCESSOR, "1", "this processor has no AVX2"),
        ("", "0", "switched off by HORNBEAM_NATIVE=0"),
    ],
    ids=["not built", "an old processor", "switched off"],
)
def test_where_they_are_not_used(setup, switch, reason):
    """All works, the reason is there for those who ask, and nothing is said to others."""
    result = run(
        f"""
import sys
{setup}
from hornbeam.kernels import dense, native
import jax, jax.numpy as jnp
x, kernel = jnp.ones((64, 512)), jnp.ones((512, 64))
assert "hornbeam" not in jax.jit(dense.affine).lower(x, kernel).as_text()
assert dense.affine(x, kernel)[0, 0] == 512
assert not native.available()
print(native.why_not())
""",
        HORNBEAM_NATIVE=switch,
    )
    assert reason in result.stdout and len(result.stdout.splitlines()) == 1
    assert not result.stderr


def test_where_they_are_required():
    """Then the reference is not used silently: the first kernel raises and says why."""
    result = run(
        f"""
import sys
{OLD_PROCESSOR}
from hornbeam.kernels import dense, native
import jax.numpy as jnp
try:
    dense.affine(jnp.ones((64, 512)), jnp.ones((512, 64)))
except RuntimeError as error:
    print(error)
print(native.why_not())
""",
        HORNBEAM_NATIVE="required",
    )
    error, reason = result.stdout.splitlines()
    assert "HORNBEAM_NATIVE=required" in error and "no AVX2" in error
    assert reason == "this processor has no AVX2"


PLACES = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
# Knows one thing less than the compiler that it calls.
OLD_COMPILER = """#!/bin/sh
for argument in "$@"; do
  if [ -f "$argument" ] && grep -q __builtin_shufflevector "$argument"; then
    echo "error: '__builtin_shufflevector' was not declared in this scope" >&2
    exit 1
  fi
done
exec c++ "$@"
"""


@pytest.mark.slow
@pytest.mark.parametrize("compiler", [None, OLD_COMPILER], ids=["no compiler", "an old one"])
def test_an_installation_without_a_compiler(compiler, tmp_path):
    """It succeeds, and leaves the reason where the module would be."""
    cmake, ninja = (shutil.which(name, path=PLACES) for name in ("cmake", "ninja"))
    if cmake is None or ninja is None:
        pytest.skip("only a build needs cmake and ninja; hornbeam[native] brings them")
    source, build, cxx = Path(__file__).parents[2] / "csrc", tmp_path / "build", tmp_path / "c++"
    environment = {"PATH": str(tmp_path), "CXX": str(cxx)}
    if compiler is not None:
        cxx.write_text(compiler)
        cxx.chmod(0o755)
        environment["PATH"] = PLACES
    maker = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    for command in (
        [cmake, *maker, "-S", str(source), "-B", str(build)],
        [cmake, "--install", str(build), "--prefix", str(tmp_path)],
    ):
        result = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert result.returncode == 0, result.stderr
    installed = list((tmp_path / "hornbeam" / "kernels").iterdir())
    assert [file.name for file in installed] == ["not_built.txt"]
    reasons = "there was no C++ compiler", "the C++ compiler is not GCC 12 or newer"
    assert installed[0].read_text() == reasons[compiler is not None]


def test_the_reason_that_the_installation_wrote(tmp_path, monkeypatch):
    package = sys.modules["hornbeam.kernels"]
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    (tmp_path / "not_built.txt").write_text("there was no C++ compiler")
    assert native._why_not_built() == "there was no C++ compiler"


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environ}
    )
    assert result.returncode == 0, result.stderr
    return result
