"""The benchmark harness with made-up frameworks: order of turns, files, ratios, failures."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import benchmarks.__main__ as command_line
from benchmarks import malloc, measurements, report, side_by_side
from benchmarks.cases import CASES
from benchmarks.frameworks import BEFORE, FRAMEWORKS, HORNBEAM, Framework
from benchmarks.measurements import MEASUREMENTS
from hornbeam.core import memory

# Writes down what it is asked to do; `cpu` sleeps as long as its name says.
FAKE = """
import os, time
from pathlib import Path

class Session:
    def __init__(self, case, x, y):
        assert len(x) == len(y) >= case.batch * case.steps

    def fit(self, steps):
        self.note("begin")
        time.sleep(float(os.environ["FAKE_SECONDS"]))
        self.note("end")
        print("noise on standard output")
        if os.environ["FAKE_NAME"] == "broken":
            raise RuntimeError("no such layer")
        return float(os.environ["FAKE_LOSS"])

    def predict(self, rows, batch):
        pass

    if os.environ["FAKE_NAME"] == "able":
        def loop_function(self, steps):
            self.note("loop begin")
            self.note("loop end")
            return 9.0

    def note(self, word):
        with open(os.environ["FAKE_LOG"], "a") as log:
            print(os.environ["FAKE_NAME"], word, file=log)

def open_session(case, x, y):
    return Session(case, x, y)
"""


class Stage:
    """A folder with a fake framework in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        (folder / "fake_framework.py").write_text(FAKE)

    def framework(self, name: str, *, seconds: float = 0.0, loss: float = 1.0) -> Framework:
        return Framework(
            name=name,
            title=name.title(),
            module="fake_framework",
            packages=("numpy",),
            import_line="pass",
            environment={
                "PYTHONPATH": str(self.folder),
                "FAKE_LOG": str(self.log),
                "FAKE_NAME": name,
                "FAKE_SECONDS": str(seconds),
                "FAKE_LOSS": str(loss),
            },
        )

    def run(
        self, *frameworks: Framework, rounds: int = 3, measure: Sequence[str] = ("fit",)
    ) -> dict[str, Any]:
        return side_by_side.run(
            dataclasses.replace(CASES["cnn"], steps=2, predict_rows=8),
            frameworks,
            [MEASUREMENTS[name] for name in measure],
            rounds=rounds,
            pythons=dict.fromkeys((framework.name for framework in frameworks), sys.executable),
        )


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(side_by_side, "SETTLE", 0.0)
    return Stage(tmp_path)


def test_turns_interleave_and_never_overlap(stage: Stage) -> None:
    stage.run(stage.framework("one"), stage.framework("two"))
    lines = stage.log.read_text().split("\n")[:-1]
    assert lines[::2] == [line.replace("end", "begin") for line in lines[1::2]]
    turns = [line.split()[0] for line in lines[1::2]]
    warm_up = side_by_side.WARM_UP
    assert turns == ["one"] * warm_up + ["two"] * warm_up + ["one", "two"] * 3


def test_figures_are_times_per_step_and_ratios_are_within_rounds(stage: Stage) -> None:
    case = stage.run(stage.framework(HORNBEAM, seconds=0.02), stage.framework("two", seconds=0.2))
    ours = case["frameworks"][HORNBEAM]["figures"]["fit"]
    assert len(ours["rounds"]) == 3
    assert min(ours["rounds"]) >= 10  # 20 ms or more for two steps
    assert ours["min"] <= ours["median"] <= ours["max"]
    ratios = report.ratios(case, "fit", "two")
    assert ratios == [
        theirs / mine
        for mine, theirs in zip(
            ours["rounds"], case["frameworks"]["two"]["figures"]["fit"]["rounds"], strict=True
        )
    ]


