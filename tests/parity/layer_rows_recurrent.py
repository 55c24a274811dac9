"""Rows for recurrent layers, their cells and wrappers, embeddings and masking."""

import numpy as np

from tests.parity.layer_parity import Row

B, T, D, U = 3, 5, 4, 2
STEPS = (B, T, D)
RIGHT = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool)
HOLES = np.array([[0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
DRAW = np.random.default_rng(0)
STATES = [DRAW.normal(size=(B, U)).astype("float32") for _ in range(4)]
WORDS = DRAW.integers(0, 7, (B, T)).astype("int32")

LAYERS = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}  # and how many states they have
OPTIONS = [
    {},
    {"return_sequences": True},
    {"return_state": True, "go_backwards": True},
    {"return_sequences": True, "return_state": True, "go_backwards": True},
    {"return_sequences": True, "zero_output_for_mask": True},
    {"go_backwards": True, "zero_output_for_mask": True, "return_state": True},
]


def called(states: int, mask: np.ndarray | None) -> dict:
    """The arguments of a call."""
    given = {"initial_state": STATES[:states]} if states else {}
    return given if mask is None else {**given, "mask": mask}


OVER_TIME = [
    Row(name, {"units": U, **options}, STEPS, called(count, HOLES), id=f"options_{i}")
    for name, count in LAYERS.items()
    for i, options in enumerate(OPTIONS)
] + [
    Row(name, {"units": U}, STEPS, called(0, mask), id=what)
    for name in LAYERS
    for what, mask in (("plain", None), ("right", RIGHT))
]
# Keras's SimpleRNN forgets an activity_regularizer.
REGULARIZED = {
    "kernel_regularizer": "l2",
    "recurrent_regularizer": "l2",
    "bias_regularizer": "l2",
    "kernel_constraint": "max_norm",
    "recurrent_constraint": "unit_norm",
    "bias_constraint": "non_neg",
}
ARGUMENTS = [
    Row(name, {"units": U, **arguments}, STEPS)
    for name in LAYERS
    for arguments in (
        {"use_bias": False},
        {"activation": "relu", "return_sequences": True},
        {"activation": "softmax"},
        # Keras's own unrolled loop treats masks in another way than its rolled one; without a mask they agree.
        {"unroll": True, "return_state": True},
        {"dropout": 0.3, "recurrent_dropout": 0.2},
        REGULARIZED,
        {"return_sequences": True, "dtype": "mixed_bfloat16"},
    )
]
GATES = [
    Row("LSTM", {"units": U, "activity_regularizer": "l2", "return_state": True}, STEPS),
    Row("LSTM", {"units": U, "activation": None, "trainable": False}, STEPS),
    Row(
        "LSTM",
        {"units": U, "kernel_initializer": "he_normal", "recurrent_initializer": "zeros"},
        STEPS,
    ),
    Row("LSTM", {"units": U, "recurrent_activation": "hard_sigmoid"}, STEPS),
    Row("LSTM", {"units": U, "unit_forget_bias": False}, STEPS),
    Row("LSTM", {"units": U, "seed": 3, "use_cudnn": False, "implementation": 1}, STEPS),
    Row(
        "GRU", {"units": U, "reset_after": False, "return_sequences": True}, STEPS, called(1, HOLES)
    ),
    Row("GRU", {"units": U, "reset_after": False, "use_bias": False}, STEPS),
    Row("GRU", {"units": U, "recurrent_activation": "hard_sigmoid", "reset_after": False}, STEPS),
    Row("LSTM", {"units": U, "return_sequences": True}, STEPS, unknown=(0, 1), id="unknown_time"),
]
MASKED = [
    Row(name, {"units": U, **options}, STEPS, mask=HOLES)
    for name in LAYERS
    for options in ({}, {"return_sequences": True})
]

CELLS = [
    Row("SimpleRNNCell", {"units": U}, (B, D), {"states": STATES[:1]}),
    Row("LSTMCell", {"units": U}, (B, D), {"states": STATES[:2]}),
    Row(
        "LSTMCell",
        {"units": U, "activation": "relu", "use_bias": False},
        (B, D),
        {"states": STATES[:2]},
    ),
    Row("GRUCell", {"units": U}, (B, D), {"states": STATES[:1]}),
    Row("GRUCell", {"units": U, "reset_after": False}, (B, D), {"states": STATES[:1]}),
    Row("GRUCell", {"units": U, "use_bias": False}, (B, D), {"states": STATES[:1]}),
]


def named(keras, kind: str, units: int = U, **arguments):
    """A layer or cell with a fixed name."""
    return getattr(keras.layers, kind)(units, name=f"inner_{kind.lower()}_{units}", **arguments)


def stacked(keras) -> list:
    """Cells of several kinds."""
    return [named(keras, "LSTMCell", 3), named(keras, "GRUCell"), named(keras, "SimpleRNNCell", 4)]


OF_CELLS = [
    Row(
        "RNN", lambda keras: {"cell": named(keras, "LSTMCell")}, STEPS, called(2, RIGHT), id="lstm"
    ),
    Row(
        "RNN",
        lambda keras: {"cell": named(keras, "GRUCell"), "go_backwards": True},
        STEPS,
        id="gru",
    ),
    Row(
        "RNN",
        lambda keras: {
            "cell": keras.layers.StackedRNNCells(stacked(keras), name="stack"),
            "return_sequences": True,
        },
        STEPS,
        called(0, HOLES),
        id="stacked",
    ),
]

BOTH_WAYS = [
    Row(
        "Bidirectional",
        lambda keras, kind=kind, mode=mode, options=options: {
            "layer": named(keras, kind, **options),
            "merge_mode": mode,
        },
        STEPS,
        called(states, mask),
        id=f"{kind}-{mode}-{what}-{'-'.join(options)}",
    )
    for mode, what, mask, kind, options, states in (
        *(
            (mode, "holes", HOLES, *rest)
            for mode in ("concat", "sum", "mul", "ave", None)
            for rest in (
                ("GRU", {"return_sequences": True}, 0),
                ("LSTM", {"return_sequences": True, "return_state": True}, 4),
            )
        ),
        ("concat", "plain", None, "LSTM", {}, 0),
        ("sum", "right", RIGHT, "SimpleRNN", {}, 2),
    )
] + [
    Row(
        "Bidirectional",
        lambda keras: {
            "layer": named(keras, "LSTM", return_sequences=True),
            "backward_layer": named(keras, "GRU", return_sequences=True, go_backwards=True),
        },
        STEPS,
        id="two_layers",
    ),
    Row(
        "Bidirectional",
        lambda keras: {"layer": named(keras, "GRU", return_sequences=True), "merge_mode": None},
        STEPS,
        mask=RIGHT,
        id="mask",
    ),
]

WRAPPED = [
    Row("TimeDistributed", lambda keras: {"layer": named(keras, "Dense")}, STEPS, id="dense"),
    Row(
        "TimeDistributed",
        lambda keras: {"layer": named(keras, "Dense")},
        STEPS,
        mask=RIGHT,
        id="mask",
    ),
    Row(
        "TimeDistributed",
        lambda keras: {"layer": named(keras, "Conv1D", kernel_size=3)},
        (B, T, 6, D),
        unknown=(0, 1),
        id="conv",
    ),
    Row("TimeDistributed", lambda keras: {"layer": named(keras, "LSTM")}, (B, T, 6, D), id="lstm"),
    Row(
        "TimeDistributed",
        lambda keras: {"layer": keras.layers.BatchNormalization(name="inner")},
        STEPS,
        {"training": True},
        id="batch_normalization",
    ),
]

MASKING = [
    Row("Masking", {}, np.array([[[1, 0], [0, 0], [2, 1]]], "float32")),
    Row(
        "Masking",
        {"mask_value": -1},
        np.array([[[-1, -1], [-1, 0]]], "float32"),
        mask=np.ones((1, 2), bool),
    ),
    Row("Embedding", {"input_dim": 7, "output_dim": 3}, WORDS),
    Row("Embedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, WORDS, mask=RIGHT),
    Row("Embedding", {"input_dim": 7, "output_dim": 3, "dtype": "mixed_bfloat16"}, WORDS),
    Row("Embedding", {"input_dim": 7, "output_dim": 3}, WORDS.astype("float32"), id="float_words"),
    Row(
        "Embedding",
        {
            "input_dim": 7,
            "output_dim": 3,
            "embeddings_initializer": "ones",
            "embeddings_regularizer": "l2",
            "embeddings_constraint": "max_norm",
        },
        WORDS,
    ),
]

ROWS = [
    *OVER_TIME,
    *ARGUMENTS,
    *GATES,
    *MASKED,
    *CELLS,
    *OF_CELLS,
    *BOTH_WAYS,
    *WRAPPED,
    *MASKING,
]
