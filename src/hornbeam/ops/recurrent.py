"""Recurrent layers as functions: a sequence in, the last output, all outputs and the last states out.

Letters: b batch, t time, d input features, u units. The options that all functions share are:

- mask: booleans (b, t); a step where it is false leaves the states as they are, and its output repeats the one before.
- zero_output_for_mask: the output of such a step is 0 instead.
- go_backwards: the last step is processed first, and its output comes first.
- return_sequences: return all outputs; without it, None is returned for them.
- unroll: write the steps out instead of looping: longer to compile.
- recurrent_dropout: (b, u), multiplied into h[t-1] before its product with the recurrent kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import Structure, TensorLike
from hornbeam.kernels import recurrent as kernels
from hornbeam.ops.activations import sigmoid
from hornbeam.ops.common import array, inexact
from hornbeam.ops.control import raw
from hornbeam.ops.elementwise import tanh

Activation = Callable[..., Any] | None
Outputs: TypeAlias = "tuple[jax.Array, jax.Array | None, list[jax.Array]]"
"""The last output, all outputs or None, and the last states."""


@op
def simple_rnn(
    x: TensorLike,
    h0: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    activation: Activation = tanh,
    **options: Any,
) -> Outputs:
    """Compute h[t] = activation(x[t] @ W + h[t-1] @ U + bias) (Elman 1990).

    x: (b, t, d), h0: (b, u), kernel W: (d, u), recurrent_kernel U: (u, u), bias: (u,) -> the last h
    (b, u), all h (b, t, u) and the states [h].
    """
    found = kernels.simple_rnn(
        inexact(x),
        inexact(h0),
        inexact(kernel),
        inexact(recurrent_kernel),
        _maybe(bias),
        activation=_raw(activation),
        **_prepare(options),
    )
    return _result(found)


@op
def lstm(
    x: TensorLike,
    h0: TensorLike,
    c0: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    activation: Activation = tanh,
    recurrent_activation: Activation = sigmoid,
    **options: Any,
) -> Outputs:
    """Run a long short-term memory (Hochreiter and Schmidhuber 1997); gates in the order i, f, g, o.

    With a = x[t] @ W + h[t-1] @ U + bias, cut into four: i, f, o = recurrent_activation(a),
    g = activation(a); c[t] = f * c[t-1] + i * g; h[t] = o * activation(c[t]).

    x: (b, t, d), h0 and c0: (b, u), kernel W: (d, 4u), recurrent_kernel U: (u, 4u), bias: (4u,) -> the
    last h (b, u), all h (b, t, u) and the states [h, c].
    """
    found = kernels.lstm(
        inexact(x),
        inexact(h0),
        inexact(c0),
        inexact(kernel),
        inexact(recurrent_kernel),
        _maybe(bias),
        activation=_raw(activation),
        recurrent_activation=_raw(recurrent_activation),
        **_prepare(options),
    )
    return _result(found)


@op
def gru(
    x: TensorLike,
    h0: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike | None = None,
    activation: Activation = tanh,
    recurrent_activation: Activation = sigmoid,
    reset_after: bool = True,
    **options: Any,
) -> Outputs:
    """Run a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078); gates in the order z, r, g.

    z, r = recurrent_activation(x[t] @ W + bias + h[t-1] @ U + recurrent bias);
    h[t] = z * h[t-1] + (1 - z) * g, where with `reset_after`
    g = activation(x[t] @ W + bias + r * (h[t-1] @ U + recurrent bias)), else
    g = activation(x[t] @ W + bias + (r * h[t-1]) @ U).

    x: (b, t, d), h0: (b, u), kernel W: (d, 3u), recurrent_kernel U: (u, 3u), bias: (2, 3u), the
    inputs' and the recurrent one, with `reset_after`, else (3u,) -> the last h (b, u), all h (b, t, u)
    and the states [h].
    """
    found = kernels.gru(
        inexact(x),
        inexact(h0),
        inexact(kernel),
        inexact(recurrent_kernel),
        _maybe(bias),
        activation=_raw(activation),
        recurrent_activation=_raw(recurrent_activation),
        reset_after=reset_after,
        **_prepare(options),
    )
    return _result(found)


@op
def rnn(
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Structure[TensorLike],
    initial_states: Structure[TensorLike],
    **options: Any,
) -> Any:
    """Compute output[t], states = step(inputs[t], states) for any cell; `step` takes and returns tensors.

    inputs: a structure of (b, t, ...); outputs and states: structures of (b, ...); all options but
    `recurrent_dropout`. Return the last output, all outputs (b, t, ...) and the last states.

    >>> from hornbeam import ops
    >>> total = lambda x, state: (x + state, x + state)
    >>> last, all, _ = ops.rnn(total, ops.ones((1, 3, 1)), ops.zeros((1, 1)))
    >>> print(last.numpy(), all[0, :, 0].numpy())
    [[3.]] [1. 2. 3.]
    """
    return kernels.scan_rnn(raw(step), inputs, initial_states, **_prepare(options))


def _maybe(x: TensorLike | None) -> jax.Array | None:
    return None if x is None else inexact(x)


def _prepare(options: dict[str, Any]) -> dict[str, Any]:
    mask = options.get("mask")
    return options if mask is None else {**options, "mask": array(mask).astype(bool)}


def _result(found: kernels.Outputs) -> Outputs:
    last, outputs, states = found
    return last, outputs, list(states)


# Cached: compiled programs are found by the function, so one activation must always map to the same one.
@lru_cache(maxsize=64)
def _raw(activation: Activation) -> Callable[[Any], Any]:
    """Return the activation over raw values: an op's own body, or any function of tensors wrapped."""
    if activation is None:
        return lambda x: x
    if activation is tanh:
        return jnp.tanh  # by their JAX names the kernels know what they have native code for
    if activation is sigmoid:
        return jax.nn.sigmoid
    return getattr(activation, "raw", None) or raw(activation)
