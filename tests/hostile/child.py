"""Loads hostile files, one after the other, and says what happened: run by test_hostile.py in a process of its own."""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import keras
from hornbeam import train as tf_train
from hornbeam.keras.saving.inspection import inspected
from tests.hostile import archives, configs, hdf5, others  # noqa: F401
from tests.hostile.attack import ATTACKS, CANARY, Attack, model, zipfile_of

# What a file has no business to cause. Names of the interpreter's audit events.
FORBIDDEN = (
    "exec",
    "import",
    "marshal.loads",
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
    "urllib.Request",
    "ctypes.dlopen",
    "shutil.copytree",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.symlink",
)
_events: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        path, mode = arguments[0], arguments[1]
        if str(path) == tempfile.gettempdir():
            return  # a file without a name
        if isinstance(mode, str) and set(mode) & set("wax+"):
            _events.append(f"open {path} {mode}")
        elif str(path) in ("/etc/passwd", "raw", "secret.h5"):
            _events.append(f"open {path}")
    elif event in FORBIDDEN:
        _events.append(f"{event} {str(arguments[:1])[:80]}")


def _peak() -> int:
    """Return the largest memory since the last call of `_reset`, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _reset() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def load(how: str, path: Path) -> Any:
    """Load a file as its attack says."""
    if how == "load_weights":
        return target.load_weights(path)
    if how == "checkpoint":
        reader = tf_train.load_checkpoint(str(path))
        return [reader.get_tensor(name) for name in reader.get_variable_to_shape_map()]
    return keras.saving.load_model(path, safe_mode=how != "unsafe")


def inspect(path: Path) -> None:
    """Go through all that `hornbeam show` and `hornbeam check` go through."""
    with inspected(path) as contents:
        for check in contents.checks.values():
            try:
                check()
            except (OSError, ValueError):
                continue


def attempt(act: Any) -> dict[str, Any]:
    """Return how an attempt ended, and what it cost."""
    global _watching
    _events.clear()
    before, start = _reset(), time.process_time()
    error: BaseException | None = None
    _watching = True
    try:
        act()
    except BaseException as caught:
        error = caught
    _watching = False
    return {
        "error": type(error).__name__ if error is not None else None,
        "is_expected": isinstance(error, (ValueError, TypeError, OSError, KeyError)),
        "told": "\n".join([str(error), *getattr(error, "__notes__", ())]),
        "seconds": time.process_time() - start,
        "bytes": _peak() - before,
        "events": list(_events),
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
    sys.addaudithook(_watch)
    os.chdir(root)
    print(json.dumps({"name": "(control)", **attempt(control)}), flush=True)
    (root / CANARY).unlink()
    for name in wanted:
        try:
            found = run(ATTACKS[name], root / name)
        except BaseException as error:
            found = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps({"name": name, **found}), flush=True)
