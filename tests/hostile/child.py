"""Loads hostile files, one after the other, and says what happened: run by test_hostile.py in a process of its own."""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import keras
from hornbeam import train as tf_train
from hornbeam.keras.saving.inspection import inspected
from tests.hostile import archives, configs, hdf5, others  # noqa: F401
from tests.hostile.attack import ATTACKS, CANARY, Attack, model, zipfile_of
from tests.hostile.watching import inspect, observe, start_watching


def load(how: str, path: Path) -> Any:
    """Load a file as its attack says."""
    if how == "load_weights":
        return target.load_weights(path)
    if how == "checkpoint":
        reader = tf_train.load_checkpoint(str(path))
        return [reader.get_tensor(name) for name in reader.get_variable_to_shape_map()]
    return keras.saving.load_model(path, safe_mode=how != "unsafe")


def attempt(act: Callable[[], object]) -> dict[str, Any]:
    """Return how an attempt ended, and what it cost, as JSON."""
    seen = observe(act)
    return {
        "error": type(seen.error).__name__ if seen.error is not None else None,
        "is_expected": isinstance(seen.error, (ValueError, TypeError, OSError, KeyError)),
        "told": seen.told,
        "seconds": seen.seconds,
        "bytes": seen.bytes,
        "events": seen.events,
    }


def control() -> None:
    """Do what must be noticed."""
    pickle.loads(pickle.dumps(archives._Evil())).close()
    np.ones(20_000_000)
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass


def run(each: Attack, folder: Path) -> dict[str, Any]:
    """Make one file, try to load it, and look at what is left."""
    folder.mkdir()
    os.chdir(folder)
    path = each.make(folder)
    before = sorted(map(str, folder.rglob("*")))
    values = target.get_weights()
    result = attempt(lambda: load(each.how, path))
    result["inspection"] = attempt(lambda: inspect(path))
    result["left"] = sorted(
        set(map(str, folder.parent.rglob(CANARY))) | set(map(str, folder.rglob("*"))) - set(before)
    )
    result["unchanged"] = all(
        (a == b).all() for a, b in zip(values, target.get_weights(), strict=True)
    )
    return result


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    root = Path(sys.argv[1])
    wanted = sys.argv[2:] or list(ATTACKS)
    target = model()
    keras.saving.load_model(
        zipfile_of(root, {})
    )  # what is loaded and compiled once is loaded and compiled
    with inspected(root / "m.keras") as contents:
        assert contents.checks
    (root / "m.keras").unlink()
    start_watching()
    os.chdir(root)
    print(json.dumps({"name": "(control)", **attempt(control)}), flush=True)
    (root / CANARY).unlink()
    for name in wanted:
        try:
            found = run(ATTACKS[name], root / name)
        except BaseException as error:
            found = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps({"name": name, **found}), flush=True)
