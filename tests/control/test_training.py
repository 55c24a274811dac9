"""The same training loop three ways, which agree with each other and with TensorFlow's recorded losses."""

from __future__ import annotations

import json

import pytest

import hornbeam as tf
from hornbeam.core import programs
from hornbeam.keras.engine import kept_calls
from tests.control.record_training import FILE
from tests.control.training_programs import PROGRAMS, STEPS, losses
from tests.tolerances import assert_close

RECORDED = json.loads(FILE.read_text())
# The others take a second each.
QUICK = ["moves_by_hand", "accumulated_gradients", "an_inner_step_of_learning", "a_step_only_where_it_pays"]  # fmt: skip
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PROGRAMS]


def test_there_are_sixty_and_every_one_is_recorded() -> None:
    assert list(PROGRAMS) == list(RECORDED) and len(PROGRAMS) == 60
    assert {len(each) for each in RECORDED.values()} == {STEPS}


@pytest.mark.parametrize("name", NAMES)
def test_a_loop_eagerly_op_by_op_and_compiled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_close(losses(tf, name, compiled=False), RECORDED[name], "training")
    assert_close(losses(tf, name, compiled=True), RECORDED[name], "training")
    # Each record of the tape is differentiated by itself, and each layer's Python runs.
    monkeypatch.setattr(programs, "_programs", programs.Kept(programs._PROGRAMS))
    monkeypatch.setattr(programs, "_is_worth", lambda *_: False)
    monkeypatch.setattr(kept_calls, "_may_run", lambda: False)
    assert_close(losses(tf, name, compiled=False), RECORDED[name], "training")
