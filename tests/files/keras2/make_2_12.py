"""Make `tensorflow_2_12.keras` with TensorFlow 2.12: `python tests/files/keras2/make_2_12.py`.

Its archives name the groups of weights in another way than those of TensorFlow 2.13 and later.
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf  # 2.12; not installed where the tests run

HERE = Path(__file__).parent
layers = tf.keras.layers


def main():
    """Train a model with several layers of a class, and a model inside, for some steps; save it."""
    tf.keras.utils.set_random_seed(0)
    inner = tf.keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(3)], name="inner")
    x = tf.keras.Input((4,))
    h = layers.Dense(4, activation="hard_sigmoid")(x)
    h = layers.Concatenate()([inner(h), layers.Dense(2)(layers.Dropout(0.0)(h))])
    model = tf.keras.Model(x, layers.Dense(1)(h))
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    x0, y0 = (rng.normal(size=(4, size)).astype("float32") for size in (4, 1))
    model.fit(x0, y0, epochs=3, verbose=0)
    model.save(HERE / "tensorflow_2_12.keras", save_format="keras_v3")
    out = model.predict(x0, verbose=0)
    model.train_on_batch(x0, y0)
    after = model.predict(x0, verbose=0)
    np.savez_compressed(HERE / "tensorflow_2_12.npz", x0=x0, y0=y0, out0=out, after0=after)


if __name__ == "__main__":
    main()
