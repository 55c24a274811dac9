"""The recurrent layer: any cell, run over time.

Letters: b batch, t time, d input features, u units.
"""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.rnn_cell import RNNCell, zero_states
from hornbeam.keras.layers.stacked_rnn_cells import StackedRNNCells, check_cell

__all__ = ["RNN"]


class RNN(Layer):
    """Run a cell over the steps of a sequence: output, states = cell(x[t], states).

    Shapes: (b, t, d) -> the last output (b, u), or with `return_sequences` all of them (b, t, u).

    - `cell`: an object with `call(inputs, states)` and `state_size`, best a layer; a list of cells is stacked.
    - `return_state`: return the output and the last states, `(output, *states)`.
    - `go_backwards`: process the last step first; its output comes first, too.
    - `stateful`: go on from the states that the last call ended with; for a fixed batch size. `reset_state()` starts
      anew.
    - `unroll`: write the steps out instead of looping; longer to compile.
    - `zero_output_for_mask`: the output of a masked step is 0.

    The call takes `initial_state`, one tensor or a list, and `mask`, booleans (b, t): at a step where it is false the
    states stay as they are, and the output is that of the step before, at first the first state (zeros where its
    shape is not an output's).

    Raises ValueError for a cell that lacks something, a wrong rank, a wrong number of states or shape of one, and for
    `stateful` without a batch size.

    >>> from hornbeam import keras
    >>> class Sum(keras.layers.Layer):
    ...     state_size = 1
    ...     def call(self, inputs, states):
    ...         total = states[0] + inputs
    ...         return total, [total]
    >>> layer = keras.layers.RNN(Sum(), return_sequences=True)
    >>> print(layer([[[1.0], [2.0], [3.0]]]).numpy()[0, :, 0])
    [1. 3. 6.]
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(cell)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self.states: Any = None

    @property
    def state_size(self) -> list[Any]:
        """The size of each state."""
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    # State

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell for one step, and make the states that a stateful layer keeps."""
        if len(sequences_shape) < 3:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) takes sequences (batch, time, features); received "
                f"shape {tuple(sequences_shape)}. Add the missing axis, e.g. with x[..., None]."
            )
        batch_size = sequences_shape[0]
        if self.stateful and batch_size is None:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) is stateful: it keeps one state for each row of the "
                f"batch, and must know how many there are. Received sequences of shape {tuple(sequences_shape)}; "
                "set the size in keras.Input(batch_size=...) or keras.Input(batch_shape=...)."
            )
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((batch_size, *sequences_shape[2:]))
        if self.stateful:
            self.states = tree.map_structure(self._make_state, self.get_initial_state(batch_size))

    def _make_state(self, value: Any) -> Variable:
        return Variable(value, dtype=self.variable_dtype, trainable=False, name="rnn_state")

    def _own_weights(self) -> list[Variable]:
        """Leave the kept states out: they belong to the data of the last call."""
        kept = {id(state) for state in tree.flatten(self.states)}
        return [v for v in super()._own_weights() if id(v) not in kept]

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Return the states before the first step, from the cell's `get_initial_state` if it has one, else zeros."""
        return zero_states(self.cell, batch_size, self.compute_dtype)

    def reset_state(self) -> None:
        """Set the states back to their start, for the next call."""
        if self.states is not None:
            kept = tree.flatten(self.states)
            for state, value in zip(
                kept, tree.flatten(self.get_initial_state(kept[0].shape[0])), strict=True
            ):
                state.assign(value)

    def reset_states(self) -> None:
        """Do the same as `reset_state`."""
        self.reset_state()

    # Calling

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """(b, t, d) -> (b, u) or (b, t, u), with `return_state` followed by the last states"""
        batch_size, time = sequences.shape[:2]
        if mask is not None and tuple(mask.shape) != (batch_size, time):
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) needs one boolean for each step as mask, here of "
                f"shape {(batch_size, time)}; received a mask of shape {tuple(mask.shape)}."
            )
        states = self._first_states(initial_state, batch_size)
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        if self.stateful:
            for kept, value in zip(tree.flatten(self.states), tree.flatten(states), strict=True):
                kept.assign(value)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        """Return the last output, all outputs (or None) and the last states, by calling the cell in each step."""

        def step(x: Any, states: Any) -> tuple[Any, Any]:
            return self.cell(x, states)

        return self.run_loop(step, sequences, initial_state, mask, training)

    def run_loop(
        self, step: Any, inputs: Any, initial_state: Any, mask: Any, training: bool
    ) -> Any:
        """Run `step(x[t], states)` over time, with the same dropout masks in each step."""

        def steady(x: Any, states: Any) -> tuple[Any, Any]:
            output, new = step(x, states)
            values = tree.flatten(new)
            if len(values) != len(tree.flatten(states)):
                raise ValueError(
                    f"The cell {self.cell!r} was given {len(tree.flatten(states))} states and gave {len(values)} back."
                )
            new = tree.pack_like(states, values)
            return output, tree.map_structure(lambda a, b: ops.cast(a, b.dtype), new, states)

        cells = [each for each in self._depth_first() if isinstance(each, RNNCell)]
        try:
            for cell in cells:
                cell.hold_masks(inputs.shape[0], training)
            return ops.rnn(steady, inputs, initial_state, mask=mask, **self.loop_options())
        finally:
            for cell in cells:
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()

    def loop_options(self) -> dict[str, bool]:
        """Return the options of the loop, as `ops.rnn` takes them."""
        return {
            "zero_output_for_mask": self.zero_output_for_mask,
            "go_backwards": self.go_backwards,
            "return_sequences": self.return_sequences,
            "unroll": self.unroll,
        }

    def _first_states(self, given: Any, batch_size: int) -> Any:
        if given is None and not self.stateful:
            return self.get_initial_state(batch_size)
        if given is None:
            kept = tree.flatten(self.states)[0].shape[0]
            if kept != batch_size:
                raise ValueError(
                    f"The layer {self.name!r} ({type(self).__name__}) is stateful and keeps the states of {kept} "
                    f"sequences; received a batch of {batch_size}. Use one batch size throughout."
                )
            return tree.map_structure(ops.convert_to_tensor, self.states)
        wanted = self.get_initial_state(batch_size)
        shapes = [tuple(each.shape) for each in tree.flatten(wanted)]
        received = [tuple(each.shape) for each in tree.flatten(given)]
        if shapes != received:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) has {len(shapes)} state(s) of the shapes {shapes} "
                f"for this batch; received `initial_state` with {len(received)}, of the shapes {received}."
            )
        return tree.pack_like(wanted, tree.flatten(given))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the inputs for a sequence of outputs, None for a single output and for states."""
        mask = previous_mask if self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask
