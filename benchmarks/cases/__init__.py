"""The models that are timed, one file per case."""

from benchmarks.cases import cnn, lstm, mlp
from benchmarks.cases.base import Case

CASES: dict[str, Case] = {case.name: case for case in (cnn.CASE, mlp.CASE, lstm.CASE)}

__all__ = ["CASES", "Case"]
