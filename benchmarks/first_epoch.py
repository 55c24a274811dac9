"""From the start of a script to the end of its first epoch, imports, compilation and all; and its first step by hand.

Run as a program it is that script, for one framework. `run` starts it again and again: the first start of each
framework fills what it may keep on disk and is not counted, so what is timed is a user's second run.
"""

import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES
from benchmarks.frameworks import FRAMEWORKS
from benchmarks.progress import say
from benchmarks.side_by_side import summary

CASE, STEPS = "cnn", 1875  # the notes' network on as many images as MNIST has
EPOCH, STEP = "epoch", "step"
ROOT = Path(__file__).resolve().parent.parent


def run(pythons: Mapping[str, str], rounds: int, what: str = EPOCH) -> list[dict[str, Any]]:
    """Milliseconds for each framework, rounds interleaved: of the whole process, or of a step by hand.

    A framework whose sessions have no such step is left out.
    """
    times: dict[str, list[float]] = {name: [] for name in pythons}
    errors: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):
            say(f"first {what}: " + (f"round {number} of {rounds}" if number else "first run"))
            for name, python in pythons.items():
                seconds, error = _time(python, name, cache, what)
                if error:
                    errors[name] = error
                elif number and seconds is not None:
                    times[name].append(1000 * seconds)
    label = f"{CASE}, {STEPS} steps" if what == EPOCH else f"{CASE}, the first eager step"
    return [
        {"name": name, "import": label, "unit": "ms"}
        | (
            {"error": errors[name]}
            if name in errors
            else {"rounds": times[name]} | summary(times[name])
        )
        for name in pythons
        if name in errors or times[name]
    ]


def _time(python: str, name: str, cache: str, what: str) -> tuple[float | None, str]:
    environment = {
        **os.environ,
        **FRAMEWORKS[name].environment,
        "PYTHONPYCACHEPREFIX": cache,
        "HORNBEAM_CACHE": os.path.join(cache, "hornbeam"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.perf_counter()
    done = subprocess.run(
        [python, "-m", "benchmarks.first_epoch", name, what],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        return None, done.stderr.strip()[-500:]
    if what == EPOCH:
        return seconds, ""
    return (float(done.stdout.split()[-1]) if done.stdout.strip() else None), ""


def main(name: str, what: str) -> None:
    """The script: make the data, build the model, train one epoch; or print the seconds of a step by hand."""
    case = CASES[CASE].with_steps(STEPS if what == EPOCH else 1)
    framework = importlib.import_module(FRAMEWORKS[name].module)
    session = framework.open_session(case, *case.data())
    if what == EPOCH:
        session.fit(STEPS)
    elif hasattr(session, "loop_eager"):
        begin = time.perf_counter()
        session.loop_eager(1)
        print(time.perf_counter() - begin)


if __name__ == "__main__":
    main(*sys.argv[1:])
