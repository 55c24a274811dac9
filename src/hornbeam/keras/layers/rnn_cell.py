"""What the built-in recurrent cells share: weights, dropout, first states.

Letters: b batch, t time, d input features, u units, g gates.
"""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.rng import SeedGenerator
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    LayerArguments,
    RegularizerLike,
)
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_count, known_size
from hornbeam.ops import random


class CellArguments(LayerArguments, total=False):
    """The arguments of any layer, and one by which Keras chooses among ways to compute the same."""

    implementation: int


class RNNCell(Layer):
    """The base of the built-in cells: one step, `call(x[t], states)`, returns h[t] and the new states.

    A step has two parts. `project` takes the input's product with the kernel; it does so for a whole sequence as well,
    so that a layer does it before its loop. `step` does the rest.

    Shapes: kernel (d, g * u), recurrent_kernel (u, g * u), bias (g * u,); each state (b, u).

    `units` is u. `dropout` and `recurrent_dropout` are the rates at which, while training, inputs and states are
    dropped before they meet their kernel; all gates and all steps of a sequence share one mask (Gal and Ghahramani
    2016, arXiv:1512.05287). Raises ValueError for `units` < 1 and rates outside of [0, 1].
    """

    gates = 1
    state_count = 1

    def __init__(
        self,
        units: int,
        *,
        activation: ActivationLike,
        use_bias: bool,
        kernel_initializer: InitializerLike,
        recurrent_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        kernel_regularizer: RegularizerLike,
        recurrent_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        kernel_constraint: ConstraintLike,
        recurrent_constraint: ConstraintLike,
        bias_constraint: ConstraintLike,
        dropout: float,
        recurrent_dropout: float,
        seed: int | None,
        **kwargs: Unpack[CellArguments],
    ) -> None:
        kwargs.pop("implementation", None)  # there is one way here
        super().__init__(**kwargs)
        self.units = as_count("units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = _as_rate("dropout", dropout)
        self.recurrent_dropout = _as_rate("recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        self.state_size: Any = units if self.state_count == 1 else [units] * self.state_count
        self.output_size = units
        self.reset_dropout_mask()
        self.reset_recurrent_dropout_mask()

    def build(self, input_shape: Any) -> None:
        """Make the two kernels and the bias."""
        columns = self.gates * self.units
        features = known_size(self, input_shape, -1)
        self.kernel = self.add_named_weight("kernel", (features, columns))
        self.recurrent_kernel = self.add_named_weight(
            "recurrent_kernel", (self.units, columns), arguments="recurrent"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_named_weight("bias", self.bias_shape, initializer=self.first_bias)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def first_bias(self, shape: Any, dtype: Any = None) -> Any:
        """Return the first value of the bias."""
        return self.bias_initializer(shape, dtype=dtype)

    @property
    def input_bias(self) -> Any:
        """Return the part of the bias that is added to the input's product."""
        return self.bias

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        """(b, d), states (b, u) -> h (b, u), new states"""
        return self.step(self.project(inputs, training), states, training)

    def project(self, inputs: Any, training: bool = False) -> Any:
        """inputs @ kernel + bias: (b, d) or (b, t, d) -> (b, g * u) or (b, t, g * u)"""
        return ops.affine(self.drop_inputs(inputs, training), self.kernel, self.input_bias)

    def step(self, projected: Any, states: Any, training: bool = False) -> Any:
        """The result of `project` for one step (b, g * u), states (b, u) -> h (b, u), new states"""
        raise NotImplementedError

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return zeros (batch_size, u) for each state."""
        return [
            ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
            for _ in range(self.state_count)
        ]

    @property
    def has_plain_activations(self) -> bool:
        """Return whether the activations are pure functions of numbers, which kernels can take."""
        return hasattr(self.activation, "raw")

    # Dropout

    def drop_inputs(self, inputs: Any, training: bool) -> Any:
        """Return the inputs of one step (b, d) or of all (b, t, d), with dropout while training."""
        if not training or not self.dropout:
            return inputs
        if inputs.ndim == 2:
            return ops.multiply(inputs, self.get_dropout_mask(inputs))
        return ops.multiply(inputs, ops.expand_dims(self.get_dropout_mask(inputs[:, 0]), 1))

    def drop_state(self, h: Any, training: bool) -> Any:
        """Return the state (b, u) with dropout while training, as the recurrent kernel receives it."""
        if not training or not self.recurrent_dropout:
            return h
        return ops.multiply(h, self.get_recurrent_dropout_mask(h))

    def hold_masks(self, batch_size: int, training: bool) -> None:
        """Draw the masks that all steps of one sequence share. Reset them after the sequence.

        They can't be drawn in the steps: the body of a compiled loop can't advance the seed.
        """
        if training and self.dropout:
            step = ops.ones((batch_size, self.kernel.shape[0]), dtype=self.compute_dtype)
            self._dropout_mask = self.get_dropout_mask(step)
        if training and self.recurrent_dropout:
            state = ops.ones((batch_size, self.units), dtype=self.compute_dtype)
            self._recurrent_dropout_mask = self.get_recurrent_dropout_mask(state)

    def get_dropout_mask(self, step_input: Any) -> Any:
        """Return the factors of an input (b, d); new ones unless a sequence is being processed."""
        if self._dropout_mask is not None:
            return self._dropout_mask
        return random.dropout(ops.ones_like(step_input), self.dropout, seed=self.seed_generator)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """Return the factors of a state (b, u); new ones unless a sequence is being processed."""
        if self._recurrent_dropout_mask is not None:
            return self._recurrent_dropout_mask
        return random.dropout(
            ops.ones_like(step_input), self.recurrent_dropout, seed=self.seed_generator
        )

    def reset_dropout_mask(self) -> None:
        """Forget the mask of the inputs."""
        self._dropout_mask: Any = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the mask of the states."""
        self._recurrent_dropout_mask: Any = None


def zero_states(cell: Any, batch_size: Any, dtype: Any) -> list[Any]:
    """Return the first states of any cell as a list, from its `get_initial_state`, else zeros of its `state_size`."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch_size)
        return list(states) if isinstance(states, (list, tuple)) else [states]
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    shapes = [(size,) if isinstance(size, int) else tuple(size) for size in sizes]
    return [ops.zeros((batch_size, *shape), dtype=dtype) for shape in shapes]


def _as_rate(name: str, rate: float) -> float:
    if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        raise ValueError(f"`{name}` is a rate from 0 to 1; received {rate!r}.")
    return rate
