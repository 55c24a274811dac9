"""Connectionist temporal classification: against Keras, TensorFlow's recorded answers, and all ways laid out one by one."""

from __future__ import annotations

from itertools import product

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.keras import backend as K
from hornbeam.keras import losses, ops
from tests.tolerances import assert_close

LOGITS = np.random.default_rng(0).normal(size=(4, 6, 5)).astype("float32") * 2
LABELS = np.array([[1, 2, 3], [1, 1, 2], [4, 0, 0], [2, 2, 2]], "int32")
COUNTS = np.array([3, 3, 1, 3], "int32")
# The last labels want five frames, two of them blanks, and have four.
FRAMES = np.array([6, 5, 4, 4], "int32")

# TensorFlow 2.21: tf.nn.ctc_loss(LABELS, LOGITS, COUNTS, FRAMES, logits_time_major=False), the sums of the sizes of its
# gradient, and the gradient of the first frame.
LOSS = np.float32([7.842939853668213, 7.1047210693359375, 8.974947929382324, 712.4310302734375])
SIZES = np.float32([6.101963520050049, 6.710483074188232, 4.545190811157227, 4.630353927612305])
SLOPE = np.float32([-0.23656818, -0.47935283, 0.4979241, 0.1706138, 0.04738301])


def ways(scores: np.ndarray, blank: int) -> dict[tuple[int, ...], float]:
    """Return the probability of every sequence of labels, from log probabilities (frames, classes)."""
    found: dict[tuple[int, ...], float] = {}
    for way in product(range(scores.shape[1]), repeat=len(scores)):
        kept = [k for i, k in enumerate(way) if k != blank and (i == 0 or way[i - 1] != k)]
        chance = np.exp(sum(scores[t, k] for t, k in enumerate(way)))
        found[tuple(kept)] = found.get(tuple(kept), 0.0) + chance
    return found


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return np.asarray(jax.nn.log_softmax(jnp.asarray(logits)))


def test_loss_and_gradient_are_those_of_tensorflow():
    with tf.GradientTape() as tape:
        logits = tf.constant(LOGITS)
        tape.watch(logits)
        loss = ops.ctc_loss(LABELS, logits, COUNTS, FRAMES)
    gradient = tape.gradient(loss, logits).numpy()
    assert_close(loss.numpy()[:3], LOSS[:3])
    assert_close(np.abs(gradient[:3]).sum((1, 2)), SIZES[:3])
    assert_close(gradient[0, 0], SLOPE)
    assert 706 < loss.numpy()[3] < 714 and np.isfinite(gradient).all()
    assert np.abs(gradient[3]).sum() > 1 and not gradient[3, 4:].any()


def test_loss_is_that_of_keras():
    mine = ops.ctc_loss(LABELS[:3], LOGITS[:3], COUNTS[:3], FRAMES[:3], mask_index=0)
    other = keras.ops.ctc_loss(LABELS[:3], LOGITS[:3], COUNTS[:3], FRAMES[:3], mask_index=0)
    assert_close(mine, np.asarray(other))


@pytest.mark.parametrize("blank", [0, 2, -1])
def test_loss_is_the_sum_over_all_ways(blank):
    logits, labels = LOGITS[:2, :4, :3], np.array([[0, 1], [1, 1]]) + (blank == 0)
    for row in range(2):
        chance = ways(log_softmax(logits[row]), blank % 3)[tuple(labels[row])]
        loss = ops.ctc_loss(labels, logits, [2, 2], [4, 4], mask_index=blank)
        assert_close(loss.numpy()[row], np.float32(-np.log(chance)))


def test_no_labels_are_blanks_only():
    loss = ops.ctc_loss([[0], [0]], LOGITS[:2], [0, 0], [6, 0])
    assert_close(loss.numpy(), np.float32([-log_softmax(LOGITS[0])[:, 0].sum(), 0.0]))


