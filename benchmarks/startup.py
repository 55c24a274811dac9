"""How long the first line of a script takes: the import, in a process of its own."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.frameworks import FRAMEWORKS, HORNBEAM
from benchmarks.progress import say
from benchmarks.side_by_side import summary


def run(pythons: Mapping[str, str], rounds: int) -> list[dict[str, Any]]:
    """Milliseconds from process start to exit for each import, rounds interleaved.

    `pass` (Python itself) and `import jax` under Hornbeam's Python come along as yardsticks.
    """
    lines = {
        "python": (pythons[HORNBEAM], "pass", {}),
        "jax": (pythons[HORNBEAM], "import jax", {}),
    }
    for name, python in pythons.items():
        framework = FRAMEWORKS[name]
        lines[name] = (python, framework.import_line, dict(framework.environment))
    times: dict[str, list[float]] = {name: [] for name in lines}
    errors: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds + 1):  # the first round fills the byte-code cache
            say("startup: " + (f"round {number} of {rounds}" if number else "warm-up"))
            for name, (python, line, environment) in lines.items():
                seconds, error = _time(python, line, environment, cache)
                if error:
                    errors[name] = error
                elif number:
                    times[name].append(1000 * seconds)
    return [
        {"name": name, "import": line, "unit": "ms"}
        | ({"error": errors[name]} if name in errors else {"rounds": times[name]})
        | (summary(times[name]) if name not in errors else {})
        for name, (_, line, _) in lines.items()
    ]


def _time(python: str, line: str, extra: Mapping[str, str], cache: str) -> tuple[float, str]:
    """Seconds that `python -c line` takes, and what it says if it fails.

    Byte code is cached in a folder of this run's own: an installed package brings its cache with
    it and a source tree perhaps not, and a library is judged as its users have it, installed.
    """
    environment = {**os.environ, **extra, "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.perf_counter()
    done = subprocess.run(
        [python, "-c", line], env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    return seconds, done.stderr.strip()[-500:] if done.returncode else ""
