"""A Hornbeam without its engine: the launcher is the real one, the faces are toys that load at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import hornbeam.launch

SOURCE = Path(hornbeam.launch.__file__).parent.parent
FACE = "from hornbeam.core.faces import missing_names\n__getattr__ = missing_names(__name__)\n"
TOYS = {
    "__init__.py": f"""
__version__ = "0.0"
__path__.append({str(SOURCE)!r})
from hornbeam import keras, nn
__all__ = ["keras", "nn"]
{FACE}""",
    "core/__init__.py": f"__path__.append({str(SOURCE / 'core')!r})",
    "cli/__init__.py": "",
    "cli/demo.py": "def main(argv): print('demo', argv)",
    "nn.py": f"def relu(x): return max(x, 0)\n{FACE}",
    "keras/__init__.py": f"""
from hornbeam.keras import engine, layers
__version__ = "3.15.1"
class Model: pass
__all__ = ["Model", "layers"]
{FACE}""",
    "keras/engine.py": "",
    "keras/layers/__init__.py": f"class Dense: pass\nclass LSTM: pass\n{FACE}",
}

# An editable install finds the real Hornbeam before any path is looked at; here the toy comes first.
SITE = """
import sys
sys.meta_path[:] = [f for f in sys.meta_path if not type(f).__name__.startswith("ScikitBuild")]
"""

Launch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def toy_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the toy `hornbeam` in it, and a TensorFlow that must never be imported."""
    root = tmp_path_factory.mktemp("toy")
    for name, text in TOYS.items():
        file = root / "hornbeam" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (root / "sitecustomize.py").write_text(SITE)
    for name in ("tensorflow", "keras"):
        (root / name / "keras" / "layers").mkdir(parents=True)
        (root / name / "__init__.py").write_text("__version__ = 'the real one'\n")
        (root / name / "real.py").write_text("")
    return root


@pytest.fixture
def launch(toy_path: Path, tmp_path: Path) -> Launch:
    """Runs `python -m hornbeam *args` with the toy in an empty folder, or plain Python."""

    def run(
        *args: str, python: tuple[str, ...] = ("-m", "hornbeam"), text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(toy_path), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *python, *args],
            cwd=tmp_path,
            env=env,
            input=text,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run
