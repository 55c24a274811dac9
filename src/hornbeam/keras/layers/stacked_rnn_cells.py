"""Several recurrent cells as one."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.rnn_cell import zero_states

__all__ = ["StackedRNNCells"]


class StackedRNNCells(Layer):
    """Cells on top of each other: in every step, the output of one is the input of the next.

    `states` is a list with one list of states for each cell. Raises ValueError where a cell has no `call` or no
    `state_size`.

    >>> from hornbeam import keras
    >>> cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(2)]
    >>> keras.layers.RNN(keras.layers.StackedRNNCells(cells))(keras.ops.ones((1, 3, 5))).shape
    TensorShape([1, 2])
    """

    def __init__(self, cells: Any, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(
                f"`cells` is a list of at least one recurrent cell; received {cells!r}."
            )
        for cell in cells:
            check_cell(cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of each cell's states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the first states of each cell."""
        return [zero_states(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        """Build each cell for the output of the one before."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            size = output_size(cell)
            input_shape = (input_shape[0], *((size,) if isinstance(size, int) else tuple(size)))

    def call(self, inputs: Any, states: Any) -> Any:
        """(b, d), the states of each cell -> the last cell's output, the new states of each cell"""
        new_states = []
        for cell, own in zip(self.cells, states, strict=True):
            inputs, new = cell(inputs, own)
            new_states.append(list(new) if isinstance(new, (list, tuple)) else [new])
        return inputs, new_states


def check_cell(cell: Any) -> None:
    """Raise ValueError unless `cell` has what a recurrent layer needs."""
    missing = [name for name in ("call", "state_size") if not hasattr(cell, name)]
    if missing:
        raise ValueError(
            f"A recurrent cell has a method `call(inputs, states)`, which returns the output and the new states, and an "
            f"attribute `state_size`: an integer, or a list with one for each state. {cell!r} has no "
            f"{' and no '.join(f'`{name}`' for name in missing)}."
        )


def output_size(cell: Any) -> Any:
    """Return the size of a cell's output: its `output_size`, else the size of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
    return size
