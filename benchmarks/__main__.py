"""Command line: what to run, in what, how often, and where to write it."""

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import first_epoch, machine, peak, report, side_by_side, startup
from benchmarks.cases import CASES
from benchmarks.frameworks import BEFORE, FRAMEWORKS, HORNBEAM
from benchmarks.measurements import MEASUREMENTS
from benchmarks.progress import say

HERE = Path(__file__).resolve().parent
PEERS = [name for name in FRAMEWORKS if name not in (HORNBEAM, BEFORE)]
DEFAULT_PEERS = [name for name in PEERS if FRAMEWORKS[name].is_default()]
DEFAULT_MEASUREMENTS = [name for name, each in MEASUREMENTS.items() if each.default]
STARTUP, FIRST_EPOCH, FIRST_STEP = "startup", "first-epoch", "first-step"
PROCESSES = [STARTUP, FIRST_EPOCH, FIRST_STEP]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's values; unknown names end the program with the list of known ones."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/run.py",
        description="Time Hornbeam and its peers on the same models and the same data.",
    )
    parser.add_argument(
        "--cases",
        nargs="+",
        choices=CASES,
        default=list(CASES),
        metavar="CASE",
        help=f"models to run, of {', '.join(CASES)} (default: all)",
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=PEERS,
        metavar="PEER",
        help=f"frameworks beside Hornbeam, of {', '.join(PEERS)} (default: {' '.join(DEFAULT_PEERS)}, and others with "
        "models at which they may be the best; none given: Hornbeam alone)",
    )
    parser.add_argument(
        "--measure",
        nargs="+",
        choices=[*MEASUREMENTS, *PROCESSES],
        default=[*DEFAULT_MEASUREMENTS, *PROCESSES],
        metavar="WHAT",
        help=f"of {', '.join([*MEASUREMENTS, *PROCESSES])} "
        f"(default: {' '.join([*DEFAULT_MEASUREMENTS, *PROCESSES])})",
    )
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default: 5)")
    parser.add_argument("--steps", type=int, help="training steps in a round (default: the case's)")
    parser.add_argument(
        "--peer-python",
        type=Path,
        default=HERE.parent / ".venv-peers/bin/python",
        help="Python of the environment that holds the peers (default: the one "
        "that `make bench` creates, .venv-peers)",
    )
    parser.add_argument(
        "--before",
        type=Path,
        metavar="PYTHON",
        help="Python of an environment that holds an earlier Hornbeam, to be timed beside this one",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=HERE / "results",
        help="folder for the JSON and the table (default: benchmarks/results)",
    )
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")
    if options.peers != [] and not options.peer_python.exists():
        parser.error(
            f"no Python at {options.peer_python}: run `make bench`, or name the Python of an "
            "environment with requirements-peers.txt by --peer-python, or give --peers no names"
        )
    if options.before is not None and not options.before.exists():
        parser.error(
            f"no Python at {options.before}: clone the earlier commit, run `make test` there, and name its "
            ".venv/bin/python"
        )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked, write the report, print the table; 1 if any cell failed, or it was stopped by Ctrl-C."""
    options = parse(arguments)
    started = datetime.datetime.now().astimezone()
    about = machine.describe()
    if about["load_at_start"] > machine.BUSY:
        say(
            f"Note: load average {about['load_at_start']} before the start; other work on this "
            "machine disturbs the figures."
        )

    document: dict[str, Any] = {
        "date": started.isoformat(timespec="seconds"),
        "rounds": options.rounds,
        "machine": about,
        "peak": {},
        "cases": [],
        "startup": [],
        "first_epoch": [],
        "first_step": [],
    }
    stopped = False
    try:
        fill(document, options)
    except KeyboardInterrupt:
        say("Stopped: the report holds what was finished.")
        stopped = True
    table = report.markdown(document)
    print(table)
    paths = report.write(document, table, options.out, stem=f"bench-{started:%Y%m%d-%H%M%S}")
    say("Written: " + ", ".join(str(path) for path in paths))
    return 1 if stopped or report.failures(document) else 0


def fill(document: dict[str, Any], options: argparse.Namespace) -> None:
    """Measure what was asked; each part is in the document as soon as it is finished."""

    def pythons(model: str | None = None) -> dict[str, str]:
        """By the names of the frameworks that take part."""
        peers = options.peers
        if peers is None:
            peers = [name for name in PEERS if FRAMEWORKS[name].is_default(model)]
        ours = {HORNBEAM: sys.executable}
        if options.before is not None:
            ours[BEFORE] = str(options.before)
        return {**ours, **dict.fromkeys(peers, str(options.peer_python))}

    measurements = [MEASUREMENTS[name] for name in options.measure if name in MEASUREMENTS]
    if measurements:
        document["peak"] = peak.measure(sys.executable)
        for name in options.cases:
            case = CASES[name].with_steps(options.steps)
            each = pythons(case.model_name)
            frameworks = [FRAMEWORKS[framework] for framework in each]
            document["cases"].append(
                side_by_side.run(
                    case, frameworks, measurements, rounds=options.rounds, pythons=each
                )
            )
    if STARTUP in options.measure:
        document["startup"] = startup.run(pythons(), options.rounds)
    if FIRST_EPOCH in options.measure:
        document["first_epoch"] = first_epoch.run(pythons(), options.rounds)
    if FIRST_STEP in options.measure:
        document["first_step"] = first_epoch.run(pythons(), options.rounds, first_epoch.STEP)


if __name__ == "__main__":
    sys.exit(main())
