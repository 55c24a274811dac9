"""`make demo`: train a small convolutional network on handwritten digits and show what it learnt.

    python -m hornbeam demo [--out FOLDER] [--epochs N] [--images N]
    python -m hornbeam demo --read MODEL [--images N]

It prints the test accuracy, writes two pictures (test digits with their predictions, and the training curves), and saves the
model. A new process then loads that file and reads test digits with it, which is what `--read` does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hornbeam import keras
from hornbeam.cli import pictures


class Data(NamedTuple):
    """Images scaled to [0, 1] as float32 (b, 28, 28, 1), and labels (b,)."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(images: int | None = None) -> Data:
    """MNIST; where it cannot be had, Hornbeam's own drawn digits, after saying so.

    `images` keeps only that many training images, and a sixth of it for the test.
    """
    try:
        name, (train, test) = "MNIST", keras.datasets.mnist.load_data()
    except OSError as error:
        print(f"MNIST cannot be had here, so the demo trains on drawn digits instead.\n{error}\n")
        name, (train, test) = "drawn digits", keras.datasets.digits.load_data()
    kept_train, kept_test = (None, None) if images is None else (images, max(1, images // 6))
    return Data(
        name,
        _scaled(train[0][:kept_train]),
        train[1][:kept_train],
        _scaled(test[0][:kept_test]),
        test[1][:kept_test],
    )


def _scaled(images: np.ndarray) -> np.ndarray:
    return images.reshape(-1, 28, 28, 1).astype("float32") / 255.0


def build() -> keras.Model:
    """Two convolutions with pooling and two dense layers, compiled."""
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def run(out: Path, epochs: int, images: int | None) -> float:
    """Train, draw, save, and return the test accuracy."""
    out.mkdir(parents=True, exist_ok=True)

    data = load(images)
    keras.utils.set_random_seed(0)
    model = build()
    model.summary()
    print(f"Training on {len(data.x_train):,} images of {data.name}.")
    started = time.perf_counter()
    history = model.fit(
        data.x_train, data.y_train, epochs=epochs, validation_data=(data.x_test, data.y_test)
    )
    seconds = time.perf_counter() - started

    _, accuracy = model.evaluate(data.x_test, data.y_test, verbose=0)
    title = f"{accuracy:.2%} of {len(data.x_test):,} test images of {data.name} are read correctly"
    predictions = np.asarray(model.predict(data.x_test, verbose=0))
    digits = pictures.digits(out / "digits.png", data.x_test, data.y_test, predictions, title)
    curves = pictures.curves(out / "curves.png", history.history)
    print(f"\nTest accuracy: {accuracy:.4f} after {seconds:.0f} s of training.")
    saved = out / "digits.keras"
    model.save(saved)
    print(f"Pictures: {digits}\n          {curves}\nModel:    {saved}", flush=True)
    return accuracy


def read(saved: Path, images: int | None) -> float:
    """Load a model, read test digits with it, and return its accuracy."""
    data = load(images)
    model = keras.models.load_model(saved)
    digits = np.argmax(model.predict(data.x_test, verbose=0), axis=-1)
    accuracy = float(np.mean(digits == data.y_test))
    print(f"A new process loads it and reads {' '.join(map(str, digits[:12]))} ...")
    print(f"where these were written:        {' '.join(map(str, data.y_test[:12]))} ...")
    print(f"Test accuracy: {accuracy:.4f} of {len(digits):,} images of {data.name}.")
    return accuracy


def read_in_new_process(saved: Path, images: int | None) -> None:
    """Call `read` in a process that knows nothing but the file."""
    few = [] if images is None else ["--images", str(images)]
    command = [sys.executable, "-m", "hornbeam", "demo", "--read", str(saved), *few]
    subprocess.run(command, check=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m hornbeam demo",
        description="Train a small network on handwritten digits; save the model and pictures of the result.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="folder of pictures and model"
    )
    parser.add_argument("--epochs", type=_positive, default=5, help="passes over the data")
    parser.add_argument("--images", type=_positive, help="train on the first N images only")
    parser.add_argument("--read", type=Path, metavar="MODEL", help="load this model instead")
    options = parser.parse_args(argv)
    if options.read is not None:
        read(options.read, options.images)
        return 0
    try:
        pictures.check()
    except ImportError as error:  # said now, not after the training
        parser.exit(1, f"{error}\n")
    try:
        run(options.out, options.epochs, options.images)
        read_in_new_process(options.out / "digits.keras", options.images)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, received {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
