"""Rows of ops that models are made of: losses, metrics, attention, recurrent layers, normalization, schedules, penalties."""

from __future__ import annotations

from typing import Any

from tests.ops.cases import each, row
from tests.ops.rows import Made

LOSSES = [
    *each(
        "binary_focal_crossentropy categorical_focal_crossentropy losses.binary_crossentropy "
        "losses.categorical_crossentropy kl_divergence poisson dice tversky cosine_similarity huber log_cosh "
        "mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error "
        "categorical_hinge hinge squared_hinge squared_error concordance_correlation pearson_correlation",
        "more_fractions fractions",
    ),
    row("losses.sparse_categorical_crossentropy", "classes fractions"),
    row("categorical_generalized_cross_entropy", "classes fractions", q=0.5),
    Made("circle", "floats", lambda op, x: op([0, 1, 0], x / 10.0, gamma=2.0)),
    Made(
        "reduce_loss",
        "floats positive",
        lambda op, x, w: op(x, w, [], "mean_with_sample_weight", "float32"),
    ),
    *each("ratio root_ratio", "positive above_one"),
    row("same_rank", "floats more_floats"),
    row("ctc", "labels sequences"),
    Made(
        "keras.backend.ctc_batch_cost",
        "labels shares label_counts",
        lambda op, y, p, n: op(y, p, [9, 8], n),
    ),
]
METRICS = [
    *each(
        "accuracy binary_accuracy categorical_accuracy top_k_categorical_accuracy",
        "one_hot fractions",
    ),
    *each("sparse_categorical_accuracy sparse_top_k_categorical_accuracy", "classes fractions"),
    Made(
        "confusion_counts",
        "one_hot fractions positive",
        lambda op, y, p, w: op(y, p, [0.3, 0.6], sample_weight=w),
    ),
    Made("class_pairs", "classes three_positive", lambda op, y, w: op(y, y, 4, w, dtype="float32")),
    row("mean_overlap", "positive_square", target_class_ids=(0, 2)),
    row(
        "area",
        "[positive above_one fractions more_fractions]",
        curve="PR",
        summation_method="majoring",
    ),
    row(
        "best_under_constraint",
        "[four_positive four_positive four_positive four_positive]",
        wanted="precision",
        kept="recall",
        least=0.2,
    ),
    row("mean_over_labels", "four four_positive"),
    row(
        "determination",
        "[positive fractions above_one positive]",
        samples=10,
        aggregation=None,
        regressors=1,
    ),
    row(
        "f_score",
        "[four_positive four_positive four_positive four_positive]",
        beta=1.5,
        average="weighted",
    ),
    row("hit_counts", "one_hot fractions", threshold=0.5),
    row("square_sums", "floats more_floats positive"),
    Made("weighted_sum", "floats positive", lambda op, x, w: op(x, w, [], "float32")),
    Made("sample_totals", "floats positive", lambda op, x, w: op(x, w, [], "float32")),
    Made("confusion_matrix", "classes three_positive", lambda op, y, w: op(y, y, 4, w, "float32")),
]
LAYERS = [
    row("attention_weights", "queries queries", allowed=None, scale=0.3),
    row("attention_output", "scores keys"),
    row("fold_axes", "queries", axes=(1,)),
    row("unfold_axes", "queries queries", axes=(1,)),
    row("unfold_attention_weights", "scores queries keys", axes=(1,)),
    row("limited_softmax", "squares", mask=None, is_causal=True),
    row("summed_tanh", "squares two_squares four four"),
    row("group_normalization", "images four four_positive", groups=2, axis=-1, epsilon=1e-3),
    row("masked_moments", "sequences kept", axes=[0, 1]),
    row("narrow_batch_normalization", "floats four four_positive", axis=-1),
    row("tf.nn.batch_normalization", "floats four four_positive four four", epsilon=1e-3),
    row("utils.normalize", "floats", axis=-1, order=2),
    row("wide_moments", "floats", axes=(0,)),
    row("masked_mean", "sequences kept", axis=1, keepdims=False),
    row("simple_rnn", "sequences two_rows square turned four"),
    row("lstm", "sequences two_rows two_rows four_gates more_four_gates"),
    row("gru", "sequences two_rows three_gates more_three_gates"),
]
SCHEDULES = [
    row("cosine_decay", "step", first=0.1, decay_steps=10.0, alpha=0.1),
    row(
        "cosine_decay_restarts",
        "step",
        first=0.1,
        decay_steps=10.0,
        t_mul=2.0,
        m_mul=0.5,
        alpha=0.1,
    ),
    *each(
        "exponential_decay inverse_time_decay",
        "step",
        first=0.1,
        decay_steps=10.0,
        decay_rate=0.5,
        staircase=False,
    ),
    row("piecewise_constant", "step", boundaries=[2.0, 5.0], values=[0.1, 0.2, 0.3]),
    row("polynomial_decay", "step", first=0.1, decay_steps=10.0, last=0.01, power=2.0, cycle=False),
    row(
        "warmup_cosine_decay",
        "step",
        first=0.1,
        decay_steps=10.0,
        alpha=0.1,
        target=0.5,
        warmup_steps=5.0,
    ),
]
PENALTIES = [
    row("l1_l2_penalty", "floats", l1=0.1, l2=0.2),
    row("orthogonal_penalty", "floats", factor=0.1, mode="rows"),
    row("with_norms", "floats", low=0.5, high=1.0, rate=0.9, axis=0),
    row("without_negatives", "floats"),
]
ROWS: list[Any] = [*LOSSES, *METRICS, *LAYERS, *SCHEDULES, *PENALTIES]
