"""Time and memory of saving and loading a whole model, beside Keras: `python -m benchmarks.saving [--gigabytes 1]`.

Each library saves and loads the same model of dense layers in a process of its own, which then waits for nothing else. The peak
is that of the process while it saves or loads, less what it had before.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

LIBRARIES = ("hornbeam", "keras")
_WIDTH = 2048  # 16 MB in each layer
_MB = 1 << 20


def memory() -> int:
    """Return the resident memory of the process in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def measured(act: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return what `act` returns, its seconds, and its highest memory above that at its start, in MB."""
    start, highest, done = memory(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            highest[0] = max(highest[0], memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    made = act()
    seconds = time.perf_counter() - begin
    done.set()
    watcher.join()
    return made, {"seconds": round(seconds, 2), "mb": round((highest[0] - start) / _MB)}


def run(library: str, what: str, path: str, gigabytes: float) -> dict[str, float]:
    """Save or load with one library, in this process."""
    if library == "hornbeam":
        from hornbeam import keras
    else:
        os.environ["KERAS_BACKEND"] = "jax"
        import keras
    import numpy as np

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])(np.ones((1, 2)))
    if what == "load":
        return measured(lambda: keras.models.load_model(path))[1]
    count = max(round(gigabytes * 1024 / 16), 1)
    layers = [keras.layers.Dense(_WIDTH, use_bias=False) for _ in range(count)]
    model = keras.Sequential([keras.Input((_WIDTH,)), *layers])
    return measured(lambda: model.save(path))[1]


def main() -> None:
    """Measure in new processes and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.saving", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run(*options.one, options.gigabytes)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for library in LIBRARIES:
                for what in ("save", "load"):
                    path = os.path.join(folder, f"{library}.keras")
                    command = [sys.executable, "-m", "benchmarks.saving", "--one", library, what]
                    command += [path, "--gigabytes", str(options.gigabytes)]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    found = json.loads(done.stdout.splitlines()[-1])
                    print(f"{library:9} {what}: {found['seconds']:6.2f} s, {found['mb']:6} MB")


if __name__ == "__main__":
    main()
