"""What it costs and what it wins to keep freed memory: `python -m benchmarks.malloc`.

`hornbeam.core.memory` tells malloc to keep freed memory, all of it in one arena, for which threads have to wait for each
other. Here the same models train and predict, in one thread and in several, with malloc told so, with malloc told to keep
memory but to give threads arenas of their own, and with malloc as the system has it.
"""

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks import machine, report, side_by_side
from benchmarks.cases import CASES
from benchmarks.frameworks import FRAMEWORKS, HORNBEAM
from benchmarks.measurements import MEASUREMENTS
from benchmarks.progress import say
from hornbeam.core import memory

KEPT = {
    "MALLOC_MMAP_THRESHOLD_": str(memory.KEPT),
    "MALLOC_TRIM_THRESHOLD_": str(memory.NEVER),
}
ARMS = (
    replace(FRAMEWORKS[HORNBEAM], title="Hornbeam: kept, one arena"),
    replace(FRAMEWORKS[HORNBEAM], name="arenas", title="Kept, many arenas", environment=KEPT),
    # Hornbeam leaves malloc alone where the environment names it, if only with nothing.
    replace(
        FRAMEWORKS[HORNBEAM],
        name="system",
        title="As the system has it",
        environment={"GLIBC_TUNABLES": ""},
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the cases in each arm, rounds interleaved, and print a table; 1 if any cell failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.malloc", description=__doc__)
    cases = ["cnn", "mlp", "resnet20", "transformer"]
    parser.add_argument("--cases", nargs="+", choices=CASES, default=cases, metavar="CASE")
    parser.add_argument("--measure", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="training steps in a round")
    options = parser.parse_args(arguments)
    named = sorted(memory.CONFIGURING & set(os.environ))
    if named:
        parser.error(f"unset {', '.join(named)}: malloc must be configured by the arms alone")
    about = machine.describe()
    if about["load_at_start"] > machine.BUSY:
        say(f"Note: load average {about['load_at_start']} before the start disturbs the figures.")
    document = {
        "date": datetime.date.today().isoformat(),
        "rounds": options.rounds,
        "machine": about,
        "peak": {},
        "startup": [],
        "first_epoch": [],
        "cases": [
            side_by_side.run(
                CASES[name].with_steps(options.steps),
                ARMS,
                [MEASUREMENTS[each] for each in options.measure],
                rounds=options.rounds,
                pythons=dict.fromkeys((arm.name for arm in ARMS), sys.executable),
            )
            for name in options.cases
        ],
    }
    print(report.markdown(document))
    return 1 if report.failures(document) else 0


if __name__ == "__main__":
    sys.exit(main())
