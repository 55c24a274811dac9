"""Recurrent layers over time: LSTM, GRU, simple RNN, and any other cell.

Letters: b batch, t time, d input features, u units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import jax
import jax.numpy as jnp

from hornbeam.kernels.kernel import Kernel
from hornbeam.kernels.recurrent import native, reference
from hornbeam.kernels.recurrent.cells import Activation
from hornbeam.kernels.recurrent.native import Form, Operands
from hornbeam.kernels.recurrent.reference import Loop, Outputs, scan_rnn
from hornbeam.kernels.recurrent.reference import gru as gru_reference
from hornbeam.kernels.recurrent.reference import lstm as lstm_reference

__all__ = [
    "Loop",
    "Outputs",
    "gru",
    "gru_reference",
    "lstm",
    "lstm_reference",
    "scan_rnn",
    "simple_rnn",
]


def simple_rnn(
    x: jax.Array,
    h0: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    *,
    activation: Activation = jnp.tanh,
    **loop: Unpack[Loop],
) -> Outputs:
    """Run h[t] = activation(x[t] @ W + h[t-1] @ U + bias) (Elman 1990).

    x: (b, t, d), h0: (b, u), kernel W: (d, u), recurrent_kernel U: (u, u), bias: (u,)
    """
    return reference.simple_rnn(
        x, h0, kernel, recurrent_kernel, bias, activation=activation, **loop
    )


def lstm(
    x: jax.Array,
    h0: jax.Array,
    c0: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    *,
    activation: Activation = jnp.tanh,
    recurrent_activation: Activation = jax.nn.sigmoid,
    **loop: Unpack[Loop],
) -> Outputs:
    """Run a long short-term memory (Hochreiter and Schmidhuber 1997); gates in the order i, f, g, o.

    With a = x[t] @ W + h[t-1] @ U + bias, cut into four: i, f, o = recurrent_activation(a),
    g = activation(a); c[t] = f * c[t-1] + i * g; h[t] = o * activation(c[t]).

    x: (b, t, d), h0 and c0: (b, u), kernel W: (d, 4u), recurrent_kernel U: (u, 4u), bias: (4u,). The
    states are (h, c).

    With tanh and sigmoid and without recurrent dropout it is native on CPU, in float32 and bfloat16.
    The gradient is a custom one: `jax.grad` may be taken of it again, forward mode (`jax.jvp`) not.
    """
    operands = Operands(
        x=x,
        h0=h0,
        c0=c0,
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        bias=bias,
        mask=loop.get("mask"),
    )
    return RECURRENT(_Call("lstm", operands, activation, recurrent_activation, True, loop))


def gru(
    x: jax.Array,
    h0: jax.Array,
    kernel: jax.Array,
    recurrent_kernel: jax.Array,
    bias: jax.Array | None,
    *,
    activation: Activation = jnp.tanh,
    recurrent_activation: Activation = jax.nn.sigmoid,
    reset_after: bool = True,
    **loop: Unpack[Loop],
) -> Outputs:
    """Run a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078); gates in the order z, r, g.

    z, r = recurrent_activation(x[t] @ W + bias + h[t-1] @ U + recurrent bias);
    h[t] = z * h[t-1] + (1 - z) * g, where with `reset_after`
    g = activation(x[t] @ W + bias + r * (h[t-1] @ U + recurrent bias)), else
    g = activation(x[t] @ W + bias + (r * h[t-1]) @ U).

    x: (b, t, d), h0: (b, u), kernel W: (d, 3u), recurrent_kernel U: (u, 3u), bias: (2, 3u), the
    inputs' and the recurrent one, with `reset_after`, else (3u,).

    Native where `lstm` is.
    """
    operands = Operands(
        x=x,
        h0=h0,
        c0=None,
        kernel=kernel,
        recurrent_kernel=recurrent_kernel,
        bias=bias,
        mask=loop.get("mask"),
    )
    return RECURRENT(_Call("gru", operands, activation, recurrent_activation, reset_after, loop))


# ------------------------------------------------------------------------------- native or not


@dataclass(frozen=True)
class _Call:
    """What a layer with gates is asked for."""

    cell: native.Cell
    operands: Operands
    activation: Activation
    recurrent_activation: Activation
    reset_after: bool
    loop: Loop

    @property
    def form(self) -> Form:
        """What of it is static in the native kernels."""
        return Form(
            cell=self.cell,
            reset_after=self.reset_after,
            backwards=self.loop.get("go_backwards", False),
            sequences=self.loop.get("return_sequences", True),
        )


def _reference(call: _Call) -> Outputs:
    o = call.operands
    if o.c0 is not None:
        return lstm_reference(
            o.x,
            o.h0,
            o.c0,
            o.kernel,
            o.recurrent_kernel,
            o.bias,
            activation=call.activation,
            recurrent_activation=call.recurrent_activation,
            **call.loop,
        )
    return gru_reference(
        o.x,
        o.h0,
        o.kernel,
        o.recurrent_kernel,
        o.bias,
        activation=call.activation,
        recurrent_activation=call.recurrent_activation,
        reset_after=call.reset_after,
        **call.loop,
    )


def _native(call: _Call) -> Outputs:
    operands = native.with_origins(call.operands)
    return native.run(call.form, call.loop.get("zero_output_for_mask", False), operands)


def _suits(call: _Call) -> bool:
    return (
        call.activation is jnp.tanh
        and call.recurrent_activation is jax.nn.sigmoid
        and call.loop.get("recurrent_dropout") is None
        and native.suits(call.form, call.operands)
    )


def _pays(call: _Call) -> bool:
    (b, t, d), u = call.operands.x.shape, call.operands.h0.shape[1]
    return pays(b, t, d, u)


def pays(b: int, t: int, d: int, u: int) -> bool:
    """Return whether the native kernel beats XLA's loop, by size.

    Measured on two AVX-512 cores: 2 to 3 times in training, 2 to 5 times in bfloat16, also where all
    is small. One step, or sizes of a few units, are even. With few rows and a recurrent kernel beyond
    a core's cache reading that kernel is what takes time, and XLA does it by all threads.
    """
    return b >= 4 or u <= 256


RECURRENT = Kernel(_reference, _native, _suits, _pays)
