"""What SimpleRNN, LSTM and GRU share: a recurrent layer that makes its own cell."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam.keras.engine.arguments import BaseArguments, LayerArguments, RegularizerLike
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.layers.rnn import RNN
from hornbeam.keras.layers.rnn_cell import RNNCell


def of_cell(name: str) -> Any:
    """Return a property that reads the cell's attribute of that name."""
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


class CellRNNArguments(BaseArguments, total=False):
    """The further keyword arguments of a recurrent layer that makes its own cell."""

    zero_output_for_mask: bool
    implementation: int  # by which Keras chooses among ways to compute the same


class RNNArguments(CellRNNArguments, total=False):
    """The arguments for the loop over time of a recurrent layer that makes its own cell."""

    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    activity_regularizer: RegularizerLike


def cell_arguments(name: str, layer_arguments: CellRNNArguments) -> LayerArguments:
    """Return what a layer's cell takes besides the weights and the rates of dropout."""
    arguments: LayerArguments = {"name": name}
    if "dtype" in layer_arguments:
        arguments["dtype"] = layer_arguments["dtype"]
    if "trainable" in layer_arguments:
        arguments["trainable"] = layer_arguments["trainable"]
    return arguments


class CellRNN(RNN):
    """A recurrent layer whose cell is one of the built-in ones, made from the layer's own arguments.

    The whole sequence goes through one kernel. Only activations that the kernel can't take (layers, functions of a
    user) make it run step by step; the results are the same.
    """

    cell: RNNCell

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")

    def __init__(self, cell: RNNCell, **kwargs: Unpack[RNNArguments]) -> None:
        kwargs.pop("implementation", None)
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell, whose kernel says how many features a step has."""
        super().build(sequences_shape, initial_state_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: self.cell.kernel.shape[0]})

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        """Return the last output (b, u), all outputs (b, t, u) or None, and the last states."""
        cell = self.cell
        if not cell.has_plain_activations:
            # The inputs' product is taken for all steps at once, before the loop.
            return self.run_loop(
                lambda x, states: cell.step(x, states, training),
                cell.project(sequences, training),
                initial_state,
                mask,
                training,
            )
        dropped = None
        if training and cell.recurrent_dropout:
            dropped = cell.get_recurrent_dropout_mask(initial_state[0])
        return cell.run(
            cell.drop_inputs(sequences, training),
            initial_state,
            mask=mask,
            recurrent_dropout=dropped,
            **self.loop_options(),
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; those of the cell stand in its place."""
        config = super().get_config()
        for name in ("cell", "use_cudnn"):
            config.pop(name, None)
        return config
