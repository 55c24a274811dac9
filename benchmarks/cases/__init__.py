"""The models that are timed, one file per family."""

from benchmarks.cases import cnn, lstm, mlp, resnet, transformer
from benchmarks.cases.base import Case

CASES: dict[str, Case] = {
    case.name: case for family in (cnn, mlp, lstm, resnet, transformer) for case in family.CASES
}

__all__ = ["CASES", "Case"]
