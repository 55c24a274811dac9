"""The next day, hour by hour: forecasting a time series of two seasons, a trend and noise.

Windows of two days go in and 24 hours come out. Whoever says "as it was a week ago" is hard to beat;
the network is compared with that, on the last part of the series, which it has never seen.

    python -m hornbeam examples/forecasting.py            # or plain python, with TensorFlow
    python -m hornbeam examples/forecasting.py --small    # a few seconds
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

PAST, FUTURE, WEEK = 48, 24, 168


def series(hours, seed):
    """Return a series (hours,): a slow rise, days, weeks, and noise that remembers a little."""
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    noise = np.zeros(hours)
    for i in range(1, hours):
        noise[i] = 0.9 * noise[i - 1] + rng.normal(0, 0.12)
    return t / 5000 + np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / WEEK) + noise


def features(values):
    """Return the value, and where in the day and in the week each hour is: (hours, 5)."""
    t = np.arange(len(values))
    angles = [2 * np.pi * t / 24, 2 * np.pi * t / WEEK]
    columns = [values, *map(np.sin, angles), *map(np.cos, angles)]
    return np.stack(columns, 1).astype("float32")


def windows(columns):
    """Return x (n, PAST, 5) and y (n, FUTURE), one window for each hour."""
    both = np.lib.stride_tricks.sliding_window_view(columns, PAST + FUTURE, axis=0)
    both = both.transpose(0, 2, 1)
    return both[:, :PAST], both[:, PAST:, 0]


class FromLast(layers.Layer):
    """Forecasts are differences from the last value that was seen."""

    def call(self, inputs):
        past, difference = inputs
        return past[:, -1:, 0] + difference


def make_model(units):
    past = keras.Input((PAST, 5))
    x = layers.Conv1D(units, 5, padding="causal", activation="relu")(past)
    x = layers.LSTM(units)(x)
    x = layers.Dense(FUTURE)(x)
    return keras.Model(past, FromLast()([past, x]))


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Forecasting a time series.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    hours, epochs, units = (2000, 6, 24) if options.small else (12000, 30, 48)

    keras.utils.set_random_seed(options.seed)
    values = series(hours, 0)
    known = values[: int(0.7 * hours)]
    values = (values - known.mean()) / known.std()
    train, held, test = np.split(features(values), [int(0.7 * hours), int(0.85 * hours)])
    x_train, y_train = windows(train)
    x_held, y_held = windows(held)
    x_test, y_test = windows(test)
    print("windows", x_train.shape, y_train.shape, x_held.shape, x_test.shape)

    model = make_model(units)
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="huber", metrics=["mae"])
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_held, y_held),
        batch_size=64,
        epochs=epochs,
        verbose=0,
        callbacks=[
            keras.callbacks.ReduceLROnPlateau(patience=3, factor=0.3),
            keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True),
        ],
    ).history
    losses, held_losses = history["loss"], history["val_loss"]
    print(f"loss {losses[0]:.3f} -> {min(losses):.3f}, held out {min(held_losses):.3f}")

    weeks = np.lib.stride_tricks.sliding_window_view(test[:, 0], WEEK + FUTURE)
    baseline = np.abs(weeks[:, -FUTURE:] - weeks[:, :FUTURE]).mean()
    forecast = model.predict(x_test, verbose=0)
    error = tf.reduce_mean(tf.abs(forecast - y_test), axis=0).numpy()
    print("forecasts", forecast.shape, forecast.dtype)
    print(f"mean error: as a week ago {baseline:.2f}, the network {error.mean():.2f}")
    print(f"next hour {error[0]:.2f}, in a day {error[-1]:.2f}")


if __name__ == "__main__":
    main()
