"""Feed everything that reads a file with changed files: `python -m tests.fuzz [--seconds 60] [NAME...]`.

Each target runs in a process of its own, all at the same time with `--together`. A process that dies or hangs is a finding;
it is started again. A finding is printed once, with what reproduces it:

    python -m tests.fuzz NAME --input DIGITS

The exit status is 1 where there was a finding. With `--logs FOLDER`, the findings, the ways in which runs ended, and the
inputs that led there stay in that folder, and another run goes on from them.

Inputs are found with atheris where it is installed (`pip install atheris`; it is no requirement, for it has no wheels for
some versions of Python), which sees the branches that our modules take, in Python; else by own mutation of what reached
new lines (search.py). Both choose bytes from which a target makes a file: good files, changed field by field, sizes and
checksums made right again so that the changes are read. judge.py says what is a finding.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.fuzz import readers  # noqa: F401
from tests.fuzz.supervisor import Supervisor
from tests.fuzz.targets import TARGETS


def main(argv: Iterable[str] | None = None) -> int:
    """Fuzz the targets that are named, or all."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--together", action="store_true", help="all targets at the same time")
    parser.add_argument("--logs", type=Path, help="a folder for what was found")
    parser.add_argument("--input", help="one input of one target, in hexadecimal digits")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # processes are ended then, too
    options = parser.parse_args(list(argv) if argv is not None else None)
    unknown = set(options.names) - TARGETS.keys()
    if unknown or (options.input and len(options.names) != 1):
        parser.error(
            f"unknown targets: {', '.join(sorted(unknown))}"
            if unknown
            else "--input needs one target"
        )
    with tempfile.TemporaryDirectory() as folder:
        logs = options.logs or Path(folder)
        logs.mkdir(parents=True, exist_ok=True)
        left = [
            Supervisor(name, logs, options.seconds, options.seed, options.input)
            for name in options.names or TARGETS
        ]
        findings = 0
        while left:
            now, left = (left, []) if options.together else (left[:1], left[1:])
            try:
                for each in now:
                    each.start()
                while sum(each.look() for each in now):
                    time.sleep(0.5)
            finally:
                for each in now:
                    each.stop()
            findings += sum(each.findings for each in now)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
