"""Running the tests of an edit, each time in a new process."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.mutants.edit import ROOT, Edit

# A program that runs on for ever has been noticed too. The first limit does not depend on what else the machine does.
LONGEST = 180  # seconds of computing
LONGEST_WAIT = 1800.0

# Processes are forked from one that has imported the libraries alone.
os.environ["KERAS_BACKEND"] = "jax"
_PROCESSES = multiprocessing.get_context("forkserver")
# An editable installation leads every import to the tree that it was made from, whatever the path says.
_WITHOUT_EDITABLE = """
import sys
sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in type(each).__module__]
"""
_PROCESSES.set_forkserver_preload(["jax", "jax.numpy", "numpy", "keras", "h5py", "pytest"])


def failing(edit: Edit, tree: Path) -> str | None:
    """Return the test that fails in the tree with the edit, None where none does."""
    path = tree / edit.file
    before = path.read_text()
    path.write_text(before.replace(edit.old, edit.new))
    try:
        return failing_as_it_is(edit.tests, tree, LONGEST)
    finally:
        path.write_text(before)


def failing_as_it_is(
    tests: Iterable[str], tree: Path, limit: int = resource.RLIM_INFINITY
) -> str | None:
    """Return the test that fails in the tree, None where none does."""
    output = tree / "output"
    output.unlink(missing_ok=True)
    process = _PROCESSES.Process(target=_run, args=(tree, output, tuple(tests), limit))
    process.start()
    process.join(LONGEST_WAIT)
    if process.is_alive():
        process.kill()
        process.join()
        return f"no end after {LONGEST_WAIT:.0f} s"
    code = process.exitcode or 0
    if code == 0:
        return None
    if code == -signal.SIGXCPU:
        return f"no end after {LONGEST} s of computing"
    if code < 0:
        return f"killed by signal {-code}"
    said = output.read_text(errors="replace") if output.exists() else ""
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    if code != 1 or found is None:
        sys.exit(f"{' '.join(tests)} did not run:\n{said[-2000:]}")
    return found.group(1)


def _run(tree: Path, output: Path, tests: tuple[str, ...], limit: int) -> None:
    """Run the tests in this process, as if it had begun with the tree."""
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
    # A shell turns Ctrl-C off for jobs in the background: there are tests of it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with output.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    source, start = str(tree / "src"), tree / "start"
    start.mkdir(exist_ok=True)
    (start / "sitecustomize.py").write_text(_WITHOUT_EDITABLE)  # for the processes that tests start
    exec(_WITHOUT_EDITABLE)
    os.environ |= {"PYTHONPATH": f"{start}:{source}", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.path[:] = [source, *(each for each in sys.path if each and Path(each).resolve() != ROOT)]
    for name in [each for each in sys.modules if each.partition(".")[0] in ("tests", "hornbeam")]:
        del sys.modules[name]
    os.chdir(tree)
    status = pytest.main(["-q", "-x", "-m", "not slow", *tests])
    sys.stdout.flush()
    os._exit(status)  # as threads of JAX may still run