def test_gradient_is_the_slope():
    direction = np.random.default_rng(1).normal(size=LOGITS.shape).astype("float32")

    def loss(x):
        return jnp.sum(ops.ctc_loss.raw(LABELS, x, COUNTS, FRAMES)[:3])

    step = 1e-2
    slope = (loss(LOGITS + step * direction) - loss(LOGITS - step * direction)) / (2 * step)
    found = np.sum(np.asarray(jax.grad(loss)(jnp.asarray(LOGITS))) * direction)
    assert abs(found - slope) < 1e-2 * abs(slope)


def test_what_lies_behind_the_lengths_does_not_count():
    other, labels = LOGITS.copy(), LABELS.copy()
    other[2, 4:] = np.nan
    labels[2, 1:] = -1
    assert_close(
        ops.ctc_loss(labels, np.nan_to_num(other, nan=99.0), COUNTS, FRAMES),
        ops.ctc_loss(LABELS, LOGITS, COUNTS, FRAMES),
    )


def test_face_of_tensorflow():
    expected = ops.ctc_loss(LABELS, LOGITS, COUNTS, FRAMES)
    turned = LOGITS.transpose(1, 0, 2)
    assert_close(tf.nn.ctc_loss(LABELS, turned, COUNTS, FRAMES), expected)
    assert_close(
        tf.nn.ctc_loss(LABELS, LOGITS, COUNTS, FRAMES, False, blank_index=-5, name="x"), expected
    )
    compiled = tf.function(lambda x: tf.nn.ctc_loss(LABELS, x, COUNTS, FRAMES))
    assert_close(compiled(turned), expected)


def test_repeats_are_collapsed():
    labels = [[1, 1, 2, 2, 1], [1, 2, 2, 3, 3]]
    found, counts = tf.nn.collapse_repeated(labels, [5, 3])
    assert found.numpy().tolist() == [[1, 2, 1], [1, 2, 0]] and counts.numpy().tolist() == [3, 2]
    found, _ = tf.function(lambda x: tf.nn.collapse_repeated(x, [5, 3]))(tf.constant(labels))
    assert found.numpy().tolist() == [[1, 2, 1, 0, 0], [1, 2, 0, 0, 0]]


@pytest.mark.parametrize(
    "more", [{}, {"merge_repeated": False, "mask_index": 2}, {"mask_index": 4}]
)
def test_best_labels_are_those_of_keras(more):
    labels, score = ops.ctc_decode(LOGITS, FRAMES, **more)
    expected, other = keras.ops.ctc_decode(LOGITS, FRAMES, **more)
    np.testing.assert_array_equal(labels, np.asarray(expected))
    assert_close(score, np.asarray(other))


@pytest.mark.slow  # Keras's search takes long to compile
@pytest.mark.parametrize(("width", "blank"), [(2, 0), (10, 2)])
def test_beams_are_those_of_keras(width, blank):
    options = {"strategy": "beam_search", "beam_width": width, "top_paths": 2, "mask_index": blank}
    labels, scores = ops.ctc_decode(LOGITS, FRAMES, **options)
    expected, others = keras.ops.ctc_decode(LOGITS, FRAMES, **options)
    np.testing.assert_array_equal(labels, np.asarray(expected))
    assert_close(scores, np.asarray(others))


def test_wide_beams_find_the_best_of_all():
    logits = LOGITS[:2, :4, :3]
    labels, scores = ops.ctc_decode(logits, [4, 3], "beam_search", 50, 3)
    for row, frames in enumerate((4, 3)):
        chances = ways(log_softmax(logits[row, :frames]), 0)
        best = sorted(chances, key=chances.__getitem__, reverse=True)[:3]
        found = [tuple(k for k in path if k >= 0) for path in labels.numpy()[:, row].tolist()]
        assert found == best
        assert_close(scores.numpy()[row], np.float32([np.log(chances[each]) for each in best]))


