"""The benchmark of kernels: every one of them can be traced, and the table has the columns that it names."""

from __future__ import annotations

from functools import partial

import jax
import pytest

from benchmarks.kernels import __main__ as benchmark
from hornbeam.kernels import native
from tests.marks import native_only


@pytest.mark.parametrize("family", benchmark.FAMILIES)
def test_kernels_and_their_gradients_can_be_traced(family: str) -> None:
    for kernel in benchmark.FAMILIES[family]():
        assert jax.tree.leaves(jax.eval_shape(kernel.call, *kernel.arguments)), kernel.name
        slopes = jax.eval_shape(partial(benchmark.gradients, kernel), *kernel.arguments)
        factors = [kernel.arguments[i] for i in kernel.differentiate]
        assert [slope.shape for slope in slopes] == [factor.shape for factor in factors]


def test_without_native_kernels_there_is_nothing_to_measure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native, "available", lambda: False)
    with pytest.raises(SystemExit, match="no native kernels"):
        benchmark.main(["dropout"])


@native_only
def test_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(benchmark.peak, "products", lambda: {"float32": 1e11, "bfloat16": 2e11})
    benchmark.main(["dropout", "--turns", "1"])
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert rows and {row.count("|") for row in rows} == {header.count("|")}