def test_what_is_written_by_hand_takes_turns_with_fit_where_a_framework_has_it(
    stage: Stage,
) -> None:
    case = stage.run(
        *(stage.framework("able", seconds=0.02), stage.framework("two")),
        rounds=2,
        measure=["fit", "predict", "loop"],
    )
    begun = [line for line in stage.log.read_text().splitlines() if "begin" in line]
    assert begun[-6:] == ["able begin", "two begin", "able loop begin"] * 2
    able, two = case["frameworks"]["able"]["figures"], case["frameworks"]["two"]["figures"]
    assert list(able) == ["fit", "loop", "predict"] and list(two) == ["fit", "predict"]
    table = report.by_hand([case])
    ratios = [
        mine / fit for mine, fit in zip(able["loop"]["rounds"], able["fit"]["rounds"], strict=True)
    ]
    assert f"| loop / fit | **{sum(ratios) / 2:.2f}** (" in table and table.endswith("| - |")
    assert report.suspicious_losses(case) == []  # nobody else has the loop


def test_loops_are_measured_with_the_cases_they_are_written_for(stage: Stage) -> None:
    assert [name for name, each in MEASUREMENTS.items() if not each.suits(CASES["mlp"])] == [
        *("own-step", "loop", "loop-eager", "call-model", "call-function")
    ]
    assert all(each.suits(CASES["cnn"]) for each in MEASUREMENTS.values())


def test_a_strange_loss_of_a_loop_is_reported() -> None:
    losses = {"loop": {"first_loss": 2.0, "last_loss": 1.0}}
    cell = {"first_loss": 2.0, "last_loss": 1.0, "losses": losses}
    other = {**cell, "losses": {"loop": {"first_loss": 4.0, "last_loss": 1.0}}}
    frameworks = {"one": {"title": "One", **cell}, "two": {"title": "Two", **other}}
    found = report.suspicious_losses({"frameworks": frameworks, "beside": {"loop": "fit"}})
    assert [line.partition(":")[0] for line in found] == ["One, loop", "Two, loop"]


def test_a_broken_framework_is_named_and_the_others_go_on(stage: Stage) -> None:
    case = stage.run(stage.framework("broken"), stage.framework("two"))
    assert "no such layer" in case["frameworks"]["broken"]["error"]
    assert len(case["frameworks"]["two"]["figures"]["fit"]["rounds"]) == 3


@pytest.mark.parametrize("loss", [float("nan"), 2.0])
def test_a_strange_loss_is_reported(stage: Stage, loss: float) -> None:
    names = [stage.framework("one"), stage.framework("two"), stage.framework("odd", loss=loss)]
    found = report.suspicious_losses(stage.run(*names, rounds=1))
    assert len(found) == 1
    assert found[0].startswith("Odd: ")


def test_one_call_writes_json_and_table(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FRAMEWORKS, HORNBEAM, stage.framework(HORNBEAM))
    monkeypatch.setitem(FRAMEWORKS, "pytorch", stage.framework("pytorch"))
    options = ["--cases", "mlp", "--peers", "pytorch", "--rounds", "1", "--steps", "2"]
    options += ["--measure", "fit", "predict", "startup"]
    places = ["--peer-python", sys.executable, "--out", str(stage.folder / "out")]
    monkeypatch.setattr(
        "benchmarks.peak.measure", lambda python: {"float32": 1e11, "bfloat16": 2e11}
    )
    command_line.main([*options, *places])
    (path,) = (stage.folder / "out").glob("*.json")
    document = json.loads(path.read_text())
    assert document["machine"]["cores"] >= 1
    assert document["cases"][0]["frameworks"][HORNBEAM]["versions"]["numpy"]
    assert {row["name"] for row in document["startup"]} == {"python", "jax", HORNBEAM, "pytorch"}
    table = path.with_suffix(".md").read_text()
    assert "## Ratios" in table
    floor = 1000 * CASES["mlp"].operations * CASES["mlp"].batch / 1e11
    assert f"| float32 | {floor:.2f} |" in table
    assert table == capsys.readouterr().out.removesuffix("\n")


