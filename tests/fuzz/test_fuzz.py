"""The harness works: a few runs of each target find nothing, and what a target must not do is found."""

from __future__ import annotations

import gc
import json
import mmap
import sys
import time
import warnings
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.fuzz import readers  # noqa: F401
from tests.fuzz.draw import Draw
from tests.fuzz.hdf5 import _made
from tests.fuzz.hdf5_fields import layout, with_sums
from tests.fuzz.journal import Journal
from tests.fuzz.judge import Judge, Outcome
from tests.fuzz.search import search
from tests.fuzz.supervisor import Supervisor
from tests.fuzz.targets import TARGETS, Target


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_runs(name, tmp_path):
    judge, outcomes = Judge(TARGETS[name], tmp_path), {}

    def run(data):
        outcome = judge.run(data)
        outcomes[outcome.key] = outcome.problem
        return outcome

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert judge.run(b"").problem == ""
        search(run, Random(0), 100.0, judge.target.smoke)
    assert set(outcomes.values()) == {""}


def _error(error, *notes):
    def act():
        for note in notes:
            error.add_note(note)
        raise error

    return act


def _take():
    """Take new memory from the system: malloc may have kept as much."""
    np.frombuffer(mmap.mmap(-1, 200_000_000), "uint8")[::4096] = 1


def _spend():
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (_error(KeyError("x.bin")), "KeyError"),
        (_error(ValueError("other")), "does not name"),
        (_take, "MB"),
        (_spend, "s of processor time"),
        (lambda: Path("new").write_text(""), "written"),
        (_error(ValueError("it"), "x.bin"), ""),
        (_error(FileNotFoundError("x.bin")), ""),
        (lambda: None, ""),
    ],
)
def test_what_is_a_finding(act, found, tmp_path, monkeypatch):
    monkeypatch.setattr("tests.fuzz.judge.SECONDS", 0.1)
    monkeypatch.chdir(tmp_path)
    gc.collect()  # what goes meanwhile would be counted against what comes
    outcome = Judge(Target("x", lambda draw, folder: act, "x.bin", 1), tmp_path).run(b"")
    assert (found in outcome.problem) if found else not outcome.problem


def test_a_search_goes_on_from_what_is_new():
    """Each byte is right by one chance in 4, all of them by one in a million."""
    best = 0

    def run(data):
        nonlocal best
        right = 0
        while right < min(10, len(data)) and data[right] % 4 == right % 3:
            right += 1
        best = max(best, right)
        return Outcome(str(right))

    search(run, Random(0), 100.0, 3000)
    assert best == 10


def test_choices_end_with_the_bytes():
    draw = Draw(b"\x03\x00\xff")
    assert draw.randrange(8) == 3
    assert draw.getrandbits(16) == 0xFF00
    assert (
        draw.choice("abc") == "a" and draw.random() == 0 and draw.sample(range(50), 3) == [0, 1, 2]
    )


_CHILD = """
import os, sys, signal
from pathlib import Path
from tests.fuzz.journal import Journal
journal = Journal(Path(sys.argv[2]))
journal.begin(b"abc%d" % journal.runs)
if journal.runs == 1:
    os.kill(os.getpid(), signal.SIGSEGV)
journal.note(key="read")
"""


def test_a_death_is_a_finding(tmp_path, capfd):
    script = tmp_path / "child.py"
    script.write_text(_CHILD)
    watch = Supervisor("x", tmp_path, 30.0, 0, command=[sys.executable, str(script)])
    watch.start()
    while watch.look():
        time.sleep(0.01)
    assert watch.findings == 1
    told = capfd.readouterr().out
    assert "SIGSEGV" in told and f"--input {b'abc0'.hex()}" in told
    assert "2 runs" in told and "1 outcomes, 1 findings" in told
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert len(lines) == 2 and Journal(tmp_path / "x").last == b"abc1"


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_structures_of_hdf5_are_found(version):
    data = _made(version)
    found, out = layout(data), bytearray(data)
    assert len(found.fields) > 200 and len(found.addresses) > 5 and len(found.pointers) > 5
    assert (len(found.sums) > 5) == (version == "latest")
    for start, end in found.sums:
        out[start + 5] ^= 1
        assert out[end : end + 4] == data[end : end + 4]
    with_sums(out, found)
    assert all(out[end : end + 4] != data[end : end + 4] for _, end in found.sums)