# TensorFlow 2.21: tf.keras.backend.ctc_decode(tf.nn.softmax(LOGITS), FRAMES), greedy and not, beam_width=10, top_paths=2.
GREEDY = [[2, 1, 1, -1], [3, 1, 2, 3], [2, 1, -1, -1], [1, 0, 1, 2]]
BEAMS = [
    [[2, 1, -1, -1], [3, 2, 3, -1], [2, 1, -1, -1], [1, 0, 2, -1]],
    [[2, 1, 3, 1], [3, 1, 3, -1], [2, -1, -1, -1], [1, 0, 1, 2]],
]


def test_decoding_probabilities_is_that_of_tensorflow():
    chances = tf.nn.softmax(LOGITS)
    (labels,), score = K.ctc_decode(chances, FRAMES)
    assert labels.dtype == tf.int64 and labels.numpy()[:, :4].tolist() == GREEDY
    assert_close(score, np.float32([[3.514678], [3.242309], [1.0751777], [1.6926345]]))
    paths, scores = K.ctc_decode(chances, FRAMES, greedy=False, beam_width=10, top_paths=2)
    assert [each.numpy()[:, :4].tolist() for each in paths] == BEAMS
    assert scores.shape == (4, 2)


def test_cost_of_probabilities_is_that_of_tensorflow():
    labels, frames = np.where(LABELS == 4, 0, LABELS), np.array([[6], [5], [4], [4]])
    cost = K.ctc_batch_cost(labels, tf.nn.softmax(LOGITS), frames, COUNTS[:, None])
    assert_close(cost, np.float32([[6.572754], [5.50483], [7.3515325], [np.inf]]))


def test_labels_without_enough_frames_have_no_slope_of_their_cost():
    chances = tf.nn.softmax(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(chances)
        cost = K.ctc_batch_cost(LABELS, chances, FRAMES[:, None], COUNTS[:, None])
    gradient = tape.gradient(cost, chances).numpy()
    assert np.isfinite(gradient).all() and not gradient[3].any() and gradient[0].any()


def test_loss_of_layers():
    zeros = np.array([[1, 2, 3], [1, 1, 2], [4, 0, 0], [2, 2, 2]])
    for mine, other in ((losses.ctc, keras.losses.ctc), (losses.CTC(), keras.losses.CTC())):
        assert_close(mine(zeros, LOGITS), np.asarray(other(zeros, LOGITS)))
    assert losses.CTC().get_config() == keras.losses.CTC().get_config()
    assert losses.get("ctc") is losses.ctc


def test_a_model_learns_its_labels():
    model = tf.keras.Sequential([tf.keras.Input((6, 5)), tf.keras.layers.Dense(5)])
    model.compile("adam", tf.keras.losses.CTC())
    model.fit(LOGITS, LABELS, epochs=1, verbose=0)
    before = model.evaluate(LOGITS, LABELS, verbose=0)
    model.optimizer.learning_rate = 0.1
    model.fit(LOGITS, LABELS, epochs=30, verbose=0)
    assert model.evaluate(LOGITS, LABELS, verbose=0) < before / 4


def test_shapes_of_symbols():
    i = tf.keras.Input((6, 5))
    labels, score = ops.ctc_decode(i, tf.keras.Input((), dtype="int32"))
    assert labels.shape == (1, None, 6) and score.shape == (None, 1)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.ctc_loss([1, 2], LOGITS, [2], [6]), r"labels \(b, labels\) and logits"),
        (lambda: ops.ctc_loss(LABELS[:2], LOGITS, COUNTS, FRAMES), r"\(2, 3\) and \(4, 6, 5\)"),
        (lambda: ops.ctc_loss(LABELS, LOGITS, COUNTS, FRAMES, 7), "one of 5 classes; received 7"),
        (lambda: ops.ctc_decode(LOGITS[0], FRAMES), r"takes logits .* received \(6, 5\)"),
        (lambda: ops.ctc_decode(LOGITS, FRAMES, "best"), "'greedy' or 'beam_search'"),
        (lambda: ops.ctc_decode(LOGITS, FRAMES, "beam_search", 1, 2), "at most `beam_width`"),
        (lambda: losses.ctc([1, 2], LOGITS), r"\(b, labels\) and \(b, frames, classes\)"),
    ],
)
def test_what_is_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
