"""Recurrent layers over time: LSTM, GRU, simple RNN, and any other cell.

The loop is that of `hornbeam.kernels.recurrence`.

Letters: b batch, t time, d input features, u units.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Literal, TypedDict, Unpack

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.kernels import recurrent_native
from hornbeam.kernels.recurrence import Cell, Form, Operands, Projection, States, recur, select

Activation = Callable[[jax.Array], jax.Array]
# The last output (b, u), all outputs (b, t, u) or None, and the last states, each (b, u).
Outputs = tuple[jax.Array, jax.Array | None, States]


class Loop(TypedDict, total=False):
    """How a recurrent layer runs over time; all optional.

    mask: booleans (b, t); a step where it is false leaves the states as they are, and its output
    repeats the one before. zero_output_for_mask: its output is 0 instead. go_backwards: the last step
    comes first, also in the outputs. return_sequences: give all outputs, not None. unroll: write the
    steps out instead of looping; longer to compile. recurrent_dropout: (b, u), multiplied into
    h[t-1] before its product with the recurrent kernel.
    """

    mask: jax.Array | None
    zero_output_for_mask: bool
    go_backwards: bool
    return_sequences: bool
    unroll: bool
    recurrent_dropout: jax.Array | None


# Compiled as a whole also when called eagerly; a loop retraced at each call would be slow.
_kernel = partial(
    jax.jit,
    static_argnames=(
        *("activation", "recurrent_activation", "reset_after"),
        *("zero_output_for_mask", "go_backwards", "return_sequences", "unroll"),
    ),
)


@_kernel
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
    """h[t] = activation(x[t] @ W + h[t-1] @ U + bias) (Elman 1990)

    x: (b, t, d), h0: (b, u), kernel W: (d, u), recurrent_kernel U: (u, u), bias: (u,)
    """
    projection = Projection(kernel, bias)
    return _run(_simple_cell(activation), True, x, projection, (h0,), recurrent_kernel, None, loop)


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
    """Long short-term memory (Hochreiter and Schmidhuber 1997); gates in the order i, f, g, o.

    With a = x[t] @ W + h[t-1] @ U + bias, cut into four: i, f, o = recurrent_activation(a),
    g = activation(a); c[t] = f * c[t-1] + i * g; h[t] = o * activation(c[t]).

    x: (b, t, d), h0 and c0: (b, u), kernel W: (d, 4u), recurrent_kernel U: (u, 4u), bias: (4u,). The
    states are (h, c).

    With tanh and sigmoid and without recurrent dropout it is native on CPU, in float32 and bfloat16.
    The gradient is a custom one: `jax.grad` may be taken of it again, forward mode (`jax.jvp`) not.
    """
    form = _form("lstm", lstm_reference, True, loop)
    operands = recurrent_native.Operands(
        x, h0, c0, kernel, recurrent_kernel, bias, loop.get("mask")
    )
    if _is_native(form, operands, activation, recurrent_activation, loop):
        operands = recurrent_native.with_offers(operands)
        return recurrent_native.run(form, loop.get("zero_output_for_mask", False), operands)
    return lstm_reference(
        *(x, h0, c0, kernel, recurrent_kernel, bias),
        activation=activation,
        recurrent_activation=recurrent_activation,
        **loop,
    )


@_kernel
def lstm_reference(
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
    """The same in jax.numpy."""
    cell = _lstm_cell(activation, recurrent_activation)
    projection = Projection(kernel, bias)
    return _run(cell, True, x, projection, (h0, c0), recurrent_kernel, None, loop)


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
    """Gated recurrent unit (Cho et al. 2014, arXiv:1406.1078); gates in the order z, r, g.

    z, r = recurrent_activation(x[t] @ W + bias + h[t-1] @ U + recurrent bias);
    h[t] = z * h[t-1] + (1 - z) * g, where with `reset_after`
    g = activation(x[t] @ W + bias + r * (h[t-1] @ U + recurrent bias)), else
    g = activation(x[t] @ W + bias + (r * h[t-1]) @ U).

    x: (b, t, d), h0: (b, u), kernel W: (d, 3u), recurrent_kernel U: (u, 3u), bias: (2, 3u), the
    inputs' and the recurrent one, with `reset_after`, else (3u,).

    Native where `lstm` is.
    """
    form = _form("gru", gru_reference, reset_after, loop)
    operands = recurrent_native.Operands(
        x, h0, None, kernel, recurrent_kernel, bias, loop.get("mask")
    )
    if _is_native(form, operands, activation, recurrent_activation, loop):
        operands = recurrent_native.with_offers(operands)
        return recurrent_native.run(form, loop.get("zero_output_for_mask", False), operands)
    return gru_reference(
        *(x, h0, kernel, recurrent_kernel, bias),
        activation=activation,
        recurrent_activation=recurrent_activation,
        reset_after=reset_after,
        **loop,
    )


@_kernel
def gru_reference(
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
    """The same in jax.numpy."""
    if not reset_after:
        dropout = loop.get("recurrent_dropout")
        step = _gru_before_step(recurrent_kernel, activation, recurrent_activation, dropout)
        options: dict[str, Any] = {k: v for k, v in loop.items() if k != "recurrent_dropout"}
        return scan_rnn(step, x @ kernel + (0 if bias is None else bias), (h0,), **options)
    bias, recurrent_bias = (None, None) if bias is None else (bias[0], bias[1])
    cell = _gru_cell(activation, recurrent_activation)
    projection = Projection(kernel, bias)
    return _run(cell, False, x, projection, (h0,), recurrent_kernel, recurrent_bias, loop)


def _form(
    cell: Literal["lstm", "gru"], reference: Callable[..., Outputs], reset_after: bool, loop: Loop
) -> recurrent_native.Form:
    backwards, sequences = loop.get("go_backwards", False), loop.get("return_sequences", True)
    return recurrent_native.Form(cell, reference, reset_after, backwards, sequences)


def _is_native(
    form: recurrent_native.Form,
    operands: recurrent_native.Operands,
    activation: Activation,
    recurrent_activation: Activation,
    loop: Loop,
) -> bool:
    return (
        activation is jnp.tanh
        and recurrent_activation is jax.nn.sigmoid
        and loop.get("recurrent_dropout") is None
        and recurrent_native.suits(form, operands)
    )


def _run(
    cell: Cell,
    additive: bool,
    x: jax.Array,
    projection: Projection,
    states: States,
    recurrent_kernel: jax.Array,
    recurrent_bias: jax.Array | None,
    loop: Loop,
) -> Outputs:
    backwards = loop.get("go_backwards", False)
    sequences = loop.get("return_sequences", True)
    mask = loop.get("mask")
    mask = None if mask is None else jnp.swapaxes(mask, 0, 1)
    form = Form(cell, additive, backwards, loop.get("unroll", False), sequences)
    dropout = loop.get("recurrent_dropout")
    x = jnp.swapaxes(x, 0, 1)
    operands = Operands(x, recurrent_kernel, recurrent_bias, states, dropout, mask)
    found: Any = recur(form, projection, operands)
    states, outputs = found
    last = states[0]
    if mask is not None and loop.get("zero_output_for_mask", False):
        last = select(mask[0 if backwards else -1], last, jnp.zeros_like(last))
        outputs = None if outputs is None else jnp.where(mask[..., None], outputs, 0)
    if outputs is not None:
        outputs = jnp.swapaxes(jnp.flip(outputs, 0) if backwards else outputs, 0, 1)
    return last, outputs, states


# Cached, so that the same activations give the same function: compiled programs are found by it.
@lru_cache(maxsize=64)
def _simple_cell(activation: Activation) -> Cell:
    def cell(_: jax.Array | None, a: jax.Array, states: States) -> States:
        return (activation(a),)

    return cell


@lru_cache(maxsize=64)
def _lstm_cell(activation: Activation, recurrent_activation: Activation) -> Cell:
    def cell(_: jax.Array | None, a: jax.Array, states: States) -> States:
        i, f, g, o = jnp.split(a, 4, axis=-1)
        c = recurrent_activation(f) * states[1] + recurrent_activation(i) * activation(g)
        return recurrent_activation(o) * activation(c), c

    return cell


@lru_cache(maxsize=64)
def _gru_cell(activation: Activation, recurrent_activation: Activation) -> Cell:
    def cell(x: jax.Array | None, product: jax.Array, states: States) -> States:
        assert x is not None
        xz, xr, xg = jnp.split(x, 3, axis=-1)
        hz, hr, hg = jnp.split(product, 3, axis=-1)
        z, r = recurrent_activation(xz + hz), recurrent_activation(xr + hr)
        return (z * states[0] + (1 - z) * activation(xg + r * hg),)

    return cell


def _gru_before_step(
    kernel: jax.Array,
    activation: Activation,
    recurrent_activation: Activation,
    dropout: jax.Array | None,
) -> Callable[[jax.Array, States], tuple[jax.Array, States]]:
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


def scan_rnn(
    step: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Any,
    *,
    mask: jax.Array | None = None,
    zero_output_for_mask: bool = False,
    go_backwards: bool = False,
    return_sequences: bool = True,
    unroll: bool = False,
) -> tuple[Any, Any, Any]:
    """output[t], states = step(inputs[t], states) for any cell; options as in `Loop`.

    inputs: a structure of (b, t, ...); outputs and states: structures of (b, ...). Gives the last
    output, all outputs (b, t, ...) or None, and the last states. The output of masked steps before
    the first other one is the first initial state where it has an output's shape, as in Keras on
    JAX, else 0.
    """
    swap = partial(jnp.swapaxes, axis1=0, axis2=1)
    inputs = jax.tree.map(swap, inputs)
    first = jax.tree.map(lambda x: x[0], inputs)
    shapes = jax.eval_shape(lambda x, s: step(x, s)[0], first, initial_states)
    state = (jax.tree.leaves(initial_states) or [None])[0]

    def before(output: jax.ShapeDtypeStruct) -> jax.Array:
        if state is not None and state.shape == output.shape:
            return state.astype(output.dtype)
        return jnp.zeros(output.shape, output.dtype)

    def body(carry: tuple[Any, Any], inputs: tuple[Any, Any]) -> tuple[Any, Any]:
        states, previous = carry
        x, keep = inputs
        output, new_states = step(x, states)
        if zero_output_for_mask:
            previous = jax.tree.map(jnp.zeros_like, output)
        output, states = select(keep, (output, new_states), (previous, states))
        return (states, output), output if return_sequences else None

    start = (initial_states, jax.tree.map(before, shapes))
    masks = None if mask is None else swap(mask)
    (states, last), outputs = lax.scan(
        body, start, (inputs, masks), reverse=go_backwards, unroll=True if unroll else 1
    )
    if go_backwards:
        outputs = jax.tree.map(lambda y: jnp.flip(y, 0), outputs)
    return last, jax.tree.map(swap, outputs), states
