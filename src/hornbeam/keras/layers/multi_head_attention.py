"""Attention of several heads."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, Unpack

from hornbeam.keras import regularizers
from hornbeam.keras.engine.arguments import (
    BaseArguments,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
)
from hornbeam.keras.layers.arguments import as_count
from hornbeam.keras.layers.attention_heads import HeadsAttention
from hornbeam.keras.layers.einsum_dense import EinsumDense

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(HeadsAttention):
    """For each head, softmax(q k^T / sqrt(key_dim)) v, where q, k, v are projections of query, key and value.

    Shapes: query (b, t, d), value (b, s, e), key (b, s, f) -> (b, t, *output_shape), with `output_shape` (d,) unless it
    is given; attention scores (b, num_heads, t, s). Inputs may have more axes: attention goes along `attention_axes`,
    all between the first and the last one by default, and everything else happens for each place of the others.

    `key` is the value unless it is given. `value_dim` is the size of a head's values, `key_dim` by default. Masks of
    query, value and key, (b, t) and (b, s), come with the tensors or are given; `attention_mask` (b, t, s) says for each
    pair whether attention may go there. `use_causal_mask` lets no query look ahead, `sliding_window` w lets it look at
    the places less than w away. `dropout` is the rate at which scores are dropped in training. With `use_gate` what the
    heads found is multiplied with a sigmoid of one more projection of the query. `activity_regularizer` applies to
    each projection.

    `return_attention_scores=True` in the call makes it return (outputs, scores). `flash_attention=True` asks for the fused kernel
    of GPUs, and is refused together with dropout and scores.

    Raises ValueError for shapes that don't fit. (Vaswani et al. 2017, arXiv:1706.03762)

    >>> from hornbeam import keras
    >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    >>> x = keras.ops.ones((1, 5, 8))
    >>> outputs, scores = layer(x, x, return_attention_scores=True, use_causal_mask=True)
    >>> outputs.shape, scores[0, 0, 1].numpy()
    (TensorShape([1, 5, 8]), array([0.5, 0.5, 0. , 0. , 0. ], dtype=float32))
    """

    # Keras writes them to files of weights under these names.
    names_in_files = {
        "_query_dense": "query_dense",
        "_key_dense": "key_dense",
        "_value_dense": "value_dense",
        "_output_dense": "output_dense",
    }

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Unpack[BaseArguments],
    ) -> None:
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            **kwargs,
        )
        self._activity_regularizer = regularizers.get(activity_regularizer)
        self.num_heads = as_count("num_heads", num_heads)
        self.key_dim = as_count("key_dim", key_dim)
        self.value_dim = as_count("value_dim", value_dim) if value_dim else self.key_dim
        self.output_shape = _as_sizes("output_shape", output_shape)
        self.attention_axes = _as_sizes("attention_axes", attention_axes)

    def head_counts(self) -> tuple[int, int]:
        """Return `num_heads` for both."""
        return self.num_heads, self.num_heads

    def head_sizes(self) -> tuple[int, int]:
        """Return `key_dim` and `value_dim`."""
        return self.key_dim, self.value_dim

    def output_sizes(self, query_shape: Any) -> tuple[int, ...]:
        """Return `output_shape`, or the size of the query's last axis."""
        return self.output_shape or super().output_sizes(query_shape)

    @property
    def query_dense(self) -> EinsumDense:
        """The layer that makes the queries."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The layer that makes the keys."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The layer that makes the values."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The layer that projects the outputs of the heads."""
        return self._output_dense


def _as_sizes(name: str, value: Any) -> tuple[int, ...] | None:
    """Return `value` as a tuple of integers; None stays None."""
    if value is None:
        return None
    values = tuple(value) if isinstance(value, Iterable) else (value,)
    try:
        return tuple(map(operator.index, values))
    except TypeError:
        raise ValueError(f"`{name}` is an integer or several; received {value!r}.") from None
