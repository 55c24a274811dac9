"""Long short-term memory: cell and layer."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.keras import activations
from hornbeam.keras.engine.arguments import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
)
from hornbeam.keras.layers.cell_rnn import CellRNN, CellRNNArguments, cell_arguments, of_cell
from hornbeam.keras.layers.rnn_cell import CellArguments, RNNCell

__all__ = ["LSTM", "LSTMCell"]


class LSTMCell(RNNCell):
    """One step of long short-term memory (Hochreiter and Schmidhuber 1997).

    With a = x[t] @ W + h[t-1] @ U + bias, cut into four: i, f, o = recurrent_activation(a), g = activation(a);
    c[t] = f * c[t-1] + i * g; h[t] = o * activation(c[t]). The order of the gates in the weights is i, f, g, o.

    Shapes: x (b, d), states [h, c], each (b, u); kernel W (d, 4u), recurrent_kernel U (u, 4u), bias (4u,)

    `unit_forget_bias` starts the bias of f at 1 (Jozefowicz et al. 2015).

    >>> from hornbeam import keras
    >>> cell = keras.layers.LSTMCell(4)
    >>> h, (h, c) = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> h.shape, c.shape
    (TensorShape([2, 4]), TensorShape([2, 4]))
    """

    gates = 4
    state_count = 2

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
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
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    def first_bias(self, shape: Any, dtype: Any = None) -> Any:
        """Return the first value of the bias: 1 for the forget gate if `unit_forget_bias`."""
        if not self.unit_forget_bias:
            return super().first_bias(shape, dtype)
        u = self.units
        before, after = (
            self.bias_initializer((u,), dtype=dtype),
            self.bias_initializer((2 * u,), dtype=dtype),
        )
        return ops.concatenate([before, ops.ones((u,), dtype=dtype), after])

    @property
    def has_plain_activations(self) -> bool:
        """Return whether both activations are pure functions of numbers."""
        return super().has_plain_activations and hasattr(self.recurrent_activation, "raw")

    def step(self, projected: Any, states: Any, training: bool = False) -> Any:
        """Do one step, from the input's product."""
        h, c = states
        h = self.drop_state(h, training)
        i, f, g, o = ops.split(ops.add(projected, ops.matmul(h, self.recurrent_kernel)), 4, axis=-1)
        kept = ops.multiply(self.recurrent_activation(f), c)
        c = ops.add(kept, ops.multiply(self.recurrent_activation(i), self.activation(g)))
        h = ops.multiply(self.recurrent_activation(o), self.activation(c))
        return h, [h, c]

    def run(self, sequences: Any, states: Any, **options: Any) -> Any:
        """Run a whole sequence through the kernel."""
        h0, c0 = states
        return ops.lstm(
            sequences,
            h0,
            c0,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            **options,
        )


class LSTM(CellRNN):
    """Long short-term memory over a sequence (Hochreiter and Schmidhuber 1997).

    Shapes: (b, t, d) -> the last h (b, units), or with `return_sequences` all of them (b, t, units); with
    `return_state` also the last h and c. Formula and weights as in `LSTMCell`, options as in `RNN`; `use_cudnn` is
    accepted and makes no difference.

    >>> from hornbeam import keras
    >>> output, h, c = keras.layers.LSTM(4, return_sequences=True, return_state=True)(keras.ops.ones((2, 5, 3)))
    >>> output.shape, h.shape, c.shape
    (TensorShape([2, 5, 4]), TensorShape([2, 4]), TensorShape([2, 4]))
    """

    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        **kwargs: Unpack[CellRNNArguments],
    ) -> None:
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **cell_arguments("lstm_cell", kwargs),
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
        self.use_cudnn = use_cudnn
