"""Rows for EinsumDense and the attention layers."""

import numpy as np

from tests.parity.layer_parity import Row

STEPS = (2, 5, 8)
CROSS = [(2, 5, 8), (2, 7, 6)]
SELF = [STEPS, STEPS]
THREE = [(2, 5, 8), (2, 7, 6), (2, 7, 4)]
ALIKE = [(2, 5, 8), (2, 7, 8)]
ALIKE_THREE = [(2, 5, 8), (2, 7, 6), (2, 7, 8)]
SPACE = (2, 3, 4, 6)

FIVE = np.array([[True, True, False, True, False], [True, False, False, False, False]])
SEVEN = np.array([[True] * 4 + [False] * 3, [True] + [False] * 6])
ONLY_SECOND = np.array([[False] * 7, [True, False, True, False, True, False, False]])
PAIRS = np.arange(70).reshape(2, 5, 7) % 3 > 0


def einsum(equation, output_shape, inputs, **config):
    """A row of EinsumDense. For Keras a size None in `output_shape` is unknown even where the input's is known."""
    arguments = {"equation": equation, "output_shape": output_shape, **config}
    vague = equation.startswith("...") or (isinstance(output_shape, tuple) and None in output_shape)
    return Row("EinsumDense", arguments, inputs, vague=vague)


EINSUM = [
    einsum("ab,bc->ac", 3, (2, 5)),
    einsum("ab,bc->ac", 3, (2, 5), bias_axes="c", activation="relu"),
    einsum("abc,cd->abd", (None, 3), STEPS, bias_axes="d", activity_regularizer="l2"),
    einsum("abc,cde->abde", (None, 2, 3), STEPS, bias_axes="de"),
    einsum("abc,cde->abde", (None, 2, 3), STEPS, bias_axes="d", kernel_regularizer="l2"),
    einsum("abcd,cde->abe", (None, 3), SPACE, bias_axes="e", kernel_constraint="max_norm"),
    einsum("abc,cd->adb", (3, 5), STEPS, bias_axes="d"),
    einsum("abc,bcd->abd", (5, 3), STEPS, bias_axes="bd"),
    einsum("abc,bc->abc", (5, 8), STEPS),
    einsum("...x,xy->...y", 3, SPACE, bias_axes="y"),
    einsum("...ab,bc->...ac", (4, 3), SPACE, bias_axes="ac"),
    einsum("...xy,xyz->...z", 3, SPACE),
    einsum("ab...,bc->ac...", 5, SPACE, bias_axes="c", bias_initializer="ones"),
    einsum("abc,cde->abde", (None, 2, 3), STEPS, bias_axes="de", dtype="mixed_bfloat16"),
    Row(
        "EinsumDense",
        {"equation": "abc,cd->abd", "output_shape": (None, 3), "bias_axes": "d"},
        (2, 4, 5),
        unknown=(0, 1),
        id="unknown_time",
    ),
    Row(
        "EinsumDense",
        {"equation": "ab,bc->ac", "output_shape": 3},
        np.arange(8, dtype="int32").reshape(2, 4),
        id="int32",
    ),
]

HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
SCORES = {"return_attention_scores": True}
CAUSAL = {"use_causal_mask": True}


def heads(inputs, call=None, mask=None, id="", **config):
    """A row of MultiHeadAttention. For Keras scores have as many keys as queries, symbolically."""
    arguments, call = {**HEADS, **config}, call or {}
    vague = inputs is not SELF and "return_attention_scores" in call
    return Row("MultiHeadAttention", arguments, inputs, call, mask, id=id, apart=True, vague=vague)


