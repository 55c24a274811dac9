"""Weights of Keras 2's CuDNNLSTM and CuDNNGRU in the form of LSTM and GRU.

NVIDIA's library takes each gate's kernels transposed, the input's kernel also in another order of its numbers, and has a
bias for the input and one for the state. LSTM adds its two biases up; GRU has both, as `reset_after=True` needs them. Only
the shape of the bias tells the two forms apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from hornbeam.core.variable import Variable
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.gru import GRU
from hornbeam.keras.layers.lstm import LSTM
from hornbeam.keras.saving.comparison import Entry

Need = tuple[Variable, Entry]


def converted(layer: Layer, needs: Iterable[Need]) -> list[Need]:
    """Return what a layer takes, where the weights of such layers are converted as they are read."""
    found = {id(variable): (variable, entry) for variable, entry in needs}
    for each in layer.flatten_layers():
        if isinstance(each, (LSTM, GRU)) and each.built and each.use_bias:
            own = [each.cell.kernel, each.cell.recurrent_kernel, each.cell.bias]
            if all(id(v) in found for v in own):
                found |= _converted(isinstance(each, LSTM), [found[id(v)] for v in own])
    return list(found.values())


def _converted(is_lstm: bool, needs: list[Need]) -> dict[int, Need]:
    """Return the needs of a layer in its own form; none where the file has them so already, or another shape."""
    (kernel, of_kernel), (recurrent, of_recurrent), (bias, of_bias) = needs
    width = kernel.shape[1]
    gates, shape = (4, (width,)) if is_lstm else (3, (2, width))
    if tuple(bias.shape) != shape or tuple(of_bias.shape) != (2 * width,):
        return {}

    def one_bias(both: np.ndarray) -> np.ndarray:
        pair = both.reshape(2, -1)
        return pair.sum(0) if is_lstm else pair

    made = [
        (kernel, of_kernel.converted(lambda array: _by_gate(array, gates, _reordered))),
        (recurrent, of_recurrent.converted(lambda array: _by_gate(array, gates, np.transpose))),
        (bias, replace(of_bias.converted(one_bias), shape=shape)),
    ]
    return {id(variable): (variable, entry) for variable, entry in made}


def _by_gate(
    kernels: np.ndarray, gates: int, convert: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    return np.hstack([convert(each) for each in np.hsplit(kernels, gates)])


def _reordered(kernel: np.ndarray) -> np.ndarray:
    """Return the kernel of a gate whose transposed numbers were stored column by column."""
    return kernel.T.reshape(kernel.shape, order="F")
