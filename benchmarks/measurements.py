"""What is timed; every figure is a time per unit of work, so that less is better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.base import Case
from benchmarks.frameworks.base import Session

ONE_ROW_CALLS = 20


@dataclass(frozen=True)
class Measurement:
    """A piece of work, how many units it holds, and their name."""

    name: str
    title: str
    unit: str
    run: Callable[[Session, Case], dict[str, Any]]  # returns what is worth keeping beside the time
    units: Callable[[Case], float]

    def figure(self, seconds: float, case: Case) -> float:
        """Milliseconds per unit."""
        return 1000 * seconds / self.units(case)


def _fit(session: Session, case: Case) -> dict[str, Any]:
    return {"loss": session.fit(case.steps)}


def _predict(session: Session, case: Case) -> dict[str, Any]:
    session.predict(case.predict_rows, case.predict_batch)
    return {}


def _predict_one(session: Session, case: Case) -> dict[str, Any]:
    for _ in range(ONE_ROW_CALLS):
        session.predict(1, 1)
    return {}


MEASUREMENTS: dict[str, Measurement] = {
    measurement.name: measurement
    for measurement in (
        Measurement("fit", "fit", "ms/step", _fit, lambda case: case.steps),
        Measurement(
            "predict",
            "predict, many rows",
            "ms/1000 rows",
            _predict,
            lambda case: case.predict_rows / 1000,
        ),
        Measurement(
            "predict-one", "predict, one row", "ms/call", _predict_one, lambda case: ONE_ROW_CALLS
        ),
    )
}
