"""One case in several frameworks: rounds interleaved, one process computing at a time.

A B C D, A B C D, ...: what slows the machine for a while slows all frameworks alike, and the
ratio within a round survives it.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.cases import Case
from benchmarks.frameworks import Framework
from benchmarks.measurements import Measurement
from benchmarks.process import Worker, WorkerError
from benchmarks.progress import say

SETTLE = 0.2
"""Seconds between turns, for thread pools that spin a little before they sleep (OpenMP's)."""

WARM_UP = 2
"""Untimed turns: the first compiles, the second meets whatever the first left half done."""


class Lane:
    """A framework's worker, and what it has shown so far.

    A worker that fails leaves its words in `cell["error"]`; its later turns are skipped, and the
    other lanes go on.
    """

    def __init__(self, worker: Worker, case: Case) -> None:
        self.worker, self.case = worker, case
        self.cell: dict[str, Any] = {"title": worker.framework.title, "figures": {}}
        self.can: list[str] = []

    def prepare(self, measurements: Sequence[Measurement]) -> None:
        """Build, then run everything that will be timed; keep the first epoch's loss."""
        try:
            opened = self.worker.open()
            self.cell["versions"], self.can = opened["versions"], opened["can"]
            for _ in range(WARM_UP):
                for measurement in self._possible(measurements):
                    answer = self.worker.ask({"measure": measurement.name})
                    if "loss" in answer:
                        self._losses(measurement).setdefault("first_loss", answer["loss"])
        except WorkerError as error:
            self._fail(error)

    def turn(self, measurement: Measurement) -> None:
        """Time one round."""
        if "error" in self.cell or not self._possible([measurement]):
            return
        time.sleep(SETTLE)
        try:
            answer = self.worker.ask({"measure": measurement.name})
        except WorkerError as error:
            self._fail(error)
            return
        figures = self.cell["figures"].setdefault(
            measurement.name, {"rounds": [], "cpu_seconds": [], "idle_cpu_seconds": []}
        )
        figures["rounds"].append(measurement.figure(answer["seconds"], self.case))
        figures["cpu_seconds"].append(answer["cpu_seconds"])
        figures["idle_cpu_seconds"].append(answer["idle_cpu_seconds"])
        self.cell["peak_mib"] = answer["peak_mib"]
        if "loss" in answer:
            self._losses(measurement)["last_loss"] = answer["loss"]

    def result(self) -> dict[str, Any]:
        """The cell as it goes into the JSON, medians and spread added."""
        figures = self.cell["figures"]
        summed = {name: figures[name] | summary(figures[name]["rounds"]) for name in figures}
        return self.cell | {"figures": summed}

    def median(self, measurement: Measurement) -> str:
        """The title and the median so far, in few words; nothing where there is none."""
        figures = self.cell["figures"].get(measurement.name)
        return f"{self.cell['title']} {statistics.median(figures['rounds']):.3g}" if figures else ""

    def _losses(self, measurement: Measurement) -> dict[str, Any]:
        """Where the measurement's losses are kept: those of `fit` in the cell itself."""
        if measurement.name == "fit":
            return self.cell
        return self.cell.setdefault("losses", {}).setdefault(measurement.name, {})

    def _possible(self, measurements: Sequence[Measurement]) -> list[Measurement]:
        return [each for each in measurements if each.name in self.can]

    def _fail(self, error: WorkerError) -> None:
        self.cell["error"] = str(error)
        say(f"{self.cell['title']} failed: {error}")


def run(
    case: Case,
    frameworks: Sequence[Framework],
    measurements: Sequence[Measurement],
    *,
    rounds: int,
    pythons: Mapping[str, str],
) -> dict[str, Any]:
    """Every framework's figures for one case, as they go into the JSON."""
    measurements = [each for each in measurements if each.suits(case)]
    with ExitStack() as stack:
        lanes = []
        for framework in frameworks:
            say(f"{case.name}: {framework.title} builds and warms up")
            worker = stack.enter_context(Worker(framework, case, pythons[framework.name]))
            lanes.append(Lane(worker, case))
            lanes[-1].prepare(measurements)
        for group in _groups(measurements):
            for number in range(rounds):
                for measurement in group:
                    say(f"{case.name}: {measurement.name}, round {number + 1} of {rounds}")
                    for lane in lanes:
                        lane.turn(measurement)
            for measurement in group:
                medians = ", ".join(filter(None, [lane.median(measurement) for lane in lanes]))
                say(f"{case.name}: {measurement.name}, {measurement.unit}: {medians}")
    return {
        "name": case.name,
        "title": case.title,
        "batch": case.batch,
        "steps": case.steps,
        "policy": case.policy,
        "operations_per_step": case.operations * case.batch,
        "units": {measurement.name: measurement.unit for measurement in measurements},
        "beside": {each.name: each.beside for each in measurements if each.beside},
        "frameworks": {lane.worker.framework.name: lane.result() for lane in lanes},
    }


def _groups(measurements: Sequence[Measurement]) -> list[list[Measurement]]:
    """Return those that take turns within a round, in the order of their first ones."""
    groups: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        groups.setdefault(measurement.group or measurement.name, []).append(measurement)
    return [*groups.values()]


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, extremes, and their distance as a share of the median."""
    middle = statistics.median(values)
    return {
        "median": middle,
        "min": min(values),
        "max": max(values),
        "spread": (max(values) - min(values)) / middle,
    }
