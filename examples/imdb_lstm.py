"""Did the reviewer like the film? An LSTM that reads the Large Movie Review Dataset.

Words become numbers, an embedding turns numbers into vectors, an LSTM reads the vectors one after
another, and its last state says how likely the review is a kind one: about 0.86 of the test
reviews rightly, after two epochs and about a minute on two cores.

    HORNBEAM_DATASETS=path/to/datasets python examples/imdb_lstm.py

The folder must hold `imdb_ids.npz`: reviews as word numbers, all end to end (`train_ids`,
`test_ids`), where each begins (`train_offsets`, `test_offsets`), and whether it is positive
(`train_labels`, `test_labels`). Number 0 is padding, 1 begins a review, 2 is a word outside the
vocabulary, and the word of rank r in frequency is r + 2.

Data: A. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011.
"""

import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from hornbeam import keras
from hornbeam.keras import layers

WORDS = 10_000  # the most frequent ones; the others become UNKNOWN
UNKNOWN = 2
LENGTH = 200  # of a longer review, the end: that is where the verdict stands


def find_reviews() -> Path:
    """The data file; an exit that says where it was looked for, if it is missing."""
    folder = os.environ.get("HORNBEAM_DATASETS")
    if folder is None:
        sys.exit(
            "imdb_ids.npz is needed: set HORNBEAM_DATASETS to the folder that holds it "
            "(the variable is not set)."
        )
    path = Path(folder) / "imdb_ids.npz"
    if not path.is_file():
        sys.exit(
            f"There is no {path}: put imdb_ids.npz there, or set HORNBEAM_DATASETS to the "
            f"folder that holds it (it is now {folder!r})."
        )
    return path


def load(arrays: np.lib.npyio.NpzFile, part: str) -> tuple[np.ndarray, np.ndarray]:
    """x (b, LENGTH) word numbers, padded in front; y (b, 1), 1 for a kind review."""
    ids, offsets = arrays[f"{part}_ids"], arrays[f"{part}_offsets"]
    ids = np.where(ids < WORDS, ids, UNKNOWN).astype("int32")
    labels = arrays[f"{part}_labels"].astype("float32")[:, None]
    x = np.zeros((len(labels), LENGTH), "int32")
    for row, (begin, end) in enumerate(pairwise(offsets)):
        review = ids[begin:end][-LENGTH:]
        x[row, LENGTH - len(review) :] = review
    return x, labels


def main() -> float:
    """Train, and return the accuracy on the test reviews."""
    with np.load(find_reviews()) as arrays:
        x_train, y_train = load(arrays, "train")
        x_test, y_test = load(arrays, "test")

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 32),
            layers.LSTM(32),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.summary()
    model.compile(
        optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["accuracy"]
    )
    model.fit(x_train, y_train, batch_size=128, epochs=2)
    _, accuracy = model.evaluate(x_test, y_test, batch_size=500)
    print(f"Accuracy on the test reviews: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
