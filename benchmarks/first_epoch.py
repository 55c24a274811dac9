"""From the start of a script to the end of its first epoch: imports, compilation and all.

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
ROOT = Path(__file__).resolve().parent.parent


def run(pythons: Mapping[str, str], rounds: int) -> list[dict[str, Any]]:
    """Milliseconds from process start to exit for each framework, rounds interleaved."""
    times: dict[str, list[float]] = {name: [] for name in pythons}
    errors: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):
            say("first epoch: " + (f"round {number} of {rounds}" if number else "first run"))
            for name, python in pythons.items():
                seconds, error = _time(python, name, cache)
                if error:
                    errors[name] = error
                elif number:
                    times[name].append(1000 * seconds)
    return [
        {"name": name, "import": f"{CASE}, {STEPS} steps", "unit": "ms"}
        | (
            {"error": errors[name]}
            if name in errors
            else {"rounds": times[name]} | summary(times[name])
        )
        for name in pythons
    ]


def _time(python: str, name: str, cache: str) -> tuple[float, str]:
    environment = {
        **os.environ,
        **FRAMEWORKS[name].environment,
        "PYTHONPYCACHEPREFIX": cache,
        "HORNBEAM_CACHE": os.path.join(cache, "hornbeam"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.perf_counter()
    done = subprocess.run(
        [python, "-m", "benchmarks.first_epoch", name],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begin
    return seconds, done.stderr.strip()[-500:] if done.returncode else ""


def main(name: str) -> None:
    """The script: make the data, build the model, train one epoch."""
    case = CASES[CASE].with_steps(STEPS)
    framework = importlib.import_module(FRAMEWORKS[name].module)
    framework.open_session(case, *case.data()).fit(STEPS)


if __name__ == "__main__":
    main(sys.argv[1])
