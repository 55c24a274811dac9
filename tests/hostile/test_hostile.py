"""Every hostile file is refused: quickly, within little memory, by name; nothing is written, and nothing is run.

The files are made when the test runs (archives.py, configs.py, hdf5.py, others.py). A process of its own loads them one
after the other, for loading is watched there: memory, processor time, and what the interpreter is asked to do.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import archives, configs, hdf5, others  # noqa: F401
from tests.hostile.attack import ATTACKS

CONTROL = "(control)"
ROOT = Path(__file__).parents[2]
SECONDS = 1.0  # of processor time: a busy machine changes it little
BYTES = 50_000_000


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("hostile")
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.child", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {each.pop("name"): each for each in lines}


def complaints(name: str, found: dict[str, Any]) -> Iterator[str]:
    """Yield what is not as it should be about one attack."""
    if "failed" in found:
        yield f"the file was not made: {found['failed']}"
        return
    if not found["error"]:
        yield "it was loaded"
    elif not re.search(ATTACKS[name].told, found["told"]):
        yield f"the error names nothing: {found['told'][:300]}"
    if found["left"]:
        yield f"files were left: {found['left'][:5]}"
    if not found["unchanged"]:
        yield "the model was changed"
    for what, each in (("loading", found), ("inspecting", found["inspection"])):
        if each["error"] and not each["is_expected"]:
            yield f"{what} ends in {each['error']}: {each['told'][:200]}"
        if each["seconds"] > SECONDS:
            yield f"{what} takes {each['seconds']:.1f} s"
        if each["bytes"] > BYTES:
            yield f"{what} takes {each['bytes'] / 1e6:.0f} MB"
        if each["events"]:
            yield f"{what} does what no file may cause: {each['events'][:5]}"


def test_every_hostile_file_is_refused(results):
    found = {name: each for name, each in results.items() if name != CONTROL}
    assert found.keys() == ATTACKS.keys()
    wrong = {name: said for name, each in found.items() if (said := list(complaints(name, each)))}
    assert wrong == {}


def test_there_are_as_many_attacks_as_promised():
    assert len(ATTACKS) >= 60


def test_the_watch_sees_what_it_should(results):
    """The first line is of no attack: it runs a pickle, fills memory, spends time and returns."""
    found = results[CONTROL]
    assert any("pickle.find_class" in each for each in found["events"])
    assert any("open HORNBEAM_WAS_HERE w" in each for each in found["events"])
    assert found["bytes"] > BYTES and found["seconds"] > SECONDS / 10 and found["error"] is None
