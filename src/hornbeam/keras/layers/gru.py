"""The gated recurrent unit: cell and layer."""

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

__all__ = ["GRU", "GRUCell"]


class GRUCell(RNNCell):
    """One step of a gated recurrent unit (Cho et al. 2014, arXiv:1406.1078).

    z, r = recurrent_activation(x[t] @ W + bias + h[t-1] @ U + recurrent bias);
    h[t] = z * h[t-1] + (1 - z) * g, where with `reset_after`
    g = activation(x[t] @ W + bias + r * (h[t-1] @ U + recurrent bias)), else
    g = activation(x[t] @ W + bias + (r * h[t-1]) @ U). The order of the gates in the weights is z, r, g.

    Shapes: x (b, d), states [h] with h (b, u); kernel W (d, 3u), recurrent_kernel U (u, 3u), bias (2, 3u), the inputs'
    and the recurrent one, with `reset_after`, else (3u,)

    >>> from hornbeam import keras
    >>> cell = keras.layers.GRUCell(4)
    >>> h, states = cell(keras.ops.ones((2, 3)), cell.get_initial_state(2))
    >>> h.shape, len(states)
    (TensorShape([2, 4]), 1)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
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
        reset_after: bool = True,
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
        self.reset_after = reset_after

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """(2, 3u) or (3u,)"""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def input_bias(self) -> Any:
        """Return the part of the bias that is added to the input's product."""
        return self.bias[0] if self.reset_after and self.bias is not None else self.bias

    @property
    def has_plain_activations(self) -> bool:
        """Return whether both activations are pure functions of numbers."""
        return super().has_plain_activations and hasattr(self.recurrent_activation, "raw")

    def step(self, projected: Any, states: Any, training: bool = False) -> Any:
        """Do one step, from the input's product."""
        dropped = self.drop_state(states[0], training)
        xz, xr, xg = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            product = ops.affine(
                dropped, self.recurrent_kernel, None if self.bias is None else self.bias[1]
            )
            hz, hr, hg = ops.split(product, 3, axis=-1)
        else:
            gates, candidate = ops.split(self.recurrent_kernel, [2 * self.units], axis=1)
            hz, hr = ops.split(ops.matmul(dropped, gates), 2, axis=-1)
        z = self.recurrent_activation(ops.add(xz, hz))
        r = self.recurrent_activation(ops.add(xr, hr))
        hg = (
            ops.multiply(r, hg)
            if self.reset_after
            else ops.matmul(ops.multiply(r, dropped), candidate)
        )
        h = z * states[0] + (1 - z) * self.activation(ops.add(xg, hg))
        return h, [h]

    def run(self, sequences: Any, states: Any, **options: Any) -> Any:
        """Run a whole sequence through the kernel."""
        (h0,) = states
        return ops.gru(
            sequences,
            h0,
            self.kernel,
            self.recurrent_kernel,
            self.bias,
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            reset_after=self.reset_after,
            **options,
        )


class GRU(CellRNN):
    """A gated recurrent unit over a sequence (Cho et al. 2014, arXiv:1406.1078).

    Shapes: (b, t, d) -> the last h (b, units), or with `return_sequences` all of them (b, t, units). Formula and
    weights as in `GRUCell`, options as in `RNN`; `use_cudnn` is accepted and makes no difference.

    >>> from hornbeam import keras
    >>> keras.layers.GRU(4, return_sequences=True)(keras.ops.ones((2, 5, 3))).shape
    TensorShape([2, 5, 4])
    """

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
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
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        **kwargs: Unpack[CellRNNArguments],
    ) -> None:
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
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
            reset_after=reset_after,
            seed=seed,
            **cell_arguments("gru_cell", kwargs),
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
