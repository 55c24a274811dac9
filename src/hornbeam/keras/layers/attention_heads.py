"""What the attention layers with heads share: projections, the ways to compute, masks."""

from __future__ import annotations

import math
import string
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.names import name_scope
from hornbeam.core.rng import SeedGenerator
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ConstraintLike,
    InitializerLike,
    LayerArguments,
    RegularizerLike,
)
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_count
from hornbeam.keras.layers.dropout import as_rate
from hornbeam.keras.layers.einsum_dense import EinsumDense
from hornbeam.keras.registry import serialize_keras_object
from hornbeam.ops import attention_heads as maths
from hornbeam.ops import random


class HeadsAttention(Layer):
    """The common base: projections to heads, attention in each head, and a projection of their outputs."""

    attention_axes: Any = (1,)
    _activity_regularizer: Any  # of each projection

    def __init__(
        self,
        *,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        kernel_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        kernel_constraint: ConstraintLike,
        bias_constraint: ConstraintLike,
        use_gate: bool,
        seed: int | None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.dropout = as_rate(dropout, "dropout")
        self.use_bias = use_bias
        self.sliding_window = (
            None if sliding_window is None else as_count("sliding_window", sliding_window)
        )
        self.flash_attention = flash_attention
        self.use_gate = use_gate
        self.seed = seed
        self.seed_generator = SeedGenerator(seed) if dropout > 0 else None
        self.supports_masking = True
        if flash_attention and dropout > 0:
            raise ValueError(
                f"{type(self).__name__}: `flash_attention=True` can't be combined with dropout={dropout}. Leave one out."
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def head_counts(self) -> tuple[int, int]:
        """Return the number of heads of the queries, and of the keys and values."""
        raise NotImplementedError

    def head_sizes(self) -> tuple[int, int]:
        """Return the number of features of a head of queries and keys, and of values."""
        raise NotImplementedError

    def output_sizes(self, query_shape: Any) -> tuple[int, ...]:
        """Return the sizes that replace the query's last axis in the output."""
        return tuple(query_shape[-1:])

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(tuple(query_shape), tuple(value_shape), tuple(key_shape))
        self.attention_axes = self._resolved_axes(len(query_shape))
        (heads, key_heads), (key_size, value_size) = self.head_counts(), self.head_sizes()
        outputs = self.output_sizes(query_shape)
        self._query_dense = self._projection("query", query_shape, 1, (heads, key_size))
        self._key_dense = self._projection("key", key_shape, 1, (key_heads, key_size))
        self._gate_dense = None
        if self.use_gate:
            self._gate_dense = self._projection("gate", query_shape, 1, (heads, value_size))
        self._value_dense = self._projection("value", value_shape, 1, (key_heads, value_size))
        found = (*query_shape[:-1], heads, value_size)
        self._output_dense = self._projection("attention_output", found, 2, outputs)

    def _projection(
        self, name: str, shape: Any, summed: int, sizes: tuple[int, ...]
    ) -> EinsumDense:
        """Return a built layer that replaces the last `summed` axes by axes of these `sizes`."""
        rows = len(shape) - summed
        before, old, new = (
            string.ascii_letters[start:stop]
            for start, stop in (
                (0, rows),
                (rows, len(shape)),
                (len(shape), len(shape) + len(sizes)),
            )
        )
        layer = EinsumDense(
            f"{before}{old},{old}{new}->{before}{new}",
            (*[None] * (rows - 1), *sizes),
            bias_axes=new if self.use_bias else None,
            kernel_initializer=_another(self.kernel_initializer),
            bias_initializer=_another(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self._activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        with name_scope(name):
            layer.build(tuple(shape))
        return layer

    def _check_shapes(self, query: Any, value: Any, key: Any) -> None:
        if value[:-1] != key[:-1]:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) needs values and keys of the same shape but for their "
                f"last axis; received shapes {value} and {key}."
            )
        if not len(query) == len(value) >= 3:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) takes a query and values of as many axes, at least 3 "
                f"(batch, time, features); received shapes {query} and {value}."
            )

    def _resolved_axes(self, rank: int) -> tuple[int, ...]:
        given = self.attention_axes
        if given is None:
            given = range(1, rank - 1)
        axes = tuple(axis % rank if -rank <= axis < 0 else axis for axis in given)
        if not axes or not all(1 <= axis < rank - 1 for axis in axes) or len(set(axes)) < len(axes):
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}): `attention_axes` are axes between the batch axis and "
                f"the features, 1 to {rank - 2} here; received {tuple(given)}."
            )
        if self.sliding_window is not None:
            self._check_order("sliding_window", axes)
        return axes

    def _check_order(self, name: str, axes: tuple[int, ...]) -> None:
        if len(axes) > 1:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}): `{name}` needs an order in time, that is one attention "
                f"axis; received attention_axes={axes}."
            )

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """b t d, b s d -> b t outputs, and with `return_attention_scores` b n t s after it"""
        key = value if key is None else key
        self._check_shapes(tuple(query.shape), tuple(value.shape), tuple(key.shape))
        if use_causal_mask:
            self._check_order("use_causal_mask", self.attention_axes)
        masks = (query_mask, value_mask, key_mask, attention_mask)
        heads = (self._query_dense(query), self._key_dense(key), self._value_dense(value))
        weights = None
        # As in Keras, the two ways differ for a query that may attend to nothing: the first one returns the mean of all
        # values, the second one zeros.
        if len(query.shape) == 3 and self.dropout == 0 and not return_attention_scores:
            found = self._attend_at_once(*heads, masks, use_causal_mask)
        else:
            found, weights = self._attend(*heads, masks, use_causal_mask, training)
        if self._gate_dense is not None:
            found = ops.multiply(found, ops.sigmoid(self._gate_dense(query)))
        outputs = self._output_dense(found)
        return (outputs, weights) if return_attention_scores else outputs

    def _attend_at_once(
        self, query: Any, key: Any, value: Any, masks: tuple[Any, ...], is_causal: bool
    ) -> Any:
        allowed = maths.allowed_pairs(
            query, key, self.attention_axes, masks, False, self.sliding_window
        )
        return ops.dot_product_attention(
            query,
            key,
            value,
            mask=allowed,
            scale=self._scale(),
            is_causal=is_causal,
            flash_attention=self.flash_attention,
        )

    def _attend(
        self,
        query: Any,
        key: Any,
        value: Any,
        masks: tuple[Any, ...],
        is_causal: bool,
        training: bool | None,
    ) -> tuple[Any, Any]:
        """Return the outputs of the heads and their attention weights, the latter before dropout."""
        if self.flash_attention:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}): with `flash_attention=True` there are no attention "
                "scores to return, and inputs have 3 axes. Leave `flash_attention` out."
            )
        axes = self.attention_axes
        allowed = maths.allowed_pairs(query, key, axes, masks, is_causal, self.sliding_window)
        q, k, v = (maths.fold(x, axes) for x in (query, key, value))
        weights = maths.attention_weights(q, k, allowed, self._scale())
        kept = weights
        if training and self.seed_generator is not None:
            kept = random.dropout(weights, self.dropout, seed=self.seed_generator)
        found = maths.unfold(maths.weighted_sum(kept, v), query, axes)
        return found, maths.unfold_weights(weights, query, key, axes)

    def _scale(self) -> float:
        return 1 / math.sqrt(self.head_sizes()[0])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; Keras leaves `flash_attention` out."""
        config = super().get_config()
        del config["flash_attention"]
        return {
            **config,
            "activity_regularizer": serialize_keras_object(self._activity_regularizer),
        }


def _another(initializer: Any) -> Any:
    """Return a copy that draws other numbers: the projections must not start out alike."""
    return initializer.clone() if isinstance(initializer, initializers.Initializer) else initializer
