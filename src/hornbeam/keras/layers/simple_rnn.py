"""The simple recurrent network: cell and layer."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.keras.engine.arguments import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
)
from hornbeam.keras.layers.arguments import without_unset
from hornbeam.keras.layers.cell_rnn import CellRNN, CellRNNArguments, cell_arguments
from hornbeam.keras.layers.rnn_cell import CellArguments, RNNCell

__all__ = ["SimpleRNN", "SimpleRNNCell"]


class SimpleRNNCell(RNNCell):
    """One step of a simple recurrent network: h[t] = activation(x[t] @ W + h[t-1] @ U + bias) (Elman 1990)

    Shapes: x (b, d), states [h] with h (b, u); kernel W (d, u), recurrent_kernel U (u, u), bias (u,)

    >>> from hornbeam import keras
    >>> cell = keras.layers.SimpleRNNCell(4)
    >>> h, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> h.shape, len(states)
    (TensorShape([2, 4]), 1)
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[CellArguments],
    ) -> None:
        super().__init__(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )

    def step(self, projected: Any, states: Any, training: bool = False) -> Any:
        """Do one step, from the input's product."""
        h = self.drop_state(states[0], training)
        h = self.activation(ops.add(projected, ops.matmul(h, self.recurrent_kernel)))
        return h, [h]

    def run(self, sequences: Any, states: Any, **options: Any) -> Any:
        """Run a whole sequence through the kernel."""
        (h0,) = states
        return ops.simple_rnn(
            sequences,
            h0,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            activation=self.activation,
            **options,
        )


class SimpleRNN(CellRNN):
    """A simple recurrent network over a sequence: h[t] = activation(x[t] @ W + h[t-1] @ U + bias)

    Shapes: (b, t, d) -> the last h (b, units), or with `return_sequences` all of them (b, t, units); weights as in
    `SimpleRNNCell`, options as in `RNN`.

    >>> from hornbeam import keras
    >>> keras.layers.SimpleRNN(4)(keras.ops.ones((2, 5, 3))).shape
    TensorShape([2, 4])
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[CellRNNArguments],
    ) -> None:
        cell = SimpleRNNCell(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **cell_arguments("simple_rnn_cell", kwargs),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; like Keras, no `seed` where there is none."""
        return without_unset(super().get_config(), "seed")
