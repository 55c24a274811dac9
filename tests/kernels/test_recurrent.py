"""Recurrent kernels against a loop over time in plain JAX, differentiated by JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam.kernels import recurrent as kernels
from tests.tolerances import assert_close

B, T, D, U = 3, 4, 4, 2
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3, "gru_before": 3}


def operands(name: str) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    k = GATES[name] * U

    def normal(*shape: int) -> jax.Array:
        return jnp.asarray(draw.normal(size=shape), "float32")

    return {
        "x": normal(B, T, D),
        "states": [normal(B, U) for _ in range(2 if name == "lstm" else 1)],
        "kernel": normal(D, k),
        "recurrent": normal(U, k),
        "bias": normal(2, k) if name == "gru" else normal(k),
        "dropout": jnp.asarray(draw.integers(0, 2, (B, U)) * 2, "float32"),
    }


def step(name: str, x: Any, states: Any, o: dict[str, Any]) -> list[jax.Array]:
    """One step by the formulas."""
    h, dropped = states[0], states[0] * o["dropout"]
    w, u, bias = o["kernel"], o["recurrent"], o["bias"]
    sigmoid = jax.nn.sigmoid
    if name == "simple_rnn":
        return [jnp.tanh(x @ w + dropped @ u + bias)]
    if name == "lstm":
        i, f, g, out = jnp.split(x @ w + dropped @ u + bias, 4, axis=1)
        c = sigmoid(f) * states[1] + sigmoid(i) * jnp.tanh(g)
        return [sigmoid(out) * jnp.tanh(c), c]
    a = jnp.split(x @ w + (bias[0] if name == "gru" else bias), 3, axis=1)
    if name == "gru":
        p = jnp.split(dropped @ u + bias[1], 3, axis=1)
        r = sigmoid(a[1] + p[1])
        inner = r * p[2]
    else:
        p = jnp.split(dropped @ u, 3, axis=1)
        r = sigmoid(a[1] + p[1])
        inner = (r * dropped) @ u[:, 2 * U :]
    z = sigmoid(a[0] + p[0])
    return [z * h + (1 - z) * jnp.tanh(a[2] + inner)]


def loop(name: str, o: dict[str, Any], mask: Any, backwards: bool, zeros: bool) -> Any:
    states, outputs = list(o["states"]), []
    for t in reversed(range(T)) if backwards else range(T):
        keep = jnp.ones((B, 1), bool) if mask is None else mask[:, t, None]
        new = step(name, o["x"][:, t], states, o)
        states = [jnp.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        outputs.append(jnp.where(keep, states[0], 0) if zeros else states[0])
    return outputs[-1], jnp.stack(outputs, 1), states


def kernel(name: str, o: dict[str, Any], **options: Any) -> Any:
    fn: Callable[..., Any] = getattr(kernels, name.removesuffix("_before"))
    if name == "gru_before":
        options["reset_after"] = False
    last, outputs, states = fn(
        *(o["x"], *o["states"], o["kernel"], o["recurrent"], o["bias"]),
        recurrent_dropout=o["dropout"],
        **options,
    )
    return last, outputs, list(states)


def loss(outputs: Any) -> jax.Array:
    """Something that every output and state has part in."""
    return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(outputs))


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize(
    ("masked", "backwards", "zeros"),
    [(False, False, False), (False, True, False), (True, False, False), (True, True, True)],
)
def test_values_and_gradients(name: str, masked: bool, backwards: bool, zeros: bool) -> None:
    o = operands(name)
    mask = jnp.asarray(np.random.default_rng(1).random((B, T)) > 0.4) if masked else None
    options = {"mask": mask, "go_backwards": backwards, "zero_output_for_mask": zeros}
    zeros = zeros and masked
    assert_close(kernel(name, o, **options), loop(name, o, mask, backwards, zeros))
    ours = jax.jit(jax.grad(lambda o: loss(kernel(name, o, **options))))(o)
    plain = jax.jit(jax.grad(lambda o: loss(loop(name, o, mask, backwards, zeros))))(o)
    assert_close(ours, plain)


@pytest.mark.parametrize("name", GATES)
def test_without_sequences_and_unrolled(name: str) -> None:
    o = operands(name)
    last, _, states = kernel(name, o)
    short = kernel(name, o, return_sequences=False)
    assert short[1] is None
    assert_close((short[0], short[2]), (last, states))
    assert_close(kernel(name, o, unroll=True), kernel(name, o))
    ours = jax.grad(lambda o: jnp.sum(kernel(name, o, return_sequences=False)[0]))(o)
    assert_close(ours, jax.grad(lambda o: jnp.sum(kernel(name, o)[0]))(o))


def test_nan_stays_in_its_row() -> None:
    o = operands("lstm")
    o["x"] = o["x"].at[0, 0, 0].set(jnp.nan)
    last = kernel("lstm", o)[0]
    assert jnp.isnan(last[0]).all() and jnp.isfinite(last[1:]).all()


def test_scan_of_any_cell() -> None:
    """States and inputs in structures, an output of another size than the state."""
    inputs = {"a": jnp.ones((B, 5, 2)), "b": jnp.ones((B, 5))}
    mask = jnp.arange(5)[None] < jnp.array([[2], [0], [5]])

    def cell(x: Any, state: Any) -> Any:
        total = state["sum"] + x["a"] + x["b"][:, None]
        return jnp.concatenate([total, total], 1), {"sum": total}

    start = {"sum": jnp.zeros((B, 2))}
    last, outputs, states = kernels.scan_rnn(cell, inputs, start, mask=mask)
    assert last[:, 0].tolist() == [4, 0, 10]
    assert outputs[0, :, 3].tolist() == [2, 4, 4, 4, 4]
    assert states["sum"][:, 0].tolist() == [4, 0, 10]
    hidden = kernels.scan_rnn(cell, inputs, start, mask=mask, zero_output_for_mask=True)
    assert hidden[1][0, :, 3].tolist() == [2, 4, 0, 0, 0]
    turned = kernels.scan_rnn(cell, inputs, start, mask=mask, go_backwards=True)
    assert turned[1][0, :, 3].tolist() == [0, 0, 0, 2, 4]
    assert kernels.scan_rnn(cell, inputs, start, return_sequences=False)[1] is None
