"""What is timed; every figure is a time per unit of work, so that less is better."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.base import Case
from benchmarks.frameworks.base import Session

ONE_ROW_CALLS = 100  # the first ones, after other processes have run, take three times as long
THREADS = 8
"""How many callers a model serves at once, where it serves several."""


@dataclass(frozen=True)
class Measurement:
    """A piece of work, how many units it holds, and their name."""

    name: str
    title: str
    unit: str
    run: Callable[[Session, Case], dict[str, Any]]  # returns what is worth keeping beside the time
    units: Callable[[Case], float]
    default: bool = True  # False: only when asked for by name

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


def _predict_threads(session: Session, case: Case) -> dict[str, Any]:
    _at_once(lambda: session.predict(case.predict_rows // THREADS, case.predict_batch))
    return {}


def _predict_one_threads(session: Session, case: Case) -> dict[str, Any]:
    _at_once(lambda: _predict_one(session, case))
    return {}


def _at_once(call: Callable[[], object]) -> None:
    """Make the call in each of the threads, and wait for all of them."""
    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(call) for _ in range(THREADS)]:
            future.result()


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
        Measurement(
            "predict-threads",
            f"predict, many rows in {THREADS} threads at once",
            "ms/1000 rows",
            _predict_threads,
            lambda case: case.predict_rows / 1000,
            default=False,
        ),
        Measurement(
            "predict-one-threads",
            f"predict, one row in each of {THREADS} threads at once",
            "ms/call",
            _predict_one_threads,
            lambda case: THREADS * ONE_ROW_CALLS,
            default=False,
        ),
    )
}
