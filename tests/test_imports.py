"""`import hornbeam` is quiet and cheap: no output, no device, no network, no file, no package beyond the required ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


PROCESS = """
import importlib, json, os, signal, sys, warnings
import jax, jax.numpy, ml_dtypes, numpy  # what they change by themselves is not ours

called = []
import ctypes
class Watched(ctypes.CDLL):
    def __init__(self, name, *args, **kwargs):
        called.append(str(name))
        super().__init__(name, *args, **kwargs)
ctypes.CDLL = Watched

def state():
    handlers = {each.name: repr(signal.getsignal(each)) for each in signal.valid_signals() if each in list(signal.Signals)}
    return {
        "environment": dict(os.environ),
        "signals": handlers,
        "warnings": [repr(each) for each in warnings.filters],
        "showwarning": repr(warnings.showwarning),
        "hooks": [repr(sys.excepthook), repr(sys.displayhook), repr(sys.meta_path), repr(sys.path_hooks)],
        "path": list(sys.path),
        "recursion": sys.getrecursionlimit(),
        "switching": sys.getswitchinterval(),
        "numpy": repr((numpy.geterr(), numpy.get_printoptions())),
        "jax": {name: repr(value) for name, value in jax.config.values.items()},
        "libraries": list(called),
        "threads": len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0,
    }

before = state()
%s
after = state()
print(json.dumps({key: [before[key], after[key]] for key in before if before[key] != after[key]}))
"""


def test_leaves_the_process_as_it_was(tmp_path: Path):
    """Malloc included: no C library is opened whose `mallopt` could be called. JAX is told one thing (docs/design/0027)."""
    code = PROCESS % "import hornbeam; from hornbeam import keras; keras.layers.Dense; keras.Model"
    seen = json.loads(python(code, tmp_path))
    assert list(seen) == ["jax"]
    before, after = seen["jax"]
    changed = {name: after[name] for name in after if after[name] != before[name]}
    assert list(changed) == ["jax_explicit_x64_dtypes"] and "ALLOW" in changed.popitem()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="malloc is told nothing elsewhere")
def test_each_change_of_the_process_would_be_seen(tmp_path: Path):
    code = """
import hornbeam.core.memory as memory
memory.keep_freed_memory()
os.environ["XLA_FLAGS"] = ""
signal.signal(signal.SIGINT, print)
warnings.simplefilter("ignore")
jax.config.update("jax_enable_x64", True)
"""
    seen = json.loads(python(PROCESS % code, tmp_path))
    assert sorted(seen) == ["environment", "jax", "libraries", "signals", "warnings"]


def test_the_process_is_changed_by_the_first_weight(tmp_path: Path):
    """Not by tensors, and not by a model that has no weights yet."""
    code = """
from hornbeam.core import memory
import hornbeam
memory.keep_freed_memory.cache_info().currsize == 0 or exit("at import")
hornbeam.keras.Sequential([hornbeam.keras.layers.Dense(2)])
memory.keep_freed_memory.cache_info().currsize == 0 or exit("without weights")
hornbeam.Variable(1.0)
memory.keep_freed_memory.cache_info().currsize == 1 or exit("not at the first weight")
"""
    assert python(code, tmp_path) == ""
