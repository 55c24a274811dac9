"""MNIST: 70,000 handwritten digits of 28 x 28 pixels."""

from __future__ import annotations

import numpy as np

from hornbeam.core.faces import missing_names
from hornbeam.keras.datasets import _store

__all__ = ["load_data"]

__getattr__ = missing_names(__name__)

ARCHIVE = _store.Archive(
    title="MNIST",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    arrays={
        "x_train": _store.Content(
            (60000, 28, 28), "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"
        ),
        "y_train": _store.Content(
            (60000,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"
        ),
        "x_test": _store.Content(
            (10000, 28, 28), "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"
        ),
        "y_test": _store.Content(
            (10000,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"
        ),
    },
)

Split = tuple[np.ndarray, np.ndarray]


def load_data(path: str = "mnist.npz") -> tuple[Split, Split]:
    """The MNIST digits, from this machine or, where they are not on it, from the network.

    Looked for in the folder that the environment variable `HORNBEAM_DATASETS` names, then in the cache shared with Keras
    (`~/.keras/datasets`, or `datasets` in the folder `KERAS_HOME`), then downloaded into that cache. Whatever file it is,
    every array is compared with its known SHA-256. A broken file in the cache is set aside and downloaded again; a broken
    one elsewhere is an error.

    Args:
        path: name of the file in those folders, or the absolute path of a file.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: pictures (60000, 28, 28) and (10000, 28, 28) of uint8, 0 paper and 255
        ink; labels (60000,) and (10000,) of uint8, 0 to 9.

    Raises:
        ValueError: for a file that is truncated, damaged or holds something else. OSError: where no file is found and the
            download fails, with everything that was tried.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"; CC BY-SA 3.0.

    >>> from hornbeam import keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()  # doctest: +SKIP
    """
    arrays = _store.load(ARCHIVE, path)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
