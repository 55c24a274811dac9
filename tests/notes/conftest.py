"""Running a script of the notes as its reader would: a file, and `python -m hornbeam FILE`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import hornbeam

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs the text of a script under `python -m hornbeam`."""
    source = Path(hornbeam.__file__).parent.parent
    paths = [str(source), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}

    def run(text: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path_factory.mktemp("notes") / "vi_du.py"
        script.write_text(text, encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "hornbeam", script.name],
            cwd=script.parent,
            env=env,
            capture_output=True,
            encoding="utf-8",
            timeout=3600,
            check=False,
        )

    return run
