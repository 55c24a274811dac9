"""What is timed; every figure is a time per unit of work, so that less is better.

Measurements of one group take turns within a round, so that a ratio between two of them is formed within it, too.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.base import Case
from benchmarks.frameworks.base import Session
from benchmarks.frameworks.tensorflow_api import CALLS

ONE_ROW_CALLS = 100  # the first ones, after other processes have run, take three times as long
EAGER_STEPS = 50  # of a loop that runs operation by operation
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
    method: str = "fit"  # of the session; a framework whose sessions lack it does not take part
    cases: tuple[str, ...] | None = None  # None: all
    group: str = ""  # "": alone
    beside: str = ""  # the measurement that its figures are compared with, of the same group

    def figure(self, seconds: float, case: Case) -> float:
        """Milliseconds per unit."""
        return 1000 * seconds / self.units(case)

    def suits(self, case: Case) -> bool:
        """Return whether the case has it."""
        return self.cases is None or case.name in self.cases


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


def _loss(method: str, steps: Callable[[Case], int]) -> Callable[[Session, Case], dict[str, Any]]:
    """Return a run of a session's method that trains so many steps."""
    return lambda session, case: {"loss": getattr(session, method)(steps(case))}


def _calls(method: str) -> Callable[[Session, Case], dict[str, Any]]:
    def run(session: Session, case: Case) -> dict[str, Any]:
        getattr(session, method)()
        return {}

    return run


def _by_hand(name: str, title: str, method: str, steps: Callable[[Case], int]) -> Measurement:
    """Return a way to train that users write themselves, beside `fit`."""
    return Measurement(
        name,
        title,
        "ms/step",
        _loss(method, steps),
        steps,
        method=method,
        cases=("cnn",),
        group="training",
        beside="fit",
    )


def _single(name: str, title: str, method: str) -> Measurement:
    """Return a measurement of single calls."""
    return Measurement(
        name, title, "ms/call", _calls(method), lambda _: CALLS, method=method, cases=("cnn",)
    )


def _at_once(call: Callable[[], object]) -> None:
    """Make the call in each of the threads, and wait for all of them."""
    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(call) for _ in range(THREADS)]:
            future.result()


MEASUREMENTS: dict[str, Measurement] = {
    measurement.name: measurement
    for measurement in (
        Measurement("fit", "fit", "ms/step", _fit, lambda case: case.steps, group="training"),
        _by_hand("own-step", "fit, own train_step", "fit_own_step", lambda case: case.steps),
        _by_hand("loop", "loop under tf.function", "loop_function", lambda case: case.steps),
        _by_hand(
            *("loop-eager", "loop without tf.function", "loop_eager"),
            lambda case: min(case.steps, EAGER_STEPS),
        ),
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
        _single("call-model", "model(x), one row", "call_model"),
        _single("call-function", "call of a tf.function", "call_function"),
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
