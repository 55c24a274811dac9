"""Attention without heads and projections: dot products, and sums through tanh."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.rng import SeedGenerator
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_choice, known_size
from hornbeam.keras.layers.dropout import as_rate
from hornbeam.ops import random
from hornbeam.ops.attention_heads import limited_softmax, summed_tanh

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """softmax(scores) value, with scores query key^T (Luong et al. 2015, arXiv:1508.04025).

    Shapes: [query (b, t, d), value (b, s, e)], or with key (b, s, d) as a third -> (b, t, e); scores (b, t, s).

    Without a key it is the value. `score_mode` "dot" takes dot products, multiplied with a weight with `use_scale`;
    "concat" takes the sum of tanh(query + key) along d, multiplied with one weight outside of tanh, and with
    `use_scale` with another one inside. `dropout` is the rate at which scores are dropped in training. `mask` is a list
    of the query's mask (b, t), which makes outputs 0 and goes on, and the value's (b, s), which says where attention
    may go; either may be None. With `use_causal_mask` no query looks ahead.

    `return_attention_scores=True` in the call makes it return (outputs, scores). Raises ValueError for an unknown `score_mode`,
    and for anything but a list of two or three tensors.

    >>> from hornbeam import keras
    >>> x = keras.ops.array([[[0.0], [1.0]]])
    >>> print(keras.layers.Attention()([x, x], use_causal_mask=True).numpy().round(3).tolist())
    [[[0.0], [0.7310000061988831]]]
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = as_choice("score_mode", score_mode, ("dot", "concat"))
        self.dropout = as_rate(dropout, "dropout")
        self.seed = seed
        self.seed_generator = SeedGenerator(seed) if dropout > 0 else None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        self._check_inputs_list(input_shape)
        self.scale = self._single("scale") if self.use_scale else None
        concat = self.score_mode == "concat"
        self.concat_score_weight = self._single("concat_score_weight") if concat else None

    def _single(self, name: str) -> Any:
        return self.add_weight(name=name, shape=(), initializer="ones")

    def scores(self, query: Any, key: Any) -> Any:
        """Return how well each key fits each query, (b, t, s)."""
        if self.concat_score_weight is None:
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        return ops.multiply(self.concat_score_weight, summed_tanh(query, key, inside=self.scale))

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """[b t d, b s e, b s d] -> b t e, and with `return_attention_scores` b t s after it"""
        self._check_inputs_list([x.shape for x in inputs])
        query, value, key = inputs[0], inputs[1], inputs[-1] if len(inputs) > 2 else inputs[1]
        query_mask, value_mask = self._two_masks(mask)
        weights = limited_softmax(self.scores(query, key), value_mask, use_causal_mask)
        if training and self.seed_generator is not None:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            kept = ops.expand_dims(ops.cast(query_mask, outputs.dtype), -1)
            outputs = ops.multiply(outputs, kept)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the query."""
        return self._two_masks(mask)[0]

    def _two_masks(self, mask: Any) -> tuple[Any, Any]:
        if mask is None:
            return None, None
        if not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3):
            found = f"{len(mask)}" if isinstance(mask, (list, tuple)) else f"{mask!r}"
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) takes as `mask` a list of the masks of query and value; "
                f"received {found}."
            )
        return mask[0], mask[1]

    def _check_inputs_list(self, shapes: Any) -> None:
        shapes = list(shapes) if isinstance(shapes, (list, tuple)) else []
        if len(shapes) not in (2, 3) or not all(isinstance(each, (list, tuple)) for each in shapes):
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) is called on a list [query, value] or [query, value, "
                f"key]; received {f'{len(shapes)} of them' if shapes else 'no list'}."
            )


class AdditiveAttention(Attention):
    """softmax(scores) value, with scores sum(scale * tanh(query + key)) (Bahdanau et al. 2014, arXiv:1409.0473).

    Shapes: [query (b, t, d), value (b, s, e)], or with key (b, s, d) as a third -> (b, t, e); scores (b, t, s);
    scale (d,), left out without `use_scale`.

    All else is as in `Attention`.

    >>> from hornbeam import keras
    >>> layer = keras.layers.AdditiveAttention()
    >>> layer([keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 4))]).shape
    TensorShape([2, 3, 4])
    """

    def __init__(
        self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        self._check_inputs_list(input_shape)
        self.scale = None
        if self.use_scale:
            features = known_size(self, input_shape[0], -1)
            self.scale = self.add_weight(
                name="scale", shape=(features,), initializer="glorot_uniform"
            )

    def scores(self, query: Any, key: Any) -> Any:
        """Return how well each key fits each query, (b, t, s)."""
        return summed_tanh(query, key, outside=self.scale)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; scores are computed in one way only."""
        config = super().get_config()
        del config["score_mode"]
        return config
