"""The launcher and the hook with the whole of Hornbeam; the rest of this folder runs them with toys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hornbeam

SCRIPT = """\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models

model = models.Sequential([layers.Dense(2, input_shape=(3,))])
assert isinstance(model, tf.keras.Model)
model.compile(optimizer="sgd", loss="mse")
model.fit(np.ones((4, 5)), np.ones((4, 2)), verbose=0)
"""


def test_error_in_training_begins_at_the_users_line_and_ends_with_the_reason(
    tmp_path: Path,
) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    source = Path(hornbeam.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "hornbeam", "train.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert lines[:3] == [
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/train.py", line 8, in <module>',
        "    model.fit(np.ones((4, 5)), np.ones((4, 2)), verbose=0)",
    ]
    reason = next(i for i, line in enumerate(lines) if line.startswith("ValueError: "))
    assert "(4, 5)" in "".join(lines[reason:])
    assert "/jax/" not in done.stderr and "JAX" not in "".join(lines[reason:])


def faces(module: ModuleType, seen: set[str]) -> Iterator[ModuleType]:
    """The module and all that its `__all__` leads to."""
    if module.__name__ in seen:
        return
    seen.add(module.__name__)
    yield module
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, ModuleType):
            yield from faces(value, seen)


@pytest.mark.parametrize("face", list(faces(hornbeam, set())), ids=lambda face: face.__name__)
def test_every_face_names_what_it_lacks(face: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"^Hornbeam has no '{face.__name__}.no_such_name'"):
        face.no_such_name  # noqa: B018
    with pytest.raises(ImportError, match=f"no_such_name' from '{face.__name__}': Hornbeam has"):
        exec(f"from {face.__name__} import no_such_name")
