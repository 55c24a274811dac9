"""Balancing a pole: actor and critic, and a world that is written in NumPy.

The world's physics run in Python, called from inside of a compiled function by `tf.numpy_function`.
An actor chooses between pushing left and right, a critic says how long the pole will stand, and
both learn from what happened in a few steps of many poles at once.

    python -m hornbeam examples/actor_critic.py            # or plain python, with TensorFlow
    python -m hornbeam examples/actor_critic.py --small    # a few seconds

After V. Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning", 2016; the pole of
A. Barto, R. Sutton and C. Anderson, "Neuronlike Adaptive Elements That Can Solve Difficult
Learning Control Problems", 1983.
"""

import argparse

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

STEPS = 16  # of each pole between two updates
DISCOUNT = 0.97


class Poles:
    """Some carts with a pole each. A pole that falls is put up again."""

    def __init__(self, count, seed):
        self.rng = np.random.default_rng(seed)
        self.state = self.rng.uniform(-0.05, 0.05, (count, 4))
        self.age = np.zeros(count)
        self.ages = []  # of the poles that fell

    def observe(self):
        return self.state.astype("float32")

    def step(self, action):
        """Push each cart left (0) or right (1); return new states, and 1 for each pole that fell."""
        _, speed, angle, turning = self.state.T
        force = np.where(action == 1, 10.0, -10.0)
        push = (force + 0.05 * turning**2 * np.sin(angle)) / 1.1
        bent = (9.8 * np.sin(angle) - np.cos(angle) * push) / (
            0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1)
        )
        faster = push - 0.05 * bent * np.cos(angle) / 1.1
        change = np.stack([speed, faster, turning, bent], 1)
        self.state = self.state + 0.02 * change
        self.age += 1
        fell = (np.abs(self.state[:, 0]) > 2.4) | (np.abs(self.state[:, 2]) > 0.21)
        self.ages.extend(self.age[fell])
        self.state[fell] = self.rng.uniform(-0.05, 0.05, (fell.sum(), 4))
        self.age[fell] = 0
        return self.observe(), fell.astype("float32")


class ActorCritic(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.common = layers.Dense(units, activation="tanh")
        self.actor = layers.Dense(2)
        self.critic = layers.Dense(1)

    def call(self, state):
        x = self.common(state)
        return self.actor(x), self.critic(x)[:, 0]


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Actor and critic balance poles.")
    parser.add_argument("--small", action="store_true", help="a few seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    count, updates, every = (16, 60, 20) if options.small else (32, 800, 100)

    keras.utils.set_random_seed(options.seed)
    poles = Poles(count, options.seed)
    model = ActorCritic(128)
    optimizer = keras.optimizers.Adam(5e-3)

    def world(action):
        state, fell = tf.numpy_function(poles.step, [action], [tf.float32, tf.float32])
        state.set_shape((count, 4))
        fell.set_shape((count,))
        return state, fell

    @tf.function
    def update(state):
        chances, values, fallen = [], [], []
        with tf.GradientTape() as tape:
            for _ in range(STEPS):
                logits, value = model(state)
                action = tf.random.categorical(logits, 1, dtype=tf.int32)[:, 0]
                state, fell = world(action)
                chance = tf.nn.log_softmax(logits)
                chances.append(tf.gather(chance, action, batch_dims=1))
                values.append(value)
                fallen.append(fell)

            # What came after each step: 1 for each step that a pole stood, later ones count less.
            future, returns = tf.stop_gradient(model(state)[1]), []
            for fell in reversed(fallen):
                future = (1.0 - fell) * (1.0 + DISCOUNT * future)
                returns.insert(0, future)
            better = tf.stack(returns) - tf.stack(values)
            actor_loss = -tf.reduce_mean(tf.stack(chances) * tf.stop_gradient(better))
            critic_loss = tf.reduce_mean(tf.square(better))
            loss = actor_loss + 0.25 * critic_loss
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_variables), 1.0)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return state, loss

    state = tf.constant(poles.observe())
    model(state)
    for number in range(1, updates + 1):
        state, loss = update(state)
        if number % every == 0:
            stood = np.mean(poles.ages[-100:]) if poles.ages else np.inf
            print(f"update {number}: the last poles stood for {stood:.1f} steps")
    print("state", state.shape, state.dtype, "loss", loss.shape)
    print("weights", [tuple(w.shape) for w in model.trainable_weights])


if __name__ == "__main__":
    main()
