"""`import hornbeam` is quiet and cheap: no output, no device, no network, no file, no package beyond the required ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SENTRY = """
import os, socket
def refuse(*args, **kwargs):
    raise AssertionError(f"network used at import: {args}")
socket.socket.connect = socket.getaddrinfo = refuse
"""


def python(code: str, home: Path, **env: str) -> str:
    """What a fresh interpreter prints, both streams; fails unless it exits with 0."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "HOME": str(home), **env},
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_prints_nothing_warns_nothing_downloads_nothing_and_writes_nothing(tmp_path: Path):
    code = SENTRY + "import hornbeam; from hornbeam import keras; keras.layers.Dense"
    assert python(code, home=tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


def test_initialises_no_device(tmp_path: Path):
    # Any use of a device looks for a platform of this name, and fails.
    python("import hornbeam; hornbeam.keras.layers", tmp_path, JAX_PLATFORMS="no_such_platform")


def test_brings_in_no_package_that_jax_does_not(tmp_path: Path):
    code = """
import sys
import jax, jax.numpy, ml_dtypes, numpy
before = {name.partition(".")[0] for name in sys.modules}
import hornbeam
hornbeam.keras.layers
after = {name.partition(".")[0] for name in sys.modules}
print(sorted(after - before - set(sys.stdlib_module_names)))
"""
    assert python(code, tmp_path).split("\n")[0] == "['hornbeam']"