MULTI_HEAD = [
    heads(SELF),
    heads(CROSS),
    heads(THREE),
    heads(CROSS, SCORES),
    heads(SELF, CAUSAL),
    heads(SELF, {**CAUSAL, **SCORES}),
    heads(CROSS, {"value_mask": SEVEN}),
    heads(CROSS, {"value_mask": SEVEN, **CAUSAL}),
    heads(CROSS, {"value_mask": SEVEN, **SCORES}),
    heads(THREE, {"value_mask": SEVEN, "key_mask": SEVEN[::-1]}),
    heads(CROSS, {"value_mask": ONLY_SECOND}, id="nothing_allowed"),
    heads(CROSS, {"value_mask": ONLY_SECOND, **SCORES}, id="nothing_allowed_scores"),
    heads(CROSS, {"attention_mask": PAIRS}),
    heads(CROSS, {"attention_mask": PAIRS, "value_mask": SEVEN, **CAUSAL, **SCORES}),
    heads(CROSS, {"attention_mask": PAIRS[:, None]}),
    heads(SELF, mask=[FIVE, FIVE], id="implicit"),
    heads(SELF, CAUSAL, mask=[FIVE, FIVE], id="implicit_causal"),
    heads(CROSS, SCORES, mask=[FIVE, SEVEN], id="implicit_scores"),
    heads(CROSS, mask=[None, SEVEN], id="implicit_value"),
    heads(CROSS, SCORES, value_dim=4, output_shape=7),
    heads(CROSS, SCORES, output_shape=(2, 3), use_bias=False),
    heads(CROSS, use_gate=True),
    heads(CROSS, SCORES, use_gate=True, value_dim=4),
    heads(CROSS, {"value_mask": ONLY_SECOND}, dropout=0.3, seed=1),
    heads(SELF, SCORES, sliding_window=2),
    heads(SELF, CAUSAL, sliding_window=3),
    heads([SPACE, SPACE], SCORES),
    heads([SPACE, SPACE], SCORES, attention_axes=2),
    heads([SPACE, SPACE], SCORES, attention_axes=(1, 2), use_gate=True),
    heads([SPACE, SPACE], SCORES, attention_axes=[1]),
    heads([SPACE, SPACE], {"value_mask": np.arange(24).reshape(2, 3, 4) % 5 > 0}, attention_axes=2),
    heads(
        CROSS,
        kernel_regularizer="l2",
        bias_regularizer="l1",
        activity_regularizer="l2",
        kernel_constraint="max_norm",
        kernel_initializer="he_normal",
        bias_initializer="ones",
    ),
    heads(CROSS, dtype="mixed_bfloat16"),
]

GROUPED = [
    Row(
        "GroupQueryAttention",
        {**GROUPS, **config},
        inputs,
        call,
        mask,
        id=id,
        apart=True,
        vague=inputs is ALIKE and "return_attention_scores" in call,
    )
    for inputs, call, mask, config, id in (
        (SELF, {}, None, {}, ""),
        (SELF, SCORES, None, {"use_gate": True}, ""),
        (ALIKE, {"value_mask": SEVEN, **CAUSAL}, None, {}, ""),
        (ALIKE, {**SCORES, "value_mask": ONLY_SECOND}, None, {"use_bias": False}, ""),
        (SELF, {}, [FIVE, FIVE], {}, "implicit"),
        (SELF, {}, None, {"sliding_window": 2, "num_key_value_heads": 1}, ""),
        (SELF, {}, None, {"activity_regularizer": "l2", "kernel_regularizer": "l2"}, ""),
        (SELF, {}, None, {"dropout": 0.2, "seed": 3}, "dropout"),
        (SELF, {}, None, {"dtype": "mixed_bfloat16"}, ""),
    )
]

SIMPLE = [
    Row(name, config, inputs, call, mask, id=id)
    for name, concat in (
        ("Attention", [{"score_mode": "concat", "use_scale": True}, {"score_mode": "concat"}]),
        ("AdditiveAttention", [{"use_scale": False}]),
    )
    for inputs, call, mask, config, id in (
        (ALIKE, {}, None, {}, ""),
        (ALIKE_THREE, SCORES, None, {"use_scale": True}, ""),
        *((ALIKE, {**SCORES, **CAUSAL}, None, config, "") for config in concat),
        (ALIKE, SCORES, [FIVE, SEVEN], {}, "masks"),
        (ALIKE_THREE, CAUSAL, [FIVE, ONLY_SECOND, SEVEN], {}, "three_masks"),
        (ALIKE, {}, [None, SEVEN], {}, "mask_of_value"),
        (ALIKE, {"mask": [FIVE, ONLY_SECOND], **CAUSAL}, None, {}, "given_masks"),
        (ALIKE, {"mask": [None, SEVEN], **SCORES}, None, {}, "given_mask_of_value"),
        (ALIKE, SCORES, None, {"dropout": 0.3, "seed": 2}, ""),
        (ALIKE, {}, None, {"dtype": "mixed_bfloat16"}, ""),
    )
]

ROWS = EINSUM + MULTI_HEAD + GROUPED + SIMPLE
