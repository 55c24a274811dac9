"""Kernels of convolutions that Keras 2 wrote on Theano, which ran through them backwards."""

from __future__ import annotations

from collections.abc import Iterable

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
    return [(v, e.converted(_turned) if id(v) in kernels else e) for v, e in needs]


def _turned(kernel: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.flip(kernel, tuple(range(kernel.ndim - 2))))
