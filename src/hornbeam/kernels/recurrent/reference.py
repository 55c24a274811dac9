"""Recurrent layers in jax.numpy: LSTM, GRU, simple RNN, and any other cell.

Letters: b batch, t time, d input features, u units.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypedDict, Unpack

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.core.jax_typed import eval_shape, tree_map
from hornbeam.kernels.recurrent.cells import (
    Activation,
    gru_before_step,
    gru_cell,
    lstm_cell,
    simple_cell,
)
from hornbeam.kernels.recurrent.loop import (
    Cell,
    Form,
    Operands,
    Projection,
    States,
    recur,
    select,
)
from hornbeam.kernels.transforms import compiled_whole

# The last output (b, u), all outputs (b, t, u) or None, and the last states, each (b, u).
Outputs = tuple[jax.Array, jax.Array | None, States]


class Loop(TypedDict, total=False):
    """How a recurrent layer runs over time; all optional.

    mask: booleans (b, t); a step where it is false leaves the states as they are, and its output
    repeats the one before. zero_output_for_mask: its output is 0 instead. go_backwards: the last step
    comes first, also in the outputs. return_sequences: return all outputs, not None. unroll: write the
    steps out instead of looping; longer to compile. recurrent_dropout: (b, u), multiplied into
    h[t-1] before its product with the recurrent kernel.
    """

    mask: jax.Array | None
    zero_output_for_mask: bool
    go_backwards: bool
    return_sequences: bool
    unroll: bool
    recurrent_dropout: jax.Array | None


_STATIC = (
    "activation",
    "recurrent_activation",
    "reset_after",
    "zero_output_for_mask",
    "go_backwards",
    "return_sequences",
    "unroll",
)
# Compiled as a whole also when called eagerly; a loop retraced at each call would be slow.
_compiled = compiled_whole(*_STATIC)


@_compiled
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
    """See `recurrent.simple_rnn`."""
    projection = Projection(kernel, bias)
    return _run(simple_cell(activation), True, x, projection, (h0,), recurrent_kernel, None, loop)


@_compiled
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
    """See `recurrent.lstm`."""
    cell = lstm_cell(activation, recurrent_activation)
    projection = Projection(kernel, bias)
    return _run(cell, True, x, projection, (h0, c0), recurrent_kernel, None, loop)


@_compiled
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
    """See `recurrent.gru`."""
    if not reset_after:
        dropout = loop.get("recurrent_dropout")
        step = gru_before_step(recurrent_kernel, activation, recurrent_activation, dropout)
        options: dict[str, Any] = {k: v for k, v in loop.items() if k != "recurrent_dropout"}
        return scan_rnn(step, x @ kernel + (0 if bias is None else bias), (h0,), **options)
    bias, recurrent_bias = (None, None) if bias is None else (bias[0], bias[1])
    cell = gru_cell(activation, recurrent_activation)
    projection = Projection(kernel, bias)
    return _run(cell, False, x, projection, (h0,), recurrent_kernel, recurrent_bias, loop)


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
    states, outputs = recur(form, projection, operands)
    last = states[0]
    if mask is not None and loop.get("zero_output_for_mask", False):
        last = select(mask[0 if backwards else -1], last, jnp.zeros_like(last))
        outputs = None if outputs is None else jnp.where(mask[..., None], outputs, 0)
    if outputs is not None:
        outputs = jnp.swapaxes(jnp.flip(outputs, 0) if backwards else outputs, 0, 1)
    return last, outputs, states


def _first(x: jax.Array) -> jax.Array:
    return x[0]


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
    """Loop over time: output[t], states = step(inputs[t], states) for any cell; options as in `Loop`.

    inputs: a structure of (b, t, ...); outputs and states: structures of (b, ...). Returns the last
    output, all outputs (b, t, ...) or None, and the last states. The output of masked steps before
    the first other one is the first initial state where it has an output's shape, as in Keras on
    JAX, else 0.
    """
    swap = partial(jnp.swapaxes, axis1=0, axis2=1)
    inputs = tree_map(swap, inputs)
    first = tree_map(_first, inputs)

    def output_of(x: object, states: object) -> object:
        return step(x, states)[0]

    shapes = eval_shape(output_of, first, initial_states)
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
            previous = tree_map(jnp.zeros_like, output)
        output, states = select(keep, (output, new_states), (previous, states))
        return (states, output), output if return_sequences else None

    start = (initial_states, tree_map(before, shapes))
    masks = None if mask is None else swap(mask)
    (states, last), outputs = lax.scan(
        body, start, (inputs, masks), reverse=go_backwards, unroll=True if unroll else 1
    )
    if go_backwards:
        outputs = tree_map(partial(jnp.flip, axis=0), outputs)
    return last, tree_map(swap, outputs), states
