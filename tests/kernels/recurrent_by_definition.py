"""Recurrent layers and their gradients, written out as loops in NumPy float64.

Letters: b batch, t time, d input features, u units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# The gradients of a step: of its inputs, of the states before it, of both kernels and of the bias.
Slopes = tuple[Any, list[Any], Any, Any, Any]
Step = tuple[list[Any], Callable[[list[Any]], Slopes]]


def vjp(
    cell: str,
    arrays: Sequence[Any],
    *,
    mask: Any = None,
    zero_output_for_mask: bool = False,
    go_backwards: bool = False,
    return_sequences: bool = True,
) -> tuple[Any, Callable[[Any], list[Any]]]:
    """Return (last, outputs, states) and the function from their gradients to those of all arrays.

    cell: "lstm", "gru" or "gru_before". arrays: x, the states, both kernels, and the bias or None.
    """
    *most, given = arrays
    x, *states, kernel, recurrent = (np.asarray(a, "float64") for a in most)
    shape = (2, kernel.shape[1]) if cell == "gru" else kernel.shape[1:]
    bias = np.zeros(shape) if given is None else np.asarray(given, "float64")
    b, t, _ = x.shape
    times = list(range(t))[:: -1 if go_backwards else 1]
    keep = np.ones((b, t, 1), bool) if mask is None else np.asarray(mask)[:, :, None]
    pulls, outputs = [], []
    for i in times:
        new, pull = STEPS[cell](x[:, i], states, kernel, recurrent, bias)
        states = [np.where(keep[:, i], n, s) for n, s in zip(new, states, strict=True)]
        outputs.append(np.where(keep[:, i], states[0], 0) if zero_output_for_mask else states[0])
        pulls.append(pull)

    def gradients(slopes: Any) -> list[Any]:
        d_last, d_outputs, d_states = slopes
        dx, totals, d_states = np.zeros_like(x), [0, 0, 0], list(d_states)
        for place, i in reversed(list(enumerate(times))):
            found = d_last if place == t - 1 else 0
            if d_outputs is not None:
                found = found + d_outputs[:, place]
            d_states[0] = d_states[0] + (
                np.where(keep[:, i], found, 0) if zero_output_for_mask else found
            )
            # What is masked hands its states on.
            dx[:, i], before, *own = pulls[place]([np.where(keep[:, i], d, 0) for d in d_states])
            d_states = [
                n + np.where(keep[:, i], 0, d) for n, d in zip(before, d_states, strict=True)
            ]
            totals = [total + each for total, each in zip(totals, own, strict=True)]
        return [dx, *d_states, *totals[:2], None if given is None else totals[2]]

    found = np.stack(outputs, 1) if return_sequences else None
    return (outputs[-1], found, states), gradients


def _sigmoid(x: Any) -> Any:
    return (1 + np.tanh(x / 2)) / 2


def _lstm(x: Any, states: list[Any], w: Any, u: Any, bias: Any) -> Step:
    h, c = states
    i, f, g, o = np.split(x @ w + h @ u + bias, 4, axis=1)
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    new = f * c + i * g
    shown = np.tanh(new)

    def pull(slopes: list[Any]) -> Slopes:
        dh, dc = slopes
        dc = dc + dh * o * (1 - shown**2)
        parts = (
            *(dc * g * i * (1 - i), dc * c * f * (1 - f)),
            *(dc * i * (1 - g**2), dh * shown * o * (1 - o)),
        )
        da = np.concatenate(parts, 1)
        return da @ w.T, [da @ u.T, dc * f], x.T @ da, h.T @ da, da.sum(0)

    return [o * shown, new], pull


def _gru(x: Any, states: list[Any], w: Any, u: Any, bias: Any) -> Step:
    (h,) = states
    a, p = np.split(x @ w + bias[0], 3, axis=1), np.split(h @ u + bias[1], 3, axis=1)
    z, r = _sigmoid(a[0] + p[0]), _sigmoid(a[1] + p[1])
    n = np.tanh(a[2] + r * p[2])

    def pull(slopes: list[Any]) -> Slopes:
        (dh,) = slopes
        dz, dn = dh * (h - n) * z * (1 - z), dh * (1 - z) * (1 - n**2)
        dr = dn * p[2] * r * (1 - r)
        da, dp = np.concatenate([dz, dr, dn], 1), np.concatenate([dz, dr, dn * r], 1)
        d_bias = np.stack([da.sum(0), dp.sum(0)])
        return da @ w.T, [dh * z + dp @ u.T], x.T @ da, h.T @ dp, d_bias

    return [z * h + (1 - z) * n], pull


def _gru_before(x: Any, states: list[Any], w: Any, u: Any, bias: Any) -> Step:
    (h,) = states
    gates, last = u[:, : 2 * h.shape[1]], u[:, 2 * h.shape[1] :]
    a, p = np.split(x @ w + bias, 3, axis=1), np.split(h @ gates, 2, axis=1)
    z, r = _sigmoid(a[0] + p[0]), _sigmoid(a[1] + p[1])
    n = np.tanh(a[2] + (r * h) @ last)

    def pull(slopes: list[Any]) -> Slopes:
        (dh,) = slopes
        dz, dn = dh * (h - n) * z * (1 - z), dh * (1 - z) * (1 - n**2)
        inner = dn @ last.T
        dr = inner * h * r * (1 - r)
        da, dp = np.concatenate([dz, dr, dn], 1), np.concatenate([dz, dr], 1)
        d_recurrent = np.concatenate([h.T @ dp, (r * h).T @ dn], 1)
        return da @ w.T, [dh * z + dp @ gates.T + inner * r], x.T @ da, d_recurrent, da.sum(0)

    return [z * h + (1 - z) * n], pull


STEPS = {"lstm": _lstm, "gru": _gru, "gru_before": _gru_before}
