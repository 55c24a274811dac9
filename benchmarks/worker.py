"""One framework, one case, one process: builds once, then times what it is told over a pipe.

Lines of JSON come in on standard input and go out on what was standard output; whatever the
framework itself prints goes to standard error. Between commands the process sleeps in a read.

    in  {"case": "cnn", "steps": 200, "module": "benchmarks.frameworks.pytorch", "packages": [..]}
    out {"ready": true, "versions": {"torch": "2.13.0"}, "can": ["fit", "predict"]}
    in  {"measure": "fit"}
    out {"seconds": 1.93, "cpu_seconds": 3.8, "peak_mib": 812.0, "idle_cpu_seconds": 0.0, "loss": 0.41}
"""

import gc
import importlib
import importlib.metadata
import json
import os
import sys
import time
from typing import IO, Any

from benchmarks import machine
from benchmarks.cases import CASES, Case
from benchmarks.frameworks.base import Session
from benchmarks.measurements import MEASUREMENTS


def main() -> None:
    """Serve commands until standard input ends."""
    replies = _take_standard_output()
    commands = (json.loads(line) for line in sys.stdin)
    setup = next(commands)
    case = CASES[setup["case"]].with_steps(setup["steps"])
    framework = importlib.import_module(setup["module"])
    session: Session = framework.open_session(case, *case.data())
    versions = {name: version(name) for name in setup["packages"]}
    can = [name for name, each in MEASUREMENTS.items() if hasattr(session, each.method)]
    _reply(replies, {"ready": True, "versions": versions, "can": can})

    idle_since = time.process_time()
    for command in commands:
        idle_cpu = time.process_time() - idle_since
        answer = timed(session, case, command["measure"])
        _reply(replies, answer | {"idle_cpu_seconds": round(idle_cpu, 4)})
        idle_since = time.process_time()


def version(package: str) -> str:
    """The installed package's version; a source tree on the path has none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(source tree)"


def timed(session: Session, case: Case, measure: str) -> dict[str, Any]:
    """Run one measurement, the garbage of the last one collected beforehand."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    extra = MEASUREMENTS[measure].run(session, case)
    seconds = time.perf_counter() - wall
    return {
        "seconds": round(seconds, 6),
        "cpu_seconds": round(time.process_time() - cpu, 4),
        "peak_mib": machine.peak_memory_mib(),
        **extra,
    }


def _take_standard_output() -> IO[str]:
    """The pipe to the parent, kept from anything that prints (also from native code)."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return replies


def _reply(replies: IO[str], message: dict[str, Any]) -> None:
    print(json.dumps(message), file=replies, flush=True)


if __name__ == "__main__":
    main()
