"""Kernels of convolutions that Keras 2 wrote on Theano, which ran through them backwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from hornbeam.core.variable import Variable
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.conv import Conv1D, Conv2D, Conv3D
from hornbeam.keras.layers.conv_transpose import Conv2DTranspose
from hornbeam.keras.saving.comparison import Entry


def turned(layer: Layer, needs: Iterable[tuple[Variable, Entry]]) -> list[tuple[Variable, Entry]]:
    """Return what a layer takes, where the kernels of convolutions are turned round as they are read."""
    kinds = (Conv1D, Conv2D, Conv3D, Conv2DTranspose)
    kernels = {id(each.kernel) for each in layer.flatten_layers() if isinstance(each, kinds)}
    return [(v, _turned(entry) if id(v) in kernels else entry) for v, entry in needs]


def _turned(entry: Entry) -> Entry:
    read = entry.read
    if read is None:
        return entry
    in_space = tuple(range(len(entry.shape) - 2))
    return replace(entry, read=lambda: np.ascontiguousarray(np.flip(read(), in_space)))
