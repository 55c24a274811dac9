"""All edits: each removes one guard or swaps one branch."""

from __future__ import annotations

from tests.mutants import (
    autograph,
    core,
    engine,
    faces,
    formats,
    functions,
    kernels,
    models,
    old_files,
    optimizers,
    plans,
    reading,
    saving,
    tape,
    train,
    training,
    utils,
    weights,
)
from tests.mutants.edit import Edit

EDITS: list[Edit] = [
    *autograph.EDITS,
    *core.EDITS,
    *engine.EDITS,
    *weights.EDITS,
    *saving.EDITS,
    *models.EDITS,
    *reading.EDITS,
    *formats.EDITS,
    *old_files.EDITS,
    *train.EDITS,
    *optimizers.EDITS,
    *kernels.EDITS,
    *plans.EDITS,
    *functions.EDITS,
    *tape.EDITS,
    *faces.EDITS,
    *training.EDITS,
    *utils.EDITS,
]
