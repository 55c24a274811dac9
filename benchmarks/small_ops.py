"""Small eager operations beside TensorFlow's: `python -m benchmarks.small_ops`.

Each library has a process of its own; they take turns, and only one computes at a time. A figure is the processor time of
the calling thread for one call, the lowest of all windows: so other work on the machine, and threads that wait, do not count.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CALLS, WINDOWS = 50, 8
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


def operations(tf: Any) -> dict[str, Callable[[], Any]]:
    """Return functions without arguments, by what a user writes."""
    draw = np.random.default_rng(1)
    a, b = (tf.constant(draw.random((8, 8)).astype("float32")) for _ in range(2))
    v, scalar = tf.Variable(np.ones((8, 8), "float32")), tf.constant(1.0)
    optimizer = tf.keras.optimizers.Adam()
    shapes = [(64, 64), (64,), (64, 64), (64,), (64, 10), (10,)]
    weights = [tf.Variable(draw.random(shape).astype("float32")) for shape in shapes]
    gradients = [tf.constant(draw.random(shape).astype("float32")) for shape in shapes]
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            tf.keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    dense, row = layers.Dense(8), tf.constant(draw.random((1, 28, 28, 1)).astype("float32"))
    return {
        "a + b": lambda: a + b,
        "a * 2.0": lambda: a * 2.0,
        "a @ b": lambda: a @ b,
        "a[0]": lambda: a[0],
        "a == b": lambda: a == b,
        "tf.nn.relu(a)": lambda: tf.nn.relu(a),
        "tf.nn.softmax(a)": lambda: tf.nn.softmax(a),
        "tf.reshape(a, (4, 16))": lambda: tf.reshape(a, (4, 16)),
        "tf.cast(a, tf.int32)": lambda: tf.cast(a, tf.int32),
        "tf.transpose(a)": lambda: tf.transpose(a),
        "tf.argmax(a, 1)": lambda: tf.argmax(a, 1),
        "tf.concat([a, b], 0)": lambda: tf.concat([a, b], 0),
        "tf.reduce_mean(a, 1)": lambda: tf.reduce_mean(a, 1),
        "tf.constant(1.0)": lambda: tf.constant(1.0),
        "tf.zeros((8, 8))": lambda: tf.zeros((8, 8)),
        "float(scalar)": lambda: float(scalar),
        "v + a": lambda: v + a,
        "v.assign(a)": lambda: v.assign(a),
        "v.assign_add(a)": lambda: v.assign_add(a),
        "dense(a)": lambda: dense(a),
        "model(row), 7 layers": lambda: model(row),
        "Adam, 6 weights": lambda: optimizer.apply_gradients(zip(gradients, weights, strict=True)),
    }


def worker(library: str) -> None:
    """Measure once for each line that comes in, and write the figures as a line."""
    functions = operations(importlib.import_module(library))
    for fn in functions.values():
        for _ in range(CALLS):
            fn()
    for _ in sys.stdin:
        print(json.dumps({name: _lowest(fn) for name, fn in functions.items()}), flush=True)


def _lowest(fn: Callable[[], Any]) -> float:
    windows = []
    for _ in range(WINDOWS):
        start = time.thread_time()
        for _ in range(CALLS):
            fn()
        windows.append(time.thread_time() - start)
    return min(windows) / CALLS


def _start(python: str, library: str) -> subprocess.Popen[str]:
    command = [python, "-m", "benchmarks.small_ops", "--worker", library]
    pipe = subprocess.PIPE
    environment = {**os.environ, **_QUIET, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment)


def _ask(process: subprocess.Popen[str]) -> dict[str, float]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("The worker has no pipes.")
    print("round", file=process.stdin, flush=True)
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"The worker ended: {process.args}")
    return json.loads(line)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print microseconds of both libraries and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-python", default=str(ROOT / ".venv-peers" / "bin" / "python"))
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.worker:
        worker(given.worker)
        return
    pairs = ((sys.executable, "hornbeam"), (given.peer_python, "tensorflow"))
    processes = [_start(*pair) for pair in pairs]
    rounds = []
    for number in range(given.rounds):
        rounds.append([_ask(process) for process in processes])
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr, flush=True)
    for process in processes:
        process.communicate()
    print(f"{'us a call':26s}{'Hornbeam':>10s}{'TensorFlow':>12s}{'ratio':>8s}")
    for name in rounds[0][0]:
        ours, theirs = (1e6 * min(each[side][name] for each in rounds) for side in (0, 1))
        print(f"{name:26s}{ours:10.1f}{theirs:12.1f}{ours / theirs:8.2f}")


if __name__ == "__main__":
    main()
