"""Two trainings do not share a folder of checkpoints."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hornbeam.keras.callbacks import folder_lock
from hornbeam.keras.callbacks.folder_lock import FolderLock

# Without the library, whose threads must not be forked.
OTHER = """
import os, runpy, sys, time
runpy.run_path(sys.argv[1])["FolderLock"]().acquire(sys.argv[2])
if os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print("held", flush=True)
time.sleep(600)
"""


def test_one_at_a_time_in_a_process(tmp_path):
    one, other = FolderLock(), FolderLock()
    one.acquire(str(tmp_path))
    with pytest.raises(OSError, match="Another training that is still running"):
        other.acquire(os.path.join(tmp_path, "..", tmp_path.name))
    other.release()
    with pytest.raises(OSError, match="wait for its end"):
        other.acquire(str(tmp_path))
    one.release()
    other.acquire(str(tmp_path))
    other.release()
    assert not list(tmp_path.iterdir())


def test_one_at_a_time_among_processes(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", OTHER, folder_lock.__file__, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(OSError, match="use another folder"):
            FolderLock().acquire(str(tmp_path))
        child.kill()
        child.wait()
        lock = (
            FolderLock()
        )  # neither what a killed process leaves counts, nor the processes that it has forked
        lock.acquire(str(tmp_path))
        lock.release()
    assert not list(tmp_path.iterdir())


def test_where_files_cannot_be_locked(tmp_path, monkeypatch):
    def lockf(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.lockf", lockf)
    lock = FolderLock()
    lock.acquire(str(tmp_path))
    lock.release()
