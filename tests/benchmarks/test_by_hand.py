"""What the benchmarks write by hand trains the case's model, and the first step of it is timed alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from benchmarks import first_epoch
from benchmarks.cases import CASES, Case
from benchmarks.frameworks.hornbeam import open_session


def build(keras: Any) -> Any:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def make_data(generator: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    x = generator.random((rows, 4), dtype=np.float32)
    return x, (x.sum(axis=1) > 2).astype(np.int32)


SMALL = Case("small", "Small", batch=4, steps=6, build=build, make_data=make_data, predict_rows=4)


def test_loops_train_and_calls_run() -> None:
    session: Any = open_session(SMALL, *SMALL.data())
    for train in (session.loop_eager, session.loop_function, session.fit_own_step):
        losses = [train(6) for _ in range(3)]
        assert losses == sorted(losses, reverse=True) and math.isfinite(losses[0])
    session.call_model()
    session.call_function()


def test_the_first_step_is_timed_inside_of_its_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CASES, first_epoch.CASE, SMALL)
    first_epoch.main("hornbeam", first_epoch.STEP)
    assert float(capsys.readouterr().out) > 0