def test_who_takes_part_where_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras on PyTorch does with models at which it may be the best, under another policy too."""
    seen = {}

    def run(
        case: Any, frameworks: Any, *_: Any, pythons: dict[str, str], **__: Any
    ) -> dict[str, Any]:
        seen[case.name] = [framework.name for framework in frameworks]
        assert list(pythons) == seen[case.name]
        return {}

    monkeypatch.setattr(side_by_side, "run", run)
    monkeypatch.setattr("benchmarks.peak.measure", lambda python: {})
    options = ["--cases", "mlp", "resnet20-bf16", "--measure", "fit"]
    options = command_line.parse([*options, "--peer-python", sys.executable])
    command_line.fill({"cases": []}, options)
    few = [HORNBEAM, "keras-tensorflow", "keras-jax", "pytorch"]
    assert seen == {"mlp": few, "resnet20-bf16": [*few[:3], "keras-torch", "pytorch"]}


def test_an_earlier_hornbeam_runs_under_its_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}

    def run(*_: Any, pythons: dict[str, str], **__: Any) -> dict[str, Any]:
        seen.update(pythons)
        return {}

    monkeypatch.setattr(side_by_side, "run", run)
    monkeypatch.setattr("benchmarks.peak.measure", lambda python: {})
    options = ["--cases", "mlp", "--measure", "fit", "--peers", "--before"]
    command_line.fill({"cases": []}, command_line.parse([*options, "/bin/sh"]))
    assert seen == {HORNBEAM: sys.executable, BEFORE: "/bin/sh"}
    with pytest.raises(SystemExit):
        command_line.parse([*options, "nowhere/python"])


def test_a_stopped_run_reports_what_was_finished(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = side_by_side.run

    def stopped_in_the_second(case: Any, *rest: Any, **options: Any) -> dict[str, Any]:
        if case.name == "lstm":
            raise KeyboardInterrupt
        return run(case, *rest, **options)

    monkeypatch.setattr(side_by_side, "run", stopped_in_the_second)
    monkeypatch.setitem(FRAMEWORKS, HORNBEAM, stage.framework(HORNBEAM))
    monkeypatch.setattr("benchmarks.peak.measure", lambda python: {})
    options = ["--cases", "mlp", "lstm", "gru", "--peers", "--rounds", "1", "--steps", "2"]
    assert command_line.main([*options, "--measure", "fit", "--out", str(stage.folder)]) == 1
    (path,) = stage.folder.glob("*.json")
    assert [case["name"] for case in json.loads(path.read_text())["cases"]] == ["mlp"]
    said = capsys.readouterr()
    assert "Stopped" in said.err and "mlp: fit, ms/step: " in said.err and "mlp" in said.out.lower()


def test_a_missing_environment_says_how_to_make_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.parse(["--peer-python", "nowhere/python"])
    assert "make bench" in capsys.readouterr().err


def test_threads_predict_all_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every thread has begun before the first ends, and together they do what the unit counts."""
    together = threading.Barrier(measurements.THREADS, timeout=30)
    rows: list[int] = []

    class Session:
        def predict(self, count: int, batch: int) -> None:
            together.wait()
            rows.append(count)

    case = dataclasses.replace(CASES["mlp"], predict_rows=4096)
    MEASUREMENTS["predict-threads"].run(Session(), case)
    assert sum(rows) == 1000 * MEASUREMENTS["predict-threads"].units(case)
    rows.clear()
    MEASUREMENTS["predict-one-threads"].run(Session(), case)
    assert rows == [1] * int(MEASUREMENTS["predict-one-threads"].units(case))


def test_malloc_is_configured_by_the_arms_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    done = {}
    for arm in malloc.ARMS:
        line = "from hornbeam.core.memory import keep_freed_memory; print(keep_freed_memory())"
        environment = {
            name: value for name, value in os.environ.items() if name not in memory.CONFIGURING
        }
        process = subprocess.run(
            [sys.executable, "-c", line],
            env=environment | dict(arm.environment),
            capture_output=True,
            text=True,
            check=True,
        )
        done[arm.name] = process.stdout.strip()
    told = str(sys.platform.startswith("linux"))
    assert done == {HORNBEAM: told, "arenas": "False", "system": "False"}
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    with pytest.raises(SystemExit):
        malloc.main([])
