"""Learning rates as functions of the step."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike


@op
def exponential_decay(
    step: TensorLike, first: float, decay_steps: float, decay_rate: float, staircase: bool
) -> jax.Array:
    """Return first * decay_rate^(step / decay_steps); `staircase` takes the whole part of the exponent."""
    fraction = _float32(step) / decay_steps
    return first * jnp.power(decay_rate, jnp.floor(fraction) if staircase else fraction)


@op
def inverse_time_decay(
    step: TensorLike, first: float, decay_steps: float, decay_rate: float, staircase: bool
) -> jax.Array:
    """Return first / (1 + decay_rate * step / decay_steps); `staircase` takes the whole part of the fraction."""
    fraction = _float32(step) / decay_steps
    return first / (1 + decay_rate * (jnp.floor(fraction) if staircase else fraction))


@op
def polynomial_decay(
    step: TensorLike, first: float, decay_steps: float, last: float, power: float, cycle: bool
) -> jax.Array:
    """Return last + (first - last) * (1 - min(step / decay_steps, 1))^power.

    `cycle` stretches decay_steps to the next multiple.
    """
    step = _float32(step)
    if cycle:
        fraction = step / (decay_steps * jnp.maximum(jnp.ceil(step / decay_steps), 1))
    else:
        fraction = jnp.minimum(step, decay_steps) / decay_steps
    return last + (first - last) * jnp.power(1 - fraction, power)


@op
def piecewise_constant(step: TensorLike, boundaries: list[float], values: list[float]) -> jax.Array:
    """Return values[i] for the first i with step <= boundaries[i], else the last value"""
    index = jnp.searchsorted(jnp.asarray(boundaries), jnp.asarray(step), side="left")
    return jnp.asarray(values, "float32")[index]


@op
def cosine_decay(step: TensorLike, first: float, decay_steps: float, alpha: float) -> jax.Array:
    """Return first * (alpha + (1 - alpha) * (1 + cos(pi * min(step / decay_steps, 1))) / 2)"""
    fraction = jnp.clip(_float32(step), 0, decay_steps) / decay_steps
    return first * (alpha + (1 - alpha) * 0.5 * (1 + jnp.cos(math.pi * fraction)))


@op
def warmup_cosine_decay(
    step: TensorLike,
    first: float,
    decay_steps: float,
    alpha: float,
    target: float,
    warmup_steps: float,
) -> jax.Array:
    """Return a line from `first` to `target` in warmup_steps, then `cosine_decay`."""
    step = _float32(step)
    rising = first + (target - first) * step / max(warmup_steps, 1)
    falling = cosine_decay.raw(step - warmup_steps, target, decay_steps, alpha)
    return jnp.where(step < warmup_steps, rising, falling)


@op
def cosine_decay_restarts(
    step: TensorLike, first: float, decay_steps: float, t_mul: float, m_mul: float, alpha: float
) -> jax.Array:
    """Repeat `cosine_decay` again and again, each period t_mul times as long and m_mul times as high."""
    periods = _float32(step) / decay_steps
    if t_mul == 1:
        restart = jnp.floor(periods)
        fraction = periods - restart
    else:  # restart k comes at (1 - t_mul^k) / (1 - t_mul), in units of the first period
        restart = jnp.floor(jnp.log(1 - periods * (1 - t_mul)) / math.log(t_mul))
        scale = jnp.power(t_mul, restart)
        fraction = (periods - (1 - scale) / (1 - t_mul)) / scale
    cosine = 0.5 * jnp.power(m_mul, restart) * (1 + jnp.cos(math.pi * fraction))
    return first * ((1 - alpha) * cosine + alpha)


def _float32(step: TensorLike) -> jax.Array:
    """Return the step as float32; narrower types could not count far enough."""
    return jnp.asarray(step).astype("float32")
