"""Vectors for integers."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from hornbeam import ops
from hornbeam.core.error_types import invalid
from hornbeam.core.tensor import is_traced, unwrap
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    CommonArguments,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
)
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_count, refuse, without_unset

__all__ = ["Embedding"]

# Beyond so many indices, looking at all of them in an eager call would cost more than the lookup.
_MAX_CHECKED = 1_000_000


class EmbeddingArguments(CommonArguments, total=False):
    """The arguments of any layer, and one of Keras 2."""

    activity_regularizer: RegularizerLike
    input_length: int | None


class Embedding(Layer):
    """A trainable vector for each of the integers 0 ... input_dim - 1.

    Shapes: integers (b, ...) -> (b, ..., output_dim); embeddings (input_dim, output_dim)

    With `mask_zero`, index 0 is padding: the output's mask is false there. `weights` is a first value of the table.
    An index outside of the table raises ValueError in an eager call; in a compiled program, which can't raise, its
    vector is NaN. `input_length` is accepted and not needed; `lora_rank`, `lora_alpha` and `quantization_config` are
    not supported.

    >>> from hornbeam import keras
    >>> layer = keras.layers.Embedding(3, 2, weights=[[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    >>> print(layer([[1, 2]]).numpy())
    [[[1. 2.]
      [3. 4.]]]
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        embeddings_constraint: ConstraintLike = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Unpack[EmbeddingArguments],
    ) -> None:
        kwargs.pop("input_length", None)  # of Keras 2, where a Flatten behind needed it
        # Indices must not be cast to a float type of few bits; the rows are cast in `call`.
        kwargs["autocast"] = False
        super().__init__(**kwargs)
        refuse(
            self,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
        )
        self.input_dim = as_count("input_dim", input_dim)
        self.output_dim = as_count("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        if weights is not None:
            self.build()
            single = not isinstance(weights, (list, tuple)) or np.ndim(weights[0]) == 1
            self.set_weights([weights] if single else weights)

    def build(self, input_shape: Any = None) -> None:
        """Make the table."""
        self.embeddings = self.add_named_weight("embeddings", (self.input_dim, self.output_dim))

    def call(self, inputs: Any) -> Any:
        """b ... -> b ... output_dim"""
        if not inputs.dtype.is_integer:
            inputs = ops.cast(inputs, "int32")
        raw = unwrap(inputs)
        if not is_traced(raw) and raw.size <= _MAX_CHECKED:
            self.check_values(raw)
        return ops.embedding_lookup(self.embeddings, inputs, self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return a mask that is False where the index is 0, with `mask_zero`; else None."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def check_values(self, inputs: Any) -> None:
        """Raise ValueError for an index that the table has no row for; compiled code returns NaN for it."""
        indices = np.asarray(inputs)
        if not indices.size or (indices.min() >= 0 and indices.max() < self.input_dim):
            return
        wrong = indices[(indices < 0) | (indices >= self.input_dim)]
        if wrong.size:  # NaN compares as neither
            raise invalid(
                f"The layer {self.name!r} (Embedding) has rows for the indices 0 to {self.input_dim - 1}; received "
                f"the index {wrong[0]}. Raise `input_dim` (the largest index + 1), or map unknown words to one index."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments without the values of the table."""
        config = {"activity_regularizer": None, **super().get_config()}
        return without_unset(config, "lora_rank", "lora_alpha")
