"""Recurrent cells: one step of a layer, as the loop of `recurrent.loop` runs it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp

from hornbeam.kernels.recurrent.loop import Cell, States

Activation = Callable[[jax.Array], jax.Array]


# Cached: compiled programs are found by the function, so the same activations need the same one.
@lru_cache(maxsize=64)
def simple_cell(activation: Activation) -> Cell:
    """Return the cell of a simple RNN; additive."""

    def cell(_: jax.Array | None, a: jax.Array, states: States) -> States:
        return (activation(a),)

    return cell


@lru_cache(maxsize=64)
def lstm_cell(activation: Activation, recurrent_activation: Activation) -> Cell:
    """Return the cell of an LSTM; additive."""

    def cell(_: jax.Array | None, a: jax.Array, states: States) -> States:
        i, f, g, o = jnp.split(a, 4, axis=-1)
        c = recurrent_activation(f) * states[1] + recurrent_activation(i) * activation(g)
        return recurrent_activation(o) * activation(c), c

    return cell


@lru_cache(maxsize=64)
def gru_cell(activation: Activation, recurrent_activation: Activation) -> Cell:
    """Return the cell of a GRU that resets after the product."""

    def cell(x: jax.Array | None, product: jax.Array, states: States) -> States:
        assert x is not None
        xz, xr, xg = jnp.split(x, 3, axis=-1)
        hz, hr, hg = jnp.split(product, 3, axis=-1)
        z, r = recurrent_activation(xz + hz), recurrent_activation(xr + hr)
        return (z * states[0] + (1 - z) * activation(xg + r * hg),)

    return cell


def gru_before_step(
    kernel: jax.Array,
    activation: Activation,
    recurrent_activation: Activation,
    dropout: jax.Array | None,
) -> Callable[[jax.Array, States], tuple[jax.Array, States]]:
    """Return the step of a GRU that resets before the product, for `scan_rnn`."""
    gates, candidate = jnp.split(kernel, [2 * kernel.shape[0]], axis=1)

    def step(x: jax.Array, states: States) -> tuple[jax.Array, States]:
        h = states[0]
        dropped = h if dropout is None else h * dropout
        xz, xr, xg = jnp.split(x, 3, axis=-1)
        hz, hr = jnp.split(dropped @ gates, 2, axis=-1)
        z, r = recurrent_activation(xz + hz), recurrent_activation(xr + hr)
        new = z * h + (1 - z) * activation(xg + (r * dropped) @ candidate)
        return new, (new,)

    return step
