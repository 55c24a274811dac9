"""A variational autoencoder: two numbers for each picture, and new pictures out of such numbers.

The model is a subclass of `Model` with a `train_step` of its own: the loss has two parts, how well
a picture is rebuilt and how far its code is from a normal distribution.

    python -m hornbeam examples/variational_autoencoder.py            # or plain python, with TensorFlow
    python -m hornbeam examples/variational_autoencoder.py --small    # a few seconds

After D. Kingma and M. Welling, "Auto-Encoding Variational Bayes", 2013.
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

SIZE = 16  # of a picture's side
CODE = 2  # numbers for each
PARTS = ("loss", "rebuilding", "kl")


def spots(n, seed):
    """Return n pictures (n, SIZE, SIZE, 1) of one bright spot each, somewhere."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(4, SIZE - 4, (n, 2, 1, 1))
    y, x = np.mgrid[:SIZE, :SIZE]
    distance = (y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2
    return np.exp(-distance / 8)[..., None].astype("float32")


class Sampling(layers.Layer):
    """Draw a code from the distribution that the encoder describes."""

    def call(self, inputs):
        mean, log_variance = inputs
        noise = tf.random.normal(tf.shape(mean))
        return mean + tf.exp(0.5 * log_variance) * noise


def make_encoder():
    pictures = keras.Input((SIZE, SIZE, 1))
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(pictures)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    mean = layers.Dense(CODE, name="mean")(x)
    log_variance = layers.Dense(CODE, name="log_variance")(x)
    code = Sampling(name="code")([mean, log_variance])
    return keras.Model(pictures, [mean, log_variance, code], name="encoder")


def make_decoder():
    return keras.Sequential(
        [
            keras.Input((CODE,)),
            layers.Dense(4 * 4 * 32, activation="relu"),
            layers.Reshape((4, 4, 32)),
            layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same"),
        ],
        name="decoder",
    )


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.rebuilding_tracker = keras.metrics.Mean(name="rebuilding")
        self.kl_tracker = keras.metrics.Mean(name="kl")

    @property
    def metrics(self):
        return [self.loss_tracker, self.rebuilding_tracker, self.kl_tracker]

    def losses_of(self, pictures):
        mean, log_variance, code = self.encoder(pictures)
        rebuilt = self.decoder(code)
        # A pixel is normally distributed around the rebuilt one, with deviation 0.1: 50 = 1 / (2 * 0.1**2).
        rebuilding = 50 * tf.reduce_sum(tf.square(pictures - rebuilt), axis=(1, 2, 3))
        rebuilding = tf.reduce_mean(rebuilding)
        kl = -0.5 * (1 + log_variance - tf.square(mean) - tf.exp(log_variance))
        kl = tf.reduce_mean(tf.reduce_sum(kl, axis=1))
        return rebuilding + kl, rebuilding, kl

    def update(self, loss, rebuilding, kl):
        self.loss_tracker.update_state(loss)
        self.rebuilding_tracker.update_state(rebuilding)
        self.kl_tracker.update_state(kl)
        return {m.name: m.result() for m in self.metrics}

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss, rebuilding, kl = self.losses_of(data)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        return self.update(loss, rebuilding, kl)

    def test_step(self, data):
        return self.update(*self.losses_of(data))


def main(arguments=None):
    parser = argparse.ArgumentParser(description="A variational autoencoder.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    count, epochs = (1024, 4) if options.small else (8192, 20)

    keras.utils.set_random_seed(options.seed)
    vae = VAE(make_encoder(), make_decoder())
    for layer in vae.encoder.layers[1:]:
        print(f"{layer.name:13} {layer.output.shape!s:18} {layer.count_params()}")
    vae.compile(optimizer=keras.optimizers.Adam(2e-3))
    history = vae.fit(spots(count, 0), epochs=epochs, batch_size=32, verbose=0).history
    for epoch in range(epochs):
        print(f"epoch {epoch + 1}:", *(f"{name} {history[name][epoch]:.2f}" for name in PARTS))

    test = spots(256, 1)
    found = vae.evaluate(test, batch_size=64, verbose=0, return_dict=True)
    print("test:", *(f"{name} {found[name]:.2f}" for name in PARTS))
    mean, _, code = vae.encoder.predict(test, verbose=0)
    print("codes", mean.shape, code.shape)

    # Walk through the codes: the spot moves over the picture.
    grid = np.stack(np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]), -1).reshape(-1, CODE)
    pictures = vae.decoder.predict(grid.astype("float32"), verbose=0)
    print("drawn", pictures.shape, f"brightest {pictures.max():.2f}")


if __name__ == "__main__":
    main()
