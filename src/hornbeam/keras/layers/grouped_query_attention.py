"""Attention of several heads, groups of which share their keys and values."""

from __future__ import annotations

from typing import Unpack

from hornbeam.keras import regularizers
from hornbeam.keras.engine.arguments import (
    BaseArguments,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
)
from hornbeam.keras.layers.arguments import as_count
from hornbeam.keras.layers.attention_heads import HeadsAttention

__all__ = ["GroupQueryAttention"]


class GroupedQueryAttention(HeadsAttention):
    """Multi-head attention in which several heads of queries share one head of keys and values.

    Shapes: query (b, t, d), value (b, s, e), key (b, s, f) -> (b, t, d); attention scores (b, num_query_heads, t, s).

    Each of `num_key_value_heads` heads, all of size `head_dim`, serves num_query_heads / num_key_value_heads heads of
    queries that stand side by side: with 1 this is multi-query attention, with num_query_heads multi-head attention.
    All else is as in `MultiHeadAttention`. In `keras.layers` its name is `GroupQueryAttention`.

    Raises ValueError unless `num_query_heads` is a multiple of `num_key_value_heads`, and for shapes that don't fit.
    (Ainslie et al. 2023, arXiv:2305.13245)

    >>> from hornbeam import keras
    >>> layer = keras.layers.GroupQueryAttention(head_dim=4, num_query_heads=6, num_key_value_heads=2)
    >>> layer(keras.ops.ones((1, 5, 8)), keras.ops.ones((1, 3, 8))).shape
    TensorShape([1, 5, 8])
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
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
        # Keras applies the activity regularizer to the outputs too here, unlike in MultiHeadAttention.
        super().__init__(
            activity_regularizer=activity_regularizer,
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
        self.head_dim = as_count("head_dim", head_dim)
        self.num_query_heads = as_count("num_query_heads", num_query_heads)
        self.num_key_value_heads = as_count("num_key_value_heads", num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                f"`num_query_heads` is a multiple of `num_key_value_heads`; received {num_query_heads} and "
                f"{num_key_value_heads}."
            )

    def head_counts(self) -> tuple[int, int]:
        """Return `num_query_heads` and `num_key_value_heads`."""
        return self.num_query_heads, self.num_key_value_heads

    def head_sizes(self) -> tuple[int, int]:
        """Return `head_dim` for both."""
        return self.head_dim, self.head_dim


GroupQueryAttention = GroupedQueryAttention
