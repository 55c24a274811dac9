"""The examples run unchanged and print what they print under TensorFlow 2.21, on their small setting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hornbeam
from tests.examples.comparison import ROOT, names, recorded, unlike

RECORDED = recorded()
SLOW = {"actor_critic", "translation_with_attention"}
SCRIPTS = [pytest.param(each, marks=[pytest.mark.slow] * (each in SLOW)) for each in RECORDED]


def test_every_example_is_recorded() -> None:
    assert names() == list(RECORDED)


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_prints_what_it_prints_under_tensorflow(name: str) -> None:
    paths = [str(Path(hornbeam.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    ran = subprocess.run(
        [sys.executable, "-m", "hornbeam", f"examples/{name}.py", "--small"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert unlike(ran.stdout, RECORDED[name]) == [], ran.stdout


def test_other_texts_and_far_numbers_are_noticed() -> None:
    peers = ["loss 0.50\nshape (2, 3)", "loss 0.60\nshape (2, 3)"]
    assert unlike("loss 0.39\nshape (2, 3)", peers) == []
    assert unlike("loss 0.38\nshape (2, 3)", peers) == ["0.38 where TensorFlow printed 0.50, 0.60"]
    assert unlike("loss nan\nshape (2, 3)", peers) == ["'loss nan' instead of 'loss #'"]
    assert unlike("loss 0.55\nshape (2, 4)", peers) == ["'shape (2, 4)' instead of 'shape (2, 3)'"]
    assert unlike("loss 0.55", peers) == ["'' instead of 'shape (2, 3)'"]
